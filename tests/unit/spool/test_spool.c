#include "tests/unit/spool/spool_case.h"

/* --- the queue --- */

static void test_rows_come_out_in_the_order_of_arrival(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[8];
  /* Whatever the time stamps say. */
  CU_ASSERT_EQUAL(offer_number(s, WALL + 2 * SECOND, 0.5), 0);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL(offer_number(s, WALL, 1.5), 0);
  wr_spool_commit(s, 1000, WALL);
  CU_ASSERT_EQUAL(offer_number(s, WALL + SECOND, 2.5), 0);
  CU_ASSERT_EQUAL(offer_label(s, WALL, "Gestört"), 0);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 2);
  CU_ASSERT_EQUAL(status_of(s).accepted, 2); /* not committed */
  CU_ASSERT_EQUAL(wr_spool_commit(s, 2000, WALL), 2);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 8), 3);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(rows[i].value.number, i + 0.5);
    CU_ASSERT_FALSE(rows[i].state);
  }
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, rows));
  CU_ASSERT_EQUAL(rows[0].value.number, 2.5);
  CU_ASSERT_TRUE(wr_spool_newest(s, LABEL, rows));
  CU_ASSERT_STRING_EQUAL(rows[0].value.text, "Gestört");
  CU_ASSERT_TRUE(rows[0].state);
  CU_ASSERT_EQUAL(rows[0].property, LABEL);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 2), 2);
  wr_spool_delivered(s, rows, 2, NULL);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  wr_spool_destroy(s);
  remove_dir();
}

/* A ceiling below what an empty file takes: every value is accounted for, and
 * the resolution goes before whole values do, however few they are. */
static void test_no_room_at_all(void) {
  for (int rows = 1; rows <= 40; rows++) {
    fresh_dir();
    struct wr_spool_options o = options();
    o.max_bytes = 1;
    o.power = false;
    struct wr_spool *s = open_with(o);
    for (int i = 0; i < rows; i++)
      offer_number(s, WALL + i * SECOND, i);
    CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), rows);
    struct wr_spool_status st = status_of(s);
    CU_ASSERT_EQUAL(st.thinned + st.dropped, rows);
    CU_ASSERT_EQUAL(st.rows, 0);
    CU_ASSERT_EQUAL(st.thinned > 0, rows > 1);
    CU_ASSERT_FALSE(st.in_memory);
    wr_spool_destroy(s);
    remove_dir();
  }
}

/* A value comes out as what it went in. */
static void test_kinds(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  const struct wr_value values[] = {
      {WR_VALUE_BOOL, 1, ""},   {WR_VALUE_BOOL, 0, ""},
      {WR_VALUE_NUMBER, 1, ""}, {WR_VALUE_NUMBER, -0.1, ""},
      {WR_VALUE_TEXT, 0, "1"},  {WR_VALUE_TEXT, 0, ""}};
  enum { KINDS = sizeof(values) / sizeof(values[0]) };
  struct wr_row rows[KINDS + 1];
  for (int i = 0; i < KINDS; i++)
    CU_ASSERT_EQUAL(wr_spool_offer(s, &(struct wr_row){.time_us = WALL,
                                                       .value = values[i]}),
                    0);
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, KINDS + 1), KINDS);
  for (int i = 0; i < KINDS; i++) {
    CU_ASSERT_EQUAL(rows[i].value.kind, values[i].kind);
    CU_ASSERT_EQUAL(rows[i].value.number, values[i].number);
    CU_ASSERT_STRING_EQUAL(rows[i].value.text, values[i].text);
  }
  wr_spool_destroy(s);
  remove_dir();
}

