/* The .eim protocol: what a client sends, what it is told, byte for byte. */
#include <stdio.h>
#include <string.h>

#include "model/eim.h"
#include "tests/unit/unit.h"

static struct eim eim;
static char out[8192], shown[1024];
static size_t out_length;
static int replies, fail_after;

static int to_out(void *context, const char *text, size_t length) {
  (void)context;
  CU_ASSERT_FATAL(out_length + length < sizeof(out));
  CU_ASSERT_EQUAL(text[length], '\0'); /* the NUL that a socket sends too */
  memcpy(out + out_length, text, length + 1);
  out_length += length;
  replies++;
  return replies == fail_after ? -32 : 0;
}

static int to_shown(void *context, const char *text, size_t length) {
  (void)context;
  snprintf(shown, sizeof(shown), "%.*s", (int)length, text);
  return 0;
}

static int64_t still(void) { return 0; }

static void fresh(void) {
  out_length = 0;
  out[0] = shown[0] = '\0';
  replies = fail_after = 0;
  eim_free(&eim);
  eim_init(&eim, to_out, to_shown, NULL, still);
}

static const char *tell(const char *text) {
  out_length = 0;
  out[0] = '\0';
  CU_ASSERT_EQUAL(eim_feed(&eim, text, strlen(text)), 0);
  return out;
}

static void greeted(void) {
  fresh();
  tell("{\"hello\":1,\"id\":1}\n");
  replies = 0;
}

#define MISSING_ID                                                             \
  "{\"error\":\"Missing 'id' field in message\",\"success\":false}\n"
#define NONE "-1000,-1000,-1000,-1000,-1000,-1000,-1000,-1000,-1000,-1000,"
#define TEN "10,10,10,10,10,10,10,10,10,10"
#define FIRST "[" NONE NONE NONE NONE NONE TEN "]" /* a first window */
#define FULL "[" TEN "," TEN "," TEN "," TEN "," TEN "," TEN "]"

static bool has(const char *text, const char *part) {
  bool found = strstr(text, part) != NULL;
  if (!found)
    printf("\n'%s' lacks '%s'\n", text, part);
  return found;
}

static void test_hello(void) {
  fresh();
  const char *reply = tell("{\"hello\":1,\"id\":7}\n");
  CU_ASSERT(strncmp(reply, "{\"id\":7,\"model_parameters\":{", 28) == 0);
  CU_ASSERT(has(reply, "\"axis_count\":1,"));
  CU_ASSERT(has(reply, "\"frequency\":1,"));
  CU_ASSERT(has(reply, "\"input_features_count\":60,"));
  CU_ASSERT(has(reply, "\"least_samples\":10,"));
  CU_ASSERT(has(reply, "\"interval_ms\":1000,"));
  CU_ASSERT(has(reply, "\"label_count\":4,"));
  CU_ASSERT(
      has(reply, "\"labels\":[\"Anomalous\",\"High\",\"Low\",\"Normal\"]"));
  CU_ASSERT(has(reply, "\"model_type\":\"classification\""));
  CU_ASSERT(has(reply, "\"success\":true}\n"));
  CU_ASSERT_STRING_EQUAL(
      tell("{\"hello\":1,\"id\":8}"),
      "{\"error\":\"Invalid message 'hello', already initialized\",\"id\":8,"
      "\"success\":false}\n");
}

static void test_hello_version(void) {
  fresh();
  CU_ASSERT_STRING_EQUAL(
      tell("{\"hello\":2,\"id\":1}"),
      "{\"error\":\"Invalid value for 'hello', only 1 supported\",\"id\":1,"
      "\"success\":false}\n");
  CU_ASSERT(has(tell("{\"hello\":1,\"id\":2}"), "\"success\":true"));
}

static void test_before_hello(void) {
  fresh();
  const char *first = "{\"error\":\"Invalid message, should initialize first\","
                      "\"id\":0,\"success\":false}\n";
  CU_ASSERT_STRING_EQUAL(tell("{\"classify\":" FULL ",\"id\":0}"), first);
  CU_ASSERT_STRING_EQUAL(tell("{\"hello\":\"1\",\"id\":0}"), first);
}

static void test_ids(void) {
  static const char *const bad[] = {
      "{}",           "{\"hello\":1}",       "{\"id\":\"1\"}",
      "{\"id\":1.0}", "{\"id\":null}",       "{\"id\":[1]}",
      "{\"id\":1e3}", "{\"id\":2147483648}", "{\"x\":{\"id\":1}}",
  };
  greeted();
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_STRING_EQUAL(tell(bad[i]), MISSING_ID);
  CU_ASSERT(has(tell("{\"id\":-2147483648}"), "\"id\":-2147483648,"));
  CU_ASSERT(has(tell("{\"id\":1,\"id\":2}"), "\"id\":2,"));
}

