/* Ceilings in bytes, and how old a value may get. */
#include "lib/spool/impl.h"
#include "tests/unit/spool/spool_case.h"

#define HOUR_MS 3600000
#define MINUTE_US 60000000

static void finish(struct wr_spool *s) {
  wr_spool_destroy(s);
  remove_dir();
}

/* --- the clock --- */

static void test_when_the_clock_is_steady(void) {
  struct wr_spool s = {.count = 0};
  CU_ASSERT_FALSE(wr_spool_clock_is_steady(&s, 1000, WALL));
  CU_ASSERT_FALSE(
      wr_spool_clock_is_steady(&s, 999 + HOUR_MS, WALL + 3599999000));
  CU_ASSERT_TRUE(
      wr_spool_clock_is_steady(&s, 1000 + HOUR_MS, WALL + 3600000000));
}

/* A minute at once is let pass, in both directions; a microsecond more is a
 * clock that was set. */
static void test_what_counts_for_a_jump(void) {
  for (int sign = -1; sign <= 1; sign += 2)
    for (int64_t more = 0; more < 2; more++) {
      struct wr_spool s = {.count = 0};
      int64_t wall_us = WALL;
      wr_spool_clock_is_steady(&s, 0, wall_us);
      wall_us += INT64_C(1000) * HOUR_MS + sign * (MINUTE_US + more);
      CU_ASSERT_EQUAL(wr_spool_clock_is_steady(&s, HOUR_MS, wall_us),
                      more == 0);
    }
}

/* --- who gives way --- */

static void offer_at(struct wr_spool *s, int property, int64_t time_us) {
  struct wr_row row = {.property = property,
                       .time_us = time_us,
                       .value = {WR_VALUE_NUMBER, 0.1, ""}};
  wr_spool_offer(s, &row);
}

#define BY_KEY                                                                 \
  "SELECT %s FROM value JOIN property ON property=number WHERE key='%s' "

/* Samples of the property that needs the room, the oldest first, every second
 * one; those of others, the newest and the very first stay. */
static void test_whose_samples_go_first(void) {
  for (int p = 0; p < 2; p++) {
    struct wr_spool_options o = options();
    int64_t time_us = WALL;
    struct wr_row rows[4];
    o.max_bytes = 256 << 10;
    o.power = false;
    fresh_dir();
    struct wr_spool *s = open_with(o);
    for (int i = 0; i < 500; i++)
      offer_at(s, 1 - p, time_us += SECOND);
    wr_spool_commit(s, 0, WALL);
    int64_t first_us = time_us + SECOND;
    while (status_of(s).thinned == 0) {
      for (int i = 0; i < 20; i++)
        offer_at(s, p, time_us += SECOND);
      wr_spool_commit(s, 0, WALL);
    }
    CU_ASSERT_EQUAL(status_of(s).dropped, 0);
    CU_ASSERT_TRUE(status_of(s).bytes <= o.max_bytes);
    CU_ASSERT_EQUAL(wr_spool_oldest(s, p, 0, rows, 4), 4);
    CU_ASSERT_EQUAL(rows[0].time_us, first_us);
    int64_t apart_us = rows[1].time_us - rows[0].time_us;
    CU_ASSERT_TRUE(apart_us >= 2 * SECOND);
    CU_ASSERT_EQUAL(rows[2].time_us - rows[1].time_us, apart_us);
    CU_ASSERT_EQUAL(rows[3].time_us - rows[2].time_us, apart_us);
    CU_ASSERT_TRUE(wr_spool_newest(s, p, rows));
    CU_ASSERT_EQUAL(rows[0].time_us, time_us);
    wr_spool_destroy(s);
    char query[160];
    snprintf(query, sizeof(query), BY_KEY "ORDER BY seq", "max(level)",
             keys[1 - p]);
    CU_ASSERT_EQUAL(number_of(query), 0);
    snprintf(query, sizeof(query), BY_KEY "ORDER BY seq", "count(*)",
             keys[1 - p]);
    CU_ASSERT_EQUAL(number_of(query), 500);
    snprintf(query, sizeof(query), BY_KEY "ORDER BY seq", "level", keys[p]);
    CU_ASSERT_EQUAL(SECOND << number_of(query), apart_us);
    remove_dir();
  }
}

