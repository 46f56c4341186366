/* context: the last minute of a series, and a second opinion on it. Pure.
 *
 * A model that sees ten seconds cannot tell a moved tap from a fault. This
 * stands between any model and the verdict: it keeps the newest minute, and
 * says whether what is seen there is a clean change. It also keeps what a hint
 * is made of (hint.h). The network behind it is that of the bundled model; a
 * question costs some thousand instructions and is only worked out when asked.
 * Threads: none of its own. */
#ifndef WR_CONTEXT_H
#define WR_CONTEXT_H

#include "lib/flow/nature.h"

#include <stdbool.h>
#include <stddef.h>

/* A model whose window is at least that long needs no second opinion. */
#define WR_CONTEXT_SECONDS 30

struct wr_context {
  float samples[WR_LOOK_SAMPLES]; /* scaled to a nominal of 10, oldest first */
  size_t count;
  bool judged; /* the two below are of these samples */
  float look[WR_LOOK_COUNT];
  float kinds[WR_NATURE_COUNT];
};

/* Forgets all; also after a gap. */
void wr_context_init(struct wr_context *c);

/* The newest samples, oldest first, one a second; from one of them to the next
 * are `step` values. scale: 10 / nominal. */
void wr_context_add(struct wr_context *c, const double *values, size_t step,
                    size_t count, double scale);

/* True while the last minute shows a change, that change is clean, and the
 * flow is inside Low to High: a model's Anomalous is to be held back. False
 * with fewer than WR_LOOK_LEAST samples. */
bool wr_context_excuses(struct wr_context *c);

/* Works out look and kinds. False with too few samples. */
bool wr_context_judge(struct wr_context *c);

/* Mean of the newest 3 s, scaled. */
float wr_context_level(const struct wr_context *c);

#endif