static void test_same_time_twice_is_kept_twice(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[4];
  offer_number(s, WALL, 1);
  offer_number(s, WALL, 2);
  wr_spool_commit(s, 0, WALL);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(rows[0].value.number, 1);
  CU_ASSERT_EQUAL(rows[1].value.number, 2);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_everything_survives_a_restart(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[4];
  struct wr_spent spent = {.day = 20454, .used = 17};
  struct wr_memo p = {"id-1", "flow_rate", "INT"};
  CU_ASSERT_FALSE(wr_spool_recall(s, FLOW, &p));
  p = (struct wr_memo){"id-1", "flow_rate", "INT"};
  wr_spool_remember(s, FLOW, &p);
  offer_number(s, WALL, 1);
  offer_number(s, WALL + SECOND, 2);
  wr_spool_commit(s, 0, WALL);
  wr_spool_oldest(s, FLOW, 0, rows, 1);
  wr_spool_delivered(s, rows, 1, &spent);
  offer_label(s, WALL, "Low"); /* accepted only: destroy commits */
  wr_spool_destroy(s);
  s = open_with(options());
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 1);
  CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, 4), 1);
  memset(&p, 0, sizeof(p));
  CU_ASSERT_TRUE(wr_spool_recall(s, FLOW, &p));
  CU_ASSERT_STRING_EQUAL(p.id, "id-1");
  CU_ASSERT_STRING_EQUAL(p.type, "INT");
  spent = (struct wr_spent){0};
  wr_spool_load_spent(s, &spent);
  CU_ASSERT_EQUAL(spent.day, 20454);
  CU_ASSERT_EQUAL(spent.used, 17);
  wr_spool_destroy(s);
  remove_dir();
}

/* Also when nothing new is written: who watches for a full spool waits. */
static void test_bytes_fall_when_the_rows_leave(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row rows[100];
  struct wr_spent spent = {.day = 20454};
  int64_t time_us = WALL;
  fill(s, 3000, &time_us);
  int64_t full = status_of(s).bytes;
  for (int n; (n = wr_spool_oldest(s, FLOW, 0, rows, 100)) > 0;)
    wr_spool_delivered(s, rows, n, &spent);
  CU_ASSERT_EQUAL(status_of(s).rows, 0);
  CU_ASSERT_TRUE(status_of(s).bytes < full / 2);
  wr_spool_destroy(s);
  remove_dir();
}

#define REJECTED 1203 /* several chunks of the reader */

struct last {
  int count;
  double number;
  int status;
  char property[65], reason[256];
};

static void take_rejected(const struct wr_rejected *r, void *arg) {
  struct last *l = arg;
  l->count++;
  l->number = r->value.number;
  l->status = r->status;
  snprintf(l->property, sizeof(l->property), "%s", r->property);
  snprintf(l->reason, sizeof(l->reason), "%s", r->reason);
  CU_ASSERT_EQUAL(r->at_us, WALL);
}

static void test_rejected_rows_are_kept_apart(void) {
  fresh_dir();
  struct wr_spool *s = open_with(options());
  struct wr_row row;
  struct last last = {0};
  char fault[128] = "";
  for (int i = 0; i < REJECTED; i++) {
    offer_number(s, WALL + i, i);
    wr_spool_commit(s, 0, WALL);
    CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, &row));
    wr_spool_reject(s, &row, 400, "HTTP 400: too wet", WALL);
  }
  CU_ASSERT_EQUAL(status_of(s).rows, 0);
  CU_ASSERT_EQUAL(status_of(s).rejected, REJECTED);
  /* Another program may read them meanwhile. */
  CU_ASSERT_EQUAL(
      wr_spool_read_rejected(path, take_rejected, &last, fault, sizeof(fault)),
      0);
  CU_ASSERT_EQUAL(last.count, REJECTED);
  CU_ASSERT_EQUAL(last.number, REJECTED - 1);
  CU_ASSERT_EQUAL(last.status, 400);
  CU_ASSERT_STRING_EQUAL(last.property, "flow_rate");
  CU_ASSERT_STRING_EQUAL(last.reason, "HTTP 400: too wet");
  wr_spool_destroy(s);
  CU_ASSERT_EQUAL(wr_spool_read_rejected("/nowhere/x.db", take_rejected, &last,
                                         fault, sizeof(fault)),
                  -EINVAL);
  CU_ASSERT_PTR_NOT_NULL(strstr(fault, "unable to open"));
  CU_ASSERT_EQUAL(wr_spool_read_rejected("/dev/null", take_rejected, &last,
                                         fault, sizeof(fault)),
                  -EINVAL);
  remove_dir();
}

