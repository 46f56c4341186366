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

/* It is probed 30 ms after the end and again when something is due; the method
 * that crashed it is asked last, and never a third time. */
static void test_unbound_method(void) {
  struct wr_m4_method m[] = {every(1000, "a"), every(1000, "bad")};
  begin(WORLD_PROXY, m, 2, NULL, 1000);
  w.unbound[0] = "bad";
  world_run(&w, 4 * S);
  CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_METHOD_FAILS], "for 10 min"));
  world_run(&w, 4 * S);
  CU_ASSERT_EQUAL(w.crashes, 2);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 -> bad\n"
         "3.4 health up 0 0 1 0 0\n"
         "33.4 refused\n"
         "33.4 DOWN 0 since 33.4 the proxy crashed on\n"
         "1000.0 refused\n"
         "1000.0 DOWN 0 since 33.4 nothing listens ther\n"
         "1000.0 health down 0 1 1 0 0\n"
         "2000.0 refused\n"
         "2000.0 DOWN 0 since 33.4 nothing listens ther\n"
         "2000.0 health down 0 2 1 0 0\n"
         "3000.0 -> a\n"
         "3000.4 sample 0.0 12.5 of 3000.0\n"
         "3000.4 -> bad\n"
         "3003.4 METHOD_FAILS 1 since 0.4 again the proxy cras\n"
         "3003.4 UP 0 since 0.0 \n"
         "3003.4 health up 0 2 2 0 0\n"
         "3033.4 refused\n"
         "3033.4 DOWN 0 since 3033.4 the proxy crashed on\n"
         "4000.0 refused\n"
         "4000.0 DOWN 0 since 3033.4 nothing listens ther\n"
         "4000.0 health down 0 3 2 0 0\n"
         "5000.0 refused\n"
         "5000.0 DOWN 0 since 3033.4 nothing listens ther\n"
         "5000.0 health down 0 4 2 0 0\n"
         "6000.0 -> a\n"
         "6000.4 sample 0.0 12.5 of 6000.0\n"
         "6000.4 METHOD_FAILS 1 since 0.4 not called, because \n"
         "6000.4 UP 0 since 0.0 \n"
         "6000.4 health up 0 4 3 0 0\n"
         "7000.0 METHOD_FAILS 1 since 0.4 not called, because \n"
         "7000.0 -> a\n"
         "7000.4 sample 0.0 12.5 of 7000.0\n"
         "7000.4 health up 0 4 4 0 0\n");
}

/* None is proven: the message that no M4 answers goes first. */
static void test_unbound_method_alone(void) {
  struct wr_m4_method m = every(1000, "bad");
  begin(WORLD_PROXY, &m, 1, NULL, 1000);
  w.unbound[0] = "bad";
  world_run(&w, 8 * S);
  end_as("0.0 -> bad\n"
         "3.0 health down 0 0 1 0 0\n"
         "33.0 refused\n"
         "33.0 DOWN 0 since 0.0 the proxy crashed on\n"
         "1000.0 refused\n"
         "1000.0 DOWN 0 since 0.0 nothing listens ther\n"
         "1000.0 health down 0 0 1 0 0\n"
         "2000.0 -> nobody\n"
         "3000.0 -> bad\n"
         "3003.0 METHOD_FAILS 0 since 0.0 again the proxy cras\n"
         "3003.0 health down 0 0 2 0 0\n"
         "3003.0 refused\n"
         "3003.0 DOWN 0 since 0.0 the proxy crashed on\n"
         "4000.0 refused\n"
         "4000.0 DOWN 0 since 0.0 nothing listens ther\n"
         "4000.0 health down 0 0 2 0 0\n"
         "5000.0 -> nobody\n"
         "6000.0 METHOD_FAILS 0 since 0.0 not called, because \n"
         "6000.0 health down 0 0 3 0 0\n"
         "6000.0 METHOD_FAILS 0 since 0.0 not called, because \n"
         "7000.0 METHOD_FAILS 0 since 0.0 not called, because \n"
         "7000.0 health down 0 0 5 0 0\n");
}

/* Accepted and closed: probed after 30 ms, 250 ms later, and then known to be
 * no crash; the proven method is asked in vain once. */
static void test_tunnel(void) {
  begin_a(WORLD_TUNNEL, 1000, NULL, 1000);
  world_run(&w, S + S / 2);
  w.away_until_us = w.now_us + 2 * S;
  world_run(&w, 4 * S);
  end_as(FIRST_TURN "1000.0 -> a\n"
                    "1000.4 sample 0.0 12.5 of 1000.0\n"
                    "1000.4 health up 0 0 0 0 0\n"
                    "2000.0 cut\n"
                    "2000.4 health down 0 0 1 0 0\n"
                    "2030.4 cut\n"
                    "2280.8 cut\n"
                    "3000.0 cut\n"
                    "3000.4 DOWN 0 since 2000.0 connections are acce\n"
                    "3000.4 health down 0 0 2 0 0\n"
                    "4000.0 -> nobody\n"
                    "5000.0 -> a\n"
                    "5000.4 sample 0.0 12.5 of 5000.0\n"
                    "5000.4 UP 0 since 0.0 \n"
                    "5000.4 health up 0 0 2 0 0\n"
                    "5000.4 -> a\n"
                    "5000.8 sample 0.0 12.5 of 5000.4\n");
}

/* A call that is cut as well within 30 ms counts as the same end, and delays
 * the probe. */
