#include "lib/spool/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* More are stored at once, however long they may wait. */
#define FRESH_MAX 1000
#define AGAIN_MS 1000 /* when no database took the rows */

/* --- life --- */

static void release(struct wr_spool *s) {
  for (int i = 0; s->keys != NULL && i < s->count; i++)
    free(s->keys[i]);
  free(s->keys);
  free(s->numbers);
  free(s->disk_numbers);
  free(s->orders);
  free(s->done.seqs);
  free(s->path);
  free(s->vfs);
  free(s->boot);
  free(s->accepted.at);
  wr_fresh_free(&s->fresh);
  free(s->empty);
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
  s->lock_fd = -1;
  pthread_mutex_init(&s->accept, NULL);
  pthread_mutex_init(&s->db_lock, NULL);
  s->disk_retry = (struct wr_backoff)WR_BACKOFF_INIT(5000, 5000, 60000);
  s->path = strdup(options->path);
  s->vfs = options->vfs != NULL ? strdup(options->vfs) : NULL;
  s->boot = options->boot != NULL ? strdup(options->boot) : NULL;
  s->keys = calloc((size_t)count + 1, sizeof(*s->keys));
  s->numbers = calloc((size_t)count + 1, sizeof(*s->numbers));
  s->disk_numbers = calloc((size_t)count + 1, sizeof(*s->disk_numbers));
  s->orders = calloc((size_t)count + 1, sizeof(*s->orders));
  s->empty = calloc((size_t)count + 1, sizeof(*s->empty));
  bool ok = s->path != NULL && s->keys != NULL && s->numbers != NULL &&
            s->disk_numbers != NULL && s->orders != NULL && s->empty != NULL &&
            (options->vfs == NULL || s->vfs != NULL) &&
            (options->boot == NULL || s->boot != NULL);
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
    wr_spool_open_to_read(s);
    s->numbered = s->disk.handle != NULL;
    s->db.state = s->disk.state;
    wr_spool_open_memory(s);
  }
  s->opened = true;
  s->saved = s->db.state.spent;
  pthread_mutex_lock(&s->accept);
  s->status.rows = s->db.state.rows + wr_spool_stranded(s) + s->accepted.count;
  pthread_mutex_unlock(&s->accept);
  pthread_mutex_unlock(&s->db_lock);
}

/* The first sample there is gives way to a row that finds no room; where all
 * are changes of state, the first of them. */
static int squeeze(struct wr_rows *r) {
  int i = 0;
  while (i < r->count && r->at[i].state)
    i++;
  if (i == r->count)
    i = 0;
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
  s->status.accepted += status == 0;
  s->status.rows += status == 0;
  pthread_mutex_unlock(&s->accept);
  return status;
}

struct commit {
  bool store, expire;
  int64_t oldest_us;
};

static int store_fresh(struct wr_spool *s) {
  int code = SQLITE_OK;
  for (int i = 0; code == SQLITE_OK && i < s->fresh.count; i++) {
    const struct wr_row *row = &s->fresh.at[i].row;
    s->db.state.rows++;
    code = wr_db_insert(&s->db, s->numbers[row->property], row,
                        row->state ? -1 : 0);
  }
  return code;
}

static int store(struct wr_spool *s, void *arg) {
  const struct commit *c = arg;
  int code = c->store ? store_fresh(s) : SQLITE_OK;
  if (code == SQLITE_OK && c->expire)
    code = wr_spool_expire(s, c->oldest_us);
  int first = s->fresh.count > 0 ? s->fresh.at[0].row.property : 0;
  return code == SQLITE_OK ? wr_spool_keep_ceiling(s, first) : code;
}

/* Accepted rows get their places; without memory for them they stay where they
 * are. */
static int show(struct wr_spool *s) {
  pthread_mutex_lock(&s->accept);
  int count = s->accepted.count;
  if (wr_fresh_reserve(&s->fresh, count) != 0)
    count = 0;
  for (int i = 0; i < count; i++) {
    struct wr_row *row = s->accepted.at + i;
    row->seq = wr_order_next(&s->orders[row->property], row, s->now_ms,
                             &s->db.state.seq);
    wr_fresh_add(&s->fresh, row, s->now_ms);
  }
  s->accepted.count -= count;
  pthread_mutex_unlock(&s->accept);
  return count;
}

/* Returns false when no database takes the rows: they wait as they are. */
static bool make_safe(struct wr_spool *s, struct commit *c) {
  int count = c->store ? s->fresh.count : 0, lost = 0;
  if (count == 0 && !c->expire)
    return true;
  bool stored = wr_spool_transact(s, true, store, c) == SQLITE_OK;
  if (count > 0 && stored)
    s->fresh.count = 0;
  else if (count > 0)
    lost = wr_fresh_trim(&s->fresh, s->options.max_accepted);
  wr_spool_recount(s, stored ? count : 0, lost);
  return stored || count == 0;
}

