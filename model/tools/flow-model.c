/* flow-model: the model as a filter, for evaluation.
 *
 *   flow-model int8|rule <windows >numbers
 *
 * Reads windows of FLOW_SAMPLES native float32 and writes, for each, the
 * four scores (int8: and the anomaly score). */
#include <stdio.h>
#include <string.h>

#include "model/classifier.h"
#include "model/rule.h"

typedef size_t stage_fn(const float *window, float *out);

static size_t as_int8(const float *window, float *out) {
  struct classifier_result result;
  classifier_run(window, NULL, &result);
  memcpy(out, result.scores, sizeof(result.scores));
  out[FLOW_CLASSES] = result.anomaly;
  return FLOW_CLASSES + 1;
}

static size_t rule(const float *window, float *out) {
  memset(out, 0, FLOW_CLASSES * sizeof(*out));
  out[rule_classify(window + FLOW_SAMPLES - WR_SHAPE_SAMPLES)] = 1;
  return FLOW_CLASSES;
}

static const struct {
  const char *name;
  stage_fn *run;
} stages[] = {{"int8", as_int8}, {"rule", rule}};

static int filter(stage_fn *run) {
  float window[FLOW_SAMPLES], out[FLOW_CLASSES + 1];
  size_t got;
  while ((got = fread(window, sizeof(float), FLOW_SAMPLES, stdin)) ==
         FLOW_SAMPLES) {
    size_t count = run(window, out);
    if (fwrite(out, sizeof(float), count, stdout) != count) {
      fprintf(stderr, "flow-model: cannot write a result\n");
      return 1;
    }
  }
  if (got != 0) {
    fprintf(stderr, "flow-model: the input ends inside a window\n");
    return 1;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  for (size_t i = 0; argc == 2 && i < sizeof(stages) / sizeof(stages[0]); i++)
    if (strcmp(argv[1], stages[i].name) == 0)
      return filter(stages[i].run);
  fprintf(stderr, "usage: flow-model int8|rule\n");
  return 1;
}
