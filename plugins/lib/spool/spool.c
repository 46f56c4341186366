#include "lib/spool/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- life --- */

static void free_rows(struct wr_rows *r) {
  free(r->at);
  *r = (struct wr_rows){0};
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

/* --- what users call --- */

void wr_spool_open(struct wr_spool *s, int64_t now_ms) {
  pthread_mutex_lock(&s->db_lock);
  s->now_ms = now_ms;
  if (wr_spool_open_disk(s, &s->db, s->numbers) != SQLITE_OK) {
    wr_backoff_fail(&s->disk_retry, now_ms, 0, 0);
    wr_spool_say(s, true, NULL);
    wr_spool_open_memory(s);
  }
  s->opened = true;
  pthread_mutex_lock(&s->accept);
  s->status.rows = s->db.state.rows + s->accepted.count;
  pthread_mutex_unlock(&s->accept);
  pthread_mutex_unlock(&s->db_lock);
}

/* The first sample there is gives way to a row that finds no room. */
static int squeeze(struct wr_rows *r) {
  int i = 0;
  while (i < r->count - 1 && r->at[i].state)
    i++;
  memmove(r->at + i, r->at + i + 1,
          (size_t)(r->count - i - 1) * sizeof(*r->at));
  r->count--;
  return -ENOSPC;
}

static int grow(struct wr_rows *r, int max) {
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
  struct wr_rows *r = &s->accepted;
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
    code = wr_spool_expire(s, c->oldest_us);
  int first = s->batch.count > 0 ? s->batch.at[0].property : 0;
  return code == SQLITE_OK && s->count > 0 ? wr_spool_keep_ceiling(s, first)
                                           : code;
}

static void swap_rows(struct wr_spool *s) {
  pthread_mutex_lock(&s->accept);
  struct wr_rows full = s->accepted;
  s->accepted = s->batch;
  s->accepted.count = 0;
  s->batch = full;
  s->status.accepted = 0;
  pthread_mutex_unlock(&s->accept);
}

static void publish_counts(struct wr_spool *s, int committed, int lost) {
  pthread_mutex_lock(&s->accept);
  s->status.rows = s->db.state.rows + s->stranded + s->accepted.count;
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
    wr_spool_return_to_disk(s);
  struct commit c = {.expire = wr_spool_clock_is_steady(s, now_ms, wall_us),
                     .oldest_us = wall_us - s->options.max_age_us};
  swap_rows(s);
  int count = s->batch.count;
  bool stored = true;
  if (count > 0 || c.expire)
    stored = wr_spool_transact(s, true, store_batch, &c) == SQLITE_OK;
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
      wr_spool_recover(s, code);
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
  const struct wr_spent *spent;
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
  if (r->spent != NULL) {
    s->db.state.budget_day = r->spent->day;
    s->db.state.budget_used = r->spent->used;
  }
  if (code == SQLITE_OK && r->reason != NULL)
    code = wr_db_reject(&s->db, s->keys[r->rows->property], r->rows, r->status,
                        r->reason, r->wall_us);
  return code;
}

static void take_out(struct wr_spool *s, struct removal *r) {
  pthread_mutex_lock(&s->db_lock);
  if (s->opened)
    wr_spool_transact(s, false, remove_rows, r);
  publish_counts(s, 0, 0);
  pthread_mutex_unlock(&s->db_lock);
}

void wr_spool_delivered(struct wr_spool *s, const struct wr_row *rows,
                        int count, const struct wr_spent *spent) {
  take_out(s, &(struct removal){.rows = rows, .count = count, .spent = spent});
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

void wr_spool_load_spent(struct wr_spool *s, struct wr_spent *spent) {
  pthread_mutex_lock(&s->db_lock);
  spent->day = s->db.state.budget_day;
  spent->used = s->db.state.budget_used;
  pthread_mutex_unlock(&s->db_lock);
}

struct note {
  const char *key;
  const struct wr_memo *memo;
};

static int remember(struct wr_spool *s, void *arg) {
  const struct note *n = arg;
  return wr_db_remember(&s->db, n->key, n->memo);
}

void wr_spool_remember(struct wr_spool *s, int property,
                       const struct wr_memo *memo) {
  pthread_mutex_lock(&s->db_lock);
  if (s->opened)
    wr_spool_transact(s, false, remember,
                      &(struct note){s->keys[property], memo});
  pthread_mutex_unlock(&s->db_lock);
}

bool wr_spool_recall(struct wr_spool *s, int property, struct wr_memo *memo) {
  pthread_mutex_lock(&s->db_lock);
  bool found = s->db.handle != NULL &&
               wr_db_recall(&s->db, s->keys[property], memo) == SQLITE_OK &&
               memo->id[0] != '\0';
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
