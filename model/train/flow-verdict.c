/* flow-verdict: the verdict as a filter, at the shipped defaults, for
 * evaluation.
 *
 *   flow-verdict minute|context|alone <streams >states
 *
 * A stream is an int32 count of seconds and then, for each second, five native
 * float32: the flow scaled to a nominal of 10, and the scores of Anomalous,
 * High, Low and Normal of the window that ends there (NaN: there is none yet).
 * For each second come out four int32: the state (index of the label, -1
 * uncertain), whether the level decided it, and the first and second cause
 * that the hint names.
 * minute: for a model that sees one; context: for one of ten seconds, with the
 * second opinion in front; alone: without it. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow/hint.h"
#include "lib/flow/shipped.h"
#include "lib/flow/verdict.h"
#include "model/classifier.h"

struct second {
  float flow, scores[FLOW_CLASSES];
};

struct said {
  int32_t state, by_range, first, second;
};

static const double thresholds[FLOW_CLASSES] = {
    WR_SHIPPED_THRESHOLD, WR_SHIPPED_THRESHOLD, WR_SHIPPED_THRESHOLD,
    WR_SHIPPED_THRESHOLD};
static const bool alarming[FLOW_CLASSES] = {[FLOW_ANOMALOUS] = true};
static const bool calm[FLOW_CLASSES] = {[FLOW_NORMAL] = true};
static struct wr_range ranges[WR_SHIPPED_RANGES];

static struct wr_verdict_rules rules = {
    .labels = FLOW_CLASSES,
    .thresholds = thresholds,
    .alarming = alarming,
    .calm = calm,
    .anomaly_limit = NAN,
    .off_label = WR_UNCERTAIN,
    .votes = {WR_SHIPPED_NEED, WR_SHIPPED_OF, WR_SHIPPED_OF},
    .calm_rules = {.quiet = WR_SHIPPED_QUIET,
                   .look = WR_SHIPPED_LOOK,
                   .at_edge = WR_SHIPPED_TURNS,
                   .width = WR_SHIPPED_WIDTH * WR_SHIPPED_NOMINAL,
                   .swing = WR_SHIPPED_SWING * WR_SHIPPED_NOMINAL},
    .nominal = WR_SHIPPED_NOMINAL,
    .policy = WR_RANGES_GUARD,
    .ranges = ranges,
    .range_count = WR_SHIPPED_RANGES,
    .dead_band = WR_SHIPPED_DEAD_BAND * WR_SHIPPED_NOMINAL};

static void set_ranges(void) {
  for (size_t i = 0; i < WR_SHIPPED_RANGES; i++) {
    int label = 0;
    while (strcmp(flow_class_names[label], wr_shipped_ranges[i].label) != 0)
      label++;
    ranges[i] = (struct wr_range){label, wr_shipped_ranges[i].min,
                                  wr_shipped_ranges[i].max};
  }
}

static struct said say(struct wr_verdict *v, struct wr_context *c,
                       const double *values, size_t count, const float *from,
                       bool second_opinion) {
  double scores[FLOW_CLASSES];
  struct wr_decision d = {.state = WR_UNCERTAIN};
  struct wr_hint hint;
  for (int i = 0; i < FLOW_CLASSES; i++)
    scores[i] = from[i];
  struct wr_verdict_input in = {.scores = scores,
                                .anomaly = NAN,
                                .values = values,
                                .count = count,
                                .fresh = count == FLOW_LEAST ? count : 1,
                                .excused =
                                    second_opinion && wr_context_excuses(c)};
  (void)wr_verdict_step(v, &rules, &in, &d);
  wr_hint(c, 0, false, &hint);
  return (struct said){d.state, d.by_range, (int32_t)hint.first,
                       (int32_t)hint.second};
}

static int run(const struct second *stream, size_t count, bool second_opinion) {
  struct wr_verdict verdict;
  struct wr_context context;
  double flow[FLOW_SAMPLES];
  size_t fill = 0;
  wr_verdict_init(&verdict);
  wr_context_init(&context);
  for (size_t t = 0; t < count; t++) {
    if (fill == FLOW_SAMPLES)
      memmove(flow, flow + 1, --fill * sizeof(*flow));
    flow[fill++] = stream[t].flow;
    wr_context_add(&context, flow + fill - 1, 1, 1, 1);
    struct said said = {WR_UNCERTAIN, 0, WR_CAUSE_UNCLEAR, WR_CAUSE_UNCLEAR};
    if (fill >= FLOW_LEAST && !isnan(stream[t].scores[0]))
      said =
          say(&verdict, &context, flow, fill, stream[t].scores, second_opinion);
    if (fwrite(&said, sizeof(said), 1, stdout) != 1)
      return -1;
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc == 2 ? argv[1] : "";
  bool second_opinion = strcmp(mode, "context") == 0;
  bool minute = strcmp(mode, "minute") == 0;
  if (!minute && !second_opinion && strcmp(mode, "alone") != 0) {
    fputs("usage: flow-verdict minute|context|alone\n", stderr);
    return 1;
  }
  if (second_opinion)
    rules.calm_rules.turns = WR_SHIPPED_TURNS;
  else if (!minute) /* Context "off" believes the model */
    rules.calm_rules.quiet = 0;
  int32_t count;
  set_ranges();
  while (fread(&count, sizeof(count), 1, stdin) == 1) {
    struct second *stream = calloc((size_t)count + 1, sizeof(*stream));
    size_t got = stream == NULL
                     ? 0
                     : fread(stream, sizeof(*stream), (size_t)count, stdin);
    int status = got == (size_t)count ? run(stream, got, second_opinion) : -1;
    free(stream);
    if (status != 0) {
      fputs("flow-verdict: a stream ends early, or nobody reads on\n", stderr);
      return 1;
    }
  }
  return fflush(stdout) != 0;
}
