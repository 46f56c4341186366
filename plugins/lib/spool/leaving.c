/* What leaves the queue: to the cloud, or to the table of rejected rows; and
 * what comes back from there. */
#include "lib/spool/impl.h"

#include "lib/spool/rejected.h"

struct removal {
  const struct wr_row *rows;
  int count;
  const struct wr_spent *spent;
  int status;
  const char *reason;
  int64_t wall_us;
};

/* A row that is read but cannot be found would be sent for ever. */
static int look_again(struct wr_spool *s, const struct wr_row *row) {
  struct wr_row first;
  int count = 0;
  int code = wr_db_select(&s->db, WR_DB_OLDEST, s->numbers[row->property], 0,
                          &first, 1, &count);
  if (code == SQLITE_OK && count == 1 && first.seq == row->seq)
    return SQLITE_CORRUPT;
  return code;
}

static int remove_rows(struct wr_spool *s, void *arg) {
  const struct removal *r = arg;
  int code = SQLITE_OK, gone = 0;
  for (int i = 0; code == SQLITE_OK && i < r->count; i++) {
    const struct wr_row *row = r->rows + i;
    code = wr_db_delete(&s->db, s->numbers[row->property], row->seq, &gone);
    if (code == SQLITE_OK && gone == 0)
      code = look_again(s, row);
    s->db.state.rows -= gone;
  }
  if (r->spent != NULL)
    s->db.state.spent = *r->spent;
  if (code == SQLITE_OK && r->reason != NULL)
    code = wr_db_reject(&s->db, s->keys[r->rows->property], r->rows, r->status,
                        r->reason, r->wall_us);
  if (code == SQLITE_OK)
    wr_spool_measure(s);
  return code;
}

static bool stands_there(struct wr_spool *s, const struct wr_row *row) {
  struct wr_row found;
  int count = 0;
  return wr_db_select(&s->disk, WR_DB_OLDEST, s->disk_numbers[row->property],
                      row->seq - 1, &found, 1, &count) == SQLITE_OK &&
         count == 1 && found.seq == row->seq;
}

static void note_done(struct wr_spool *s, const struct removal *r) {
  for (int i = 0; s->disk.handle != NULL && i < r->count; i++)
    if (stands_there(s, r->rows + i) && !wr_done_add(&s->done, r->rows[i].seq))
      wr_db_close(&s->disk); /* better later than for ever */
}

/* Of a row that is not stored yet nothing reaches the disk. */
static bool only_fresh(struct wr_spool *s, const struct removal *r) {
  int found = 0;
  for (int i = 0; i < r->count; i++)
    found += wr_fresh_remove(&s->fresh, r->rows[i].property, r->rows[i].seq);
  if (found < r->count || r->reason != NULL)
    return false;
  if (r->spent != NULL)
    s->db.state.spent = *r->spent;
  return wr_spool_spent_is_saved(s);
}

static void take_out(struct wr_spool *s, struct removal *r) {
  pthread_mutex_lock(&s->db_lock);
  if (s->opened && !only_fresh(s, r)) {
    wr_spool_transact(s, false, remove_rows, r);
    note_done(s, r);
  }
  wr_spool_recount(s, 0, 0);
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

/* Rejected rows that somebody wants sent again; asked by other programs too. */
static int take_back(struct wr_spool *s, void *arg) {
  return wr_db_take_back(&s->db, s->keys, s->numbers, s->count, arg);
}

int64_t wr_spool_bring_back(struct wr_spool *s) {
  bool any = false;
  int64_t back = 0;
  if (s->db.handle == NULL || wr_db_any_again(&s->db, &any) != SQLITE_OK ||
      !any || wr_spool_transact(s, true, take_back, &back) != SQLITE_OK)
    return 0;
  return back;
}

struct again {
  const char *key;
  int64_t rows;
};

static int mark_and_take(struct wr_spool *s, void *arg) {
  struct again *a = arg;
  int code = wr_db_mark_again(&s->db, a->key, &a->rows);
  return code == SQLITE_OK && a->rows > 0 ? take_back(s, &a->rows) : code;
}

int wr_spool_again(struct wr_spool *s, int property) {
  struct again a = {.key = s->keys[property]};
  pthread_mutex_lock(&s->db_lock);
  if (s->opened && wr_spool_transact(s, false, mark_and_take, &a) != SQLITE_OK)
    a.rows = 0;
  wr_spool_recount(s, 0, 0);
  pthread_mutex_unlock(&s->db_lock);
  return (int)a.rows;
}
