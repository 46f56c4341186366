#include "lib/spool/fresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int wr_fresh_reserve(struct wr_fresh *f, int more) {
  if (f->count + more <= f->cap)
    return 0;
  int cap = f->cap * 2 > f->count + more ? f->cap * 2 : f->count + more;
  struct wr_fresh_row *at = realloc(f->at, (size_t)cap * sizeof(*at));
  if (at == NULL)
    return -ENOMEM;
  f->at = at;
  f->cap = cap;
  return 0;
}

void wr_fresh_add(struct wr_fresh *f, const struct wr_row *row,
                  int64_t since_ms) {
  int i = f->count++;
  if (i == 0 || since_ms < f->since_ms)
    f->since_ms = since_ms;
  for (; i > 0 && f->at[i - 1].row.seq > row->seq; i--)
    f->at[i] = f->at[i - 1];
  f->at[i] = (struct wr_fresh_row){*row, since_ms};
}

static void look_for_oldest(struct wr_fresh *f) {
  f->since_ms = INT64_MAX;
  for (int i = 0; i < f->count; i++)
    if (f->at[i].since_ms < f->since_ms)
      f->since_ms = f->at[i].since_ms;
}

bool wr_fresh_remove(struct wr_fresh *f, int property, int64_t seq) {
  for (int i = 0; i < f->count; i++) {
    if (f->at[i].row.seq != seq || f->at[i].row.property != property)
      continue;
    int64_t since_ms = f->at[i].since_ms;
    f->count--;
    memmove(f->at + i, f->at + i + 1,
            (size_t)(f->count - i) * sizeof(f->at[0]));
    if (since_ms == f->since_ms)
      look_for_oldest(f);
    return true;
  }
  return false;
}

bool wr_fresh_newest(const struct wr_fresh *f, int property,
                     struct wr_row *row) {
  for (int i = f->count; i-- > 0;)
    if (f->at[i].row.property == property) {
      *row = f->at[i].row;
      return true;
    }
  return false;
}

/* Puts one where it belongs, if that is among the first `max`. */
static int place(const struct wr_row *row, struct wr_row *rows, int count,
                 int max) {
  int i = count;
  while (i > 0 && rows[i - 1].seq > row->seq)
    i--;
  if (i == max)
    return count;
  if (count == max)
    count--; /* the last one has no room any more */
  memmove(rows + i + 1, rows + i, (size_t)(count - i) * sizeof(*rows));
  rows[i] = *row;
  return count + 1;
}

int wr_fresh_merge(const struct wr_fresh *f, int property, int64_t seq,
                   struct wr_row *rows, int count, int max) {
  for (int i = 0; i < f->count; i++) {
    const struct wr_row *row = &f->at[i].row;
    if (row->property == property && row->seq > seq)
      count = place(row, rows, count, max);
  }
  return count;
}

int wr_fresh_trim(struct wr_fresh *f, int most) {
  int gone = f->count > most ? f->count - most : 0;
  memmove(f->at, f->at + gone, (size_t)(f->count - gone) * sizeof(*f->at));
  f->count -= gone;
  look_for_oldest(f);
  return gone;
}

void wr_fresh_free(struct wr_fresh *f) {
  free(f->at);
  *f = (struct wr_fresh){0};
}
