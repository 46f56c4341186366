/* Two locks: `accept` guards the rows accepted and the status, and is held for
 * moments; `db_lock` guards the database and is held during transactions. Who
 * needs both takes db_lock first. */
#include "spool.h"

#include "backoff.h"
#include "spool_db.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 1024 /* rows thinned or dropped in one go */
#define ROUNDS 64  /* of making room, in one commit */
#define STEADY_MS 3600000
#define JUMP_US 60000000
#define ORPHANS_MAX 32

struct rows {
  struct wr_row *at;
  int count, cap;
};

struct wr_spool {
  struct wr_spool_options options;
  char *path, *vfs;
  char **keys;
  int count;

  pthread_mutex_t accept;
  struct rows accepted; /* swapped with `batch` at a commit */
  struct wr_spool_status status;

  pthread_mutex_t db_lock;
  struct rows batch;
  struct wr_db db;
  int64_t *numbers; /* of the properties, in db */
  struct wr_backoff disk_retry;
  bool opened;
  int64_t now_ms; /* of the latest call that brought a time */
  int64_t clock_offset_us, steady_since_ms;
};

/* --- life --- */

static void free_rows(struct rows *r) {
  free(r->at);
  *r = (struct rows){0};
}

static void release(struct wr_spool *s) {
  for (int i = 0; s->keys != NULL && i < s->count; i++)
    free(s->keys[i]);
  free(s->keys);
  free(s->numbers);
  free(s->path);
  free(s->vfs);
  free_rows(&s->accepted);
  free_rows(&s->batch);
  pthread_mutex_destroy(&s->accept);
  pthread_mutex_destroy(&s->db_lock);
  free(s);
}

struct wr_spool *wr_spool_create(const struct wr_spool_options *options,
                                 const char *const *keys, int count) {
  struct wr_spool *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return NULL;
  s->options = *options;
  pthread_mutex_init(&s->accept, NULL);
  pthread_mutex_init(&s->db_lock, NULL);
  s->disk_retry = (struct wr_backoff)WR_BACKOFF_INIT(5000, 5000, 60000);
  s->path = strdup(options->path);
  s->vfs = options->vfs != NULL ? strdup(options->vfs) : NULL;
  s->keys = calloc((size_t)count + 1, sizeof(*s->keys));
  s->numbers = calloc((size_t)count + 1, sizeof(*s->numbers));
  bool ok = s->path != NULL && s->keys != NULL && s->numbers != NULL &&
            (options->vfs == NULL || s->vfs != NULL);
  for (int i = 0; ok && i < count; i++) {
    s->keys[i] = strdup(keys[i]);
    ok = s->keys[i] != NULL;
  }
  s->count = count;
  if (ok)
    return s;
  release(s);
  return NULL;
}

/* --- the database, and what happens when it fails --- */

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