/* --- ceilings --- */

static void test_accepted_rows_have_a_ceiling(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_accepted = 3;
  struct wr_spool *s = open_with(o);
  struct wr_row rows[4];
  CU_ASSERT_EQUAL(offer_label(s, WALL, "Low"), 0);
  CU_ASSERT_EQUAL(offer_number(s, WALL + 1, 1), 0);
  CU_ASSERT_EQUAL(offer_number(s, WALL + 2, 2), 0);
  CU_ASSERT_EQUAL(offer_number(s, WALL + 3, 3), -ENOSPC);
  CU_ASSERT_EQUAL(status_of(s).dropped, 1);
  CU_ASSERT_EQUAL(status_of(s).rows, 3);
  CU_ASSERT_EQUAL(wr_spool_commit(s, 0, WALL), 3);
  /* The state stayed, the oldest sample went. */
  CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, 4), 1);
  CU_ASSERT_EQUAL_FATAL(wr_spool_oldest(s, FLOW, 0, rows, 4), 2);
  CU_ASSERT_EQUAL(rows[0].value.number, 2);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_ceiling_thins_before_it_drops(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_bytes = 256 << 10;
  o.power = false;
  struct wr_spool *s = open_with(o);
  int64_t time_us = WALL;
  for (int i = 0; i < 20; i++)
    offer_label(s, WALL + i * SECOND, i % 2 == 0 ? "Low" : "Normal");
  while (status_of(s).thinned == 0)
    fill(s, 500, &time_us);
  CU_ASSERT_EQUAL(status_of(s).dropped, 0);
  CU_ASSERT_TRUE(status_of(s).bytes <= o.max_bytes);
  fill(s, 100000, &time_us);
  struct wr_spool_status st = status_of(s);
  CU_ASSERT_TRUE(st.bytes <= o.max_bytes);
  CU_ASSERT_TRUE(st.dropped > 0);
  CU_ASSERT_TRUE(st.thinned > st.dropped);
  CU_ASSERT_EQUAL(st.committed, st.rows + st.thinned + st.dropped);
  /* Every change of state is there, and the newest samples are untouched. */
  struct wr_row rows[64];
  CU_ASSERT_EQUAL(wr_spool_oldest(s, LABEL, 0, rows, 64), 20);
  CU_ASSERT_TRUE(wr_spool_newest(s, FLOW, rows));
  CU_ASSERT_EQUAL(rows[0].time_us, time_us);
  wr_spool_destroy(s);
  struct stat file;
  CU_ASSERT_EQUAL(stat(path, &file), 0);
  CU_ASSERT_TRUE(file.st_size <= 2 * o.max_bytes);
  remove_dir();
}

