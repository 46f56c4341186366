/* flow-features: the feature stages as a filter, for training.
 *
 *   flow-features features|spectral <windows >numbers
 *
 * Reads windows of FLOW_SAMPLES native float32 and writes the features of
 * each. Apart from flow-model, because it must build before there are any
 * weights. */
#include <stdio.h>
#include <string.h>

#include "model/features.h"
#include "model/spectral/spectral.h"

static float
    out[SPECTRAL_COUNT > FEATURE_COUNT ? SPECTRAL_COUNT : FEATURE_COUNT];

static size_t run(const float *window, int spectral) {
  if (!spectral) {
    features_compute(window, out);
    return FEATURE_COUNT;
  }
  return spectral_compute(window, out) == 0 ? SPECTRAL_COUNT : 0;
}

int main(int argc, char **argv) {
  int spectral = argc == 2 && strcmp(argv[1], "spectral") == 0;
  if (argc != 2 || (!spectral && strcmp(argv[1], "features") != 0)) {
    fputs("usage: flow-features features|spectral\n", stderr);
    return 1;
  }
  float window[FLOW_SAMPLES];
  size_t got, count;
  while ((got = fread(window, sizeof(float), FLOW_SAMPLES, stdin)) ==
         FLOW_SAMPLES)
    if ((count = run(window, spectral)) == 0 ||
        fwrite(out, sizeof(float), count, stdout) != count) {
      fputs("flow-features: cannot write a result\n", stderr);
      return 1;
    }
  if (got != 0)
    fputs("flow-features: the input ends inside a window\n", stderr);
  return got != 0 || fflush(stdout) != 0;
}