/* Four times over, and not once more; after that they are dropped. */
static void test_how_often_samples_are_thinned(void) {
  struct wr_spool_options o = options();
  int64_t time_us = WALL;
  o.max_bytes = 128 << 10;
  o.power = false;
  fresh_dir();
  struct wr_spool *s = open_with(o);
  while (status_of(s).dropped == 0)
    fill(s, 500, &time_us);
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(number_of("SELECT max(level) FROM value"),
                  WR_SPOOL_THIN_LEVELS);
  remove_dir();
}

/* At the ceiling nothing goes, one byte below it something does: strangers
 * first. */
static void test_ceiling_to_the_byte(void) {
  static const char *const several[] = {"flow_rate", "classification",
                                        "pressure", "level"};
  for (int64_t less = 0; less < 2; less++) {
    struct wr_spool_options o = options();
    int64_t time_us = WALL;
    fresh_dir();
    struct wr_spool *s = open_with(o);
    fill(s, 500, &time_us);
    wr_spool_destroy(s);
    sql("INSERT INTO property(number, key) VALUES(50, 'old'), (51, 'level'),"
        "(52, 'pressure');"
        "INSERT INTO value VALUES(50, 1, 0, 0, 0, 0.5), (51, 2, 0, 0, 0, 0.5),"
        "(52, 3, 0, 0, 0, 0.5), (53, 4, 0, 0, 0, 0.5);"
        "UPDATE state SET rows=504");
    s = wr_spool_create(&o, several, 4);
    wr_spool_open(s, 0);
    offer_number(s, time_us, 1);
    wr_spool_commit(s, 0, WALL);
    o.max_bytes = status_of(s).bytes - less;
    wr_spool_destroy(s);
    s = wr_spool_create(&o, several, 4);
    wr_spool_open(s, 0);
    offer_number(s, time_us, 1);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_EQUAL(status_of(s).moved_aside, 0);
    CU_ASSERT_FALSE(status_of(s).in_memory);
    CU_ASSERT_EQUAL(status_of(s).dropped, 2 * less);
    CU_ASSERT_EQUAL(status_of(s).thinned > 0, less == 1);
    wr_spool_destroy(s);
    CU_ASSERT_EQUAL(number_of("SELECT count(*) FROM value WHERE property>=50"),
                    less == 1 ? 2 : 4);
    remove_dir();
  }
}

/* --- rows that are not stored yet --- */

static void offer_kinds(struct wr_spool *s, const char *kinds) {
  for (int i = 0; kinds[i] != '\0'; i++) {
    struct wr_row row = {.property = FLOW,
                         .time_us = WALL + i,
                         .state = kinds[i] == 'S',
                         .value = {WR_VALUE_NUMBER, i, ""}};
    wr_spool_offer(s, &row);
  }
}

/* The first sample goes; where there is none, the first change of state. */
static void test_which_accepted_row_gives_way(void) {
  static const struct {
    const char *kinds;
    int gone;
  } cases[] = {{"nnnn", 0}, {"Snnn", 1}, {"SSns", 2}, {"SSnS", 2},
               {"SSSn", 0}, {"SSSS", 0}, {"nSSS", 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_spool_options o = options();
    struct wr_row rows[4];
    o.max_accepted = 3;
    fresh_dir();
    struct wr_spool *s = open_with(o);
    offer_kinds(s, cases[i].kinds);
    CU_ASSERT_EQUAL(status_of(s).rows, 3);
    CU_ASSERT_EQUAL(status_of(s).accepted, 3);
    CU_ASSERT_EQUAL(status_of(s).dropped, 1);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 3);
    CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 3);
    for (int k = 0; k < 3; k++)
      CU_ASSERT_EQUAL(rows[k].value.number, k + (k >= cases[i].gone));
    finish(s);
  }
}