int wr_spool_keep(struct wr_spool *s, int64_t now_ms, int64_t wall_us,
                  int64_t hold_ms, int64_t *due_ms) {
  int64_t back = 0;
  int shown = 0;
  bool safe = true;
  pthread_mutex_lock(&s->db_lock);
  if (s->opened) {
    s->now_ms = now_ms;
    if (s->status.in_memory && wr_backoff_wait(&s->disk_retry, now_ms) == 0)
      wr_spool_return_to_disk(s);
    wr_spool_follow(s);
    shown = show(s);
    struct commit c = {.oldest_us = wall_us - s->options.max_age_us};
    c.store = hold_ms <= 0 || s->status.in_memory ||
              s->fresh.count > FRESH_MAX ||
              now_ms - s->fresh.since_ms >= hold_ms;
    bool idle = c.store || shown == 0;
    c.expire = wr_spool_clock_is_steady(s, now_ms, wall_us) && idle;
    safe = make_safe(s, &c);
    back = idle ? wr_spool_bring_back(s) : 0;
    wr_spool_recount(s, 0, 0);
  }
  if (due_ms != NULL)
    *due_ms = !safe                ? now_ms + AGAIN_MS
              : s->fresh.count > 0 ? s->fresh.since_ms + hold_ms
                                   : INT64_MAX;
  pthread_mutex_unlock(&s->db_lock);
  return shown + (int)back;
}

int wr_spool_commit(struct wr_spool *s, int64_t now_ms, int64_t wall_us) {
  return wr_spool_keep(s, now_ms, wall_us, 0, NULL);
}

/* --- what users read --- */

/* Whether the last row stands behind what seemed to be the end: damage in the
 * middle hides the rest, and nothing else would ever say so. */
static int find_hidden(struct wr_spool *s, int property, int64_t end) {
  struct wr_row last;
  int found = 0;
  int code = wr_db_select(&s->db, WR_DB_NEWEST, s->numbers[property], INT64_MAX,
                          &last, 1, &found);
  return code == SQLITE_OK && found == 1 && last.seq > end ? SQLITE_CORRUPT
                                                           : code;
}

/* From the database in use. */
static int select_here(struct wr_spool *s, int statement, int property,
                       int64_t seq, struct wr_row *rows, int max) {
  int count = 0;
  if (s->db.handle == NULL || max <= 0 || s->empty[property])
    return 0;
  int code = wr_db_select(&s->db, statement, s->numbers[property], seq, rows,
                          max, &count);
  if (code == SQLITE_OK && statement == WR_DB_OLDEST && count < max)
    code = find_hidden(s, property, count > 0 ? rows[count - 1].seq : seq);
  if (code == SQLITE_OK) {
    s->empty[property] = count == 0 && (statement == WR_DB_NEWEST || seq == 0);
    return count;
  }
  wr_spool_recover(s, code);
  wr_spool_recount(s, 0, 0);
  return 0;
}

/* From the disk that cannot be written, without what was delivered. */
static int select_there(struct wr_spool *s, int statement, int property,
                        int64_t seq, struct wr_row *rows, int max) {
  int kept = 0, count = max;
  while (s->disk.handle != NULL && kept < max && count > 0) {
    int code = wr_db_select(&s->disk, statement, s->disk_numbers[property], seq,
                            rows + kept, max - kept, &count);
    if (code != SQLITE_OK) {
      wr_db_close(&s->disk);
      wr_spool_recount(s, 0, 0);
      return 0;
    }
    if (count > 0)
      seq = rows[kept + count - 1].seq;
    for (int i = kept, end = kept + count; i < end; i++)
      if (!wr_done_has(&s->done, rows[i].seq))
        rows[kept++] = rows[i];
  }
  return kept;
}

bool wr_spool_newest(struct wr_spool *s, int property, struct wr_row *row) {
  struct wr_row fresh;
  pthread_mutex_lock(&s->db_lock);
  bool is_fresh = wr_fresh_newest(&s->fresh, property, &fresh);
  int count = select_here(s, WR_DB_NEWEST, property, INT64_MAX, row, 1);
  if (count == 0)
    count = select_there(s, WR_DB_NEWEST, property, INT64_MAX, row, 1);
  if (is_fresh && (count == 0 || fresh.seq > row->seq)) {
    *row = fresh;
    count = 1;
  }
  pthread_mutex_unlock(&s->db_lock);
  row->property = property;
  return count == 1;
}

int wr_spool_oldest(struct wr_spool *s, int property, int64_t seq,
                    struct wr_row *rows, int max) {
  pthread_mutex_lock(&s->db_lock);
  int count = select_there(s, WR_DB_OLDEST, property, seq, rows, max);
  count +=
      select_here(s, WR_DB_OLDEST, property, seq, rows + count, max - count);
  count = wr_fresh_merge(&s->fresh, property, seq, rows, count, max);
  pthread_mutex_unlock(&s->db_lock);
  for (int i = 0; i < count; i++)
    rows[i].property = property;
  return count;
}

int64_t wr_spool_hidden(struct wr_spool *s) {
  pthread_mutex_lock(&s->db_lock);
  bool unread = s->status.in_memory && s->disk.handle == NULL;
  int64_t seq = unread ? s->disk_seq : 0;
  pthread_mutex_unlock(&s->db_lock);
  return seq;
}

int64_t wr_spool_seq(struct wr_spool *s) {
  pthread_mutex_lock(&s->db_lock);
  int64_t seq = s->db.state.seq;
  pthread_mutex_unlock(&s->db_lock);
  return seq;
}

void wr_spool_load_spent(struct wr_spool *s, struct wr_spent *spent) {
  pthread_mutex_lock(&s->db_lock);
  *spent = s->db.state.spent;
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
  s->options.spent_ahead = 0;
  wr_spool_commit(s, s->now_ms, 0);
  wr_spool_delivered(s, NULL, 0, NULL); /* the budget as it is */
  wr_db_close(&s->db);
  wr_db_close(&s->disk);
  if (s->lock_fd >= 0) {
    (void)flock(s->lock_fd, LOCK_UN); /* a child of somebody's may have it */
    close(s->lock_fd);
  }
  release(s);
}
