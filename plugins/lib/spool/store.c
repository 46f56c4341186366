#include "lib/spool/impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_keys(struct wr_spool *s, struct wr_db *db, int64_t *numbers) {
  int code = SQLITE_OK;
  for (int i = 0; code == SQLITE_OK && i < s->count; i++)
    code = wr_db_number(db, s->keys[i], &numbers[i]);
  return code;
}

static int open_db(struct wr_spool *s, const char *path, struct wr_db *db,
                   int64_t *numbers, char *reason, size_t size) {
  int code = wr_db_open(db, path, s->vfs, reason, size);
  if (code != SQLITE_OK)
    return code;
  code = number_keys(s, db, numbers);
  if (code != SQLITE_OK) {
    snprintf(reason, size, "%s", sqlite3_errstr(code));
    wr_db_close(db);
  }
  return code;
}

void wr_spool_say(struct wr_spool *s, bool in_memory, const char *reason) {
  pthread_mutex_lock(&s->accept);
  s->status.in_memory = in_memory;
  if (reason != NULL)
    snprintf(s->status.fault, sizeof(s->status.fault), "%s: %s", s->path,
             reason);
  pthread_mutex_unlock(&s->accept);
}

static void rename_suffixed(const char *path, const char *suffix) {
  char from[4096], to[4096];
  if (snprintf(from, sizeof(from), "%s%s", path, suffix) < (int)sizeof(from) &&
      snprintf(to, sizeof(to), "%s.bad%s", path, suffix) < (int)sizeof(to) &&
      rename(from, to) != 0)
    remove(from);
}

/* The shared-memory file holds nothing that cannot be rebuilt. */
static void move_aside(struct wr_spool *s) {
  char shm[4096];
  rename_suffixed(s->path, "-wal");
  rename_suffixed(s->path, "");
  if (snprintf(shm, sizeof(shm), "%s-shm", s->path) < (int)sizeof(shm))
    remove(shm);
  pthread_mutex_lock(&s->accept);
  s->status.moved_aside++;
  pthread_mutex_unlock(&s->accept);
}

int wr_spool_open_disk(struct wr_spool *s, struct wr_db *db, int64_t *numbers) {
  char reason[160] = "";
  int code = open_db(s, s->path, db, numbers, reason, sizeof(reason));
  if (code != SQLITE_OK)
    wr_spool_say(s, s->status.in_memory, reason);
  if (code != SQLITE_OK && wr_db_is_corrupt(code)) {
    move_aside(s);
    code = open_db(s, s->path, db, numbers, reason, sizeof(reason));
    if (code != SQLITE_OK)
      wr_spool_say(s, s->status.in_memory, reason);
  }
  return code;
}

int wr_spool_open_memory(struct wr_spool *s) {
  char reason[160] = "";
  struct wr_db_state state = s->db.state;
  int code = open_db(s, NULL, &s->db, s->numbers, reason, sizeof(reason));
  if (code != SQLITE_OK)
    wr_spool_say(s, true, reason);
  else {
    /* Numbers go on where they were, so that they stay unique when the rows
     * move back to the disk; so does the budget. */
    state.rows = 0;
    s->db.state = state;
  }
  return code;
}

int wr_spool_recover(struct wr_spool *s, int code) {
  bool was_memory = s->status.in_memory;
  if (was_memory && s->db.handle != NULL)
    return code; /* out of memory; what it holds is still good */
  struct wr_db_state state = s->db.state;
  wr_spool_say(s, was_memory, sqlite3_errstr(code));
  wr_db_close(&s->db);
  if (!was_memory && wr_db_is_corrupt(code)) {
    move_aside(s);
    if (wr_spool_open_disk(s, &s->db, s->numbers) == SQLITE_OK) {
      state.rows = 0;
      s->db.state = state;
      return SQLITE_OK;
    }
  }
  if (!was_memory)
    s->stranded = state.rows;
  s->db.state = state;
  wr_backoff_fail(&s->disk_retry, s->now_ms, 0, 0);
  wr_spool_say(s, true, NULL);
  return wr_spool_open_memory(s);
}

