/* What is known of the properties: from the spool, from the service's list, and
 * what is made of every other answer. */
#include "tests/unit/cloud/fake_cloud.h"

#define OTHER                                                                  \
  "[{\"id\":\"f-2\",\"variable_name\":\"flow_rate\",\"type\":\"FLOAT\"},"      \
  "{\"id\":\"c-1\",\"variable_name\":\"classification\","                      \
  "\"type\":\"CHARSTRING\"}]"

static struct wr_names *const n = &pub.names;

static void ask(void) { wr_names_ask(n, &pub.link, &t); }

static void again(void) {
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  start_with(100, 0);
}

static void check_property(int i, const char *id, const char *name,
                           const char *type_name, enum wr_cloud_type type) {
  const struct wr_cloud_property *c = &properties[i].cloud;
  CU_ASSERT_STRING_EQUAL(c->id, id);
  CU_ASSERT_STRING_EQUAL(c->name, name);
  CU_ASSERT_STRING_EQUAL(c->type_name, type_name);
  CU_ASSERT_EQUAL(c->type, type);
}

/* The list is learned, and known after a restart. */
static void test_learned_and_remembered(void) {
  start();
  CU_ASSERT_FALSE(n->known);
  CU_ASSERT_TRUE(wr_names_due(n, t.now_ms));
  strcpy(n->advice, "what was wrong before");
  n->unserved = true;
  ask();
  CU_ASSERT_EQUAL(cloud.count, 1);
  for (int life = 0; life < 2; life++) {
    check_property(FLOW, "f-1", "flow_rate", "FLOAT", WR_CLOUD_NUMBER);
    check_property(LABEL, "c-1", "classification", "CHARSTRING", WR_CLOUD_TEXT);
    CU_ASSERT_TRUE(n->known);
    CU_ASSERT_FALSE(n->failed);
    CU_ASSERT_FALSE(n->unserved);
    CU_ASSERT_EQUAL(n->answers, life == 0 ? 1 : 0);
    CU_ASSERT_EQUAL(n->recheck_ms, life == 0 ? INT64_MAX : 0);
    CU_ASSERT_EQUAL(wr_pace_wait(&n->pace, t.now_ms), 0);
    CU_ASSERT_STRING_EQUAL(n->advice, "");
    CU_ASSERT_EQUAL(pub.link.state, WR_LINK_OK);
    for (int i = 0; i < 2; i++)
      CU_ASSERT_FALSE(properties[i].missing || properties[i].misfit);
    if (life == 0)
      again();
  }
  stop();
}

/* All have to be remembered, whichever is not. */
static void test_one_is_not_remembered(void) {
  for (int i = 0; i < 2; i++) {
    start();
    struct wr_memo memo = {"x", "y", "INT"};
    wr_spool_remember(spool, i, &memo);
    again();
    CU_ASSERT_FALSE(n->known);
    check_property(i, "x", "y", "INT", WR_CLOUD_INTEGER);
    check_property(!i, "", "", "", WR_CLOUD_UNKNOWN);
    stop();
  }
}

/* What the cloud calls it counts, be it one letter; else what we do. */
static void test_what_it_is_called(void) {
  struct wr_property q = {.name = "ours", .id = "our-id"};
  CU_ASSERT_STRING_EQUAL(wr_property_name(&q), "ours");
  CU_ASSERT_STRING_EQUAL(wr_property_id(&q), "our-id");
  strcpy(q.cloud.name, "f");
  strcpy(q.cloud.id, "1");
  CU_ASSERT_STRING_EQUAL(wr_property_name(&q), "f");
  CU_ASSERT_STRING_EQUAL(wr_property_id(&q), "1");
  q = (struct wr_property){0};
  CU_ASSERT_PTR_NULL(wr_property_name(&q));
  CU_ASSERT_PTR_NULL(wr_property_id(&q));
}

static void learn_faults(void) {
  for (int i = 0; i < 2; i++) {
    struct wr_property *q = properties + i;
    q->skip_count = 1;
    q->fails = 2;
    q->live_fails = 3;
    q->hidden_seq = 4;
    q->refused = true;
    wr_pace_fail(&q->pace, t.now_ms, t.random,
                 &(struct wr_pace_rule){20, 60000}, 0);
  }
}

