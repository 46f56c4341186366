/* course_case.h: a life whose whole course is looked at, to the tenth of a
 * millisecond: what is asked and told, what is said of it, and nothing else.
 * Each line is one thing that happened, see world_say(); "refused" and "cut"
 * are connections that came to nothing. */
#ifndef WEIR_TESTS_COURSE_CASE_H
#define WEIR_TESTS_COURSE_CASE_H

#include "tests/unit/unit.h"

#include "tests/unit/m4/m4_world.h"

#define HOUR 3600000
#define LOW "{\"label\":\"Low\",\"value\":0.875}\n"
#define UNKNOWN "{\"label\":\"unknown\",\"value\":0}\n"
#define HIGH "{\"label\":\"High\",\"value\":0.875}\n"
/* The first turn of begin_a(), with an interval of the health of an hour; with
 * another one as well, until the second. */
#define FIRST_TURN                                                             \
  "0.0 -> a\n"                                                                 \
  "0.4 sample 0.0 12.5 of 0.0\n"                                               \
  "0.4 health up 0 0 0 0 0\n"

static struct world w;
static struct wr_m4_method a;

/* With this interval of the health, in ms; the first turn is at 0. */
static inline void begin(enum world_path path, struct wr_m4_method *m,
                         size_t count, struct wr_m4_report *r,
                         int64_t interval_ms) {
  memset(&w, 0, sizeof(w));
  for (size_t i = 0; i < count; i++)
    w.life.methods[i] = m + i;
  w.life.methods_count = count;
  w.life.reports[0] = r;
  w.life.reports_count = r != NULL;
  world_open(&w, path);
  w.life.interval_ms = interval_ms;
  wr_m4_start(&w.life, w.now_us, w.now_us);
}

static inline struct wr_m4_method every(int64_t interval_ms, const char *name) {
  struct wr_m4_method m = world_method(name);
  m.interval_ms = interval_ms;
  return m;
}

/* One method, "a", asked at this interval. */
static inline void begin_a(enum world_path path, int64_t every_ms,
                           struct wr_m4_report *r, int64_t interval_ms) {
  a = every(every_ms, "a");
  begin(path, &a, 1, r, interval_ms);
}

/* Four crashes that the proxy had so long before the first second. */
static inline void crashes_of_late(int64_t ago_ms) {
  w.guard.crashes = WR_GUARD_CRASHES;
  for (int i = 0; i < WR_GUARD_CRASHES; i++)
    w.guard.crash_ms[i] = START_US / 1000 + 1000 - ago_ms;
}

static inline void end_as(const char *course) {
  CU_ASSERT_STRING_EQUAL(w.course, course);
  if (strcmp(w.course, course) != 0)
    fprintf(stderr, "%s", w.course);
  world_close(&w);
}

static inline void hang_up(void) {
  w.connected = false;
  wr_rpc_ended(&w.session, 0, w.now_us);
}

#endif
