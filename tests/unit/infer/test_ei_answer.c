#include "tests/unit/infer/ei_case.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_answers_refused(void) {
  struct wr_model m;
  struct wr_answer answer;
  flow_model(&m);
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"{}", -EBADMSG},
      {"{\"id\":4,\"success\":true}", -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{}}", -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{\"classification\":[]}}",
       -EBADMSG},
      {"{\"id\":5,\"success\":true,\"result\":{" SCORES("0", "0", "0",
                                                        "1") "}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{" SCORES("0", "0", "0",
                                                        "1.5") "}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{" SCORES("-1", "0", "0",
                                                        "1") "}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{" SCORES("null", "0", "0",
                                                        "1") "}}",
       -EREMOTEIO},
      {"{\"id\":4,\"success\":true,\"result\":{" SCORES("1e999", "0", "0",
                                                        "1") "}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{" SCORES("NaN", "0", "0",
                                                        "1") "}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{\"classification\":"
       "{\"idle\":0.5,\"wave\":0.5}}}",
       -EBADMSG},
      {"{\"error\":\"Invalid number of features in 'classify', expected 10 but "
       "got 3\",\"id\":4,\"success\":false}",
       -EREMOTEIO}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int status = read_answer(cases[i].text, 4, &m, &answer);
    if (status != cases[i].status)
      printf("case %zu: %d\n", i, status);
    CU_ASSERT_EQUAL(status, cases[i].status);
  }
  wr_model_free(&m);
}

static void test_answers(void) {
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  /* integers for floats, keys in any order, keys we do not know */
  CU_ASSERT_EQUAL(
      read_answer("{\"timing\":{\"dsp\":0},\"id\":4,\"result\":{\"anomaly\":"
                  "-3.21," SCORES("0", "0.0", "0.99609375",
                                  "0") "},"
                                       "\"success\":true,\"info\":\"{}\"}",
                  4, &m, &a),
      0);
  CU_ASSERT_DOUBLE_EQUAL(a.scores[2], 0.99609375, 0);
  CU_ASSERT_DOUBLE_EQUAL(a.scores[0], 0.0, 0);
  CU_ASSERT_DOUBLE_EQUAL(a.anomaly, -3.21, 1e-12);
  static const char *const not_computed[] = {
      "\"anomaly\":1000,", "\"anomaly\":null,", "", "\"anomaly\":\"x\","};
  for (size_t i = 0; i < 4; i++) {
    char text[256];
    snprintf(text, sizeof(text), "{\"result\":{%s%s}}", not_computed[i],
             SCORES("0", "0", "0", "1"));
    CU_ASSERT_EQUAL(read_answer(text, -1, &m, &a), 0);
    CU_ASSERT(isnan(a.anomaly));
  }
  /* rounding of a quantised model */
  CU_ASSERT_EQUAL(
      read_answer("{\"result\":{" SCORES("0", "0", "-1e-9", "1.0000001") "}}",
                  -1, &m, &a),
      0);
  CU_ASSERT_EQUAL(a.scores[2], 0.0);
  CU_ASSERT_EQUAL(a.scores[3], 1.0);
  wr_model_free(&m);
}

/* What rounding may make of 0 and 1, and no more. */
static void test_ceilings_of_scores(void) {
  static const struct {
    const char *score;
    int status;
    double value;
  } cases[] = {{"-0.001", 0, 0},
               {"-0.0011", -EBADMSG, 0},
               {"0", 0, 0},
               {"0.5", 0, 0.5},
               {"1", 0, 1},
               {"1.001", 0, 1},
               {"1.0011", -EBADMSG, 0}};
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[256];
    snprintf(text, sizeof(text),
             "{\"result\":{\"anomaly\":%s,\"classification\":{\"Anomalous\":%s,"
             "\"High\":0,\"Low\":0,\"Normal\":0}}}",
             i % 2 == 0 ? "999.9" : "1000.1", cases[i].score);
    CU_ASSERT_EQUAL(read_answer(text, -1, &m, &a), cases[i].status);
    CU_ASSERT(cases[i].status != 0 || a.scores[0] == cases[i].value);
    CU_ASSERT_EQUAL(isnan(a.anomaly) != 0, i % 2 == 1);
  }
  wr_model_free(&m);
}