static void test_classify(void) {
  greeted();
  const char *reply = tell("{\"classify\":" FULL ",\"id\":4}\n");
  CU_ASSERT(strncmp(reply, "{\"id\":4,\"result\":{", 18) == 0);
  CU_ASSERT(has(reply, "\"classification\":{\"Anomalous\":"));
  CU_ASSERT(has(reply, "},\"success\":true,\"timing\":{\"anomaly\":0,"
                       "\"classification\":0,\"dsp\":0,\"json\":0,"
                       "\"stdin\":0}}\n"));
  CU_ASSERT_STRING_EQUAL(shown, "");
  tell("{\"debug\":true,\"classify\":" FULL ",\"id\":5}\n");
  CU_ASSERT(strncmp(shown, "Features (60): 10 10 10 ", 24) == 0);
}

static void test_classify_errors(void) {
  greeted();
  const char *no_numbers =
      "{\"error\":\"Failed to parse classify array, should contain all "
      "numbers\",\"id\":6,\"success\":false}\n";
  CU_ASSERT_STRING_EQUAL(
      tell("{\"classify\":[1,2,3],\"id\":5}"),
      "{\"error\":\"Invalid number of features in 'classify', expected 60 but "
      "got 3\",\"id\":5,\"success\":false}\n");
  CU_ASSERT(has(tell("{\"classify\":[],\"id\":5}"), "but got 0"));
  CU_ASSERT(has(tell("{\"classify\":[1,2,3,4,5,6,7,8,9,10,11,12],\"id\":5}"),
                "but got 12"));
  CU_ASSERT_STRING_EQUAL(tell("{\"classify\":[1,\"2\"],\"id\":6}"), no_numbers);
  CU_ASSERT_STRING_EQUAL(tell("{\"classify\":[null],\"id\":6}"), no_numbers);
  CU_ASSERT_STRING_EQUAL(tell("{\"classify\":[[1,2]],\"id\":6}"), no_numbers);
  CU_ASSERT_STRING_EQUAL(tell("{\"classify\":[{\"a\":1}],\"id\":6}"),
                         no_numbers);
}

static void test_unknown(void) {
  static const char *const unknown[] = {
      "{\"id\":12}",
      "{\"classify\":1,\"id\":12}",
      "{\"classify\":{\"a\":[1]},\"id\":12}",
      "{\"set_parameter\":{\"max_tokens\":5},\"id\":12}",
      "{\"classify_shm\":{\"elements\":10},\"id\":12}",
      "{\"classify_continuous_shm\":{\"elements\":2},\"id\":12}",
      "{\"set_threshold\":5,\"id\":12}",
  };
  greeted();
  for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
    CU_ASSERT_STRING_EQUAL(tell(unknown[i]),
                           "{\"error\":\"Failed to handle message\",\"id\":12,"
                           "\"success\":false}\n");
}

#define QUARTER "[10,10,10,10,10,10,10,10,10,10,10,10,10,10,10]"

/* A history that grows by 15 samples: the first answer is an answer already. */
static void test_continuous(void) {
  greeted();
  const char *slice = "{\"classify_continuous\":" QUARTER ",\"id\":9}";
  for (int i = 0; i < 3; i++)
    CU_ASSERT(has(tell(slice), "\"Normal\":0.99"));
  char full[1024], whole[1024];
  snprintf(full, sizeof(full), "%s", tell(slice));
  snprintf(whole, sizeof(whole), "%s",
           tell("{\"classify\":" FULL ",\"id\":9}"));
  CU_ASSERT_STRING_EQUAL(full, whole);
  CU_ASSERT_STRING_EQUAL(
      tell("{\"classify_continuous\":[1,2,3],\"id\":9}"),
      "{\"error\":\"Invalid number of features in 'classify_continuous', "
      "expected 15 but got 3\",\"id\":9,\"success\":false}\n");
}

/* Ten samples will do; what stands for none is not taken for no flow. */
static void test_short_history(void) {
  greeted();
  CU_ASSERT(has(tell("{\"classify\":" FIRST ",\"id\":9}"), "\"Normal\":0.99"));
  CU_ASSERT(has(tell("{\"classify\":[" NONE NONE NONE NONE NONE
                     "-1000,1,2,3,4,5,6,7,8,9],\"id\":9}"),
                "\"classification\":{\"Anomalous\":0.0,\"High\":0.0,"
                "\"Low\":0.0,\"Normal\":0.0}"));
}