static void say(struct wr_spool *s, bool in_memory, const char *reason) {
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

/* Opens the file; a corrupt one is moved aside and a new one tried. */
static int open_disk(struct wr_spool *s, struct wr_db *db, int64_t *numbers) {
  char reason[160] = "";
  int code = open_db(s, s->path, db, numbers, reason, sizeof(reason));
  if (code != SQLITE_OK)
    say(s, s->status.in_memory, reason);
  if (code != SQLITE_OK && wr_db_is_corrupt(code)) {
    move_aside(s);
    code = open_db(s, s->path, db, numbers, reason, sizeof(reason));
    if (code != SQLITE_OK)
      say(s, s->status.in_memory, reason);
  }
  return code;
}

static int open_memory(struct wr_spool *s) {
  char reason[160] = "";
  struct wr_db_state state = s->db.state;
  int code = open_db(s, NULL, &s->db, s->numbers, reason, sizeof(reason));
  if (code != SQLITE_OK)
    say(s, true, reason);
  else {
    /* Numbers go on where they were, so that they stay unique when the rows
     * move back to the disk; so does the budget. */
    state.rows = 0;
    s->db.state = state;
  }
  return code;
}

/* After `code` from the database in use: a usable one again, if possible. */
static int recover(struct wr_spool *s, int code) {
  bool was_memory = s->status.in_memory;
  if (was_memory && s->db.handle != NULL)
    return code; /* out of memory; what it holds is still good */
  struct wr_db_state state = s->db.state;
  say(s, was_memory, sqlite3_errstr(code));
  wr_db_close(&s->db);
  if (!was_memory && wr_db_is_corrupt(code)) {
    move_aside(s);
    if (open_disk(s, &s->db, s->numbers) == SQLITE_OK) {
      state.rows = 0;
      s->db.state = state;
      return SQLITE_OK;
    }
  }
  s->db.state = state;
  wr_backoff_fail(&s->disk_retry, s->now_ms, 0, 0);
  say(s, true, NULL);
  return open_memory(s);
}

typedef int (*work_fn)(struct wr_spool *s, void *arg); /* SQLite's codes */

static int try_work(struct wr_spool *s, bool sync, work_fn work, void *arg) {
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

/* One transaction, again on another database when the first one fails. */
static int transact(struct wr_spool *s, bool sync, work_fn work, void *arg) {
  int code = try_work(s, sync && s->options.power, work, arg);
  for (int i = 0; code != SQLITE_OK && i < 2; i++)
    if (recover(s, code) == SQLITE_OK)
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

/* Rows leave the memory only in a transaction that the disk's commit ends. */
static void return_to_disk(struct wr_spool *s) {
  struct wr_db disk;
  struct move m = {&disk, calloc((size_t)s->count + 1, sizeof(int64_t))};
  if (m.numbers == NULL)
    return;
  if (open_disk(s, &disk, m.numbers) != SQLITE_OK) {
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
    wr_backoff_ok(&s->disk_retry);
    say(s, false, NULL);
  } else {
    say(s, true, sqlite3_errstr(code));
    wr_db_exec(&s->db, "ROLLBACK");
    wr_db_close(&disk); /* rolls back as well */
    wr_backoff_fail(&s->disk_retry, s->now_ms, UINT32_MAX, 0);
  }
  free(m.numbers);
}

/* --- making room --- */

static int count_lost(struct wr_spool *s, int64_t *counter, int64_t rows) {
  s->db.state.rows -= rows;
  if (s->db.state.rows < 0)
    s->db.state.rows = 0;
  pthread_mutex_lock(&s->accept);
  *counter += rows;
  pthread_mutex_unlock(&s->accept);
  return (int)rows;
}

/* Each returns a code and adds what went to *gone. */
static int thin(struct wr_spool *s, int i, int *gone) {
  struct wr_row *rows = malloc(CHUNK * sizeof(*rows));
  if (rows == NULL)
    return SQLITE_NOMEM;
  int count = 0, deleted = 0;
  int code =
      wr_db_select(&s->db, WR_DB_THINNABLE, s->numbers[i], rows, CHUNK, &count);
  for (int k = 0; code == SQLITE_OK && count > 1 && k < count; k++) {
    const int64_t key[] = {s->numbers[i], rows[k].time_us, rows[k].seq};
    int one = 0;
    if (k % 2 == 1)
      code = wr_db_delete(&s->db, key[0], key[1], key[2], &one);
    else
      code = wr_db_change(&s->db, WR_DB_RAISE, key, 3, NULL);
    deleted += one;
  }
  free(rows);
  *gone += count_lost(s, &s->status.thinned, deleted);
  return code;
}

static int drop(struct wr_spool *s, int i, int lowest_level, int *gone) {
  const int64_t values[] = {s->numbers[i], lowest_level, CHUNK};
  int64_t deleted = 0;
  int code = wr_db_change(&s->db, WR_DB_DROP, values, 3, &deleted);
  *gone += count_lost(s, &s->status.dropped, deleted);
  return code;
}

static int drop_samples(struct wr_spool *s, int i, int *gone) {
  return drop(s, i, 0, gone);
}
static int drop_any(struct wr_spool *s, int i, int *gone) {
  return drop(s, i, -1, gone);
}

/* Rows of properties that are no longer configured: nobody waits for them. */
static int drop_strangers(struct wr_spool *s, int *gone) {
  char sql[1024] = "DELETE FROM value WHERE property NOT IN (";
  size_t used = strlen(sql);
  for (int i = 0; i < s->count && used < sizeof(sql) - 32; i++)
    used += (size_t)snprintf(sql + used, sizeof(sql) - used, "%s%lld",
                             i > 0 ? "," : "", (long long)s->numbers[i]);
  snprintf(sql + used, sizeof(sql) - used, ")");
  int code = wr_db_exec(&s->db, sql);
  if (code == SQLITE_OK)
    *gone += count_lost(s, &s->status.dropped, sqlite3_changes(s->db.handle));
  return code;
}

/* One round for the sake of property `first`; *gone 0: nothing left to give. */
static int make_room(struct wr_spool *s, int first, int *gone) {
  int (*const means[])(struct wr_spool *, int, int *) = {thin, drop_samples,
                                                         drop_any};
  int code = SQLITE_OK;
  *gone = 0;
  for (int m = 0; m < 3; m++)
    for (int k = 0; k < s->count && *gone == 0 && code == SQLITE_OK; k++)
      code = means[m](s, (first + k) % s->count, gone);
  return code;
}

static int keep_ceiling(struct wr_spool *s, int first) {
  int64_t max =
      s->status.in_memory ? s->options.memory_bytes : s->options.max_bytes;
  int code = SQLITE_OK, gone = 1;
  int64_t bytes = wr_db_bytes(&s->db);
  if (bytes > max)
    code = drop_strangers(s, &gone);
  for (int i = 0; i < ROUNDS && code == SQLITE_OK && gone > 0; i++) {
    bytes = wr_db_bytes(&s->db);
    if (bytes <= max)
      break;
    code = make_room(s, first, &gone);
  }
  pthread_mutex_lock(&s->accept);
  s->status.bytes = bytes;
  pthread_mutex_unlock(&s->accept);
  return bytes < 0 ? SQLITE_IOERR : code;
}

static int expire(struct wr_spool *s, int64_t oldest_us) {
  int code = SQLITE_OK;
  for (int i = 0; code == SQLITE_OK && i < s->count; i++) {
    const int64_t values[] = {s->numbers[i], oldest_us};
    int64_t deleted = 0;
    code = wr_db_change(&s->db, WR_DB_EXPIRE, values, 2, &deleted);
    count_lost(s, &s->status.expired, deleted);
  }
  return code;
}

/* True when wall and monotonic clock have run side by side for an hour. */
static bool clock_is_steady(struct wr_spool *s, int64_t now_ms,
                            int64_t wall_us) {
  int64_t offset = wall_us - now_ms * 1000;
  int64_t jump = offset - s->clock_offset_us;
  s->clock_offset_us = offset;
  if (jump > JUMP_US || jump < -JUMP_US)
    s->steady_since_ms = now_ms;
  return now_ms - s->steady_since_ms >= STEADY_MS;
}

/* --- what users call --- */

void wr_spool_open(struct wr_spool *s, int64_t now_ms) {
  pthread_mutex_lock(&s->db_lock);
  s->now_ms = now_ms;
  if (open_disk(s, &s->db, s->numbers) != SQLITE_OK) {
    wr_backoff_fail(&s->disk_retry, now_ms, 0, 0);
    say(s, true, NULL);
    open_memory(s);
  }
  s->opened = true;
  pthread_mutex_lock(&s->accept);
  s->status.rows = s->db.state.rows + s->accepted.count;
  pthread_mutex_unlock(&s->accept);
  pthread_mutex_unlock(&s->db_lock);
}

/* The first sample there is gives way to a row that finds no room. */
static int squeeze(struct rows *r) {
  int i = 0;
  while (i < r->count - 1 && r->at[i].state)
    i++;
  memmove(r->at + i, r->at + i + 1,
          (size_t)(r->count - i - 1) * sizeof(*r->at));
  r->count--;
  return -ENOSPC;
}

static int grow(struct rows *r, int max) {
  int cap = r->cap == 0 ? 16 : r->cap * 2;
  if (cap > max)
    cap = max;
  struct wr_row *at = realloc(r->at, (size_t)cap * sizeof(*at));
  if (at == NULL)
    return -ENOMEM;
  r->at = at;
  r->cap = cap;
  return 0;
}

int wr_spool_offer(struct wr_spool *s, const struct wr_row *row) {
  pthread_mutex_lock(&s->accept);
  struct rows *r = &s->accepted;
  int status = 0;
  if (r->count == r->cap && (r->cap == s->options.max_accepted ||
                             grow(r, s->options.max_accepted) != 0)) {
    status = r->count > 0 ? squeeze(r) : -ENOMEM;
    s->status.dropped++;
  }
  if (status != -ENOMEM)
    r->at[r->count++] = *row;
  s->status.accepted = r->count;
  s->status.rows += status == 0;
  pthread_mutex_unlock(&s->accept);
  return status;
}

struct commit {
  bool expire;
  int64_t oldest_us;
};

static int store_batch(struct wr_spool *s, void *arg) {
  const struct commit *c = arg;
  int code = SQLITE_OK;
  for (int i = 0; code == SQLITE_OK && i < s->batch.count; i++) {
    struct wr_row *row = s->batch.at + i;
    row->seq = ++s->db.state.seq;
    s->db.state.rows++;
    code = wr_db_insert(&s->db, s->numbers[row->property], row,
                        row->state ? -1 : 0);
  }
  if (code == SQLITE_OK && c->expire)
    code = expire(s, c->oldest_us);
  int first = s->batch.count > 0 ? s->batch.at[0].property : 0;
  return code == SQLITE_OK && s->count > 0 ? keep_ceiling(s, first) : code;
}

static void swap_rows(struct wr_spool *s) {
  pthread_mutex_lock(&s->accept);
  struct rows full = s->accepted;
  s->accepted = s->batch;
  s->accepted.count = 0;
  s->batch = full;
  s->status.accepted = 0;
  pthread_mutex_unlock(&s->accept);
}

static void publish_counts(struct wr_spool *s, int committed, int lost) {
  pthread_mutex_lock(&s->accept);
  s->status.rows = s->db.state.rows + s->accepted.count;
  s->status.committed += committed;
  s->status.dropped += lost;
  pthread_mutex_unlock(&s->accept);
}

int wr_spool_commit(struct wr_spool *s, int64_t now_ms, int64_t wall_us) {
  pthread_mutex_lock(&s->db_lock);
  if (!s->opened) {
    pthread_mutex_unlock(&s->db_lock);
    return 0;
  }
  s->now_ms = now_ms;
  if (s->status.in_memory && wr_backoff_wait(&s->disk_retry, now_ms) == 0)
    return_to_disk(s);
  struct commit c = {.expire = clock_is_steady(s, now_ms, wall_us),
                     .oldest_us = wall_us - s->options.max_age_us};
  swap_rows(s);
  int count = s->batch.count;
  bool stored = true;
  if (count > 0 || c.expire)
    stored = transact(s, true, store_batch, &c) == SQLITE_OK;
  publish_counts(s, stored ? count : 0, stored ? 0 : count);
  s->batch.count = 0;
  pthread_mutex_unlock(&s->db_lock);
  return stored ? count : 0;
}

static int select_rows(struct wr_spool *s, int statement, int property,
                       struct wr_row *rows, int max) {
  int count = 0;
  pthread_mutex_lock(&s->db_lock);
  if (s->db.handle != NULL) {
    int code = wr_db_select(&s->db, statement, s->numbers[property], rows, max,
                            &count);
    if (code != SQLITE_OK) {
      count = 0;
      recover(s, code);
      publish_counts(s, 0, 0);
    }
  }
  pthread_mutex_unlock(&s->db_lock);
  for (int i = 0; i < count; i++)
    rows[i].property = property;
  return count;
}

bool wr_spool_newest(struct wr_spool *s, int property, struct wr_row *row) {
  return select_rows(s, WR_DB_NEWEST, property, row, 1) == 1;
}

int wr_spool_oldest(struct wr_spool *s, int property, struct wr_row *rows,
                    int max) {
  return select_rows(s, WR_DB_OLDEST, property, rows, max);
}

struct removal {
  const struct wr_row *rows;
  int count;
  const struct wr_budget *budget;
  int status;
  const char *reason;
  int64_t wall_us;
};

static int remove_rows(struct wr_spool *s, void *arg) {
  const struct removal *r = arg;
  int code = SQLITE_OK, gone = 0;
  for (int i = 0; code == SQLITE_OK && i < r->count; i++) {
    const struct wr_row *row = r->rows + i;
    code = wr_db_delete(&s->db, s->numbers[row->property], row->time_us,
                        row->seq, &gone);
    s->db.state.rows -= gone;
  }
  if (r->budget != NULL) {
    s->db.state.budget_day = r->budget->day;
    s->db.state.budget_used = r->budget->used;
  }
  if (code == SQLITE_OK && r->reason != NULL)
    code = wr_db_reject(&s->db, s->keys[r->rows->property], r->rows, r->status,
                        r->reason, r->wall_us);
  return code;
}

static void take_out(struct wr_spool *s, struct removal *r) {
  pthread_mutex_lock(&s->db_lock);
  if (s->opened)
    transact(s, false, remove_rows, r);
  publish_counts(s, 0, 0);
  pthread_mutex_unlock(&s->db_lock);
}

void wr_spool_delivered(struct wr_spool *s, const struct wr_row *rows,
                        int count, const struct wr_budget *budget) {
  take_out(s,
           &(struct removal){.rows = rows, .count = count, .budget = budget});
}

void wr_spool_reject(struct wr_spool *s, const struct wr_row *row, int status,
                     const char *reason, int64_t wall_us) {
  take_out(s, &(struct removal){.rows = row,
                                .count = 1,
                                .status = status,
                                .reason = reason,
                                .wall_us = wall_us});
  pthread_mutex_lock(&s->accept);
  s->status.rejected++;
  pthread_mutex_unlock(&s->accept);
}

void wr_spool_load_budget(struct wr_spool *s, struct wr_budget *budget) {
  pthread_mutex_lock(&s->db_lock);
  budget->day = s->db.state.budget_day;
  budget->used = s->db.state.budget_used;
  pthread_mutex_unlock(&s->db_lock);
}

struct memo {
  const char *key;
  const struct wr_cloud_property *p;
};

static int remember(struct wr_spool *s, void *arg) {
  const struct memo *m = arg;
  return wr_db_remember(&s->db, m->key, m->p);
}

void wr_spool_remember(struct wr_spool *s, int property,
                       const struct wr_cloud_property *p) {
  pthread_mutex_lock(&s->db_lock);
  if (s->opened)
    transact(s, false, remember, &(struct memo){s->keys[property], p});
  pthread_mutex_unlock(&s->db_lock);
}

bool wr_spool_recall(struct wr_spool *s, int property,
                     struct wr_cloud_property *p) {
  pthread_mutex_lock(&s->db_lock);
  bool found = s->db.handle != NULL &&
               wr_db_recall(&s->db, s->keys[property], p) == SQLITE_OK &&
               p->id[0] != '\0';
  pthread_mutex_unlock(&s->db_lock);
  return found;
}

void wr_spool_status(struct wr_spool *s, struct wr_spool_status *out) {
  pthread_mutex_lock(&s->accept);
  *out = s->status;
  pthread_mutex_unlock(&s->accept);
}

void wr_spool_destroy(struct wr_spool *s) {
  if (s == NULL)
    return;
  wr_backoff_ok(&s->disk_retry); /* one last try */
  wr_spool_commit(s, s->now_ms, 0);
  wr_db_close(&s->db);
  release(s);
}
