/* flow-features: the feature stages as a filter, for training.
 *
 *   flow-features look|shape|spectral <windows >numbers
 *
 * Reads windows of native float32, oldest sample first, and writes the
 * features of each. `look` takes WR_LOOK_SAMPLES values, in front of them NaN
 * where the history is shorter; the others take WR_SHAPE_SAMPLES. Apart from
 * flow-model, because it must build before there are any weights. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/flow/look.h"
#include "model/spectral/spectral.h"

static float
    out[SPECTRAL_COUNT > WR_LOOK_COUNT ? SPECTRAL_COUNT : WR_LOOK_COUNT];

static size_t look(const float *window) {
  size_t missing = 0;
  while (missing < WR_LOOK_SAMPLES - WR_LOOK_LEAST && isnan(window[missing]))
    missing++;
  wr_look(window + missing, WR_LOOK_SAMPLES - missing, 0, out);
  return WR_LOOK_COUNT;
}

static size_t shape(const float *window) {
  wr_shape(window, out);
  return WR_SHAPE_COUNT;
}

static size_t spectral(const float *window) {
  return spectral_compute(window, out) == 0 ? SPECTRAL_COUNT : 0;
}

static const struct {
  const char *name;
  size_t samples;
  size_t (*run)(const float *window);
} stages[] = {{"look", WR_LOOK_SAMPLES, look},
              {"shape", WR_SHAPE_SAMPLES, shape},
              {"spectral", WR_SHAPE_SAMPLES, spectral}};

static int filter(size_t samples, size_t (*run)(const float *window)) {
  float window[WR_LOOK_SAMPLES];
  size_t got, count;
  while ((got = fread(window, sizeof(float), samples, stdin)) == samples)
    if ((count = run(window)) == 0 ||
        fwrite(out, sizeof(float), count, stdout) != count) {
      fputs("flow-features: cannot write a result\n", stderr);
      return 1;
    }
  if (got != 0)
    fputs("flow-features: the input ends inside a window\n", stderr);
  return got != 0 || fflush(stdout) != 0;
}

int main(int argc, char **argv) {
  for (size_t i = 0; argc == 2 && i < sizeof(stages) / sizeof(stages[0]); i++)
    if (strcmp(argv[1], stages[i].name) == 0)
      return filter(stages[i].samples, stages[i].run);
  fputs("usage: flow-features look|shape|spectral\n", stderr);
  return 1;
}
