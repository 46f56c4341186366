/* The whole course of a life: what it asks, and who answers. */
#include "tests/unit/m4/course_case.h"

#define NOBODY "nothing listens there (the proxy is restarting or not running)"

/* Down since the first miss, said with the second, as long as it lasts. */
static void test_outage(void) {
  begin_a(WORLD_PROXY, 1000, NULL, 1000);
  world_run(&w, 2 * S);
  w.gone = true;
  world_run(&w, 3 * S);
  w.gone = false;
  world_run(&w, S);
  end_as(FIRST_TURN "1000.0 -> a\n"
                    "1000.4 sample 0.0 12.5 of 1000.0\n"
                    "1000.4 health up 0 0 0 0 0\n"
                    "2000.0 refused\n"
                    "2000.0 health down 0 1 0 0 0\n"
                    "3000.0 refused\n"
                    "3000.0 DOWN 0 since 2000.0 nothing listens ther\n"
                    "3000.0 health down 0 2 0 0 0\n"
                    "4000.0 refused\n"
                    "4000.0 DOWN 0 since 2000.0 nothing listens ther\n"
                    "4000.0 health down 0 3 0 0 0\n"
                    "5000.0 -> a\n"
                    "5000.4 sample 0.0 12.5 of 5000.0\n"
                    "5000.4 UP 0 since 0.0 \n"
                    "5000.4 health up 0 3 0 0 0\n");
}