static void test_states_go_when_nothing_else_is_left(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_bytes = 64 << 10;
  struct wr_spool *s = open_with(o);
  for (int i = 0; i < 8000; i++) {
    offer_label(s, WALL + i, "a state of a certain length");
    if (i % 500 == 499)
      wr_spool_commit(s, 0, WALL);
  }
  struct wr_spool_status st = status_of(s);
  CU_ASSERT_TRUE(st.bytes <= o.max_bytes);
  CU_ASSERT_TRUE(st.dropped > 0 && st.rows > 0);
  struct wr_row row;
  CU_ASSERT_TRUE(wr_spool_newest(s, LABEL, &row));
  CU_ASSERT_EQUAL(row.time_us, WALL + 7999);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_strangers_give_way_first(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_bytes = 96 << 10;
  struct wr_spool *s = open_with(o);
  int64_t time_us = WALL;
  fill(s, 1500, &time_us);
  wr_spool_destroy(s);
  static const char *const others[] = {"pressure"};
  s = wr_spool_create(&o, others, 1);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  wr_spool_open(s, 0);
  fill(s, 1500, &time_us); /* property 0 is pressure now */
  CU_ASSERT_EQUAL(status_of(s).rows, 1500);
  CU_ASSERT_EQUAL(status_of(s).dropped, 1500);
  CU_ASSERT_EQUAL(status_of(s).thinned, 0);
  wr_spool_destroy(s);
  remove_dir();
}

static void test_age_counts_while_the_clock_is_steady(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_age_us = 3600 * SECOND;
  struct wr_spool *s = open_with(o);
  int64_t hour_ms = 3600000;
  offer_number(s, WALL, 1);
  wr_spool_commit(s, 0, WALL);
  /* Two hours by the wall clock alone: it was set. */
  wr_spool_commit(s, 1000, WALL + 7200 * SECOND);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  /* And set back. */
  wr_spool_commit(s, 2000, WALL + 2 * SECOND);
  CU_ASSERT_EQUAL(status_of(s).rows, 1);
  /* Two hours by both clocks. */
  wr_spool_commit(s, 2000 + hour_ms, WALL + 3602 * SECOND);
  wr_spool_commit(s, 2000 + 2 * hour_ms, WALL + 7202 * SECOND);
  CU_ASSERT_EQUAL(status_of(s).rows, 0);
  CU_ASSERT_EQUAL(status_of(s).expired, 1);
  wr_spool_destroy(s);
  remove_dir();
}

/* A clock that is a year ahead for hours does not make values of this boot
 * old. */
static void test_age_is_not_what_a_wrong_clock_says(void) {
  fresh_dir();
  struct wr_spool_options o = options();
  o.max_age_us = 86400 * SECOND;
  o.boot = "this boot";
  struct wr_spool *s = open_with(o);
  const int64_t year_us = 31536000 * SECOND, hour_ms = 3600000;
  for (int k = 0; k < 2; k++) /* before the step, and after it */
    wr_spool_offer(s, &(struct wr_row){.property = FLOW,
                                       .time_us = WALL + k * year_us,
                                       .clock_us = WALL + k * year_us,
                                       .value = {WR_VALUE_NUMBER, k, ""}});
  wr_spool_commit(s, 0, WALL);
  for (int h = 1; h < 24; h++)
    wr_spool_commit(s, h * hour_ms, WALL + year_us + h * hour_ms * 1000);
  CU_ASSERT_EQUAL(status_of(s).rows, 2);
  for (int h = 24; h < 26; h++) /* set right again, a day later */
    wr_spool_commit(s, h * hour_ms, WALL + h * hour_ms * 1000);
  CU_ASSERT_EQUAL(status_of(s).rows, 0);
  CU_ASSERT_EQUAL(status_of(s).expired, 2);
  wr_spool_destroy(s);
  remove_dir();
}

UNIT_MAIN("spool", UNIT(test_kinds), UNIT(test_no_room_at_all),
          UNIT(test_rows_come_out_in_the_order_of_arrival),
          UNIT(test_same_time_twice_is_kept_twice),
          UNIT(test_everything_survives_a_restart),
          UNIT(test_bytes_fall_when_the_rows_leave),
          UNIT(test_rejected_rows_are_kept_apart),
          UNIT(test_accepted_rows_have_a_ceiling),
          UNIT(test_ceiling_thins_before_it_drops),
          UNIT(test_states_go_when_nothing_else_is_left),
          UNIT(test_strangers_give_way_first),
          UNIT(test_age_counts_while_the_clock_is_steady),
          UNIT(test_age_is_not_what_a_wrong_clock_says))
