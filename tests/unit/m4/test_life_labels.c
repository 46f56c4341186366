/* Labels on their way to the M4: reported, repeated, lost, asked for. */
#include "tests/unit/unit.h"

#include "tests/unit/m4/m4_world.h"

static struct world w;

static void begin_with_report(enum world_path path, struct wr_m4_method *m,
                              size_t count, struct wr_m4_report *r) {
  memset(&w, 0, sizeof(w));
  for (size_t i = 0; i < count; i++)
    w.life.methods[i] = m + i;
  w.life.methods_count = count;
  w.life.reports[0] = r;
  w.life.reports_count = 1;
  world_open(&w, path);
}

static void test_report(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  m.interval_ms = 3600000;
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  world_run(&w, S);
  world_offer(&w, "Low"); /* at once, though nothing is due for an hour */
  CU_ASSERT_EQUAL(w.notified, 1);
  CU_ASSERT_STRING_EQUAL(w.last_label, "{\"label\":\"Low\",\"value\":0.875}");
  world_run(&w, 125 * S);
  CU_ASSERT_EQUAL(w.notified, 3); /* heartbeats */
  world_close(&w);
}

/* The label is too old: the M4 hears that, and a new one ends it. */
static void test_old_label(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  r.state.max_age_ms = 0;
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  for (int i = 0; i < 30; i++) {
    world_offer(&w, "Normal");
    world_run(&w, S);
  }
  CU_ASSERT_EQUAL(w.notified, 1);
  world_run(&w, 30 * S);
  CU_ASSERT_EQUAL(w.notified, 2);
  CU_ASSERT_STRING_EQUAL(w.last_label, "{\"label\":\"unknown\",\"value\":0}");
  world_run(&w, 120 * S);
  CU_ASSERT_EQUAL(w.notified, 4);
  CU_ASSERT_STRING_EQUAL(w.last_label, "{\"label\":\"unknown\",\"value\":0}");
  world_offer(&w, "Normal");
  world_run(&w, S);
  CU_ASSERT_STRING_EQUAL(w.last_label,
                         "{\"label\":\"Normal\",\"value\":0.875}");
  world_close(&w);
}

/* Each report is told the labels of its own source, and their silence. */
static void test_two_sources(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("baseline");
  r.source = "flow_baseline:state";
  r.state.max_age_ms = 0;
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  world_offer(&w, "Normal");
  world_offer_of(&w, "edge_impulse:label", "Normal");
  world_run(&w, S);
  CU_ASSERT_EQUAL(w.notified, 0);
  world_offer_of(&w, "flow_baseline:state", "low");
  world_run(&w, S);
  CU_ASSERT_EQUAL(w.notified, 1);
  CU_ASSERT_STRING_EQUAL(w.last_label, "{\"label\":\"low\",\"value\":0.875}");
  for (int i = 0; i < 32; i++) { /* others do not keep it fresh */
    world_offer_of(&w, "edge_impulse:label", "Normal");
    world_run(&w, S);
  }
  CU_ASSERT_EQUAL(w.notified, 2);
  CU_ASSERT_STRING_EQUAL(w.last_label, "{\"label\":\"unknown\",\"value\":0}");
  world_close(&w);
}

/* Told while the connection died: told again on the next one. */
static void test_lost_report(void) {
  struct wr_m4_method m = world_method("a");
  for (size_t methods = 0; methods < 2; methods++) {
    struct wr_m4_report r = world_report("classification");
    begin_with_report(WORLD_SERVER, &m, methods, &r);
    world_run(&w, 5 * S + S / 2);
    w.lossy = true;
    world_offer(&w, "Low");
    world_run(&w, 300);
    CU_ASSERT_EQUAL(w.notified, 1);
    w.lossy = false;
    world_run(&w, 10 * S);
    CU_ASSERT_EQUAL(w.notified, 2);
    world_run(&w, 30 * S);
    CU_ASSERT_EQUAL(w.notified, 2);
    world_close(&w);
  }
}

