/* When a model's alarm is held back: each condition at its bound. What the
 * look and the network say is put in place; the rest of the tests of context
 * are in test_hint.c. */
#include "lib/flow/context.h"

#include "tests/unit/unit.h"

#include <string.h>

#define LOWEST 4.0f
#define HIGHEST 20.0f
#define CHANGED 0.05f

static struct wr_context c;

/* A minute of 10, called clean; nothing has changed in it. */
static void begin(void) {
  double x[WR_LOOK_SAMPLES];
  for (int i = 0; i < WR_LOOK_SAMPLES; i++)
    x[i] = 10;
  wr_context_init(&c);
  wr_context_add(&c, x, 1, WR_LOOK_SAMPLES, 1);
  memset(c.look, 0, sizeof(c.look));
  memset(c.kinds, 0, sizeof(c.kinds));
  c.kinds[WR_NATURE_CLEAN] = 1;
  c.judged = true;
}

static void test_what_is_a_change(void) {
  begin();
  CU_ASSERT_FALSE(wr_context_excuses(&c));
  for (int i = 0; i < WR_LOOK_COUNT; i++) {
    bool is_jump = i == WR_LOOK_JUMPS + 4; /* in the whole minute */
    bool is_level =
        (i >= WR_LOOK_MEAN && i < WR_LOOK_MEAN + 6) || i == WR_LOOK_BEFORE;
    begin();
    c.look[i] = CHANGED;
    CU_ASSERT_EQUAL(wr_context_excuses(&c), is_jump);
    c.look[i] = -CHANGED;
    CU_ASSERT_FALSE(wr_context_excuses(&c));
    c.look[i] = CHANGED * 1.001f;
    CU_ASSERT_EQUAL(wr_context_excuses(&c), is_jump || is_level);
    c.look[i] = -CHANGED * 1.001f;
    CU_ASSERT_EQUAL(wr_context_excuses(&c), is_level);
    c.look[i] = 1e-6f;
    CU_ASSERT_EQUAL(wr_context_excuses(&c), is_jump);
  }
}

static void test_how_clean(void) {
  begin();
  c.look[WR_LOOK_JUMPS + 4] = 0.1f;
  c.kinds[WR_NATURE_CLEAN] = 103 / 256.0f; /* just above 0.4 */
  CU_ASSERT_TRUE(wr_context_excuses(&c));
  c.kinds[WR_NATURE_CLEAN] = 102 / 256.0f;
  CU_ASSERT_FALSE(wr_context_excuses(&c));
}

/* The newest second, and the mean of three, are inside Low to High. */
static void test_levels(void) {
  static const struct {
    float newest[4]; /* the oldest first */
    bool excused;
  } cases[] = {{{10, LOWEST, LOWEST, LOWEST}, true},
               {{10, LOWEST, LOWEST, 3.999f}, false},
               {{10, 3.999f, LOWEST, LOWEST}, false},
               {{10, 10, 3, LOWEST}, true},
               {{10, 10, 10, 3.999f}, false},
               {{10, 3, 3, 6}, true},
               {{3, 3, 3, 5.9f}, false},
               {{0, 10, 10, 10}, true},
               {{10, HIGHEST, HIGHEST, HIGHEST}, true},
               {{10, HIGHEST, HIGHEST, 20.001f}, false},
               {{10, 20.01f, HIGHEST, HIGHEST}, false},
               {{10, 10, 30, HIGHEST}, true},
               {{10, 10, 10, 20.001f}, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    c.look[WR_LOOK_JUMPS + 4] = 0.1f;
    memcpy(c.samples + WR_LOOK_SAMPLES - 4, cases[i].newest,
           sizeof(cases[i].newest));
    CU_ASSERT_EQUAL(wr_context_excuses(&c), cases[i].excused);
  }
}

static void test_level_of_three(void) {
  static const double x[] = {1, 2, 4, 9};
  static const float levels[] = {0, 1, 1.5f, 7 / 3.0f, 5};
  for (size_t count = 0; count <= 4; count++) {
    wr_context_init(&c);
    wr_context_add(&c, x, 1, count, 1);
    CU_ASSERT_EQUAL(wr_context_level(&c), levels[count]);
  }
}

/* Ten samples are enough to judge. What was judged holds until a sample. */
static void test_when_it_judges(void) {
  double x[2 * WR_LOOK_LEAST];
  for (int i = 0; i < 2 * WR_LOOK_LEAST; i++)
    x[i] = i / 2;
  wr_context_init(&c);
  wr_context_add(&c, x, 2, WR_LOOK_LEAST - 1, 1);
  CU_ASSERT_FALSE(wr_context_judge(&c));
  CU_ASSERT_FALSE(c.judged);
  wr_context_add(&c, x + 2 * WR_LOOK_LEAST - 2, 2, 1, 1);
  CU_ASSERT_EQUAL(c.samples[WR_LOOK_LEAST - 1], WR_LOOK_LEAST - 1);
  CU_ASSERT_TRUE(wr_context_judge(&c));
  CU_ASSERT_TRUE(c.judged);
  float look[WR_LOOK_COUNT], inputs[WR_LOOK_COUNT], kinds[WR_NATURE_COUNT];
  wr_look(c.samples, WR_LOOK_LEAST, 0, look);
  CU_ASSERT_EQUAL(memcmp(look, c.look, sizeof(look)), 0);
  wr_nature_inputs(look, inputs);
  wr_nature(inputs, kinds);
  CU_ASSERT_EQUAL(memcmp(kinds, c.kinds, sizeof(kinds)), 0);
  wr_context_add(&c, x, 1, 0, 1);
  CU_ASSERT_TRUE(c.judged);
  c.look[0] = -7;
  CU_ASSERT_TRUE(wr_context_judge(&c));
  CU_ASSERT_EQUAL(c.look[0], -7);
  wr_context_add(&c, x, 1, 1, 1);
  CU_ASSERT_TRUE(wr_context_judge(&c));
  CU_ASSERT_NOT_EQUAL(c.look[0], -7);
}

/* A minute and no more, whatever comes at once. */
static void test_newest_minute(void) {
  double x[2 * WR_LOOK_SAMPLES + 2];
  for (int i = 0; i < 2 * WR_LOOK_SAMPLES + 2; i++)
    x[i] = i;
  for (size_t before = 0; before <= WR_LOOK_SAMPLES; before += 15)
    for (size_t more = WR_LOOK_SAMPLES - 1; more <= WR_LOOK_SAMPLES + 1;
         more++) {
      wr_context_init(&c);
      wr_context_add(&c, x, 1, before, 0.5);
      wr_context_add(&c, x + before, 1, more, 0.5);
      size_t all = before + more;
      size_t want = all < WR_LOOK_SAMPLES ? all : WR_LOOK_SAMPLES;
      CU_ASSERT_EQUAL(c.count, want);
      for (size_t i = 0; i < want; i++)
        CU_ASSERT_EQUAL(c.samples[i], (float)(all - want + i) / 2);
    }
}

UNIT_MAIN("context", UNIT(test_what_is_a_change), UNIT(test_how_clean),
          UNIT(test_levels), UNIT(test_level_of_three),
          UNIT(test_when_it_judges), UNIT(test_newest_minute))