static void test_threshold(void) {
  char text[128];
  int id = classifier_info.anomaly_block_id;
  greeted();
  snprintf(text, sizeof(text),
           "{\"set_threshold\":{\"id\":%d,\"min_anomaly_score\":0.5},\"id\":7}",
           id);
  if (id != 0) {
    CU_ASSERT_STRING_EQUAL(tell(text), "{\"id\":7,\"success\":true}\n");
    CU_ASSERT_EQUAL(eim.min_anomaly_score, 0.5f);
  }
  CU_ASSERT_STRING_EQUAL(
      tell("{\"set_threshold\":{\"id\":99},\"id\":7}"),
      "{\"error\":\"set_threshold: cannot find learn block with this id\","
      "\"id\":7,\"success\":false}\n");
  CU_ASSERT_STRING_EQUAL(
      tell("{\"set_threshold\":{\"x\":1},\"id\":7}"),
      "{\"error\":\"set_threshold should have a numeric field 'id'\","
      "\"id\":7,\"success\":false}\n");
}

static void test_framing(void) {
  greeted();
  tell("noise } ] \" { \"id\" : 3 , \"s\":\"}}{{\\\"}\" } , {\"id\":4}\n");
  CU_ASSERT_EQUAL(replies, 2);
  CU_ASSERT(has(out, "\"id\":3,"));
  CU_ASSERT(has(out, "\"id\":4,"));
}

static void test_byte_by_byte(void) {
  const char *text = "{\"hello\":1,\"id\":1}{\"classify\":" FULL ",\"id\":2}";
  fresh();
  for (; *text != '\0'; text++)
    CU_ASSERT_EQUAL(eim_feed(&eim, text, 1), 0);
  CU_ASSERT_EQUAL(replies, 2);
  CU_ASSERT(has(out, "\"result\""));
}

static void test_broken_json(void) {
  static const char *const broken[] = {
      "{\"id\":1,}",
      "{\"id\":01}",
      "{\"id\":1]}",
      "{'id':1}",
      "{\"id\":1 2}",
      "{\"id\":+1}",
      "{\"id\":.5}",
      "{\"id\":nan}",
      "{\"id\":1e}",
      "{\"id\":0x10}",
      "{\"id\":1,\"a\"}",
      "{\"a\":1e999}",
      "{\"a\":\"\\x\",\"id\":1}",
      "{id:1}",
  };
  greeted();
  for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
    CU_ASSERT_STRING_EQUAL(tell(broken[i]), MISSING_ID);
  CU_ASSERT(has(tell("{\"id\":1}"), "\"id\":1,")); /* it survives them all */
}

static void test_unclosed_string(void) {
  greeted();
  tell("{\"id\":1,\"abc\n{\"id\":2}\n");
  CU_ASSERT(strncmp(out, MISSING_ID, strlen(MISSING_ID)) == 0);
  CU_ASSERT(has(out, "\"id\":2,"));
}

static void test_deep_nesting(void) {
  char text[512];
  greeted();
  for (int depth = 62; depth <= 65; depth++) {
    int length = snprintf(text, sizeof(text), "{\"id\":1,\"a\":");
    memset(text + length, '[', (size_t)depth);
    memset(text + length + depth, ']', (size_t)depth);
    strcpy(text + length + 2 * depth, "}");
    CU_ASSERT(has(tell(text), depth < 64 ? "\"id\":1," : "Missing 'id'"));
  }
}

/* A string, a key and a number at their ceiling and one byte above. */
static void test_long_tokens(void) {
  static char text[3 * MESSAGE_TEXT_MAX];
  greeted();
  for (int over = 0; over < 2; over++) {
    const char *expected = over ? MISSING_ID : "Failed to handle message";
    int length = MESSAGE_TEXT_MAX - 2 + over; /* without the quotes */
    snprintf(text, sizeof(text), "{\"%0*d\":1,\"id\":1}", length, 0);
    CU_ASSERT(has(tell(text), expected));
    snprintf(text, sizeof(text), "{\"a\":\"%0*d\",\"id\":1}", length, 0);
    CU_ASSERT(has(tell(text), expected));
    length = WR_NUMBER_MAX - 3 + over; /* without "0." */
    snprintf(text, sizeof(text), "{\"a\":0.%0*d,\"id\":1}", length, 1);
    CU_ASSERT(has(tell(text), expected));
  }
}

/* One byte over the limit: one error at once, the rest skipped, then on. */
static void test_too_long(void) {
  static char chunk[65536];
  greeted();
  memset(chunk, ' ', sizeof(chunk));
  tell("{");
  for (long sent = 1; sent + (long)sizeof(chunk) <= MESSAGE_BYTES_MAX;
       sent += (long)sizeof(chunk))
    eim_feed(&eim, chunk, sizeof(chunk));
  eim_feed(&eim, chunk, sizeof(chunk) - 1);
  CU_ASSERT_EQUAL(replies, 0);
  CU_ASSERT_STRING_EQUAL(tell(" "),
                         "{\"error\":\"Message longer than 33554432 bytes, "
                         "skipped\",\"success\":false}\n");
  CU_ASSERT_STRING_EQUAL(tell("\"id\":1}"), "");
  CU_ASSERT(has(tell("{\"id\":2}"), "\"id\":2,"));
}