static void test_tunnel_right_after_the_end(void) {
  static const char *const probes[] = {"1029.0 cut\n"
                                       "1059.4 cut\n"
                                       "1309.8 cut\n",
                                       "1030.0 cut\n"
                                       "1280.4 cut\n"};
  for (int i = 0; i < 2; i++) {
    char course[512];
    struct wr_m4_method m[] = {every(1000, "a"), every(1029 + i, "b")};
    begin(WORLD_TUNNEL, m, 2, NULL, HOUR);
    world_run(&w, S / 2);
    w.gone = true;
    world_run(&w, S);
    snprintf(course, sizeof(course),
             "0.0 -> a\n"
             "0.4 sample 0.0 12.5 of 0.0\n"
             "0.4 -> b\n"
             "0.8 sample 1.0 12.5 of 0.4\n"
             "0.8 health up 0 0 0 0 0\n"
             "1000.0 cut\n%s",
             probes[i]);
    end_as(course);
  }
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

/* Too many crashes of late: what may have been unbound since is not even tried,
 * the message that no M4 answers goes first. */
static void test_no_trial_after_many_crashes(void) {
  for (int late = 0; late < 2; late++) {
    begin_a(WORLD_PROXY, 1000, NULL, HOUR);
    world_run(&w, S / 2);
    w.course[0] = '\0';
    w.guard.suspect = true;
    a.ward.answered_ms = 0; /* long ago */
    crashes_of_late(WR_GUARD_WINDOW_MS - late);
    world_run(&w, S);
    end_as(late ? "1000.0 -> nobody\n"
                : "1000.0 -> a\n1000.4 sample 0.0 12.5 of 1000.0\n");
  }
}

/* Nor is it called at a proxy that is not suspect: missed since it was due. */
static void test_withheld_after_many_crashes(void) {
  for (int late = 0; late < 2; late++) {
    begin_a(WORLD_PROXY, 1000, NULL, HOUR);
    world_run(&w, S / 2);
    w.course[0] = '\0';
    a.ward.answered_ms = 0;
    crashes_of_late(WR_GUARD_WINDOW_MS - late);
    world_run(&w, S);
    end_as(late ? "1000.0 METHOD_FAILS 0 since 1000.0 not called, because \n"
                : "1000.0 -> a\n1000.4 sample 0.0 12.5 of 1000.0\n");
  }
}

/* Which ends of a call show that a proxy that was suspect lives. */
static void test_signs_of_life(void) {
  enum { SILENT, LATE, RUBBISH, HANGS, GONE, SIGNS };
  for (int sign = 0; sign < SIGNS; sign++) {
    begin_a(WORLD_PROXY, 3000, NULL, HOUR);
    world_run(&w, S / 2);
    w.guard.suspect = true;
    w.mute = sign == SILENT; /* closed after a second */
    w.stale = sign == LATE;  /* an earlier reply, and after it none */
    w.rubbish_method = sign == RUBBISH ? "a" : NULL;
    w.hang = sign == HANGS; /* no end within the timeout */
    w.gone = sign == GONE;
    world_run(&w, 2500200);
    w.stale = false;
    world_run(&w, 2 * S);
    CU_ASSERT_EQUAL(w.guard.suspect, sign == HANGS || sign == GONE);
    CU_ASSERT_EQUAL(w.drains, sign == LATE);
    world_close(&w);
  }
}

/* A process that dies accepts the probe, and then is gone: a crash, on the
 * call that came first. */
static void test_dying_proxy(void) {
  begin_a(WORLD_PROXY, 1000, NULL, HOUR);
  w.unbound[0] = "a";
  world_run(&w, 20000);
  w.path = WORLD_TUNNEL; /* accepts */
  world_run(&w, 80000);
  w.path = WORLD_PROXY;
  world_run(&w, S / 2);
  CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_DOWN], ", calling \"a\""));
  end_as("0.0 -> a\n"
         "3.0 health down 0 0 1 0 0\n"
         "33.0 cut\n"
         "283.4 refused\n"
         "283.4 DOWN 0 since 0.0 the proxy crashed on\n");
}

/* A method that rests is missed at its own instants, not at those of others. */
static void test_who_rests(void) {
  struct wr_m4_method m[] = {every(1000, "a"), every(2000, "rests")};
  begin(WORLD_PROXY, m, 2, NULL, HOUR);
  m[1].ward.rest_ms = WR_GUARD_REST_MS;
  m[1].ward.rests_until_ms = START_US / 1000 + WR_GUARD_REST_MS;
  world_run(&w, 3 * S - S / 2);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 METHOD_FAILS 1 since 0.4 not called, because \n"
         "0.4 health up 0 0 1 0 0\n"
         "1000.0 -> a\n"
         "1000.4 sample 0.0 12.5 of 1000.0\n"
         "2000.0 METHOD_FAILS 1 since 0.4 not called, because \n"
         "2000.0 -> a\n"
         "2000.4 sample 0.0 12.5 of 2000.0\n");
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

UNIT_MAIN("life, its course", UNIT(test_outage), UNIT(test_unbound_method),
          UNIT(test_unbound_method_alone), UNIT(test_tunnel),
          UNIT(test_tunnel_right_after_the_end), UNIT(test_words_of_an_outage),
          UNIT(test_intervals), UNIT(test_no_trial_after_many_crashes),
          UNIT(test_withheld_after_many_crashes), UNIT(test_signs_of_life),
          UNIT(test_dying_proxy), UNIT(test_who_rests),
          UNIT(test_lock_of_another), UNIT(test_lock_of_another_at_a_probe),
          UNIT(test_lock_unknown), UNIT(test_method_that_cannot_be_asked),
          UNIT(test_method_that_answers_rubbish), UNIT(test_mute_method),
          UNIT(test_outage_of_a_slow_life), UNIT(test_stale_replies),
          UNIT(test_parked))
