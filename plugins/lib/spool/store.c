/* The database in use: the disk or the memory, and the way between. */
#include "lib/spool/impl.h"

#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what the status says --- */

void wr_spool_say(struct wr_spool *s, bool in_memory, const char *reason) {
  pthread_mutex_lock(&s->accept);
  s->status.in_memory = in_memory;
  if (reason != NULL)
    snprintf(s->status.fault, sizeof(s->status.fault), "%s: %s", s->path,
             reason);
  pthread_mutex_unlock(&s->accept);
}

void wr_spool_note(struct wr_spool *s, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  pthread_mutex_lock(&s->accept);
  char text[sizeof(s->status.note)];
  vsnprintf(text, sizeof(text), format, ap);
  s->status.notes += strcmp(text, s->status.note) != 0;
  memcpy(s->status.note, text, sizeof(text));
  pthread_mutex_unlock(&s->accept);
  va_end(ap);
}

/* --- whose file it is --- */

int wr_spool_suffixed(const struct wr_spool *s, const char *suffix, char *out,
                      size_t size) {
  return snprintf(out, size, "%s%s", s->path, suffix) < (int)size ? 0 : -1;
}

/* Where no lock can be had at all (a read-only directory) we go without. */
static int claim(struct wr_spool *s) {
  char name[4096];
  if (s->lock_fd >= 0 || wr_spool_suffixed(s, ".lock", name, sizeof(name)) != 0)
    return SQLITE_OK;
  int fd = wr_file_create(AT_FDCWD, name, O_RDWR, 0600);
  if (fd < 0)
    return SQLITE_OK;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    s->lock_fd = fd;
    return SQLITE_OK;
  }
  bool taken = errno == EWOULDBLOCK;
  close(fd);
  return taken ? SQLITE_LOCKED : SQLITE_OK;
}

/* --- opening --- */

/* Numbers go on behind every row that is there, whatever the state says: a row
 * with the number of another would take its place. */
static int number_keys(struct wr_spool *s, struct wr_db *db, int64_t *numbers) {
  int code = SQLITE_OK, found = 0;
  struct wr_row last;
  for (int i = 0; code == SQLITE_OK && i < s->count; i++) {
    code = wr_db_number(db, s->keys[i], &numbers[i]);
    if (code == SQLITE_OK)
      code = wr_db_select(db, WR_DB_NEWEST, numbers[i], INT64_MAX, &last, 1,
                          &found);
    if (code == SQLITE_OK && found == 1 && last.seq > db->state.seq)
      db->state.seq = last.seq;
  }
  return code;
}

