/* What is learned of twenty blocks whose means and deviations are given. */
#include "lib/flow/learning.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#define LEARN_S 400
#define FAR 1000, 2000, 4000, 8000, 16000

static struct wr_learning learning;
static struct wr_learned out;

/* Two samples, `apart` from the mean each. */
static bool block(double mean, double apart) {
  CU_ASSERT_FALSE(wr_learning_add(&learning, LEARN_S, mean - apart, 10, &out));
  return wr_learning_add(&learning, LEARN_S, mean + apart, 10, &out);
}

/* Whether there is a normal, after these blocks in an order of their own. */
static bool learn(const double *means) {
  memset(&learning, 0, sizeof(learning));
  memset(&out, 0x55, sizeof(out));
  for (int i = 0; i < WR_LEARNING_BLOCKS - 1; i++)
    CU_ASSERT_FALSE(block(means[i * 7 % WR_LEARNING_BLOCKS], 0.125));
  bool done =
      block(means[(WR_LEARNING_BLOCKS - 1) * 7 % WR_LEARNING_BLOCKS], 0.125);
  CU_ASSERT_EQUAL(learning.blocks, 0); /* the next one begins anew */
  CU_ASSERT_EQUAL(learning.idle, 0);
  CU_ASSERT_EQUAL(learning.means[0], 0);
  return done;
}
#define LEARN(...) learn((const double[WR_LEARNING_BLOCKS]){__VA_ARGS__})
#define TIMES5(x) x, x, x, x, x
#define TIMES9(x) TIMES5(x), x, x, x, x

/* The middle of the densest half, how far it wanders either way, and whether
 * that is steady: within a quarter of it. */
static void test_half(void) {
  CU_ASSERT_TRUE(LEARN(TIMES9(8), 9, FAR, -1000, -2000, -4000, -8000, -16000));
  CU_ASSERT_EQUAL(out.level, 8);
  CU_ASSERT_EQUAL(out.wander, 0.125);
  CU_ASSERT_DOUBLE_EQUAL(out.deviation, 0.125 * sqrt(2), 1e-7);
  CU_ASSERT_TRUE(isnan(out.other));
  CU_ASSERT_FALSE(out.rests);
  CU_ASSERT_TRUE(LEARN(TIMES9(8), 7, FAR, -1000, -2000, -4000, -8000, -16000));
  CU_ASSERT_EQUAL(out.wander, 0.125);
  CU_ASSERT_TRUE(LEARN(TIMES9(8), 10, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_EQUAL(out.level, 8); /* the lowest of all */
  CU_ASSERT_EQUAL(out.wander, 0.25);
  CU_ASSERT_FALSE(LEARN(TIMES9(8), 10.0625, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_TRUE(LEARN(TIMES9(-8), -6, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_EQUAL(out.level, -8);
  CU_ASSERT_EQUAL(out.wander, 0.25);
  CU_ASSERT_FALSE(LEARN(TIMES9(-8), -5.9375, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_TRUE(LEARN(TIMES9(32000), 32100, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_EQUAL(out.level, 32000); /* the highest of all */
  /* nine at one level, and an even number's middle is between two */
  CU_ASSERT_TRUE(
      LEARN(7, 7, 7, 7, 7, 8, 8, 8, 8, 8, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_EQUAL(out.level, 7.5);
  CU_ASSERT_TRUE(
      LEARN(7, 7, 7, 7, 8, 8, 8, 8, 8, 8, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_EQUAL(out.level, 8);
  CU_ASSERT_TRUE(
      LEARN(7, 7, 7, 7, 7, 7, 8, 8, 8, 8, FAR, 32, 64, 128, 256, 512));
  CU_ASSERT_EQUAL(out.level, 7);
}

/* The usual deviation is the middle one of the half, in whatever order; how
 * rough the rest was does not matter. */
static void test_deviation(void) {
  static const int order[] = {7, 2, 9, 4, 1, 8, 3, 10, 6, 5};
  memset(&learning, 0, sizeof(learning));
  bool done = false;
  for (int i = 0; i < 10; i++) {
    done = block(8, order[i] / 8.0);
    done = block(100 * (i + 1), 50);
  }
  CU_ASSERT_TRUE(done);
  CU_ASSERT_EQUAL(out.level, 8);
  CU_ASSERT_DOUBLE_EQUAL(out.deviation, 0.75 * sqrt(2), 1e-6);
}

/* Another level: more than 3 % from the first, a quarter of the blocks, within
 * a hundredth of each other. */
static void test_other(void) {
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(103), FAR));
  CU_ASSERT_TRUE(isnan(out.other));
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(103.0625), FAR));
  CU_ASSERT_EQUAL(out.other, 103.0625);
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(96.9375), FAR));
  CU_ASSERT_EQUAL(out.other, 96.9375);
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(97), FAR));
  CU_ASSERT_TRUE(isnan(out.other));
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, 198, 199, 199, 199, 200, FAR));
  CU_ASSERT_EQUAL(out.other, 199);
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, 197.9375, 199, 199, 199, 200, FAR));
  CU_ASSERT_TRUE(isnan(out.other));
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(-200), FAR));
  CU_ASSERT_EQUAL(out.other, -200);
  CU_ASSERT_TRUE(LEARN(TIMES9(-100), -100, TIMES5(-103), FAR));
  CU_ASSERT_TRUE(isnan(out.other));
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, 200, 200, 200, 200, 100, FAR));
  CU_ASSERT_TRUE(isnan(out.other)); /* not a quarter */
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(200), 100, 100, 100, 100, 100));
  CU_ASSERT_EQUAL(out.other, 200); /* just a quarter, and nothing else */
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(20000), FAR));
  CU_ASSERT_EQUAL(out.other, 20000);
  CU_ASSERT_TRUE(LEARN(TIMES9(100), 100, TIMES5(20), FAR));
  CU_ASSERT_EQUAL(out.other, 20);
}