/* Also before the file is opened. */
static void test_rows_before_the_start(void) {
  struct wr_row row;
  fresh_dir();
  for (int k = 0; k < 2; k++) {
    struct wr_spool_options o = options();
    struct wr_spool *s = wr_spool_create(&o, keys, 2);
    int64_t due_ms = 0;
    offer_number(s, WALL, k);
    CU_ASSERT_EQUAL(wr_spool_keep(s, 0, WALL, 0, &due_ms), 0);
    CU_ASSERT_EQUAL(due_ms, INT64_MAX);
    CU_ASSERT_FALSE(wr_spool_newest(s, FLOW, &row));
    CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), 0);
    wr_spool_remember(s, FLOW, &(struct wr_memo){.id = "x"});
    CU_ASSERT_FALSE(wr_spool_recall(s, FLOW, &(struct wr_memo){.id = ""}));
    wr_spool_open(s, 0);
    CU_ASSERT_EQUAL(status_of(s).rows, k + 1);
    CU_ASSERT_EQUAL(status_of(s).accepted, 1);
    wr_spool_destroy(s);
  }
  remove_dir();
}

/* --- how much is written --- */

/* A commit is safe against a power cut, if that is wanted; what leaves is
 * not, and costs no fsync(). */
static void test_what_is_synced(void) {
  for (int power = 0; power < 2; power++) {
    struct wr_spool_options o = options();
    struct wr_row row;
    o.power = power;
    o.vfs = fault_vfs_register();
    fault_vfs.fail_at = 0;
    fresh_dir();
    struct wr_spool *s = open_with(o);
    for (int i = 0; i < 2; i++) {
      fault_vfs.syncs = 0;
      offer_number(s, WALL + i * SECOND, i);
      wr_spool_commit(s, 0, WALL);
      CU_ASSERT_EQUAL(fault_vfs.syncs > 0, power);
      CU_ASSERT_TRUE_FATAL(wr_spool_newest(s, FLOW, &row));
      fault_vfs.syncs = 0;
      if (i == 0)
        wr_spool_reject(s, &row, 400, "no", WALL);
      else
        wr_spool_delivered(s, &row, 1, &(struct wr_spent){.used = 1});
      wr_spool_remember(s, FLOW, &(struct wr_memo){.id = "x"});
      CU_ASSERT_EQUAL(wr_spool_again(s, FLOW), i == 0);
      CU_ASSERT_EQUAL(fault_vfs.syncs, 0);
    }
    finish(s);
  }
}

/* Which counts of the budget need not be written again. */
static void test_what_is_saved_of_the_budget(void) {
  static const struct {
    int64_t ahead;
    struct wr_spent now;
    bool is_saved;
  } cases[] = {
      {0, {5, 10, 3}, true},    {0, {4, 10, 3}, false}, {0, {5, 9, 3}, false},
      {0, {5, 10, 2}, false},   {0, {5, 11, 3}, false}, {1, {5, 10, 3}, true},
      {1, {5, 9, 2}, true},     {1, {5, 11, 3}, false}, {1, {5, 10, 4}, false},
      {1, {6, 0, 0}, false},    {100, {5, 0, 0}, true}, {100, {4, 0, 0}, false},
      {100, {5, 11, 0}, false}, {100, {5, 0, 4}, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_spool s = {.saved = {5, 10, 3}};
    s.options.spent_ahead = cases[i].ahead;
    s.db.state.spent = cases[i].now;
    CU_ASSERT_EQUAL(wr_spool_spent_is_saved(&s), cases[i].is_saved);
  }
}

UNIT_MAIN("spool, room", UNIT(test_when_the_clock_is_steady),
          UNIT(test_what_counts_for_a_jump), UNIT(test_whose_samples_go_first),
          UNIT(test_how_often_samples_are_thinned),
          UNIT(test_ceiling_to_the_byte),
          UNIT(test_which_accepted_row_gives_way),
          UNIT(test_rows_before_the_start), UNIT(test_what_is_synced),
          UNIT(test_what_is_saved_of_the_budget))
