#include "lib/flow/level.h"

#include <math.h>
#include <string.h>

#define NOISE_SAMPLES 12 /* that the noise is taken from */
#define FEWEST_SAMPLES 5 /* that tell it roughly */
#define FEW 4.0          /* times what they tell is surely not too little */
#define DOUBT 3.5        /* times its sd: what a mean may be wrong by */
#define CHANGES 4        /* of the value, before a quantum is believed */
#define SETTLED 6        /* agreeing samples that make a steady flow */
#define USUAL 0.01       /* noise of a flow, where counting hides it */

void wr_level_init(struct wr_level *l) {
  memset(l, 0, sizeof(*l));
  l->value = NAN;
  l->band = WR_NO_BAND;
  l->scale = 1;
}

void wr_level_gap(struct wr_level *l) {
  l->count = l->next = l->seconds = 0;
  l->value = NAN;
}

void wr_level_rest_init(struct wr_level_rest *r) {
  *r = (struct wr_level_rest){.band = WR_NO_BAND, .scale = 1};
}

void wr_level_resume(struct wr_level *l, const struct wr_level_rest *r) {
  wr_level_init(l);
  l->quantum = r->quantum;
  l->band = r->band;
  l->chosen = r->chosen;
  l->anchor = r->anchor;
  l->origin = r->origin;
  l->behind = r->behind;
  l->scale = r->scale;
}

void wr_level_leave(const struct wr_level *l, struct wr_level_rest *r) {
  *r = (struct wr_level_rest){.quantum = l->quantum,
                              .anchor = l->anchor,
                              .origin = l->origin,
                              .scale = l->scale,
                              .behind = l->behind,
                              .band = l->band,
                              .chosen = l->chosen};
}

void wr_level_add(struct wr_level *l, double sample) {
  if (!isfinite(sample))
    return;
  l->at[l->next] = sample;
  l->next = (l->next + 1) % WR_LEVEL_SAMPLES;
  if (l->count < WR_LEVEL_SAMPLES)
    l->count++;
}

double wr_level_sample(const struct wr_level *l, size_t i) {
  return l->at[(l->next + WR_LEVEL_SAMPLES - 1 - i) % WR_LEVEL_SAMPLES];
}

static bool all_multiples(const struct wr_level *l, double step) {
  for (size_t i = 0; i < l->count; i++) {
    double times = wr_level_sample(l, i) / step;
    if (fabs(times - round(times)) > 0.02)
      return false;
  }
  return true;
}

/* The largest step of which all values are multiples; what was known while the
 * samples do not tell; 0 when there is none. */
static double seen_quantum(const struct wr_level *l) {
  double least = INFINITY;
  size_t changes = 0;
  for (size_t i = 1; i < l->count; i++) {
    double d = fabs(wr_level_sample(l, i) - wr_level_sample(l, i - 1));
    if (d <= 1e-9)
      continue;
    least = fmin(least, d);
    changes++;
  }
  if (changes < CHANGES)
    return l->quantum;
  for (int part = 1; part <= 3; part++)
    if (all_multiples(l, least / part))
      return least / part;
  return 0;
}

static double median(double *values, size_t count) {
  for (size_t i = 1; i < count; i++) {
    double value = values[i];
    size_t j = i;
    for (; j > 0 && values[j - 1] > value; j--)
      values[j] = values[j - 1];
    values[j] = value;
  }
  return values[count / 2];
}

/* Second differences of white noise have a variance of 6 sd^2, and half of
 * them lie within 0.6745 of theirs. Up to two quanta is what counting whole
 * pulses makes of a flow without any noise; what may hide in there is taken
 * to be the usual noise of a flow. */
static double noise_of(const struct wr_level *l, size_t samples) {
  double bends[NOISE_SAMPLES], sum = 0;
  size_t count = 0;
  for (size_t i = 0; i < l->count && i < samples; i++)
    sum += wr_level_sample(l, i);
  for (size_t i = 2; i < l->count && i < samples; i++)
    bends[count++] =
        fabs(wr_level_sample(l, i - 2) - 2 * wr_level_sample(l, i - 1) +
             wr_level_sample(l, i));
  if (count == 0)
    return 0;
  double bend = median(bends, count), counted = 2.01 * l->quantum;
  double seen = bend > counted ? sqrt(bend * bend - counted * counted) : 0;
  double hidden = fmin(USUAL * fabs(sum) / (double)(count + 2), l->quantum / 2);
  return hypot(seen / (0.6745 * sqrt(6.0)), hidden);
}

