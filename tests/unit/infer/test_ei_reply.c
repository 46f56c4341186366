/* The envelope of an answer: what a reply must say besides its scores, and
 * what else may stand in it. */
#include "tests/unit/infer/ei_case.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Without its end it is no reply, however much of it has come. */
static void test_cut_off(void) {
  static const char whole[] =
      "{\"id\":4,\"success\":true,\"result\":" WHOLE "}";
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (size_t len = 0; len < sizeof(whole); len++) {
    char fault[WR_EI_TEXT] = "";
    int status = wr_ei_read_answer(whole, len, 4, &m, &a, fault);
    CU_ASSERT_EQUAL(status, len < sizeof(whole) - 1 ? -EBADMSG : 0);
    CU_ASSERT_STRING_EQUAL(fault,
                           status != 0 ? "the reply is not a JSON object" : "");
  }
  wr_model_free(&m);
}

/* What stands beside the members that we know does not stand for them. */
static void test_other_members(void) {
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"{\"id\":4,\"x\":5,\"success\":true,\"result\":" WHOLE "}", 0},
      {"{\"id\":5,\"x\":4,\"success\":true,\"result\":" WHOLE "}", -EBADMSG},
      {"{\"x\":4,\"success\":true,\"result\":" WHOLE "}", -EBADMSG},
      {"{\"id\":4,\"success\":true,\"x\":false,\"result\":" WHOLE "}", 0},
      {"{\"id\":4,\"success\":false,\"x\":true,\"result\":" WHOLE "}",
       -EREMOTEIO},
      {"{\"id\":4,\"x\":true,\"result\":" WHOLE "}", -EBADMSG}};
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(read_answer(cases[i].text, 4, &m, &a), cases[i].status);
  wr_model_free(&m);
}

/* The same within the result, in front of the scores and behind them. */
static void test_other_parts(void) {
  static const char *const replies[] = {
      "{\"result\":{\"x\":5," SCORES("0", "0", "0", "1") "}}",
      "{\"result\":{" SCORES("0", "0", "0", "1") ",\"x\":5}}",
      "{\"result\":{" SCORES("0", "0", "0", "1") ",\"x\":{\"Normal\":5}}}",
      "{\"result\":{" SCORES("0", "0", "0", "1") ",\"x\":[5,[5]]}}"};
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
    CU_ASSERT_EQUAL(read_answer(replies[i], -1, &m, &a), 0);
    CU_ASSERT_EQUAL(a.scores[0], 0);
    CU_ASSERT_EQUAL(a.scores[3], 1);
    CU_ASSERT(isnan(a.anomaly));
  }
  wr_model_free(&m);
}

/* Nor do names deeper within say whose score comes next. */
static void test_deeper_names(void) {
  struct wr_model m;
  struct wr_answer a;
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":1,"
                 "\"interval_ms\":1,\"labels\":[\"a\"]}}",
                 -1, &m),
      0);
  CU_ASSERT_EQUAL(
      read_answer("{\"result\":{\"classification\":[{\"a\":1},0.5]}}", -1, &m,
                  &a),
      -EBADMSG);
  wr_model_free(&m);
}

/* A refusal is told in the model's words, if it has any. */
static void test_reasons(void) {
  static const struct {
    const char *text, *says;
  } cases[] = {{"{\"id\":4,\"success\":false}", "no reason given"},
               {"{\"id\":4,\"success\":false,\"error\":\"a\"}", "a"},
               {"{\"error\":\"a\",\"success\":false,\"x\":\"b\"}", "a"},
               {"{\"x\":\"b\",\"success\":false}", "no reason given"},
               {"{\"success\":false,\"error\":null}", "no reason given"},
               {"{\"success\":false,\"error\":\"\"}", ""}};
  struct wr_model m;
  struct wr_answer a;
  flow_model(&m);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int64_t id = -1; id <= 4; id += 5) {
      char fault[WR_EI_TEXT] = "";
      CU_ASSERT_EQUAL(wr_ei_read_answer(cases[i].text, strlen(cases[i].text),
                                        id, &m, &a, fault),
                      -EREMOTEIO);
      CU_ASSERT_EQUAL(strncmp(fault, "the model says: ", 16), 0);
      CU_ASSERT_STRING_EQUAL(fault + 16, cases[i].says);
    }
  wr_model_free(&m);
}

UNIT_MAIN("ei_reply", UNIT(test_cut_off), UNIT(test_other_members),
          UNIT(test_other_parts), UNIT(test_deeper_names), UNIT(test_reasons))
