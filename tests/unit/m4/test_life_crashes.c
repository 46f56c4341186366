/* The whole course of a life at a proxy that crashes, or seems to: what is
 * still asked, and what rests. */
#include "tests/unit/m4/course_case.h"

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

/* Of several that are due the first that is proven is tried, once. */
static void test_who_is_tried(void) {
  struct wr_m4_method m[] = {every(1000, "new"), every(1000, "proven"),
                             every(1000, "too")};
  begin(WORLD_PROXY, m, 3, NULL, HOUR);
  world_run(&w, S / 2);
  w.course[0] = '\0';
  m[0].ward.proven = false;
  w.guard.suspect = w.mute = true;
  world_run(&w, S);
  end_as("1000.0 -> proven\n");
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
    CU_ASSERT_EQUAL(w.life.faults[WR_FAULT_STALE], sign == LATE);
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

UNIT_MAIN("life, crashes", UNIT(test_unbound_method),
          UNIT(test_unbound_method_alone), UNIT(test_tunnel),
          UNIT(test_tunnel_right_after_the_end),
          UNIT(test_no_trial_after_many_crashes),
          UNIT(test_withheld_after_many_crashes), UNIT(test_who_is_tried),
          UNIT(test_signs_of_life), UNIT(test_dying_proxy),
          UNIT(test_who_rests))