static int try_work(struct wr_spool *s, bool sync, wr_spool_work_fn work,
                    void *arg) {
  if (s->db.handle == NULL)
    return SQLITE_MISUSE;
  struct wr_db_state before = s->db.state;
  int code = wr_db_exec(&s->db, sync ? "PRAGMA synchronous=FULL"
                                     : "PRAGMA synchronous=NORMAL");
  if (code == SQLITE_OK)
    code = wr_db_exec(&s->db, "BEGIN IMMEDIATE");
  if (code == SQLITE_OK)
    code = work(s, arg);
  if (code == SQLITE_OK)
    code = wr_db_save_state(&s->db);
  if (code == SQLITE_OK)
    code = wr_db_exec(&s->db, "COMMIT");
  if (code != SQLITE_OK) {
    wr_db_exec(&s->db, "ROLLBACK");
    s->db.state = before;
  }
  return code;
}

int wr_spool_transact(struct wr_spool *s, bool sync, wr_spool_work_fn work,
                      void *arg) {
  int code = try_work(s, sync && s->options.power, work, arg);
  for (int i = 0; code != SQLITE_OK && i < 2; i++)
    if (wr_spool_recover(s, code) == SQLITE_OK)
      code = try_work(s, sync && s->options.power, work, arg);
  return code;
}

/* --- back to the disk --- */

struct move {
  struct wr_db *to;
  int64_t *numbers;
};

static int move_property(struct wr_spool *s, const struct move *m, int i) {
  struct wr_row rows[64];
  int count = 0, gone = 0;
  int code = SQLITE_OK;
  do {
    code = wr_db_select(&s->db, WR_DB_OLDEST, s->numbers[i], rows, 64, &count);
    for (int k = 0; code == SQLITE_OK && k < count; k++) {
      code =
          wr_db_insert(m->to, m->numbers[i], rows + k, rows[k].state ? -1 : 0);
      m->to->state.rows++;
      if (code == SQLITE_OK)
        code = wr_db_delete(&s->db, s->numbers[i], rows[k].time_us, rows[k].seq,
                            &gone);
    }
  } while (code == SQLITE_OK && count == 64);
  return code;
}

static int move_all(struct wr_spool *s, const struct move *m) {
  struct wr_db_state *to = &m->to->state;
  if (to->seq < s->db.state.seq)
    to->seq = s->db.state.seq;
  if (s->db.state.budget_day >= to->budget_day) {
    to->budget_day = s->db.state.budget_day;
    to->budget_used = s->db.state.budget_used;
  }
  int code = wr_db_exec(m->to, "BEGIN IMMEDIATE");
  for (int i = 0; code == SQLITE_OK && i < s->count; i++)
    code = move_property(s, m, i);
  if (code == SQLITE_OK)
    code = wr_db_save_state(m->to);
  return code == SQLITE_OK ? wr_db_exec(m->to, "COMMIT") : code;
}

void wr_spool_return_to_disk(struct wr_spool *s) {
  struct wr_db disk;
  struct move m = {&disk, calloc((size_t)s->count + 1, sizeof(int64_t))};
  if (m.numbers == NULL)
    return;
  if (wr_spool_open_disk(s, &disk, m.numbers) != SQLITE_OK) {
    wr_backoff_fail(&s->disk_retry, s->now_ms, UINT32_MAX, 0);
    free(m.numbers);
    return;
  }
  int code = SQLITE_OK;
  if (s->db.handle != NULL) {
    code = wr_db_exec(&s->db, "BEGIN");
    if (code == SQLITE_OK)
      code = move_all(s, &m);
  }
  if (code == SQLITE_OK) {
    wr_db_close(&s->db);
    s->db = disk;
    memcpy(s->numbers, m.numbers, (size_t)s->count * sizeof(int64_t));
    s->stranded = 0;
    wr_backoff_ok(&s->disk_retry);
    wr_spool_say(s, false, NULL);
  } else {
    wr_spool_say(s, true, sqlite3_errstr(code));
    wr_db_exec(&s->db, "ROLLBACK");
    wr_db_close(&disk); /* rolls back as well */
    wr_backoff_fail(&s->disk_retry, s->now_ms, UINT32_MAX, 0);
  }
  free(m.numbers);
}
