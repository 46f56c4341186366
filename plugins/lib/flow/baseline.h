/* baseline: is the flow what this loop's flow is? One series; pure.
 *
 * Two layers, both with a baseline that follows but never faster than a limit,
 * so that it neither runs after a fault nor freezes on an old normal:
 *
 *   minutes  learns level and spread for learn_s, then follows by at most
 *            `follow` an hour. The mean of the newest 15 s outside the band, or
 *            a deviation of the newest 20 s above `spread` times the usual one,
 *            is an alarm; it ends hold_s after the last second of it.
 *   days     each operating point (points.h) has a reference of its own; means
 *            of ten minutes against it find what is too slow for the minutes.
 *
 * and the rest that a flow used to come to (totals.h). In alarm everything
 * follows ten times slower; nothing ever stands still.
 *
 * Samples closer than WR_BASELINE_STEP_S are taken together. Sources slower
 * than 1 s are judged on fewer samples, at least WR_BASELINE_LEAST.
 *
 * Time is that of the samples (pace.h), added up as the age of the series. What
 * came before a gap of minutes or a restart is no evidence: the windows begin
 * anew, and a level within WR_POINTS_NEAR of what the point was is taken as it
 * is, for 30 s; but an alarm that stands goes on standing.
 * Memory: sizeof(struct wr_baseline), nothing else. Threads: none of its own.
 */
#ifndef WR_BASELINE_H
#define WR_BASELINE_H

#include "lib/flow/learning.h"
#include "lib/flow/pace.h"
#include "lib/flow/points.h"
#include "lib/flow/recent.h"
#include "lib/flow/totals.h"
#include "lib/flow/trend.h"

#define WR_BASELINE_STEP_S 0.9
#define WR_BASELINE_LEAST 5

/* Of a target; the same for all its series. */
struct wr_baseline_rules {
  double learn_s; /* at least 40 samples are taken */
  double band;    /* relative */
  double follow;  /* relative, an hour */
  double spread;  /* times the usual deviation */
  double hold_s;
  double day_band;   /* relative: a mean of half an hour against the days */
  double low, high;  /* limits for a forecast, unit of the series; 0: a quarter
                      * off the reference */
  double per_second; /* litres a second of 1 in the unit; 0: none are counted */
};

#define WR_BASELINE_RULES                                                      \
  {                                                                            \
    .learn_s = 400, .band = 0.018, .follow = 0.20, .spread = 2.6,              \
    .hold_s = 30, .day_band = 0.04, .per_second = 1.0 / 60                     \
  }

enum wr_baseline_state { /* in this order of importance, the last first */
                         WR_BASELINE_LEARNING,
                         WR_BASELINE_NORMAL,
                         WR_BASELINE_RESTLESS, /* no rest where there used to be
                                                  one */
                         WR_BASELINE_SPREAD,
                         WR_BASELINE_DRIFT
};

struct wr_baseline {
  struct wr_pace pace;
  double age_s; /* time that passed since the first sample */
  double sum;   /* samples of the step under way */
  float sum_s;
  uint16_t summed;
  float key; /* the set point; NaN: none yet */
  bool learned;
  int8_t drift; /* alarm of the minutes: -1 below, 1 above, 0 none */
  int8_t slow;  /* the same of the days */
  bool spread;
  bool jumped;      /* the drift began with a jump: this is no drift */
  bool waiting;     /* at a candidate */
  bool stopped;     /* without any flow since it jumped */
  int8_t direction; /* of the alarm that was told; 0: none */
  uint8_t state;    /* as told */
  struct wr_recent recent;
  double base;     /* of the minutes */
  float deviation; /* the usual one of the newest values */
  float wander;    /* how far their mean usually gets, relative */
  float quantum;   /* smallest difference seen: one pulse; 0: none yet */
  float drift_left_s, spread_left_s; /* until the alarm ends */
  float settle_s; /* until the level here is taken as it is; 0: done */
  float moving_s; /* outside the band, but under way */
  double drift_s; /* age at which the drift began */
  double since_s; /* age at which the state began */
  double block;   /* the ten minutes under way, value times time */
  float block_s;
  struct wr_points points;
  struct wr_totals totals;
  union {
    struct wr_learning learning; /* while !learned */
    struct wr_trend trend;       /* per cent off the origin of the point */
  } u;
};

enum wr_baseline_event { /* what a step did; bits */
                         WR_BASELINE_STEPPED =
                             1, /* enough samples for a step */
                         WR_BASELINE_CHANGED =
                             2, /* the state or the direction */
                         WR_BASELINE_POINT =
                             4 /* there is a new operating point */
};

/* What a series says of itself. */
struct wr_baseline_view {
  enum wr_baseline_state state;
  int direction; /* of the drift: -1, 1; 0: none */
  double level, baseline, reference;
  double deviation; /* relative, signed; of the layer that is nearer to alarm */
  double score;     /* 1: at the edge of alarm */
  double half;      /* half the width of the minutes' band, in the unit */
  double lost;      /* litres an hour off the normal; negative: missing */
  double since_s;   /* how long the state stands */
  bool by_days;     /* deviation is that of the days */
};

void wr_baseline_init(struct wr_baseline *b);
/* The series begins to learn; its totals are kept. */
void wr_baseline_reset(struct wr_baseline *b);
/* One sample; NaN and infinities count as missing. Bits of wr_baseline_event.
 */
unsigned wr_baseline_push(struct wr_baseline *b,
                          const struct wr_baseline_rules *rules,
                          int64_t time_us, int64_t now_ms, double interval_s,
                          double value);
/* The set point is now `key`. Called for every sample of its series. Bits as of
 * push. */
unsigned wr_baseline_setpoint(struct wr_baseline *b, double key,
                              double interval_s);
/* The operator says that what is now is normal. False: nothing is known yet. */
bool wr_baseline_confirm(struct wr_baseline *b);
/* Set points are given no longer. */
void wr_baseline_unkey(struct wr_baseline *b);
/* The sensor's constant changed: what was 1 is now `factor`. */
void wr_baseline_rescale(struct wr_baseline *b, double factor);
/* Restored from a file: the next sample comes after a gap. */
void wr_baseline_resume(struct wr_baseline *b);

void wr_baseline_view(const struct wr_baseline *b,
                      const struct wr_baseline_rules *rules,
                      struct wr_baseline_view *out);
/* When a limit will be reached; out->clear false where there is no trend. */
void wr_baseline_forecast(const struct wr_baseline *b,
                          const struct wr_baseline_rules *rules,
                          struct wr_forecast *out);

#endif
