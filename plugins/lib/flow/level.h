/* level: what the flow is now, from the newest seconds of one series. Pure.
 *
 * The last samples are kept. Looking back from the newest one, the means of 2,
 * 3, 4 ... samples are taken for as long as they agree with each other: so a
 * steady flow is known well, and a step is known after two samples. How well
 * a mean of n samples is known ("doubt") comes from
 *   - the quantum q, what one pulse in one sample is worth: a counter that
 *     carries its rest over is wrong by at most q in a sum, so q / n in a mean;
 *   - the noise, 3.5 sd / sqrt(n); the sd is the median of second differences,
 * so neither a ramp nor a few odd samples count as noise. The quantum is given,
 * or seen: the largest step of which all values are multiples.
 *
 * The level lies in a band. It leaves the band when, without doubt, it is
 * beyond the edge and has moved by more than the dead band from where the flow
 * was steady last. So a steady flow on an edge stays what it was, a step is
 * judged by the edge itself, and a flow that creeps across an edge is told at
 * most a dead band late.
 * Threads: none of its own. Memory is fixed. */
#ifndef WR_LEVEL_H
#define WR_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

#define WR_LEVEL_SAMPLES 64
#define WR_NO_BAND (-1)

/* min <= level < max */
struct wr_range {
  int label;
  double min, max;
};

/* A set of ranges; no two need to touch. */
struct wr_bands {
  const struct wr_range *ranges;
  size_t count;
  double scale;     /* of every edge; 1 where they stand as they are */
  double dead_band; /* whole width at each edge, in the unit of the level */
};

struct wr_level {
  double at[WR_LEVEL_SAMPLES]; /* a ring */
  size_t count, next;
  double quantum; /* of one sample; 0: none is known */
  double noise;   /* sd of one sample */
  double value;   /* the level; NaN before the second sample */
  double doubt;   /* it is value +- doubt */
  size_t seconds; /* samples behind `value` */
  int band;       /* index, or WR_NO_BAND */
  bool chosen;    /* `band`, `anchor` and `scale` are valid */
  double anchor;  /* where the flow last was steady */
  double origin;  /* what was known of it when the band was chosen */
  size_t behind;  /* samples behind `anchor` */
  double scale;   /* that `band` was chosen with */
};

/* What is left of a level without its samples: of thousands of series each has
 * this, and one struct wr_level serves them in turn. */
struct wr_level_rest {
  double quantum, anchor, origin, scale;
  size_t behind;
  int band;
  bool chosen;
};

void wr_level_rest_init(struct wr_level_rest *r);
/* As wr_level_gap() left it. */
void wr_level_resume(struct wr_level *l, const struct wr_level_rest *r);
void wr_level_leave(const struct wr_level *l, struct wr_level_rest *r);

void wr_level_init(struct wr_level *l);
/* Forgets the samples, keeps the band. */
void wr_level_gap(struct wr_level *l);
/* Takes one sample in; one that is not finite is left out. */
void wr_level_add(struct wr_level *l, double sample);
/* Looks at all samples. `quantum`: of one sample, 0 when not known. */
void wr_level_look(struct wr_level *l, double quantum);
/* The index of the range that holds the level, after wr_level_look();
 * WR_NO_BAND where none does, or with fewer than two samples. Another `scale`
 * than before makes the choice anew. */
int wr_level_band(struct wr_level *l, const struct wr_bands *bands);
/* The i-th newest sample, 0 the newest; i < count. */
double wr_level_sample(const struct wr_level *l, size_t i);

#endif