/* Of two equal keys the last one counts, with all that is in it. */
static void test_last_key_counts(void) {
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"{\"id\":4,\"success\":true,\"result\":{},\"result\":" WHOLE "}", 0},
      {"{\"id\":4,\"success\":true,\"result\":" WHOLE ",\"result\":{}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{" SCORES(
           "0", "0", "0", "1") ",\"classification\":{\"Low\":1}}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"result\":{\"classification\":{\"Low\":1}"
       "," SCORES("0", "0", "0", "1") "}}",
       0},
      {"{\"id\":4,\"success\":true,\"result\":{\"classification\":{"
       "\"Low\":7,\"Low\":0,\"High\":0,\"Anomalous\":1,\"Normal\":0}}}",
       0},
      {"{\"id\":4,\"success\":true,\"result\":{\"classification\":{"
       "\"Low\":0,\"Low\":7,\"High\":0,\"Anomalous\":1,\"Normal\":0}}}",
       -EBADMSG},
      {"{\"id\":4,\"success\":true,\"success\":false,\"result\":" WHOLE "}",
       -EREMOTEIO},
      {"{\"id\":4,\"success\":false,\"success\":true,\"result\":" WHOLE "}", 0},
      {"{\"id\":4,\"success\":true,\"success\":1,\"result\":" WHOLE "}",
       -EBADMSG},
      {"{\"id\":4,\"id\":5,\"success\":true,\"result\":" WHOLE "}", -EBADMSG},
      {"{\"id\":5,\"id\":4,\"success\":true,\"result\":" WHOLE "}", 0},
      {"{\"id\":4,\"id\":\"4\",\"success\":true,\"result\":" WHOLE "}",
       -EBADMSG}};
  struct wr_model m;
  struct wr_answer a;
  char fault[WR_EI_TEXT] = "";
  flow_model(&m);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(read_answer(cases[i].text, 4, &m, &a), cases[i].status);
  static const char two[] = "{\"id\":4,\"error\":\"a\",\"error\":7,"
                            "\"success\":false}";
  CU_ASSERT_EQUAL(wr_ei_read_answer(two, sizeof(two) - 1, 4, &m, &a, fault),
                  -EREMOTEIO);
  CU_ASSERT_STRING_EQUAL(fault, "the model says: no reason given");
  CU_ASSERT_EQUAL(
      read_answer("{\"result\":{\"anomaly\":5,\"anomaly\":null," SCORES(
                      "0", "0", "0", "1") "}}",
                  -1, &m, &a),
      0);
  CU_ASSERT(isnan(a.anomaly));
  wr_model_free(&m);
}

/* Labels of any text, in any order; a NUL in one is known as U+FFFD. */
static void test_odd_labels(void) {
  struct wr_model m;
  struct wr_answer a;
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":1,"
                 "\"interval_ms\":1,\"labels\":[\"x\\u0000y\",\"x\",\"xy\","
                 "\"\\u0000\"]}}",
                 -1, &m),
      0);
  CU_ASSERT_EQUAL(
      read_answer("{\"result\":{\"classification\":{\"\\u0000\":0.4,\"xy\":"
                  "0.3,\"x\":0.2,\"x\\u0000y\":0.1,\"x\\u0000\":9}}}",
                  -1, &m, &a),
      0);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_DOUBLE_EQUAL(a.scores[i], (i + 1) / 10.0, 1e-12);
  wr_model_free(&m);
  /* an id of 0 is one as well */
  CU_ASSERT_EQUAL(
      read_model("{\"id\":1,\"success\":true,\"model_parameters\":" PARAMETERS
                 "}",
                 0, &m),
      -EBADMSG);
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"id\":0,\"success\":true,\"model_parameters\":" PARAMETERS
                 "}",
                 0, &m),
      0);
  CU_ASSERT_EQUAL(read_answer("{\"id\":1,\"success\":true,\"result\":" WHOLE
                              "}",
                              0, &m, &a),
                  -EBADMSG);
  CU_ASSERT_EQUAL(read_answer("{\"result\":" WHOLE "}", 0, &m, &a), -EBADMSG);
  wr_model_free(&m);
}