static void check_faults(int i, bool there) {
  const struct wr_property *q = properties + i;
  CU_ASSERT_EQUAL(q->skip_count, there ? 1 : 0);
  CU_ASSERT_EQUAL(q->fails, there ? 2 : 0);
  CU_ASSERT_EQUAL(q->live_fails, there ? 3 : 0);
  CU_ASSERT_EQUAL(q->hidden_seq, there ? 4 : 0);
  CU_ASSERT_EQUAL(q->refused, there);
  CU_ASSERT_EQUAL(wr_pace_wait(&q->pace, t.now_ms), there ? 1500 : 0);
}

/* One that is another now begins anew, with what had been rejected; others go
 * on as they were. */
static void test_another_property_begins_anew(void) {
  struct wr_row row;
  struct wr_memo memo;
  start();
  ask();
  flow(1);
  CU_ASSERT_TRUE(wr_spool_newest(spool, FLOW, &row));
  wr_spool_reject(spool, &row, 400, "no", t.wall_us);
  learn_faults();
  ask();
  for (int i = 0; i < 2; i++)
    check_faults(i, true);
  wr_spool_commit(spool, t.now_ms, t.wall_us);
  CU_ASSERT_EQUAL(rows_left(), 0);
  plan("/properties", 200, OTHER, 0);
  ask();
  check_faults(FLOW, false);
  check_faults(LABEL, true);
  wr_spool_commit(spool, t.now_ms, t.wall_us);
  CU_ASSERT_EQUAL(rows_left(), 1);
  CU_ASSERT_TRUE(wr_spool_recall(spool, FLOW, &memo));
  CU_ASSERT_STRING_EQUAL(memo.id, "f-2");
  CU_ASSERT_EQUAL(n->answers, 3);
  stop();
}

/* A property is found by the id that it was given, in any case of letters; the
 * first of the list is as good as the last. */
static void test_found_by_id(void) {
  start();
  properties[FLOW].id = "C-1";
  properties[LABEL].id = "F-2";
  plan("/properties", 200, OTHER, 0);
  ask();
  CU_ASSERT_STRING_EQUAL(properties[FLOW].cloud.name, "classification");
  CU_ASSERT_STRING_EQUAL(properties[LABEL].cloud.name, "flow_rate");
  CU_ASSERT_TRUE(properties[FLOW].misfit);
  CU_ASSERT_TRUE(properties[LABEL].misfit);
  CU_ASSERT_EQUAL(n->recheck_ms, t.now_ms + WR_NAMES_RECHECK_MS);
  CU_ASSERT_STRING_EQUAL(
      n->advice,
      "property \"flow_rate\" is of type CHARSTRING, which takes no number; "
      "property \"classification\" is of type FLOAT, which takes no text");
  stop();
}

#define MISSING(key)                                                           \
  "the thing has no property \"" key "\"; create it or correct the "           \
  "configuration, its values wait in the spool"

static void test_what_is_missing(void) {
  start();
  plan("/properties", 200, "[]", 1);
  ask();
  CU_ASSERT_STRING_EQUAL(n->advice,
                         MISSING("flow_rate") "; " MISSING("classification"));
  CU_ASSERT_TRUE(properties[FLOW].missing && properties[LABEL].missing);
  CU_ASSERT_TRUE(n->known);
  CU_ASSERT_EQUAL(n->recheck_ms, t.now_ms + WR_NAMES_RECHECK_MS);
  CU_ASSERT_FALSE(wr_names_due(n, n->recheck_ms - 1));
  CU_ASSERT_TRUE(wr_names_due(n, n->recheck_ms));
  ask(); /* they are there now */
  CU_ASSERT_STRING_EQUAL(n->advice, "");
  CU_ASSERT_FALSE(properties[FLOW].missing || properties[LABEL].missing);
  CU_ASSERT_EQUAL(n->recheck_ms, INT64_MAX);
  stop();
}

/* As many properties as there may be, with much to say of each. */
static void test_advice_has_an_end(void) {
  static struct wr_property many[WR_NAMES_MAX];
  static struct {
    struct wr_names n;
    char after[64];
  } names;
  const char *many_keys[WR_NAMES_MAX];
  start();
  for (int i = 0; i < WR_NAMES_MAX; i++)
    many[i] = (struct wr_property){.key = "k", .name = many_keys[i] = "n"};
  struct wr_spool *empty =
      wr_spool_create(&(struct wr_spool_options){.path = "/nowhere/x"},
                      many_keys, WR_NAMES_MAX);
  wr_names_init(&names.n, many, WR_NAMES_MAX, empty);
  memset(names.after, 'x', sizeof(names.after));
  plan("/properties", 200, "[]", 0);
  wr_names_ask(&names.n, &pub.link, &t);
  CU_ASSERT_EQUAL(strlen(names.n.advice), sizeof(names.n.advice) - 1);
  for (size_t i = 0; i < sizeof(names.after); i++)
    CU_ASSERT_EQUAL(names.after[i], 'x');
  wr_spool_destroy(empty);
  stop();
}