/* Told while the M4 restarts: told again when it answers. */
static void test_unheard_report(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  world_run(&w, 5 * S);
  w.mute = true;
  world_offer(&w, "Low");
  world_run(&w, 5 * S);
  w.mute = false;
  unsigned before = w.notified;
  world_run(&w, 40 * S);
  CU_ASSERT(w.notified > before);
  before = w.notified;
  world_run(&w, 20 * S);
  CU_ASSERT_EQUAL(w.notified, before);
  world_close(&w);
}

/* What was heard is not told again because the M4 fell silent later. */
static void test_heard_report(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  r.state.heartbeat_ms = 0;
  world_run(&w, 5 * S + S / 2);
  world_offer(&w, "Low");
  world_run(&w, 5 * S);
  CU_ASSERT_EQUAL(w.notified, 1);
  CU_ASSERT(r.confirmed);
  w.mute = true;
  world_run(&w, 10 * S);
  w.mute = false;
  world_run(&w, 60 * S);
  CU_ASSERT_EQUAL(w.notified, 1);
  world_close(&w);
}

/* Silent right after the first report: it is named. */
static void test_accused_report(void) {
  static const struct {
    bool down, gone, unbound, accused;
  } cases[] = {
      {.accused = true}, {.down = true}, {.gone = true}, {.unbound = true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_m4_method m = world_method("a");
    struct wr_m4_report r = world_report("two_arguments");
    begin_with_report(WORLD_PROXY, &m, 1, &r);
    w.mute = cases[i].down;
    world_run(&w, S / 2 + (cases[i].down ? 0 : 5 * S));
    w.mute = false;
    world_offer(&w, "Low");
    CU_ASSERT_EQUAL(w.notified, !cases[i].down);
    w.gone = cases[i].gone;
    w.unbound[0] = cases[i].unbound ? "a" : NULL;
    w.mute = true;
    world_run(&w, 5 * S);
    CU_ASSERT_EQUAL(strstr(w.why[WR_M4_DOWN],
                           "the first report to \"two_arguments\"") != NULL,
                    cases[i].accused);
    world_close(&w);
  }
}

/* Also when it was told between the first two answers. Later ones are not. */
static void test_accused_in_the_first_turn(void) {
  struct wr_m4_method m[] = {world_method("a"), world_method("b")};
  struct wr_m4_report r = world_report("two_arguments");
  begin_with_report(WORLD_PROXY, m, 2, &r);
  world_run(&w, 100);
  world_offer(&w, "Low"); /* goes out behind "a" */
  w.mute_method = "b";
  world_run(&w, 600);
  w.mute = true;
  world_run(&w, 5 * S);
  CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_DOWN], "two_arguments"));
  w.mute = false;
  w.mute_method = NULL;
  world_run(&w, 60 * S);
  CU_ASSERT(r.confirmed);
  world_offer(&w, "High");
  w.mute = true;
  world_run(&w, 5 * S);
  CU_ASSERT_PTR_NULL(strstr(w.why[WR_M4_DOWN], "two_arguments"));
  world_close(&w);
}

static void test_report_as_call(void) {
  struct wr_m4_report r = world_report("unbound");
  struct wr_m4_method m = world_method("a");
  r.call = true;
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  w.unbound[0] = "unbound";
  world_run(&w, S);
  world_offer(&w, "Low");
  world_run(&w, 300 * S);
  CU_ASSERT_EQUAL(w.crashes, 2);
  CU_ASSERT(w.life.up);
  CU_ASSERT(w.samples > 285);
  world_close(&w);
}