static void test_anomaly_only(void) {
  struct wr_model m;
  struct wr_answer a;
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":10,"
                 "\"interval_ms\":10,\"has_anomaly\":1}}",
                 -1, &m),
      0);
  CU_ASSERT_EQUAL(read_answer("{\"result\":{\"anomaly\":0.5}}", -1, &m, &a), 0);
  CU_ASSERT_EQUAL(a.anomaly, 0.5);
  wr_model_free(&m);
}

/* What stands elsewhere in a reply is no part of the answer. */
static void test_other_places(void) {
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"{\"result\":{\"x\":{\"anomaly\":5}," SCORES("0", "0", "0", "1") "}}",
       0},
      {"{\"result\":{\"x\":{\"classification\":{\"Low\":5}}," SCORES(
           "0", "0", "0", "1") "}}",
       0},
      {"{\"info\":{\"success\":false,\"error\":\"x\",\"anomaly\":5},"
       "\"result\":" WHOLE "}",
       0},
      {"{\"result\":" WHOLE ",\"classification\":{\"Low\":5},\"anomaly\":5}",
       0},
      {"{\"result\":{\"anomaly\":{\"x\":5}," SCORES("0", "0", "0", "1") "}}",
       0},
      {"{\"result\":{\"anomaly\":5},\"result\":" WHOLE "}", 0},
      {"{\"result\":{\"classification\":{\"x\":{\"Low\":5},\"Anomalous\":0,"
       "\"High\":0,\"Low\":0,\"Normal\":1}}}",
       0},
      {"{\"result\":{" SCORES("[0]", "0", "0", "1") "}}", -EBADMSG},
      {"{\"result\":{" SCORES("{\"Anomalous\":0}", "0", "0", "1") "}}",
       -EBADMSG},
      {"{\"result\":" WHOLE "} x", -EBADMSG},
      {"{\"result\":" WHOLE "}}", -EBADMSG},
      {"[{\"result\":" WHOLE "}]", -EBADMSG}};
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int status = read_answer(cases[i].text, -1, &m, &a);
    CU_ASSERT_EQUAL(status, cases[i].status);
    CU_ASSERT(status != 0 ||
              (isnan(a.anomaly) && a.scores[3] == 1.0 && a.scores[2] == 0.0));
  }
  wr_model_free(&m);
}

/* Every label has to be there, the first and the last one, too. */
static void test_each_label_is_needed(void) {
  static const char *const names[] = {"Anomalous", "High", "Low", "Normal"};
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (int without = 0; without < 5; without++) {
    char text[256] = "{\"result\":{\"classification\":{\"x\":1";
    for (int i = 0; i < 4; i++)
      snprintf(text + strlen(text), sizeof(text) - strlen(text), ",\"%s%s\":1",
               names[i], i == without ? "?" : "");
    strcat(text, "}}}");
    CU_ASSERT_EQUAL(read_answer(text, -1, &m, &a), without < 4 ? -EBADMSG : 0);
  }
  wr_model_free(&m);
}

static bool coprime(int a, int b) {
  while (b != 0) {
    int rest = a % b;
    a = b;
    b = rest;
  }
  return a == 1;
}

