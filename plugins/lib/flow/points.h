/* points: the operating points of a loop, each with its own memory of days.
 * Pure.
 *
 * A loop that runs at 10 L/min by day and at 6 by night has two normals. A
 * level becomes an operating point
 *   - by learning: it held for a part of the time of learning;
 *   - by time: in the first WR_POINTS_FIRST_S it held for WR_POINTS_SETTLE_S
 *     after a jump;
 *   - by returning: it was left, and came back, and held as long in all;
 *   - by word: the operator confirmed it, or a set point series names it.
 * What only happens once, later, is a fault until somebody says otherwise: a
 * candidate, but no point.
 *
 * Each point has a `level`, which is what the series was there lately, and a
 * `reference`, which learns for a day spent there and then follows by at most
 * WR_POINTS_FOLLOW a day, ten times slower in alarm.
 * At the ceiling the candidate, then the point, that was left longest ago goes.
 * Threads: none of its own. Start with {0}. */
#ifndef WR_POINTS_H
#define WR_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#define WR_POINTS_MAX 6
#define WR_POINTS_NONE (-1)
#define WR_POINTS_FIRST_S 86400.0
#define WR_POINTS_SETTLE_S 600.0
#define WR_POINTS_KEY 0.02   /* of a set point: it is that one */
#define WR_POINTS_NEAR 0.05  /* of a level: this is what it was */
#define WR_POINTS_REACH 0.08 /* of a level: it is that point, changed */
#define WR_POINTS_SMALL                                                        \
  0.2                          /* of the largest level: below, the above are   \
                                * relative to this */
#define WR_POINTS_JUMP 0.06    /* of a level: it left the point */
#define WR_POINTS_FOLLOW 0.005 /* of the reference, a day */

struct wr_point {
  float level, reference;
  float origin; /* the reference at first: what histories are relative to */
  float left_s; /* age of the series when it was last here */
  float key;    /* the set point it belongs to; NaN: found by itself */
  float seen_s; /* time spent here */
  float held_s; /* since it came here, or of a candidate's visits */
  uint8_t visits;
  bool used, accepted;
};

struct wr_points {
  struct wr_point at[WR_POINTS_MAX];
  int8_t current; /* WR_POINTS_NONE before the first */
  uint8_t count;  /* accepted ones, and those that need only return */
  float scale;    /* the largest level: what next to nothing is, is relative
                   * to it */
};

/* The nearest point whose level is within WR_POINTS_REACH; `returning`: also a
 * candidate that held long enough before and was left. WR_POINTS_NONE: none. */
int wr_points_near(const struct wr_points *p, double level, bool returning);
/* It is a point from now on. False: it was one. */
bool wr_points_accept(struct wr_points *p, int point);
/* The point of a set point, or WR_POINTS_NONE. */
int wr_points_keyed(const struct wr_points *p, double key);
/* A new accepted point; its index. */
int wr_points_add(struct wr_points *p, double level, double key, double age_s);

/* dt_s more at a calm level that is no point; `fresh`: it just came there. The
 * candidate, once it held long enough to be a point, or WR_POINTS_NONE. */
int wr_points_wait(struct wr_points *p, double level, double dt_s, double age_s,
                   bool fresh);
/* One mean of `seconds` at the current point. */
void wr_points_mean(struct wr_points *p, double mean, double seconds,
                    double age_s, bool alarm);
/* Set points are given no longer: points with a key are such that were found;
 * those where the flow never was go, and false is returned where this is the
 * current one. */
bool wr_points_unkey(struct wr_points *p);
/* From now on `level` is normal at the current point. */
void wr_points_confirm(struct wr_points *p, double level);
/* All levels in another unit: times `factor`. */
void wr_points_rescale(struct wr_points *p, double factor);

#endif
