/* choice_case.h: a choice among the rows of a spool that is an array. */
#ifndef WEIR_TESTS_CHOICE_CASE_H
#define WEIR_TESTS_CHOICE_CASE_H

#include "lib/cloud/choice.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SECOND INT64_C(1000000)
#define WALL (INT64_C(1767225600) * SECOND)
#define NOW_MS 100000
#define PROPERTIES 4
#define EVER INT64_MAX

static struct {
  struct wr_row rows[200]; /* in the order of seq */
  int count;
  int64_t hidden, seq;
  int looks; /* so many of them find what is there */
} stored;

/* Nothing is known of what stands before the first one. */
static struct wr_property before_and[2 * PROPERTIES];
static struct wr_property *const at = before_and + PROPERTIES;
static struct wr_names names;
static struct wr_budget budget;
static struct wr_choice choice;
static const struct wr_moment t = {.now_ms = NOW_MS, .wall_us = WALL};

/* --- in place of lib/spool --- */

int wr_spool_oldest(struct wr_spool *s, int property, int64_t seq,
                    struct wr_row *rows, int max) {
  int count = 0;
  (void)s;
  if (stored.looks-- <= 0)
    return 0;
  for (int i = 0; i < stored.count && count < max; i++)
    if (stored.rows[i].property == property && stored.rows[i].seq > seq)
      rows[count++] = stored.rows[i];
  return count;
}

bool wr_spool_newest(struct wr_spool *s, int property, struct wr_row *row) {
  bool found = false;
  (void)s;
  for (int i = 0; i < stored.count; i++)
    if (stored.rows[i].property == property) {
      *row = stored.rows[i];
      found = true;
    }
  return found;
}

int64_t wr_spool_hidden(struct wr_spool *s) {
  (void)s;
  return stored.hidden;
}

int64_t wr_spool_seq(struct wr_spool *s) {
  (void)s;
  return stored.seq;
}

bool wr_spool_recall(struct wr_spool *s, int property, struct wr_memo *memo) {
  (void)s, (void)property, (void)memo;
  return false;
}

void wr_spool_remember(struct wr_spool *s, int property,
                       const struct wr_memo *memo) {
  (void)s, (void)property, (void)memo;
}

int wr_spool_again(struct wr_spool *s, int property) {
  (void)s, (void)property;
  return 0;
}

/* --- the case --- */

/* A row of a minute ago, after all that are there. */
static inline struct wr_row *put(int property) {
  struct wr_row *row = stored.rows + stored.count++;
  *row = (struct wr_row){.property = property,
                         .seq = stored.count,
                         .time_us = WALL - 60 * SECOND,
                         .clock_us = WR_CLOCK_UNKNOWN,
                         .value = {at[property].kind, stored.count, ""}};
  return row;
}

/* `count` properties with ids and names, and batches of 10; the odd ones are
 * states. */
static inline void begin(int count) {
  static const char *const ids[] = {"a", "b", "c", "d"};
  memset(&stored, 0, sizeof(stored));
  stored.looks = 1000000;
  budget = (struct wr_budget){0};
  for (int i = 0; i < PROPERTIES; i++)
    at[i] =
        (struct wr_property){.key = ids[i],
                             .id = ids[i],
                             .name = ids[i],
                             .alive = true,
                             .batch = 10,
                             .kind = i % 2 ? WR_VALUE_TEXT : WR_VALUE_NUMBER};
  names = (struct wr_names){.at = at, .count = count, .known = true};
  CU_ASSERT_EQUAL_FATAL(wr_choice_init(&choice, &names, NULL, &budget, 10), 0);
}

static inline void end(void) { wr_choice_free(&choice); }

static inline int live(void) { return wr_choose_live(&choice, &t); }
static inline int old(void) { return wr_choose_old(&choice, &t, WALL); }

/* The numbers of the rows chosen, in their order. */
static inline void check_rows(int count, const int64_t *want, int wanted) {
  CU_ASSERT_EQUAL(count, wanted);
  for (int i = 0; i < count && i < wanted; i++) {
    CU_ASSERT_EQUAL(choice.rows[i].seq, want[i]);
    CU_ASSERT_EQUAL(choice.rows[i].property, stored.rows[want[i] - 1].property);
  }
}

#define CHECK_ROWS(count, ...)                                                 \
  check_rows(count, (const int64_t[]){__VA_ARGS__},                            \
             sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

#endif
