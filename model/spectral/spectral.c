#include "model/spectral/spectral.h"

#include <errno.h>
#include <kissfft/kiss_fftr.h>
#include <math.h>
#include <stdlib.h>

#define BINS (SPECTRAL_FFT / 2 + 1)
static const float tiny = 1e-10f;

/* Third and fourth standardised moments of values with the mean taken away,
 * and their rms. In double: the fourth power of what rounding leaves of a
 * constant window is no float. */
static void moments(const float *values, int count, float *rms, float *skew,
                    float *kurtosis) {
  double second = 0, third = 0, fourth = 0;
  for (int i = 0; i < count; i++) {
    double square = (double)values[i] * values[i];
    second += square;
    third += square * values[i];
    fourth += square * square;
  }
  double scale = sqrt(second / count);
  *rms = (float)scale;
  scale = scale > 0 ? scale : tiny;
  *skew = (float)(third / count / (scale * scale * scale));
  *kurtosis = (float)(fourth / count / (scale * scale * scale * scale) - 3);
}

static float mean_of(const float *values, int count) {
  float sum = 0;
  for (int i = 0; i < count; i++)
    sum += values[i];
  return sum / (float)count;
}

/* One frame: the window, then zeros to the length of the transform. */
static int power(const float *centred, float *bins) {
  kiss_fft_scalar frame[SPECTRAL_FFT] = {0};
  kiss_fft_cpx spectrum[BINS];
  kiss_fftr_cfg config = kiss_fftr_alloc(SPECTRAL_FFT, 0, NULL, NULL);
  if (config == NULL)
    return -ENOMEM;
  for (int i = 0; i < WR_SHAPE_SAMPLES; i++)
    frame[i] = centred[i];
  kiss_fftr(config, frame, spectrum);
  kiss_fftr_free(config);
  for (int i = 0; i < BINS; i++)
    bins[i] = (spectrum[i].r * spectrum[i].r + spectrum[i].i * spectrum[i].i) /
              SPECTRAL_FFT;
  return 0;
}

int spectral_compute(const float window[WR_SHAPE_SAMPLES],
                     float features[SPECTRAL_COUNT]) {
  float centred[WR_SHAPE_SAMPLES], bins[BINS], centred_bins[BINS], unused;
  float mean = mean_of(window, WR_SHAPE_SAMPLES);
  for (int i = 0; i < WR_SHAPE_SAMPLES; i++)
    centred[i] = window[i] - mean;
  moments(centred, WR_SHAPE_SAMPLES, &features[0], &features[1], &features[2]);
  int status = power(centred, bins);
  if (status != 0)
    return status;
  mean = mean_of(bins, BINS);
  for (int i = 0; i < BINS; i++)
    centred_bins[i] = bins[i] - mean;
  moments(centred_bins, BINS, &unused, &features[3], &features[4]);
  for (int i = 1; i < BINS; i++)
    features[4 + i] = log10f(bins[i] > tiny ? bins[i] : tiny);
  return 0;
}
