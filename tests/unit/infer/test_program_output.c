/* wr_inference_eim() and a program that prints more than anybody reads. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/infer/program_case.h"

/* With this in front of it, the program answers, and then ends. */
static void check_answers(const char *then) {
  static const char *const answers[] = {"\"success\":true," MODEL,
                                        "\"success\":true," SCORES, NULL};
  struct program p;
  struct wr_model m;
  struct wr_answer a;
  bool changed;
  make_script(then);
  program_start(&p, answers);
  struct wr_inference *i = eim(30000);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, window, &a, &changed), 0);
  CU_ASSERT_EQUAL(a.scores[0], 0.25);
  wr_inference_destroy(i);
  program_end(&p);
  wr_model_free(&m);
}

/* More than a pipe holds: it is read, or the program would wait for ever. */
static void test_prints_much(void) {
  check_answers("head -c 300000 /dev/zero; ");
}

/* It does not keep us from trying whether it listens, nor from its answer. */
static void test_never_stops_printing(void) {
  check_answers("while :; do echo noise; done & ");
}

/* However much it printed, its last words are the last. */
static void test_last_of_many_words(void) {
  struct wr_model m;
  make_script("head -c 9999 /dev/zero; echo; echo no such tensor; exit 3; ");
  struct wr_inference *i = eim(30000);
  for (int turn = 0; turn < 2; turn++) {
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
    CU_ASSERT_STRING_EQUAL(i->error, "the program ended before it listened; it "
                                     "printed last: \"no such tensor\"");
  }
  wr_inference_destroy(i);
}

UNIT_MAIN("program_output", UNIT(test_place), UNIT(test_prints_much),
          UNIT(test_never_stops_printing), UNIT(test_last_of_many_words),
          UNIT(test_place_is_empty))
