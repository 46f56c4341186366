/* The whole course of a life: what it tells, and whether that is heard. */
#include "tests/unit/m4/course_case.h"

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

/* A label in an outage is tried after its own back-off, beside the methods. */
static void test_label_in_an_outage(void) {
  struct wr_m4_report r = world_report("label");
  begin_a(WORLD_PROXY, 5000, &r, HOUR);
  world_run(&w, S);
  w.gone = true;
  world_offer(&w, "Low");
  world_run(&w, 8 * S);
  w.gone = false;
  world_run(&w, 6 * S);
  end_as(FIRST_TURN "1000.0 refused\n"
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
  struct wr_m4_report r = world_report("label");
  r.call = true;
  begin_a(WORLD_SERVER, HOUR, &r, HOUR);
  world_run(&w, S);
  world_offer(&w, "Low");
  world_run(&w, S);
  hang_up();
  world_run(&w, 50 * S);
  end_as(FIRST_TURN "1000.0 -> label " LOW);
}

/* Nothing else is due: a label goes out when it comes, then at each beat. */
static void test_heartbeats(void) {
  struct wr_m4_report r = world_report("label");
  begin_a(WORLD_PROXY, HOUR, &r, HOUR);
  world_run(&w, S);
  world_offer(&w, "Low");
  world_run(&w, 130 * S);
  end_as(FIRST_TURN "1000.0 -> label " LOW "61000.4 -> label " LOW
                    "121000.8 -> label " LOW);
}

/* A report that is a call waits for its answer, and fails without. */
static void test_report_as_call(void) {
  struct wr_m4_report r = world_report("label");
  r.call = true;
  begin_a(WORLD_SERVER, HOUR, &r, HOUR);
  world_run(&w, S);
  w.mute = true;
  world_offer(&w, "Low");
  world_run(&w, 12 * S);
  w.mute = false;
  world_run(&w, 60 * S);
  w.mute = true; /* and fails again, since then */
  world_run(&w, 5 * S);
  end_as(FIRST_TURN
         "1000.0 -> label " LOW
         "2500.0 REPORT_FAILS 0 since 2500.0 no answer came withi\n"
         "4500.0 -> label " LOW
         "6000.0 REPORT_FAILS 0 since 2500.0 no answer came withi\n"
         "9000.0 -> label " LOW
         "10500.0 REPORT_FAILS 0 since 2500.0 no answer came withi\n"
         "15500.0 -> label " LOW
         "15500.4 REPORT_WORKS 0 since 2500.0 the M4 answers\n"
         "75500.0 -> label " LOW
         "77000.0 REPORT_FAILS 0 since 77000.0 no answer came withi\n");
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

/* Each that fails says why itself. */
static void test_words_of_reports_alone(void) {
  char name[WR_RPC_REQUEST_MAX + 1];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  struct wr_m4_report r = world_report(name), other = world_report("two");
  begin(WORLD_PROXY, NULL, 0, &r, 10000);
  w.life.reports[w.life.reports_count++] = &other;
  world_run(&w, S);
  w.gone = true;
  world_offer(&w, "Low");
  world_run(&w, S);
  end_as("0.0 health down 0 0 0 0 0\n"
         "1000.0 DOWN 0 since 1000.0 the request is longe\n"
         "1000.0 REPORT_FAILS 0 since 1000.0 the request is longe\n"
         "1000.0 refused\n"
         "1000.0 DOWN 0 since 1000.0 nothing listens ther\n"
         "1000.0 REPORT_FAILS 1 since 1000.0 nothing listens ther\n");
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
         "1500.0 -> label " LOW
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
         "5000.0 -> label " LOW
         "5003.0 REPORT_FAILS 0 since 1503.0 the proxy crashed on\n"
         "5003.0 health down 0 0 2 0 0\n"
         "5003.0 refused\n"
         "5003.0 DOWN 0 since 1500.0 the proxy crashed on\n"
         "6000.0 refused\n"
         "6000.0 DOWN 0 since 1500.0 nothing listens ther\n"
         "6000.0 health down 0 0 2 0 0\n"
         "7000.0 -> nobody\n");
}

/* Too many crashes of late: a report that is a call, and was never answered, is
 * none of the next; that is said, and it is told later. */
static void test_withheld_report(void) {
  for (int late = 0; late < 2; late++) {
    struct wr_m4_report r = world_report("label");
    r.call = true;
    begin_a(WORLD_PROXY, HOUR, &r, HOUR);
    world_run(&w, S);
    crashes_of_late(WR_GUARD_WINDOW_MS - late);
    world_offer(&w, "Low");
    world_run(&w, 3 * S);
    end_as(late ? FIRST_TURN
               "1000.0 REPORT_FAILS 0 since 1000.0 not called, because \n"
               "3000.0 -> label " LOW
               "3000.4 REPORT_WORKS 0 since 1000.0 the M4 answers\n"
                : FIRST_TURN "1000.0 -> label " LOW);
  }
}

/* The connection ends unheard: told again after a back-off. What was heard on
 * a connection that ends later is not. */
static void test_lost_report(void) {
  struct wr_m4_report r = world_report("label");
  r.state.heartbeat_ms = 0;
  begin_a(WORLD_SERVER, HOUR, &r, HOUR);
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
  end_as(FIRST_TURN "500.0 -> label " LOW "2500.0 -> label " LOW
                    "5500.0 -> label " HIGH "8000.0 -> label " HIGH
                    "3600000.0 -> a\n"
                    "3600000.4 sample 0.0 12.5 of 3600000.0\n"
                    "3600000.4 health up 0 0 0 0 0\n");
}

/* Of several each that was told, and no other; heard are those that were told
 * before an answer. */
static void test_lost_reports(void) {
  struct wr_m4_report r[] = {world_report("other"), world_report("one"),
                             world_report("two")};
  r[0].source = "flow_baseline:state";
  begin_a(WORLD_SERVER, 5000, r, HOUR);
  w.life.reports[w.life.reports_count++] = r + 1;
  w.life.reports[w.life.reports_count++] = r + 2;
  world_run(&w, S);
  w.lossy = true;
  world_offer(&w, "Low");
  world_run(&w, S);
  w.lossy = false;
  world_run(&w, 2 * S);
  CU_ASSERT_FALSE(r[0].confirmed || r[1].confirmed || r[2].confirmed);
  world_run(&w, 2 * S);
  CU_ASSERT(r[1].confirmed && r[2].confirmed && !r[0].confirmed);
  end_as(FIRST_TURN "1000.0 -> one " LOW "1000.0 -> two " LOW
                    "3000.0 -> one " LOW "3000.0 -> two " LOW "5000.0 -> a\n"
                    "5000.4 sample 0.0 12.5 of 5000.0\n");
}

/* Told on a connection of which a call finds that it is dead; what is answered
 * on the next one does not show that it was heard. */
static void test_told_to_the_dead(void) {
  struct wr_m4_report r = world_report("label");
  r.state.heartbeat_ms = 0;
  begin_a(WORLD_SERVER, 2000, &r, HOUR);
  world_run(&w, 2 * S - 1000);
  w.hang = true;
  world_offer(&w, "Low");
  world_run(&w, 2000);
  w.hang = false;
  hang_up();
  world_run(&w, 3 * S);
  end_as(FIRST_TURN "2001.0 -> a\n"
                    "2001.4 sample 0.0 12.5 of 2000.0\n"
                    "4000.0 -> a\n"
                    "4000.4 sample 0.0 12.5 of 4000.0\n"
                    "4001.4 -> label " LOW);
}

/* A notification whose connection breaks is no crash: the method is asked. */
static void test_broken_notification(void) {
  struct wr_m4_report r = world_report("label");
  begin_a(WORLD_PROXY, 2000, &r, HOUR);
  world_run(&w, S);
  w.hang = true;
  world_offer(&w, "Low");
  w.hang = w.connected = false;
  wr_rpc_ended(&w.session, -EPIPE, w.now_us);
  world_run(&w, 3 * S);
  end_as(FIRST_TURN "1000.0 REPORT_FAILS 0 since 1000.0 the connection was c\n"
                    "2000.0 -> a\n"
                    "2000.4 sample 0.0 12.5 of 2000.0\n"
                    "3000.4 -> label " LOW
                    "3000.8 REPORT_WORKS 0 since 1000.0 the M4 answers\n");
}

/* Registered before anything is asked, again on each connection, and with a
 * back-off while the router refuses. */
static void test_registering(void) {
  struct wr_m4_report r = world_report("label");
  r.serve = true;
  begin_a(WORLD_SERVER, HOUR, &r, HOUR);
  world_run(&w, S);
  w.body = "\x92\x05\xa5"
           "taken\xc0";
  w.body_len = 9;
  hang_up();
  world_run(&w, 10 * S);
  w.body = NULL;
  world_run(&w, 20 * S);
  end_as("0.0 -> $/register label\n"
         "0.4 -> a\n"
         "0.8 sample 0.0 12.5 of 0.4\n"
         "0.8 health up 0 0 0 0 0\n"
         "1000.0 -> $/register label\n"
         "1000.4 REPORT_FAILS 0 since 1000.4 the M4 answered with\n"
         "3000.4 -> $/register label\n"
         "3000.8 REPORT_FAILS 0 since 1000.4 the M4 answered with\n"
         "6000.8 -> $/register label\n"
         "6001.2 REPORT_FAILS 0 since 1000.4 the M4 answered with\n"
         "11001.0 -> $/register label\n"
         "11001.4 REPORT_WORKS 0 since 1000.4 the M4 answers\n");
}

/* Each report by its own name, and only that which failed again. */
static void test_registering_two(void) {
  struct wr_m4_report r = world_report("one"), other = world_report("two");
  r.serve = other.serve = true;
  begin_a(WORLD_SERVER, HOUR, &r, HOUR);
  w.life.reports[w.life.reports_count++] = &other;
  w.mute_method = "$/register";
  world_run(&w, S);
  w.mute_method = NULL;
  world_run(&w, 9 * S);
  end_as("0.0 -> $/register one\n"
         "1500.0 REPORT_FAILS 0 since 1500.0 no answer came withi\n"
         "1500.0 -> $/register two\n"
         "1500.4 -> a\n"
         "1500.8 sample 0.0 12.5 of 1500.4\n"
         "1500.8 health up 1 0 0 0 0\n"
         "3500.8 -> $/register one\n"
         "3501.2 REPORT_WORKS 0 since 1500.0 the M4 answers\n");
}

/* Nobody gives a label: each report says so, at its own age. */
static void test_no_label(void) {
  struct wr_m4_report r = world_report("one"), other = world_report("two");
  r.state.max_age_ms = 20000;
  other.state.max_age_ms = 30000;
  begin_a(WORLD_SERVER, HOUR, &r, HOUR);
  w.life.reports[w.life.reports_count++] = &other;
  wr_m4_start(&w.life, w.now_us, w.now_us);
  world_run(&w, 40 * S);
  world_offer(&w, "Low");
  world_run(&w, 40 * S);
  end_as(FIRST_TURN "20000.4 -> one " UNKNOWN "30000.4 -> two " UNKNOWN
                    "40000.0 -> one " LOW "40000.0 -> two " LOW
                    "60000.0 -> one " UNKNOWN "70000.0 -> two " UNKNOWN);
}

UNIT_MAIN("life, what it tells", UNIT(test_label_within_a_turn),
          UNIT(test_label_in_an_outage), UNIT(test_answered_report),
          UNIT(test_heartbeats), UNIT(test_report_as_call),
          UNIT(test_reports_alone), UNIT(test_words_of_reports_alone),
          UNIT(test_report_that_crashes), UNIT(test_withheld_report),
          UNIT(test_lost_report), UNIT(test_lost_reports),
          UNIT(test_told_to_the_dead), UNIT(test_broken_notification),
          UNIT(test_registering), UNIT(test_registering_two),
          UNIT(test_no_label))