static void test_send_fails(void) {
  greeted();
  fail_after = 2;
  const char *text = "{\"id\":1}{\"id\":2}{\"id\":3}";
  CU_ASSERT_EQUAL(eim_feed(&eim, text, strlen(text)), -32);
  CU_ASSERT_EQUAL(replies, 2);
}

static void test_huge_values(void) {
  greeted();
  CU_ASSERT(has(tell("{\"classify\":[" TEN "," TEN "," TEN "," TEN "," TEN
                     ",1e308,-1e308,1e300,0,0,0,0,0,0,0],\"id\":1}"),
                "\"success\":true"));
  CU_ASSERT(strstr(out, "nan") == NULL && strstr(out, "inf") == NULL);
}

static void test_describe_is_the_hello(void) {
  struct reply reply;
  fresh();
  tell("{\"hello\":1,\"id\":1}");
  eim_describe(&reply);
  CU_ASSERT_STRING_EQUAL(reply.text, out);
  CU_ASSERT_FALSE(reply.cut);
}

static void test_float_text(void) {
  static const struct {
    float value;
    const char *text;
  } cases[] = {
      {0, "0.0"},
      {1, "1.0"},
      {0.99609375f, "0.99609375"},
      {0.00390625f, "0.00390625"},
      {-3.21006966f, "-3.2100697"},
      {1000, "1000.0"},
      {1e-10f, "1e-10"},
      {0.1f, "0.1"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct reply reply = {0};
    reply_add_float(&reply, cases[i].value);
    CU_ASSERT_STRING_EQUAL(reply.text, cases[i].text);
  }
}

/* A request in one piece may take a shorter way than one in many: the same
 * answer. */
static void test_in_one_piece_or_in_many(void) {
  static const char *const requests[] = {
      "{\"classify\":" FULL ",\"id\":7}",
      "{\"classify\":" FIRST ",\"id\":-7}\n",
      "{\"classify\":[1.25,-0.5,0,10],\"id\":7}",
      "{\"classify\":[01],\"id\":7}",
      "{\"classify\":[1.],\"id\":7}",
      "{\"classify\":[.5],\"id\":7}",
      "{\"classify\":[-],\"id\":7}",
      "{\"classify\":[1e0],\"id\":7}",
      "{\"classify\":[1,],\"id\":7}",
      "{\"classify\":[],\"id\":7}",
      "{\"classify\":[1],\"id\":7.0}",
      "{\"classify\":[1],\"id\":}",
      "{\"classify\":[1],\"id\":2147483648}",
      "{\"classify\":[1],\"id\":7,\"id\":8}",
      "{\"classify\":[1],\"id\":7]",
      "{\"classify\":[1 ],\"id\":7}",
      "{\"classify\":[1]\"id\":7}"};
  for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
    char whole[sizeof(out)], end[] = "}\n{\"hello\":1,\"id\":3}\n";
    greeted();
    CU_ASSERT_EQUAL(eim_feed(&eim, requests[i], strlen(requests[i])), 0);
    CU_ASSERT_EQUAL(eim_feed(&eim, end, strlen(end)), 0);
    strcpy(whole, out);
    greeted();
    for (const char *at = requests[i]; *at != '\0'; at++)
      CU_ASSERT_EQUAL(eim_feed(&eim, at, 1), 0);
    CU_ASSERT_EQUAL(eim_feed(&eim, end, strlen(end)), 0);
    CU_ASSERT_STRING_EQUAL(out, whole);
    CU_ASSERT(strlen(whole) > 0);
  }
}

UNIT_MAIN("eim", UNIT(test_in_one_piece_or_in_many), UNIT(test_hello),
          UNIT(test_hello_version), UNIT(test_before_hello), UNIT(test_ids),
          UNIT(test_classify), UNIT(test_classify_errors), UNIT(test_unknown),
          UNIT(test_continuous), UNIT(test_short_history), UNIT(test_threshold),
          UNIT(test_framing), UNIT(test_byte_by_byte), UNIT(test_broken_json),
          UNIT(test_unclosed_string), UNIT(test_deep_nesting),
          UNIT(test_long_tokens), UNIT(test_too_long), UNIT(test_send_fails),
          UNIT(test_huge_values), UNIT(test_describe_is_the_hello),
          UNIT(test_float_text))