/* Any number of labels, asked for in any order, with strangers between. */
static void test_labels_in_any_order(void) {
  for (int count = 1; count <= WR_LABELS_MAX; count += count < 9 ? 1 : 247) {
    static char text[16384];
    struct wr_model m;
    struct wr_answer a;
    size_t used = (size_t)sprintf(
        text, "{\"modelParameters\":{\"input_features_count\":1,"
              "\"interval_ms\":1,\"labels\":[\"0\"");
    for (int i = 1; i < count; i++)
      used += (size_t)sprintf(text + used, ",\"%d\"", i);
    strcpy(text + used, "]}}");
    CU_ASSERT_EQUAL_FATAL(read_model(text, -1, &m), 0);
    for (int step = 1; step < 9; step++) {
      if (!coprime(step, count))
        continue; /* not each would come once */
      used = (size_t)sprintf(text, "{\"result\":{\"classification\":{\"z\":7");
      for (int k = 0; k < count; k++)
        used += (size_t)sprintf(text + used, ",\"%d\":%.17g%s",
                                (count - 1 - k) * step % count,
                                (count - 1 - k) * step % count / 256.0,
                                k % 3 == 1 ? ",\"y\":7" : "");
      strcpy(text + used, ",\"x\":7}}}");
      CU_ASSERT_EQUAL(read_answer(text, -1, &m, &a), 0);
      for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL(a.scores[i], i / 256.0);
      CU_ASSERT(isnan(a.anomaly));
    }
    wr_model_free(&m);
  }
}

/* A list is no set of scores, even where one would do. */
static void test_list_of_scores(void) {
  struct wr_model m;
  struct wr_answer a;
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":1,"
                 "\"interval_ms\":1,\"labels\":[\"a\"]}}",
                 -1, &m),
      0);
  CU_ASSERT_EQUAL(
      read_answer("{\"result\":{\"classification\":[0.5]}}", -1, &m, &a),
      -EBADMSG);
  wr_model_free(&m);
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":1,"
                 "\"interval_ms\":1,\"has_anomaly\":1}}",
                 -1, &m),
      0);
  CU_ASSERT_EQUAL(
      read_answer("{\"result\":{\"anomaly\":0.5},\"result\":[5]}", -1, &m, &a),
      0);
  CU_ASSERT(isnan(a.anomaly));
  wr_model_free(&m);
}

/* 1 MiB, and not a byte more; an id of 0 is one as well. */
static void test_length_and_id(void) {
  char *text = malloc(WR_EI_REPLY_MAX + 1), fault[WR_EI_TEXT] = "";
  struct wr_model m;
  struct wr_answer a;
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  memset(text, ' ', WR_EI_REPLY_MAX + 1);
  memcpy(text, "{\"result\":" WHOLE "}", strlen("{\"result\":" WHOLE "}"));
  flow_model(&m);
  for (size_t more = 0; more < 2; more++)
    CU_ASSERT_EQUAL(
        wr_ei_read_answer(text, WR_EI_REPLY_MAX + more, -1, &m, &a, fault),
        more == 0 ? 0 : -EBADMSG);
  CU_ASSERT_EQUAL(read_answer("{\"id\":0,\"result\":" WHOLE "}", 0, &m, &a),
                  -EBADMSG);
  CU_ASSERT_EQUAL(read_answer("{\"id\":0,\"success\":true,\"result\":" WHOLE
                              "}",
                              0, &m, &a),
                  0);
  wr_model_free(&m);
  free(text);
}

UNIT_MAIN("ei_answer", UNIT(test_answers_refused), UNIT(test_answers),
          UNIT(test_ceilings_of_scores), UNIT(test_last_key_counts),
          UNIT(test_odd_labels), UNIT(test_anomaly_only),
          UNIT(test_other_places), UNIT(test_each_label_is_needed),
          UNIT(test_labels_in_any_order), UNIT(test_list_of_scores),
          UNIT(test_length_and_id))