/* Only those of the configuration are looked at, be there more behind them. */
static void test_no_more_than_there_are(void) {
  start();
  n->count = 1;
  ask();
  CU_ASSERT_STRING_EQUAL(properties[FLOW].cloud.id, "f-1");
  CU_ASSERT_STRING_EQUAL(properties[LABEL].cloud.id, "");
  CU_ASSERT_STRING_EQUAL(n->advice, "");
  stop();
}

/* Not known: at once, or when the wait after a failure is over. */
static void test_due(void) {
  static const struct {
    bool known, failed;
    int64_t earliest_ms, recheck_ms;
    bool due;
  } cases[] = {
      {false, false, 2000, 5000, true}, {false, true, 1001, 5000, false},
      {false, true, 1000, 5000, true},  {true, false, 0, 5000, false},
      {true, true, 0, 5000, false},     {true, false, 0, 1001, false},
      {true, false, 9000, 1000, true},  {false, true, 9000, 1000, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_names names = {.known = cases[i].known,
                             .failed = cases[i].failed,
                             .pace = {.earliest_ms = cases[i].earliest_ms},
                             .recheck_ms = cases[i].recheck_ms};
    CU_ASSERT_EQUAL(wr_names_due(&names, 1000), cases[i].due);
    wr_names_doubt(&names);
    CU_ASSERT_FALSE(names.known || names.failed);
    CU_ASSERT_TRUE(wr_names_due(&names, 1000));
  }
}

/* Every other answer: what is known then, what is said, and how long to wait.
 */
static void test_other_answers(void) {
  static const struct {
    int status;
    const char *body;
    enum wr_link_state state;
    bool unserved;
    const char *fault;
  } cases[] = {
      {503, "", WR_LINK_DOWN, false, "HTTP 503"},
      {404, "404 page not found\n", WR_LINK_OK, true, ""},
      {404, "{\"detail\":\"no thing\"}", WR_LINK_BLOCKED, false,
       "the cloud refuses (HTTP 404: no thing); check THING_ID, and SPACE_ID "
       "if the thing is in a space"},
      {400, "{\"detail\":\"no id\"}", WR_LINK_BLOCKED, false,
       "the cloud refuses (HTTP 400: no id); check THING_ID"},
      {200, "{}", WR_LINK_DOWN, false, "the list of properties makes no sense"},
      {200, "", WR_LINK_DOWN, false, "the list of properties makes no sense"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    start();
    plan("/properties", cases[i].status, cases[i].body, 0);
    ask();
    CU_ASSERT_EQUAL(n->known, cases[i].unserved);
    CU_ASSERT_EQUAL(n->unserved, cases[i].unserved);
    CU_ASSERT_TRUE(n->failed);
    CU_ASSERT_EQUAL(n->answers, 0);
    CU_ASSERT_EQUAL(n->recheck_ms, t.now_ms + WR_NAMES_RECHECK_MS);
    CU_ASSERT_EQUAL(wr_pace_wait(&n->pace, t.now_ms), 1500);
    CU_ASSERT_EQUAL(n->pace.asked_ms, 0);
    CU_ASSERT_EQUAL(pub.link.state, cases[i].state);
    CU_ASSERT_STRING_EQUAL(pub.link.fault, cases[i].fault);
    CU_ASSERT_FALSE(pub.link.owed); /* it was no value */
    stop();
  }
}

/* An address that is too long for any request is a fault of the way. */
static void test_no_address(void) {
  static char thing[WR_OAUTH_TOKEN_MAX + 100];
  start();
  memset(thing, 'x', sizeof(thing) - 1);
  pub.link.options.thing_id = thing;
  ask();
  CU_ASSERT_EQUAL(cloud.count, 0);
  CU_ASSERT_EQUAL(pub.link.state, WR_LINK_DOWN);
  CU_ASSERT_FALSE(n->known);
  stop();
}

UNIT_MAIN("names", UNIT(test_learned_and_remembered),
          UNIT(test_one_is_not_remembered), UNIT(test_what_it_is_called),
          UNIT(test_another_property_begins_anew), UNIT(test_found_by_id),
          UNIT(test_what_is_missing), UNIT(test_advice_has_an_end),
          UNIT(test_no_more_than_there_are), UNIT(test_due),
          UNIT(test_other_answers), UNIT(test_no_address))
