/* learning: from the first minutes of a series to its normal. Pure.
 *
 * The time is cut into blocks. The level is the middle of the densest half of
 * their means, not the mean of all: a pump that starts, a tap that somebody
 * tried or a dropout within the time does not move it. A second level that
 * held for a quarter of the blocks is an operating point of its own.
 * Blocks without any flow do not count; they only tell that the loop rests at
 * times. Where no half of the blocks agrees (WR_LEARNING_STEADY), there is no
 * normal: the learning begins anew.
 * Threads: none of its own. Start with {0}. */
#ifndef WR_LEARNING_H
#define WR_LEARNING_H

#include <stdbool.h>
#include <stdint.h>

#define WR_LEARNING_BLOCKS 20
#define WR_LEARNING_SAMPLES 2 /* least of a block */
#define WR_LEARNING_STEADY 0.25

struct wr_learning {
  float means[WR_LEARNING_BLOCKS], deviations[WR_LEARNING_BLOCKS];
  float block_s;
  uint8_t blocks, idle; /* idle: blocks of nothing but zero */
  uint16_t samples;     /* of the block under way */
  double first;         /* of it: keeps the squares small */
  double sum, squares;
};

struct wr_learned {
  double level;
  double deviation; /* usual one within a block */
  double wander;    /* relative: the farthest mean of the half */
  double other;     /* a second level; NaN: none */
  bool rests;       /* a quarter of the time there was no flow */
};

/* One value that stands for dt_s. True when the time is over and there is a
 * normal. `learn_s`: of the whole time. */
bool wr_learning_add(struct wr_learning *l, double learn_s, double value,
                     double dt_s, struct wr_learned *out);

#endif
