/* Back to the disk, once it can be written again; and what was delivered from
 * it while it could not. */
#include "lib/spool/impl.h"

#include "lib/spool/rejected.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DONE_MAX 262144

/* --- delivered meanwhile --- */

static int find(const struct wr_done *d, int64_t seq) {
  int low = 0, high = d->count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (d->seqs[middle] < seq)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool wr_done_has(const struct wr_done *d, int64_t seq) {
  int i = find(d, seq);
  return i < d->count && d->seqs[i] == seq;
}

bool wr_done_add(struct wr_done *d, int64_t seq) {
  int i = find(d, seq);
  if (i < d->count && d->seqs[i] == seq)
    return true;
  if (d->count == d->cap) {
    int cap = d->cap == 0 ? 256 : d->cap * 2;
    int64_t *seqs =
        cap > DONE_MAX ? NULL : realloc(d->seqs, (size_t)cap * sizeof(*seqs));
    if (seqs == NULL)
      return false;
    d->seqs = seqs;
    d->cap = cap;
  }
  memmove(d->seqs + i + 1, d->seqs + i,
          (size_t)(d->count - i) * sizeof(*d->seqs));
  d->seqs[i] = seq;
  d->count++;
  return true;
}

/* --- back to the disk --- */

static int64_t log_on_disk(const struct wr_spool *s) {
  char name[4096];
  struct stat st;
  return wr_spool_suffixed(s, "-wal", name, sizeof(name)) == 0 &&
                 stat(name, &st) == 0
             ? st.st_size
             : 0;
}

struct move {
  struct wr_db *to;
  int64_t *numbers;
};

static int move_row(struct wr_spool *s, const struct move *m, int i,
                    struct wr_row *row) {
  int gone = 0;
  int64_t seq = row->seq;
  if (!s->numbered)
    row->seq = (m->to->state.seq += WR_ORDER_STEP);
  int code = wr_db_insert(m->to, m->numbers[i], row, row->state ? -1 : 0);
  if (code != SQLITE_OK)
    return code;
  m->to->state.rows++;
  return wr_db_delete(&s->db, s->numbers[i], seq, &gone);
}

static int move_property(struct wr_spool *s, const struct move *m, int i) {
  struct wr_row rows[64];
  int count = 0;
  int code = SQLITE_OK;
  do {
    code =
        wr_db_select(&s->db, WR_DB_OLDEST, s->numbers[i], 0, rows, 64, &count);
    for (int k = 0; code == SQLITE_OK && k < count; k++)
      code = move_row(s, m, i, rows + k);
  } while (code == SQLITE_OK && count == 64);
  return code;
}

/* Rows that were delivered meanwhile leave the disk. */
static int forget_done(struct wr_spool *s, struct wr_db *to) {
  int code = SQLITE_OK, gone = 0;
  for (int k = 0; code == SQLITE_OK && k < s->done.count; k++)
    for (int i = 0; code == SQLITE_OK && i < s->count; i++) {
      code = wr_db_delete(to, s->disk_numbers[i], s->done.seqs[k], &gone);
      to->state.rows -= gone;
      if (gone > 0)
        break;
    }
  return code;
}

static int move_all(struct wr_spool *s, const struct move *m) {
  struct wr_db_state *to = &m->to->state;
  if (s->db.state.spent.day >= to->spent.day)
    to->spent = s->db.state.spent;
  int code = wr_db_exec(m->to, "BEGIN IMMEDIATE");
  if (code == SQLITE_OK)
    code = forget_done(s, m->to);
  for (int i = 0; code == SQLITE_OK && i < s->count; i++)
    code = move_property(s, m, i);
  if (code == SQLITE_OK)
    code = wr_db_move_rejected(&s->db, m->to);
  if (code == SQLITE_OK)
    code = wr_db_save_state(m->to, &to->spent);
  return code == SQLITE_OK ? wr_db_exec(m->to, "COMMIT") : code;
}

static void settle(struct wr_spool *s, struct wr_db *disk,
                   const int64_t *numbers) {
  /* What was never stored has its numbers from here, too. */
  for (int i = 0; !s->numbered && i < s->fresh.count; i++)
    s->fresh.at[i].row.seq = disk->state.seq += WR_ORDER_STEP;
  wr_db_close(&s->db);
  wr_db_close(&s->disk);
  s->db = *disk;
  memcpy(s->numbers, numbers, (size_t)s->count * sizeof(int64_t));
  s->done.count = 0;
  s->saved = s->db.state.spent;
  wr_spool_doubt_empty(s);
  wr_backoff_ok(&s->disk_retry);
  wr_spool_say(s, false, NULL);
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
  if (s->numbered && disk.state.seq < s->db.state.seq)
    disk.state.seq = s->db.state.seq;
  int code = SQLITE_OK;
  if (log_on_disk(s) > s->options.max_bytes)
    code = wr_db_fold_log(&disk);
  if (code == SQLITE_OK && s->db.handle != NULL) {
    code = wr_db_exec(&s->db, "BEGIN");
    if (code == SQLITE_OK)
      code = move_all(s, &m);
  }
  if (code == SQLITE_OK) {
    settle(s, &disk, m.numbers);
  } else {
    wr_spool_say(s, true, sqlite3_errstr(code));
    if (s->db.handle != NULL)
      wr_db_exec(&s->db, "ROLLBACK");
    wr_db_close(&disk); /* rolls back as well */
    wr_backoff_fail(&s->disk_retry, s->now_ms, UINT32_MAX, 0);
  }
  free(m.numbers);
}