/* A FIFO would hold us up for ever. */
static bool is_odd(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int open_db(struct wr_spool *s, const struct wr_db_options *how,
                   struct wr_db *db, int64_t *numbers, char *reason,
                   size_t size) {
  struct wr_db_options o = *how;
  if (o.path != NULL && is_odd(s->path)) {
    snprintf(reason, size, "it is not a file");
    return SQLITE_CANTOPEN;
  }
  o.vfs = s->vfs;
  o.boot = s->boot;
  o.max_bytes = s->options.max_bytes;
  int code = wr_db_open(db, &o, reason, size);
  if (code != SQLITE_OK)
    return code;
  code = number_keys(s, db, numbers);
  if (code != SQLITE_OK) {
    snprintf(reason, size, "%s", sqlite3_errstr(code));
    wr_db_close(db);
  }
  return code;
}

static void rename_suffixed(const struct wr_spool *s, const char *suffix,
                            const char *to) {
  char from_name[4096], to_name[4096];
  if (wr_spool_suffixed(s, suffix, from_name, sizeof(from_name)) != 0 ||
      snprintf(to_name, sizeof(to_name), "%s%s%s", s->path, to, suffix) >=
          (int)sizeof(to_name))
    return;
  if (rename(from_name, to_name) != 0)
    remove(from_name);
}

/* The shared-memory file holds nothing that cannot be rebuilt. */
static void move_aside(struct wr_spool *s, const char *to) {
  char shm[4096];
  rename_suffixed(s, "-wal", to);
  rename_suffixed(s, "", to);
  if (wr_spool_suffixed(s, "-shm", shm, sizeof(shm)) == 0)
    remove(shm);
  pthread_mutex_lock(&s->accept);
  s->status.moved_aside++;
  pthread_mutex_unlock(&s->accept);
}

/* A new file in place of one that is no good, with what can be read of it. */
static int begin_anew(struct wr_spool *s, int why, struct wr_db *db,
                      int64_t *numbers, char *reason, size_t size) {
  const char *suffix = why == WR_DB_LATER ? ".later" : ".bad";
  char aside[4096], old_reason[160];
  snprintf(old_reason, sizeof(old_reason), "%s", reason);
  move_aside(s, suffix);
  int code = open_db(s, &(struct wr_db_options){.path = s->path}, db, numbers,
                     reason, size);
  if (code != SQLITE_OK ||
      wr_spool_suffixed(s, suffix, aside, sizeof(aside)) != 0)
    return code;
  int64_t rows = wr_spool_salvage(aside, db);
  pthread_mutex_lock(&s->accept);
  s->status.salvaged += rows;
  pthread_mutex_unlock(&s->accept);
  wr_spool_note(s,
                "the spool was %s and is now %s; a new one is begun, with %lld "
                "values of the old one (%s)",
                why == WR_DB_LATER ? "of a later version" : "corrupt", aside,
                (long long)rows, old_reason);
  return number_keys(s, db, numbers);
}

static void look_at_length(struct wr_spool *s) {
  struct stat st, log;
  char name[4096];
  if (!s->opened && stat(s->path, &st) == 0 && S_ISREG(st.st_mode) &&
      st.st_size == 0 &&
      wr_spool_suffixed(s, "-wal", name, sizeof(name)) == 0 &&
      (stat(name, &log) != 0 || log.st_size == 0))
    wr_spool_note(s,
                  "the spool %s was empty, of 0 bytes; if values waited in it, "
                  "they are lost",
                  s->path);
}

int wr_spool_open_disk(struct wr_spool *s, struct wr_db *db, int64_t *numbers) {
  char reason[160] = "another process uses it; each collectd needs a SpoolDir "
                     "of its own";
  int code = claim(s);
  if (code == SQLITE_OK) {
    look_at_length(s);
    code = open_db(s, &(struct wr_db_options){.path = s->path}, db, numbers,
                   reason, sizeof(reason));
  }
  if (code != SQLITE_OK)
    wr_spool_say(s, s->status.in_memory, reason);
  if (code == WR_DB_LATER || wr_db_is_corrupt(code)) {
    code = begin_anew(s, code, db, numbers, reason, sizeof(reason));
    if (code != SQLITE_OK)
      wr_spool_say(s, s->status.in_memory, reason);
  }
  return code;
}

/* Without its helpers a file on a read-only disk can be read as it stands. */
void wr_spool_open_to_read(struct wr_spool *s) {
  char reason[160], uri[4096 + 32];
  if (claim(s) != SQLITE_OK)
    return; /* not ours */
  struct wr_db_options o = {.path = s->path, .read_only = true};
  if (open_db(s, &o, &s->disk, s->disk_numbers, reason, sizeof(reason)) ==
      SQLITE_OK)
    return;
  snprintf(uri, sizeof(uri), "file:%s?immutable=1", s->path);
  o.path = uri;
  if (strpbrk(s->path, "?#%") == NULL)
    open_db(s, &o, &s->disk, s->disk_numbers, reason, sizeof(reason));
}

int wr_spool_open_memory(struct wr_spool *s) {
  char reason[160] = "";
  struct wr_db_state state = s->db.state;
  int code = open_db(s, &(struct wr_db_options){.path = NULL}, &s->db,
                     s->numbers, reason, sizeof(reason));
  if (code != SQLITE_OK)
    wr_spool_say(s, true, reason);
  /* Numbers go on where they were, so that they stay unique when the rows move
   * back to the disk; so does the budget. */
  state.rows = 0;
  s->db.state = state;
  return code;
}

/* --- when it fails --- */

/* The memory from now on; the disk's connection stays to be read from. */
static int to_memory(struct wr_spool *s) {
  s->disk = s->db;
  memcpy(s->disk_numbers, s->numbers, (size_t)s->count * sizeof(int64_t));
  s->disk_seq = s->disk.state.seq;
  s->numbered = true;
  wr_backoff_fail(&s->disk_retry, s->now_ms, 0, 0);
  wr_spool_say(s, true, NULL);
  return wr_spool_open_memory(s);
}

/* After `code` of opening a file in place of the one before, which was in
 * `state`: in memory, if need be. */
static int go_on(struct wr_spool *s, const struct wr_db_state *state,
                 int code) {
  if (s->db.state.seq < state->seq)
    s->db.state.seq = state->seq;
  s->db.state.spent = state->spent;
  if (code == SQLITE_OK)
    return code;
  wr_backoff_fail(&s->disk_retry, s->now_ms, 0, 0);
  wr_spool_say(s, true, NULL);
  s->numbered = true;
  return wr_spool_open_memory(s);
}

int wr_spool_recover(struct wr_spool *s, int code) {
  char reason[160];
  wr_spool_doubt_empty(s);
  if (s->status.in_memory && s->db.handle != NULL)
    return code; /* out of memory; what it holds is still good */
  s->saved = (struct wr_spent){.used = -1};
  snprintf(reason, sizeof(reason), "%s", sqlite3_errstr(code));
  wr_spool_say(s, s->status.in_memory, reason);
  if (s->status.in_memory)
    return wr_spool_open_memory(s);
  if (!wr_db_is_corrupt(code))
    return to_memory(s);
  struct wr_db_state state = s->db.state;
  wr_db_close(&s->db);
  return go_on(s, &state,
               begin_anew(s, code, &s->db, s->numbers, reason, sizeof(reason)));
}

int wr_spool_reopen(struct wr_spool *s) {
  struct wr_db_state state = s->db.state;
  wr_spool_doubt_empty(s);
  return go_on(s, &state, wr_spool_open_disk(s, &s->db, s->numbers));
}

/* A log that no reader lets go may not outgrow the spool. */
static int mind_log(struct wr_spool *s) {
  const struct wr_db_log *log = s->db.log;
  if (log == NULL ||
      (int64_t)log->pages * s->db.page_size <= s->options.max_bytes)
    return SQLITE_OK;
  return wr_db_fold_log(&s->db) == SQLITE_OK ? SQLITE_OK : SQLITE_BUSY;
}

int64_t wr_spool_stranded(const struct wr_spool *s) {
  int64_t rows =
      s->disk.handle != NULL ? s->disk.state.rows - s->done.count : 0;
  return rows > 0 ? rows : 0;
}

void wr_spool_recount(struct wr_spool *s, int committed, int lost) {
  pthread_mutex_lock(&s->accept);
  s->status.rows = s->db.state.rows + wr_spool_stranded(s) + s->fresh.count +
                   s->accepted.count;
  s->status.accepted = s->fresh.count + s->accepted.count;
  s->status.committed += committed;
  s->status.dropped += lost;
  pthread_mutex_unlock(&s->accept);
}

bool wr_spool_spent_is_saved(const struct wr_spool *s) {
  const struct wr_spent *now = &s->db.state.spent, *saved = &s->saved;
  if (s->options.spent_ahead == 0)
    return now->day == saved->day && now->used == saved->used &&
           now->old == saved->old;
  return now->day == saved->day && now->used <= saved->used &&
         now->old <= saved->old;
}

/* The counts of the budget are stored ahead of themselves, so that they need
 * not be stored with each value. */
static int save_state(struct wr_spool *s) {
  struct wr_spent saved = s->db.state.spent;
  saved.used += s->options.spent_ahead;
  saved.old += s->options.spent_ahead;
  int code = wr_db_save_state(&s->db, &saved);
  if (code == SQLITE_OK)
    s->saved = saved;
  return code;
}

static int try_work(struct wr_spool *s, bool sync, wr_spool_work_fn work,
                    void *arg) {
  if (s->db.handle == NULL)
    return SQLITE_MISUSE;
  struct wr_db_state before = s->db.state;
  int changes = sqlite3_total_changes(s->db.handle);
  if (!sqlite3_get_autocommit(s->db.handle)) /* there was no memory for it */
    wr_db_exec(&s->db, "ROLLBACK");
  int code = mind_log(s);
  if (code == SQLITE_OK)
    code = wr_db_exec(&s->db, sync ? "PRAGMA synchronous=FULL"
                                   : "PRAGMA synchronous=NORMAL");
  if (code == SQLITE_OK)
    code = wr_db_exec(&s->db, "BEGIN IMMEDIATE");
  if (code == SQLITE_OK)
    code = work(s, arg);
  if (code == SQLITE_OK && (sqlite3_total_changes(s->db.handle) != changes ||
                            !wr_spool_spent_is_saved(s)))
    code = save_state(s);
  if (code == SQLITE_OK)
    code = wr_db_exec(&s->db, "COMMIT");
  if (code != SQLITE_OK) {
    wr_db_exec(&s->db, "ROLLBACK");
    s->db.state = before;
  }
  return code;
}

void wr_spool_doubt_empty(struct wr_spool *s) {
  memset(s->empty, 0, (size_t)s->count * sizeof(*s->empty));
}

int wr_spool_transact(struct wr_spool *s, bool sync, wr_spool_work_fn work,
                      void *arg) {
  wr_spool_doubt_empty(s);
  int code = try_work(s, sync && s->options.power, work, arg);
  for (int i = 0; code != SQLITE_OK && i < 2; i++)
    if (wr_spool_recover(s, code) == SQLITE_OK)
      code = try_work(s, sync && s->options.power, work, arg);
  return code;
}
