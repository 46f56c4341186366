/* The whole course of a life, to the tenth of a millisecond: what is asked and
 * told, what is said of it, and nothing else. Each line is one thing that
 * happened, see world_say(); "refused" and "cut" are connections that came to
 * nothing. */
#include "tests/unit/unit.h"

#include "tests/unit/m4/m4_world.h"

#define HOUR 3600000
#define LOW "{\"label\":\"Low\",\"value\":0.875}\n"
#define UNKNOWN "{\"label\":\"unknown\",\"value\":0}\n"
#define HIGH "{\"label\":\"High\",\"value\":0.875}\n"

static struct world w;

/* With this interval of the health, in ms; the first turn is at 0. */
static void begin(enum world_path path, struct wr_m4_method *m, size_t count,
                  struct wr_m4_report *r, int64_t interval_ms) {
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

static struct wr_m4_method every(int64_t interval_ms, const char *name) {
  struct wr_m4_method m = world_method(name);
  m.interval_ms = interval_ms;
  return m;
}

static void end_as(const char *course) {
  CU_ASSERT_STRING_EQUAL(w.course, course);
  if (strcmp(w.course, course) != 0)
    fprintf(stderr, "%s", w.course);
  world_close(&w);
}

static void hang_up(void) {
  w.connected = false;
  wr_rpc_ended(&w.session, 0, w.now_us);
}

/* Down since the first miss, said with the second, as long as it lasts. */
static void test_outage(void) {
  struct wr_m4_method m = every(1000, "a");
  begin(WORLD_PROXY, &m, 1, NULL, 1000);
  world_run(&w, 2 * S);
  w.gone = true;
  world_run(&w, 3 * S);
  w.gone = false;
  world_run(&w, S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "1000.0 -> a\n"
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
  struct wr_m4_method m = every(1000, "a");
  begin(WORLD_TUNNEL, &m, 1, NULL, 1000);
  world_run(&w, S + S / 2);
  w.away_until_us = w.now_us + 2 * S;
  world_run(&w, 4 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "1000.0 -> a\n"
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

/* A label that comes within a turn goes between two of its calls. */
static void test_label_within_a_turn(void) {
  struct wr_m4_method m[] = {every(1000, "a"), every(1000, "b")};
  struct wr_m4_report r = world_report("label");
  begin(WORLD_PROXY, m, 2, &r, 1000);
  world_run(&w, 1000200);
  world_offer(&w, "Low");
  world_run(&w, S / 2);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 -> b\n"
         "0.8 sample 1.0 12.5 of 0.4\n"
         "0.8 health up 0 0 0 0 0\n"
         "1000.0 -> a\n"
         "1000.4 sample 0.0 12.5 of 1000.0\n"
         "1000.4 -> label " LOW "1000.8 -> b\n"
         "1001.2 sample 1.0 12.5 of 1000.8\n"
         "1001.2 health up 0 0 0 0 0\n");
}

/* Too many crashes of late: what may have been unbound since is not even tried,
 * the message that no M4 answers goes first. */
static void test_no_trial_after_many_crashes(void) {
  struct wr_m4_method m = every(1000, "a");
  begin(WORLD_PROXY, &m, 1, NULL, HOUR);
  world_run(&w, S / 2);
  w.course[0] = '\0';
  w.guard.suspect = true;
  w.guard.crashes = WR_GUARD_CRASHES;
  for (int i = 0; i < WR_GUARD_CRASHES; i++)
    w.guard.crash_ms[i] = w.now_us / 1000;
  world_run(&w, S);
  end_as("1000.0 -> nobody\n");
}

/* A label in an outage is tried after its own back-off, beside the methods. */
static void test_label_in_an_outage(void) {
  struct wr_m4_method m = every(5000, "a");
  struct wr_m4_report r = world_report("label");
  begin(WORLD_PROXY, &m, 1, &r, HOUR);
  world_run(&w, S);
  w.gone = true;
  world_offer(&w, "Low");
  world_run(&w, 8 * S);
  w.gone = false;
  world_run(&w, 6 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "1000.0 refused\n"
         "1000.0 REPORT_FAILS 0 since 1000.0 nothing listens ther\n"
         "3000.0 refused\n"
         "3000.0 REPORT_FAILS 0 since 1000.0 nothing listens ther\n"
         "5000.0 refused\n"
         "5000.0 DOWN 0 since 5000.0 nothing listens ther\n"
         "6000.0 refused\n"
         "6000.0 REPORT_FAILS 0 since 1000.0 nothing listens ther\n"
         "10000.0 -> a\n"
         "10000.4 sample 0.0 12.5 of 10000.0\n"
         "10000.4 UP 0 since 0.0 \n"
         "11000.4 -> label {\"label\":\"Low\",\"value\":0.875}\n"
         "11000.8 REPORT_WORKS 0 since 1000.0 the M4 answers\n");
}

/* A report that was answered is not told again when the connection ends. */
static void test_answered_report(void) {
  struct wr_m4_method m = every(HOUR, "a");
  struct wr_m4_report r = world_report("label");
  r.call = true;
  begin(WORLD_SERVER, &m, 1, &r, HOUR);
  world_run(&w, S);
  world_offer(&w, "Low");
  world_run(&w, S);
  hang_up();
  world_run(&w, 50 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "1000.0 -> label\n");
}

/* Which ends of a call show that a proxy that was suspect lives. */
static void test_signs_of_life(void) {
  for (int sign = 0; sign < 4; sign++) {
    struct wr_m4_method m = every(1000, "a");
    begin(WORLD_PROXY, &m, 1, NULL, HOUR);
    world_run(&w, S / 2);
    w.guard.suspect = true;
    w.mute = sign == 0; /* closed after a second: the M4 is silent */
    w.hang = sign == 1; /* no end within the timeout */
    w.gone = sign == 2; /* nobody listens */
    w.body = sign == 3 ? "\xc1" : NULL;
    w.body_len = 1;
    world_run(&w, 2400000);
    CU_ASSERT_EQUAL(w.guard.suspect, sign == 1 || sign == 2);
    world_close(&w);
  }
}

/* Nothing else is due: a label goes out when it comes, then at each beat. */
static void test_heartbeats(void) {
  struct wr_m4_method m = every(HOUR, "a");
  struct wr_m4_report r = world_report("label");
  begin(WORLD_PROXY, &m, 1, &r, HOUR);
  world_run(&w, S);
  world_offer(&w, "Low");
  world_run(&w, 130 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "1000.0 -> label " LOW "61000.4 -> label " LOW
         "121000.8 -> label " LOW);
}

/* A report that is a call waits for its answer, and fails without. */
static void test_report_as_call(void) {
  struct wr_m4_method m = every(HOUR, "a");
  struct wr_m4_report r = world_report("label");
  r.call = true;
  begin(WORLD_SERVER, &m, 1, &r, HOUR);
  world_run(&w, S);
  w.mute = true;
  world_offer(&w, "Low");
  world_run(&w, 12 * S);
  w.mute = false;
  world_run(&w, 70 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "1000.0 -> label\n"
         "2500.0 REPORT_FAILS 0 since 2500.0 no answer came withi\n"
         "4500.0 -> label\n"
         "6000.0 REPORT_FAILS 0 since 2500.0 no answer came withi\n"
         "9000.0 -> label\n"
         "10500.0 REPORT_FAILS 0 since 2500.0 no answer came withi\n"
         "15500.0 -> label\n"
         "15500.4 REPORT_WORKS 0 since 2500.0 the M4 answers\n"
         "75500.4 -> label\n");
}

/* Without methods the reports alone show whether the peer is there. */
static void test_reports_alone(void) {
  struct wr_m4_report r = world_report("label");
  begin(WORLD_PROXY, NULL, 0, &r, 3000);
  world_run(&w, S + S / 2);
  world_offer(&w, "Low");
  world_run(&w, 2 * S);
  w.gone = true;
  world_offer(&w, "High");
  world_run(&w, 6 * S);
  w.gone = false;
  world_run(&w, 5 * S);
  end_as("0.0 health down 0 0 0 0 0\n"
         "1500.0 -> label " LOW "3000.0 health up 0 0 0 0 0\n"
         "3500.0 refused\n"
         "3500.0 REPORT_FAILS 0 since 3500.0 nothing listens ther\n"
         "5500.0 refused\n"
         "5500.0 DOWN 0 since 3500.0 nothing listens ther\n"
         "5500.0 REPORT_FAILS 0 since 3500.0 nothing listens ther\n"
         "6000.0 health down 0 2 0 0 0\n"
         "8500.0 refused\n"
         "8500.0 DOWN 0 since 3500.0 nothing listens ther\n"
         "8500.0 REPORT_FAILS 0 since 3500.0 nothing listens ther\n"
         "9000.0 health down 0 3 0 0 0\n"
         "12000.0 health down 0 3 0 0 0\n"
         "13500.0 -> label " HIGH "13500.4 UP 0 since 0.0 \n"
         "13500.4 REPORT_WORKS 0 since 3500.0 the M4 answers\n");
}

/* A report that crashes the proxy: probed with each health, told once more,
 * and then it rests. */
static void test_report_that_crashes(void) {
  struct wr_m4_report r = world_report("label");
  r.call = true;
  begin(WORLD_PROXY, NULL, 0, &r, 1000);
  world_run(&w, S + S / 2);
  w.unbound[0] = "label";
  world_offer(&w, "Low");
  world_run(&w, 600 * S);
  CU_ASSERT_EQUAL(w.crashes, 2);
  strstr(w.course, "8000.0 health")[0] = '\0';
  end_as("0.0 health down 0 0 0 0 0\n"
         "1000.0 health down 0 0 0 0 0\n"
         "1500.0 -> label\n"
         "1503.0 REPORT_FAILS 0 since 1503.0 the proxy crashed on\n"
         "1533.0 refused\n"
         "1533.0 DOWN 0 since 1500.0 the proxy crashed on\n"
         "2000.0 refused\n"
         "2000.0 DOWN 0 since 1500.0 nothing listens ther\n"
         "2000.0 health down 0 0 1 0 0\n"
         "3000.0 refused\n"
         "3000.0 DOWN 0 since 1500.0 nothing listens ther\n"
         "3000.0 health down 0 0 1 0 0\n"
         "4000.0 -> nobody\n"
         "5000.0 -> label\n"
         "5003.0 REPORT_FAILS 0 since 1503.0 the proxy crashed on\n"
         "5003.0 health down 0 0 2 0 0\n"
         "5003.0 refused\n"
         "5003.0 DOWN 0 since 1500.0 the proxy crashed on\n"
         "6000.0 refused\n"
         "6000.0 DOWN 0 since 1500.0 nothing listens ther\n"
         "6000.0 health down 0 0 2 0 0\n"
         "7000.0 -> nobody\n");
}

/* Another holds the proxy's lock: said with each call, since the first. */
static void test_lock_of_another(void) {
  struct wr_m4_method m = every(2000, "a");
  struct wr_m4_report r = world_report("label");
  begin(WORLD_PROXY, &m, 1, &r, HOUR);
  world_run(&w, S);
  w.lock_held = true;
  world_run(&w, 2 * S);
  world_offer(&w, "Low");
  world_run(&w, 2 * S);
  w.lock_held = false;
  world_run(&w, 4 * S);
  w.lock_held = true;
  world_run(&w, 2 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "2000.0 -> a\n"
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

/* The connection ends unheard: told again after a back-off. What was heard on
 * a connection that ends later is not. */
static void test_lost_report(void) {
  struct wr_m4_method m = every(HOUR, "a");
  struct wr_m4_report r = world_report("label");
  r.state.heartbeat_ms = 0;
  begin(WORLD_SERVER, &m, 1, &r, HOUR);
  world_run(&w, S / 2);
  w.lossy = true;
  world_offer(&w, "Low");
  world_run(&w, S);
  w.lossy = false;
  world_run(&w, 4 * S);
  world_offer(&w, "High");
  world_run(&w, S / 2);
  hang_up();
  world_run(&w, (HOUR / 1000 - 1) * S);
  hang_up();
  world_run(&w, 20 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "500.0 -> label " LOW "2500.0 -> label " LOW "5500.0 -> label " HIGH
         "8000.0 -> label " HIGH "3600000.0 -> a\n"
         "3600000.4 sample 0.0 12.5 of 3600000.0\n"
         "3600000.4 health up 0 0 0 0 0\n");
}

/* Registered before anything is asked, again on each connection, and with a
 * back-off while the router refuses. */
static void test_registering(void) {
  struct wr_m4_method m = every(HOUR, "a");
  struct wr_m4_report r = world_report("label");
  r.serve = true;
  begin(WORLD_SERVER, &m, 1, &r, HOUR);
  world_run(&w, S);
  w.body = "\x92\x05\xa5"
           "taken\xc0";
  w.body_len = 9;
  hang_up();
  world_run(&w, 10 * S);
  w.body = NULL;
  world_run(&w, 20 * S);
  end_as("0.0 -> $/register\n"
         "0.4 -> a\n"
         "0.8 sample 0.0 12.5 of 0.4\n"
         "0.8 health up 0 0 0 0 0\n"
         "1000.0 -> $/register\n"
         "1000.4 REPORT_FAILS 0 since 1000.4 the M4 answered with\n"
         "3000.4 -> $/register\n"
         "3000.8 REPORT_FAILS 0 since 1000.4 the M4 answered with\n"
         "6000.8 -> $/register\n"
         "6001.2 REPORT_FAILS 0 since 1000.4 the M4 answered with\n"
         "11001.0 -> $/register\n"
         "11001.4 REPORT_WORKS 0 since 1000.4 the M4 answers\n");
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

/* Nobody gives a label: each report says so, at its own age. */
static void test_no_label(void) {
  struct wr_m4_method m = every(HOUR, "a");
  struct wr_m4_report r = world_report("one"), other = world_report("two");
  r.state.max_age_ms = 20000;
  other.state.max_age_ms = 30000;
  begin(WORLD_SERVER, &m, 1, &r, HOUR);
  w.life.reports[w.life.reports_count++] = &other;
  wr_m4_start(&w.life, w.now_us, w.now_us);
  world_run(&w, 40 * S);
  world_offer(&w, "Low");
  world_run(&w, 40 * S);
  end_as("0.0 -> a\n"
         "0.4 sample 0.0 12.5 of 0.0\n"
         "0.4 health up 0 0 0 0 0\n"
         "20000.4 -> one " UNKNOWN "30000.4 -> two " UNKNOWN
         "40000.0 -> one " LOW "40000.0 -> two " LOW "60000.0 -> one " UNKNOWN
         "70000.0 -> two " UNKNOWN);
}

/* Only the health is told, whatever else is due. */
static void test_parked(void) {
  struct wr_m4_method m = every(1000, "a");
  struct wr_m4_report r = world_report("label");
  begin(WORLD_SERVER, &m, 1, &r, 1000);
  w.life.parked = true;
  world_offer(&w, "Low");
  world_run(&w, 2 * S);
  CU_ASSERT_EQUAL(w.life.next_us, 102 * S);
  end_as("0.0 health down 0 0 0 0 0\n"
         "1000.0 health down 0 0 0 0 0\n");
}

UNIT_MAIN("life, its course", UNIT(test_outage), UNIT(test_unbound_method),
          UNIT(test_unbound_method_alone), UNIT(test_tunnel),
          UNIT(test_intervals), UNIT(test_label_within_a_turn),
          UNIT(test_no_trial_after_many_crashes), UNIT(test_label_in_an_outage),
          UNIT(test_answered_report), UNIT(test_signs_of_life),
          UNIT(test_heartbeats), UNIT(test_report_as_call),
          UNIT(test_reports_alone), UNIT(test_report_that_crashes),
          UNIT(test_lock_of_another), UNIT(test_lost_report),
          UNIT(test_registering), UNIT(test_mute_method),
          UNIT(test_outage_of_a_slow_life), UNIT(test_stale_replies),
          UNIT(test_no_label), UNIT(test_parked))