/* In which words the log says why it is down, of what ended its call so. */
static void test_words_of_an_outage(void) {
  static const struct {
    enum world_path path;
    const char *words;
    bool gone, mute, hang, unbound;
  } cases[] = {
      {WORLD_PROXY, NOBODY, .gone = true},
      {WORLD_PROXY,
       "the proxy works but the M4 is silent (no reply within 1 s)",
       .mute = true},
      {WORLD_PROXY, "no answer came within the timeout", .hang = true},
      {WORLD_PROXY,
       "the proxy crashed on this call (is the method bound on the M4?), "
       "calling \"a\"",
       .unbound = true},
      {WORLD_TUNNEL,
       "connections are accepted and closed at once (is the far side of a "
       "tunnel away?)",
       .gone = true},
      {WORLD_SERVER, NOBODY, .gone = true},
      {WORLD_SERVER, "no answer came within the timeout", .mute = true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin_a(cases[i].path, 1000, NULL, HOUR);
    w.gone = cases[i].gone;
    w.mute = cases[i].mute;
    w.hang = cases[i].hang;
    w.unbound[0] = cases[i].unbound ? "a" : NULL;
    world_run(&w, 5 * S);
    CU_ASSERT_STRING_EQUAL(w.why[WR_M4_DOWN], cases[i].words);
    world_close(&w);
  }
}

/* A method is asked at its own instants, and together with who is due then. */
static void test_intervals(void) {
  static const enum world_path paths[] = {WORLD_SERVER, WORLD_PROXY};
  static const char *const starts[] = {"0.0 -> a\n"
                                       "0.0 -> b\n"
                                       "0.4 sample 0.0 12.5 of 0.0\n"
                                       "0.4 sample 1.0 12.5 of 0.0\n"
                                       "0.4 health up 0 0 0 0 0\n",
                                       "0.0 -> a\n"
                                       "0.4 sample 0.0 12.5 of 0.0\n"
                                       "0.4 -> b\n"
                                       "0.8 sample 1.0 12.5 of 0.4\n"
                                       "0.8 health up 0 0 0 0 0\n"};
  for (int i = 0; i < 2; i++) {
    char course[512];
    struct wr_m4_method m[] = {every(HOUR, "a"), every(1700, "b")};
    begin(paths[i], m, 2, NULL, HOUR);
    world_run(&w, 4 * S);
    snprintf(course, sizeof(course),
             "%s1700.0 -> b\n"
             "1700.4 sample 1.0 12.5 of 1700.0\n"
             "3400.0 -> b\n"
             "3400.4 sample 1.0 12.5 of 3400.0\n",
             starts[i]);
    end_as(course);
  }
}

/* Another holds the proxy's lock: said with each call, since the first. */
static void test_lock_of_another(void) {
  struct wr_m4_report r = world_report("label");
  begin_a(WORLD_PROXY, 2000, &r, HOUR);
  world_run(&w, S);
  w.lock_held = true;
  world_run(&w, 2 * S);
  world_offer(&w, "Low");
  world_run(&w, 2 * S);
  w.lock_held = false;
  world_run(&w, 4 * S);
  w.lock_held = true;
  world_run(&w, 2 * S);
  end_as(FIRST_TURN "2000.0 -> a\n"
                    "2000.4 LOCK_HELD 0 since 2000.4 \n"
                    "2000.4 sample 0.0 12.5 of 2000.0\n"
                    "3000.0 -> label " LOW "3000.4 LOCK_HELD 0 since 2000.4 \n"
                    "4000.0 -> a\n"
                    "4000.4 LOCK_HELD 0 since 2000.4 \n"
                    "4000.4 sample 0.0 12.5 of 4000.0\n"
                    "6000.0 -> a\n"
                    "6000.4 LOCK_FREE 0 since 0.0 \n"
                    "6000.4 sample 0.0 12.5 of 6000.0\n"
                    "8000.0 -> a\n"
                    "8000.4 sample 0.0 12.5 of 8000.0\n"
                    "10000.0 -> a\n"
                    "10000.4 LOCK_HELD 0 since 10000.4 \n"
                    "10000.4 sample 0.0 12.5 of 10000.0\n");
}

/* Said also of the message that no M4 answers. */
static void test_lock_of_another_at_a_probe(void) {
  begin_a(WORLD_PROXY, 1000, NULL, HOUR);
  w.guard.suspect = w.lock_held = true;
  world_run(&w, S + 200);
  end_as("0.0 -> nobody\n"
         "1000.0 LOCK_HELD 0 since 1000.0 \n"
         "1000.0 -> a\n");
}

/* A call that reached nobody says nothing about the lock. */
static void test_lock_unknown(void) {
  begin_a(WORLD_PROXY, 2000, NULL, HOUR);
  w.lock_held = true;
  world_run(&w, S);
  w.lock_held = false;
  w.gone = true;
  world_run(&w, 4 * S);
  w.gone = false;
  world_run(&w, 2 * S);
  end_as("0.0 -> a\n"
         "0.4 LOCK_HELD 0 since 0.4 \n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "2000.0 refused\n"
         "2000.0 DOWN 0 since 2000.0 nothing listens ther\n"
         "4000.0 refused\n"
         "4000.0 DOWN 0 since 2000.0 nothing listens ther\n"
         "6000.0 -> a\n"
         "6000.4 LOCK_FREE 0 since 0.0 \n"
         "6000.4 sample 0.0 12.5 of 6000.0\n"
         "6000.4 UP 0 since 0.0 \n");
}

/* A request that is too long is not made, and costs the others nothing; nor
 * does an answer that is none. Each is said, wherever the method stands. */
static void test_method_that_cannot_be_asked(void) {
  static const enum world_path paths[] = {WORLD_SERVER, WORLD_PROXY};
  static const char *const courses[] = {
      "0.0 -> short\n"
      "0.0 -> b\n"
      "0.4 sample 0.0 12.5 of 0.0\n"
      "0.4 sample 1.0 12.5 of 0.0\n"
      "0.4 health up 0 0 0 0 0\n"
      "1000.0 -> b\n"
      "1000.4 METHOD_FAILS 0 since 1000.0 the request is longe\n"
      "1000.4 sample 1.0 12.5 of 1000.0\n"
      "1000.4 health up 0 0 1 0 0\n",
      "0.0 -> short\n"
      "0.4 sample 0.0 12.5 of 0.0\n"
      "0.4 -> b\n"
      "0.8 sample 1.0 12.5 of 0.4\n"
      "0.8 health up 0 0 0 0 0\n"
      "1000.0 METHOD_FAILS 0 since 1000.0 the request is longe\n"
      "1000.0 -> b\n"
      "1000.4 sample 1.0 12.5 of 1000.0\n"
      "1000.4 health up 0 0 1 0 0\n"};
  char name[WR_RPC_REQUEST_MAX + 1];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  for (int i = 0; i < 2; i++) {
    struct wr_m4_method m[] = {every(1000, "short"), every(1000, "b")};
    begin(paths[i], m, 2, NULL, 1000);
    world_run(&w, S / 2);
    m[0].name = name;
    world_run(&w, S);
    end_as(courses[i]);
  }
}

/* The first of two answers what is no message: its second miss is said. Where
 * nothing else comes it is the peer that fails. */
static void test_method_that_answers_rubbish(void) {
  struct wr_m4_method m[] = {every(1000, "bad"), every(1000, "b")};
  begin(WORLD_PROXY, m, 2, NULL, HOUR);
  w.rubbish_method = "bad";
  world_run(&w, S + S / 2);
  w.body = "\xc1";
  w.body_len = 1;
  world_run(&w, 2 * S);
  end_as("0.0 -> bad\n"
         "0.4 -> b\n"
         "0.8 sample 1.0 12.5 of 0.4\n"
         "0.8 health up 0 0 1 0 0\n"
         "1000.0 -> bad\n"
         "1000.4 METHOD_FAILS 0 since 0.0 what came back is no\n"
         "1000.4 -> b\n"
         "1000.8 sample 1.0 12.5 of 1000.4\n"
         "2000.0 -> bad\n"
         "2000.4 METHOD_FAILS 0 since 0.0 what came back is no\n"
         "2000.4 -> b\n"
         "2000.8 DOWN 0 since 2000.0 what came back is no\n"
         "3000.0 -> bad\n"
         "3000.4 -> b\n"
         "3000.8 DOWN 0 since 2000.0 what came back is no\n");
}

/* One miss of a method is only counted, the second in a row is said; a rare
 * method's first. */
static void test_mute_method(void) {
  struct wr_m4_method m[] = {every(2000, "a"), every(2000, "mute")};
  begin(WORLD_SERVER, m, 2, NULL, HOUR);
  w.mute_method = "mute";
  world_run(&w, 6 * S);
  w.mute_method = NULL;
  world_run(&w, 2 * S);
  w.mute_method = "mute";
  world_run(&w, 4 * S);
  end_as("0.0 -> a\n"
         "0.0 -> mute\n"
         "1500.0 sample 0.0 12.5 of 0.0\n"
         "1500.0 health up 1 0 0 0 0\n"
         "2000.0 -> a\n"
         "2000.0 -> mute\n"
         "3500.0 sample 0.0 12.5 of 2000.0\n"
         "3500.0 METHOD_FAILS 1 since 0.0 no answer came withi\n"
         "4000.0 -> a\n"
         "4000.0 -> mute\n"
         "5500.0 sample 0.0 12.5 of 4000.0\n"
         "5500.0 METHOD_FAILS 1 since 0.0 no answer came withi\n"
         "6000.0 -> a\n"
         "6000.0 -> mute\n"
         "6000.4 sample 0.0 12.5 of 6000.0\n"
         "6000.4 sample 1.0 12.5 of 6000.0\n"
         "6000.4 METHOD_WORKS 1 since 0.0 \n"
         "8000.0 -> a\n"
         "8000.0 -> mute\n"
         "9500.0 sample 0.0 12.5 of 8000.0\n"
         "10000.0 -> a\n"
         "10000.0 -> mute\n"
         "11500.0 sample 0.0 12.5 of 10000.0\n"
         "11500.0 METHOD_FAILS 1 since 8000.0 no answer came withi\n");
  struct wr_m4_method rare[] = {every(10000, "rare"), every(10000, "b")};
  begin(WORLD_SERVER, rare, 2, NULL, HOUR);
  w.mute_method = "rare";
  world_run(&w, 2 * S);
  end_as("0.0 -> rare\n"
         "0.0 -> b\n"
         "1500.0 METHOD_FAILS 0 since 0.0 no answer came withi\n"
         "1500.0 sample 1.0 12.5 of 0.0\n"
         "1500.0 health up 1 0 0 0 0\n");
}

/* An M4 that is asked every ten seconds or less often is down at once. */
static void test_outage_of_a_slow_life(void) {
  static const int64_t intervals_ms[] = {9999, 10000};
  for (int i = 0; i < 2; i++) {
    struct wr_m4_method m = every(10000, "a");
    begin(WORLD_PROXY, &m, 1, NULL, intervals_ms[i]);
    w.gone = true;
    world_run(&w, S);
    end_as(i == 0 ? "0.0 refused\n"
                    "0.0 health down 0 1 0 0 0\n"
                  : "0.0 refused\n"
                    "0.0 DOWN 0 since 0.0 nothing listens ther\n"
                    "0.0 health down 0 1 0 0 0\n");
  }
}

/* Replies to nobody are counted one by one, wherever they come. */
static void test_stale_replies(void) {
  struct wr_m4_method m = every(1000, "a");
  begin(WORLD_SERVER, &m, 1, NULL, 1000);
  w.strays = 3;
  world_run(&w, 2 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 3 0\n"
         "1000.0 -> a\n"
         "1000.4 sample 0.0 12.5 of 1000.0\n"
         "1000.4 health up 0 0 0 3 0\n");
  m = every(1000, "a");
  begin(WORLD_TUNNEL, &m, 1, NULL, 1000);
  w.away_until_us = w.now_us + S / 2;
  w.strays = 2;
  world_run(&w, 4 * S);
  end_as("0.0 cut\n"
         "0.4 health down 0 0 1 0 0\n"
         "30.4 cut\n"
         "280.8 cut\n"
         "1000.0 -> nobody\n"
         "1000.4 -> nobody\n"
         "1000.8 -> nobody\n"
         "2000.8 -> a\n"
         "2001.2 sample 0.0 12.5 of 2000.8\n"
         "2001.2 health up 0 0 1 2 0\n"
         "2001.2 -> a\n"
         "2001.6 sample 0.0 12.5 of 2001.2\n"
         "3000.0 -> a\n"
         "3000.4 sample 0.0 12.5 of 3000.0\n"
         "3000.4 health up 0 0 1 2 0\n");
}

/* Only the health is told, whatever else is due. */
static void test_parked(void) {
  struct wr_m4_report r = world_report("label");
  begin_a(WORLD_SERVER, 1000, &r, 1000);
  w.life.parked = true;
  world_offer(&w, "Low");
  world_run(&w, 2 * S);
  CU_ASSERT_EQUAL(w.life.next_us, START_US + 2 * S);
  end_as("0.0 health down 0 0 0 0 0\n"
         "1000.0 health down 0 0 0 0 0\n");
}

UNIT_MAIN("life, its course", UNIT(test_outage), UNIT(test_words_of_an_outage),
          UNIT(test_intervals), UNIT(test_lock_of_another),
          UNIT(test_lock_of_another_at_a_probe), UNIT(test_lock_unknown),
          UNIT(test_method_that_cannot_be_asked),
          UNIT(test_method_that_answers_rubbish), UNIT(test_mute_method),
          UNIT(test_outage_of_a_slow_life), UNIT(test_stale_replies),
          UNIT(test_parked))