static double doubt_of(const struct wr_level *l, size_t samples) {
  double n = (double)samples;
  return l->quantum / n + DOUBT * l->noise / sqrt(n);
}

/* The next longer mean worth a look. */
static size_t longer(size_t n) { return n < 4 ? n + 1 : n + n / 2; }

struct mean {
  size_t samples;
  double sum, value, doubt;
};

/* Goes on to `samples` newest samples; false where there are not as many. */
static bool extend(const struct wr_level *l, struct mean *m, size_t samples) {
  if (samples > l->count)
    return false;
  while (m->samples < samples)
    m->sum += wr_level_sample(l, m->samples++);
  m->value = m->sum / (double)m->samples;
  m->doubt = doubt_of(l, m->samples);
  return true;
}

/* The newest two samples; while they differ, the flow is between them. */
static bool begin(const struct wr_level *l, struct mean *m) {
  *m = (struct mean){0};
  if (!extend(l, m, 2))
    return false;
  double apart = fabs(wr_level_sample(l, 0) - wr_level_sample(l, 1));
  m->doubt = fmax(m->doubt, apart / 2);
  return true;
}

/* Takes the next older samples in, if their mean is that of the newer ones. */
static bool go_on(const struct wr_level *l, struct mean *m) {
  struct mean more = *m;
  if (m->doubt > doubt_of(l, m->samples) ||
      !extend(l, &more, longer(m->samples)))
    return false;
  size_t samples = more.samples - m->samples;
  double older = (more.sum - m->sum) / (double)samples;
  if (fabs(older - m->value) > doubt_of(l, samples) + m->doubt)
    return false;
  *m = more;
  return true;
}

void wr_level_look(struct wr_level *l, double quantum) {
  struct mean m;
  l->quantum = quantum > 0 ? quantum : seen_quantum(l);
  /* After a disturbance what is left of it is no noise of the newest seconds;
   * those alone are too few to say how much there is, but not how little. */
  l->noise =
      fmin(noise_of(l, NOISE_SAMPLES), FEW * noise_of(l, FEWEST_SAMPLES));
  if (!begin(l, &m))
    return;
  do {
    l->value = m.value;
    l->doubt = m.doubt;
    l->seconds = m.samples;
  } while (go_on(l, &m));
}

static int band_of(const struct wr_bands *bands, double level) {
  for (size_t i = 0; i < bands->count; i++)
    if (level >= bands->ranges[i].min * bands->scale &&
        level < bands->ranges[i].max * bands->scale)
      return (int)i;
  return WR_NO_BAND;
}

static bool is_beyond(const struct wr_range *b, double scale,
                      const struct mean *m) {
  return m->value + m->doubt < b->min * scale ||
         m->value - m->doubt >= b->max * scale;
}

/* The band that the level has moved into, without doubt; else the present one.
 * Where the new level is near an edge, more seconds tell which side it is. */
static int band_after(const struct wr_level *l, const struct wr_bands *bands,
                      const struct mean *m) {
  if (fabs(m->value - l->anchor) - m->doubt <= bands->dead_band ||
      (l->band != WR_NO_BAND &&
       !is_beyond(&bands->ranges[l->band], bands->scale, m)))
    return l->band;
  bool clear = band_of(bands, m->value - m->doubt) ==
               band_of(bands, m->value + m->doubt);
  return clear || m->samples >= SETTLED ? band_of(bands, m->value) : l->band;
}

static int choose(struct wr_level *l, const struct wr_bands *bands, int band,
                  double level) {
  l->chosen = true;
  l->scale = bands->scale;
  l->band = band;
  l->anchor = l->origin = level;
  l->behind = 0;
  return band;
}

int wr_level_band(struct wr_level *l, const struct wr_bands *bands) {
  struct mean m;
  if (!begin(l, &m))
    return WR_NO_BAND;
  if (!l->chosen || l->scale != bands->scale || l->band >= (int)bands->count)
    return choose(l, bands, band_of(bands, l->value), l->value);
  do {
    int band = band_after(l, bands, &m);
    if (band != l->band)
      return choose(l, bands, band, m.value);
  } while (go_on(l, &m));
  if (l->seconds >= SETTLED &&
      fabs(l->value - l->anchor) - l->doubt > bands->dead_band)
    choose(l, bands, band_of(bands, l->value), l->value);
  else if (l->seconds > l->behind &&
           fabs(l->value - l->origin) <= bands->dead_band / 2) {
    l->anchor = l->value;
    l->behind = l->seconds;
  }
  return l->band;
}