/* What the life answers to a request of the router, as text. */
static const char *ask_it(const char *method) {
  static char text[300];
  uint8_t request[WR_RPC_REQUEST_MAX];
  size_t len = 0, size = 0;
  struct wr_rpc_reply reply;
  wr_rpc_encode(request, &len, WR_RPC_REQUEST, 77, method, NULL, 0);
  wr_rpc_bytes(&w.session, request, len, w.now_us);
  CU_ASSERT_EQUAL_FATAL(
      wr_rpc_decode_reply(w.session.aside, w.session.aside_len, &reply, &size),
      0);
  CU_ASSERT_EQUAL(reply.msgid, 77);
  bool good = reply.error.kind == WR_RPC_NIL;
  const struct wr_rpc_value *v = good ? &reply.result : &reply.error;
  snprintf(text, sizeof(text), "%.*s", (int)v->len, v->data);
  w.session.aside_len = 0;
  return text;
}

/* Registered, asked for, and registered again on the next connection. */
static void test_consumers_of_labels(void) {
  struct wr_m4_method m = world_method("a");
  for (size_t methods = 0; methods < 2; methods++) {
    struct wr_m4_report r = world_report("classification");
    r.serve = true;
    r.state.max_age_ms = 30000;
    begin_with_report(WORLD_SERVER, &m, methods, &r);
    world_run(&w, 2 * S);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.methods, "$/register"));
    CU_ASSERT_STRING_EQUAL(ask_it("classification"),
                           "{\"label\":\"unknown\",\"value\":0}");
    world_offer(&w, "Low");
    world_run(&w, S);
    CU_ASSERT_STRING_EQUAL(ask_it("classification"),
                           "{\"label\":\"Low\",\"value\":0.875}");
    CU_ASSERT_STRING_EQUAL(ask_it("another"), "no such method");
    CU_ASSERT_EQUAL(w.notified, 0);
    w.methods[0] = '\0';
    w.connected = false;
    wr_rpc_ended(&w.session, 0, w.now_us);
    world_run(&w, 40 * S);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.methods, "$/register"));
    CU_ASSERT_STRING_EQUAL(ask_it("classification"),
                           "{\"label\":\"unknown\",\"value\":0}");
    CU_ASSERT(w.life.up);
    world_close(&w);
  }
}

/* It is taken, or there is no router: said, and tried again. */
static void test_name_is_taken(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  r.serve = true;
  begin_with_report(WORLD_SERVER, &m, 1, &r);
  w.body = "\x92\x05\xa5"
           "taken\xc0";
  w.body_len = 9;
  world_run(&w, 10 * S);
  CU_ASSERT(w.events[WR_M4_REPORT_FAILS] > 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_REPORT_FAILS], "5 taken"));
  w.body = NULL;
  world_run(&w, 40 * S);
  CU_ASSERT_EQUAL(w.events[WR_M4_REPORT_WORKS], 1);
  world_close(&w);
}

/* A label that never came is too old, too: the M4 hears it after that age, once
 * and then at each heartbeat. */
static void test_no_label_ever(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  r.state.max_age_ms = 30000;
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  world_run(&w, 29 * S);
  CU_ASSERT_EQUAL(w.notified, 0);
  world_run(&w, 2 * S);
  CU_ASSERT_EQUAL(w.notified, 1);
  CU_ASSERT_STRING_EQUAL(w.last_label, "{\"label\":\"unknown\",\"value\":0}");
  world_run(&w, 58 * S);
  CU_ASSERT_EQUAL(w.notified, 1); /* it is told nothing new */
  world_run(&w, 4 * S);
  CU_ASSERT_EQUAL(w.notified, 2);
  world_close(&w);
}

/* Who asks for a label that is too old is told so, to the millisecond. */
static void test_old_label_asked_for(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  struct wr_rpc_value name = {.data = (const uint8_t *)"classification",
                              .len = strlen("classification")};
  char text[256];
  r.serve = true;
  r.state.max_age_ms = 30000;
  begin_with_report(WORLD_SERVER, &m, 1, &r);
  int64_t at_us = w.now_us;
  world_offer(&w, "Low");
  CU_ASSERT_TRUE(w.session.asked(w.session.asked_user, &name, text,
                                 sizeof(text), at_us + 30 * S - 1000));
  CU_ASSERT_STRING_EQUAL(text, "{\"label\":\"Low\",\"value\":0.875}");
  CU_ASSERT_TRUE(w.session.asked(w.session.asked_user, &name, text,
                                 sizeof(text), at_us + 30 * S));
  CU_ASSERT_STRING_EQUAL(text, "{\"label\":\"unknown\",\"value\":0}");
  name.len--;
  CU_ASSERT_FALSE(
      w.session.asked(w.session.asked_user, &name, text, sizeof(text), at_us));
  world_close(&w);
}

