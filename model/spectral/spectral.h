/* spectral: the features of Edge Impulse's spectral analysis block.
 *
 * Version 4, one axis, FFT length 32, no filter, logarithm on: the 21 numbers
 * that the application note's impulse sees. They are here to be compared
 * with: the block takes the mean away, so the level of the flow is lost.
 * Not part of flow.eim. */
#ifndef MODEL_SPECTRAL_H
#define MODEL_SPECTRAL_H

#include "lib/flow/shape.h"

#define SPECTRAL_FFT 32
#define SPECTRAL_COUNT (5 + SPECTRAL_FFT / 2)

/* Rms, skewness, kurtosis, spectral skewness and kurtosis, then log10 of the
 * power in bins 1..16. Returns 0, or -ENOMEM. */
int spectral_compute(const float window[WR_SHAPE_SAMPLES],
                     float features[SPECTRAL_COUNT]);

#endif