/* Nothing but zero is no block; a quarter of the time is a rest. */
static void test_rests(void) {
  for (int idle = 4; idle <= 5; idle++) {
    bool done = false;
    memset(&learning, 0, sizeof(learning));
    for (int i = 0; i < idle; i++) {
      CU_ASSERT_FALSE(block(0, 0));
      CU_ASSERT_EQUAL(learning.idle, i + 1);
      CU_ASSERT_EQUAL(learning.blocks, 0);
    }
    for (int i = 0; i < WR_LEARNING_BLOCKS; i++) {
      CU_ASSERT_FALSE(done);
      done = block(8, 0);
    }
    CU_ASSERT_TRUE(done);
    CU_ASSERT_EQUAL(out.level, 8);
    CU_ASSERT_EQUAL(out.deviation, 0);
    CU_ASSERT_EQUAL(out.wander, 0);
    CU_ASSERT_EQUAL(out.rests, idle == 5);
  }
  memset(&learning, 0, sizeof(learning));
  for (int i = 0; i < 300; i++)
    (void)block(0, 0);
  CU_ASSERT_EQUAL(learning.idle, UINT8_MAX);
  (void)block(0, 0.5); /* there was a flow */
  (void)wr_learning_add(&learning, LEARN_S, 0, 10, &out);
  (void)wr_learning_add(&learning, LEARN_S, 1, 10, &out);
  CU_ASSERT_EQUAL(learning.blocks, 2);
  CU_ASSERT_EQUAL(learning.idle, UINT8_MAX);
}

/* A block is a twentieth of the time, nearly, and two samples. */
static void test_blocks(void) {
  static const struct {
    double dt_s;
    int samples;
  } cases[] = {{499.5, 2}, {499, 3}, {333, 3}, {332.5, 4}, {999, 2}, {5000, 2}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    memset(&learning, 0, sizeof(learning));
    for (int n = 1; n <= cases[i].samples; n++) {
      CU_ASSERT_EQUAL(learning.samples, n - 1);
      CU_ASSERT_EQUAL(learning.blocks, 0);
      (void)wr_learning_add(&learning, 20000, 8, cases[i].dt_s, &out);
    }
    CU_ASSERT_EQUAL(learning.samples, 0);
    CU_ASSERT_EQUAL(learning.blocks, 1);
    CU_ASSERT_EQUAL(learning.block_s, 0);
    CU_ASSERT_EQUAL(learning.sum, 0);
    CU_ASSERT_EQUAL(learning.squares, 0);
  }
  memset(&learning, 0, sizeof(learning));
  static const double values[] = {1000, 1002, 1004, 1006, 1008};
  for (int i = 0; i < 5; i++)
    (void)wr_learning_add(&learning, LEARN_S, values[i], 4, &out);
  CU_ASSERT_EQUAL(learning.means[0], 1004);
  CU_ASSERT_EQUAL(learning.deviations[0], (float)sqrt(10));
  memset(&learning, 0, sizeof(learning)); /* more samples than are counted */
  for (int i = 0; i < UINT16_MAX + 5; i++)
    (void)wr_learning_add(&learning, LEARN_S, i == 0 ? 7 : 8, 0.0001, &out);
  CU_ASSERT_EQUAL(learning.samples, UINT16_MAX);
  CU_ASSERT_EQUAL(learning.first, 7);
}

UNIT_MAIN("learning, exact", UNIT(test_half), UNIT(test_deviation),
          UNIT(test_other), UNIT(test_rests), UNIT(test_blocks))