/* Of several consumers' names each has its own label, and one that is there
 * twice is answered once. */
static void test_several_consumers(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("one"), told = world_report("two"),
                      other = world_report("two"), again = world_report("two");
  r.serve = other.serve = again.serve = true;
  other.source = again.source = "flow_baseline:state";
  begin_with_report(WORLD_SERVER, &m, 1, &r);
  w.life.reports[1] = &told; /* not for who asks */
  w.life.reports[2] = &other;
  w.life.reports[3] = &again;
  w.life.reports_count = 4;
  world_run(&w, S);
  world_offer(&w, "Low");
  world_offer_of(&w, "flow_baseline:state", "drift");
  world_run(&w, S);
  CU_ASSERT_STRING_EQUAL(ask_it("one"), "{\"label\":\"Low\",\"value\":0.875}");
  CU_ASSERT_STRING_EQUAL(ask_it("two"),
                         "{\"label\":\"drift\",\"value\":0.875}");
  world_close(&w);
}

/* What no message can hold is not told, and that is said. */
static void test_label_that_is_too_long(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("label");
  char label[WR_LABEL_MAX];
  memset(label, '"', sizeof(label)); /* two bytes each */
  label[sizeof(label) - 1] = '\0';
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  world_run(&w, S / 2);
  world_offer(&w, label);
  world_run(&w, S);
  CU_ASSERT_EQUAL(w.notified, 0);
  CU_ASSERT_EQUAL(w.events[WR_M4_REPORT_FAILS], 1);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(w.why[WR_M4_REPORT_FAILS], "longer than the M4 can take"));
  CU_ASSERT_NOT_EQUAL(r.state.sent, r.state.version);
  world_offer(&w, "Low");
  world_run(&w, 5 * S);
  CU_ASSERT_EQUAL(w.notified, 1);
  CU_ASSERT_EQUAL(w.events[WR_M4_REPORT_WORKS], 1);
  world_close(&w);
}

/* A report that is a call, and crashes the proxy, rests like a method. */
static void test_report_that_crashes(void) {
  struct wr_m4_method m = world_method("a");
  struct wr_m4_report r = world_report("classification");
  r.call = true;
  begin_with_report(WORLD_PROXY, &m, 1, &r);
  w.unbound[0] = "classification";
  world_run(&w, 10 * S);
  world_offer(&w, "Low");
  world_run(&w, 600 * S);
  CU_ASSERT(w.crashes >= 1 && w.crashes <= 6);
  CU_ASSERT(w.samples > 400);
  w.unbound[0] = NULL;
  world_run(&w, 3600 * S);
  CU_ASSERT_STRING_EQUAL(w.last_label, "");
  CU_ASSERT_EQUAL(r.state.sent, r.state.version);
  world_close(&w);
}

UNIT_MAIN("life, labels", UNIT(test_no_label_ever),
          UNIT(test_old_label_asked_for), UNIT(test_report_that_crashes),
          UNIT(test_report), UNIT(test_old_label), UNIT(test_two_sources),
          UNIT(test_lost_report), UNIT(test_unheard_report),
          UNIT(test_heard_report), UNIT(test_accused_report),
          UNIT(test_accused_in_the_first_turn), UNIT(test_report_as_call),
          UNIT(test_consumers_of_labels), UNIT(test_name_is_taken),
          UNIT(test_several_consumers), UNIT(test_label_that_is_too_long))
