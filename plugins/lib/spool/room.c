#include "lib/spool/impl.h"

#include "lib/spool/rejected.h"

#include <stdlib.h>

#define CHUNK 1024 /* rows thinned or dropped in one go, at most */
#define ROUNDS 64  /* of making room, in one commit */
#define STEADY_MS 3600000
#define JUMP_US 60000000

static int count_lost(struct wr_spool *s, int64_t *counter, int64_t rows) {
  s->db.state.rows -= rows;
  if (s->db.state.rows < 0)
    s->db.state.rows = 0;
  pthread_mutex_lock(&s->accept);
  *counter += rows;
  pthread_mutex_unlock(&s->accept);
  return (int)rows;
}

/* An eighth of what there is, so that a small spool is not emptied at once. */
static int chunk_of(const struct wr_spool *s) {
  int64_t chunk = s->db.state.rows / 8;
  return chunk > CHUNK ? CHUNK : chunk < 2 ? 2 : (int)chunk;
}

/* Each returns a code and adds what went to *gone. */
static int thin(struct wr_spool *s, int i, int *gone) {
  struct wr_row *rows = malloc(CHUNK * sizeof(*rows));
  if (rows == NULL)
    return SQLITE_NOMEM;
  int count = 0, deleted = 0;
  int code = wr_db_select(&s->db, WR_DB_THINNABLE, s->numbers[i], 0, rows,
                          chunk_of(s), &count);
  if (count < chunk_of(s))
    count--; /* the newest stays: it is what is so now */
  for (int k = 0; code == SQLITE_OK && count > 1 && k < count; k++) {
    const int64_t key[] = {s->numbers[i], rows[k].seq};
    int one = 0;
    if (k % 2 == 1)
      code = wr_db_delete(&s->db, key[0], key[1], &one);
    else
      code = wr_db_change(&s->db, WR_DB_RAISE, key, 2, NULL);
    deleted += one;
  }
  free(rows);
  *gone += count_lost(s, &s->status.thinned, deleted);
  return code;
}

static int drop(struct wr_spool *s, int i, int lowest_level, int *gone) {
  const int64_t values[] = {s->numbers[i], lowest_level, chunk_of(s)};
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
  sqlite3_str *sql = sqlite3_str_new(s->db.handle);
  sqlite3_str_appendall(sql, "DELETE FROM value WHERE property NOT IN (-1");
  for (int i = 0; i < s->count; i++)
    sqlite3_str_appendf(sql, ",%lld", (long long)s->numbers[i]);
  sqlite3_str_appendall(sql, ")");
  char *text = sqlite3_str_finish(sql);
  int code = text != NULL ? wr_db_exec(&s->db, text) : SQLITE_NOMEM;
  sqlite3_free(text);
  if (code == SQLITE_OK)
    *gone += count_lost(s, &s->status.dropped, sqlite3_changes(s->db.handle));
  return code;
}

/* They are counted as lost, but were none of the rows that wait. */
static int drop_rejected(struct wr_spool *s, int *gone) {
  int64_t deleted = 0;
  int code = wr_db_drop_rejected(&s->db, CHUNK, &deleted);
  pthread_mutex_lock(&s->accept);
  s->status.dropped += deleted;
  pthread_mutex_unlock(&s->accept);
  *gone += (int)deleted;
  return code;
}

/* One round for the sake of property `first`; *gone 0: nothing left to give. */
static int make_room(struct wr_spool *s, int first, int *gone) {
  int (*const means[])(struct wr_spool *, int, int *) = {thin, drop_samples,
                                                         drop_any};
  int code = SQLITE_OK;
  *gone = 0;
  code = drop_rejected(s, gone);
  for (int m = 0; m < 3; m++)
    for (int k = 0; k < s->count && *gone == 0 && code == SQLITE_OK; k++)
      code = means[m](s, (first + k) % s->count, gone);
  return code;
}

static void note_bytes(struct wr_spool *s, int64_t bytes) {
  pthread_mutex_lock(&s->accept);
  s->status.bytes = bytes;
  pthread_mutex_unlock(&s->accept);
}

int wr_spool_keep_ceiling(struct wr_spool *s, int first) {
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
  note_bytes(s, bytes);
  return bytes < 0 ? SQLITE_IOERR : code;
}

void wr_spool_measure(struct wr_spool *s) {
  int64_t bytes = wr_db_bytes(&s->db);
  if (bytes >= 0)
    note_bytes(s, bytes);
}

/* The age is measured by the monotonic clock; of a row of an earlier boot by
 * the wall clock as it goes now. */
int wr_spool_expire(struct wr_spool *s, int64_t oldest_us) {
  int code = SQLITE_OK;
  int64_t boot = s->db.era_count > 0 ? s->db.eras[0].id : INT64_MAX;
  int64_t offset_us = s->clock_offset_us;
  for (int i = 0; code == SQLITE_OK && i < s->count; i++) {
    const int64_t values[] = {s->numbers[i], oldest_us - offset_us, offset_us,
                              boot};
    int64_t deleted = 0;
    code = wr_db_change(&s->db, WR_DB_EXPIRE, values, 4, &deleted);
    count_lost(s, &s->status.expired, deleted);
  }
  return code;
}

bool wr_spool_clock_is_steady(struct wr_spool *s, int64_t now_ms,
                              int64_t wall_us) {
  int64_t offset = wall_us - now_ms * 1000;
  int64_t jump = offset - s->clock_offset_us;
  s->clock_offset_us = offset;
  if (jump > JUMP_US || jump < -JUMP_US)
    s->steady_since_ms = now_ms;
  return now_ms - s->steady_since_ms >= STEADY_MS;
}
