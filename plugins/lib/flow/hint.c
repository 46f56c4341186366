#include "lib/flow/hint.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LATELY 20    /* seconds that evidence is counted in */
#define ENOUGH 0.30f /* of all kinds; below that a cause is not named */

static const char *const names[WR_CAUSES] = {
    [WR_CAUSE_AIR] = "air",
    [WR_CAUSE_CAVITATION] = "cavitation",
    [WR_CAUSE_HUNTING] = "hunting",
    [WR_CAUSE_NOISE] = "electrical noise",
    [WR_CAUSE_BLOCKED] = "blocked or stopped",
    [WR_CAUSE_BURST] = "burst or too high",
    [WR_CAUSE_SENSOR] = "sensor",
    [WR_CAUSE_UNCLEAR] = "unclear"};

const char *wr_cause_name(enum wr_cause cause) { return names[cause]; }

/* The newest samples, oldest first, and their order by size. */
struct lately {
  int count;
  const float *x;
  float sorted[LATELY];
};

static struct lately lately_of(const struct wr_context *c) {
  struct lately l = {.count = c->count < LATELY ? (int)c->count : LATELY};
  l.x = c->samples + c->count - l.count;
  for (int i = 0; i < l.count; i++) {
    int j = i;
    for (; j > 0 && l.sorted[j - 1] > l.x[i]; j--)
      l.sorted[j] = l.sorted[j - 1];
    l.sorted[j] = l.x[i];
  }
  return l;
}

static int percent(float value, float of) {
  float share = of > 0 ? value / of * 100 : 0;
  if (!(share < 9999)) /* NaN too */
    return 9999;
  return share < 0 ? 0 : (int)(share + 0.5f);
}

/* Appends. No hint is as long as its text may be. */
__attribute__((format(printf, 2, 3))) static void put(struct wr_hint *h,
                                                      const char *format, ...) {
  size_t used = strlen(h->text);
  va_list ap;
  va_start(ap, format);
  vsnprintf(h->text + used, sizeof(h->text) - used, format, ap);
  va_end(ap);
}

/* Stretches beyond `limit`: how many, and their shortest and longest. */
struct stretches {
  int count, shortest, longest;
};

static struct stretches beyond(const struct lately *l, float limit, bool low) {
  struct stretches s = {0, LATELY, 0};
  for (int i = 0, length = 0; i <= l->count; i++) {
    if (i < l->count && (low ? l->x[i] < limit : l->x[i] > limit)) {
      length++;
      continue;
    }
    if (length > 0) {
      s.count++;
      s.shortest = length < s.shortest ? length : s.shortest;
      s.longest = length > s.longest ? length : s.longest;
    }
    length = 0;
  }
  return s;
}

/* What dropouts (low) or spikes stand out from, and how far. */
static float usual_of(const struct lately *l, bool low) {
  return l->sorted[low ? l->count * 3 / 4 : l->count / 4];
}

static float extreme_of(const struct lately *l, bool low) {
  return l->sorted[low ? 0 : l->count - 1];
}

static bool has_stretches(const struct lately *l, bool low) {
  float usual = usual_of(l, low);
  return fabsf(extreme_of(l, low) - usual) > 0.1f * usual;
}

static void say_stretches(const struct lately *l, bool low, struct wr_hint *h) {
  float usual = usual_of(l, low), extreme = extreme_of(l, low);
  struct stretches s = beyond(l, usual + (extreme - usual) / 2, low);
  put(h, "%d %s%s of ", s.count, low ? "dropout" : "spike",
      s.count == 1 ? "" : "s");
  if (s.shortest != s.longest)
    put(h, "%d-", s.shortest);
  put(h, "%d s in %d s, %s to %d %%", s.longest, l->count, low ? "down" : "up",
      percent(extreme, usual));
}

static void say_swing(const struct wr_context *c, const struct lately *l,
                      struct wr_hint *h) {
  float middle = (l->sorted[0] + l->sorted[l->count - 1]) / 2;
  int period = (int)(c->look[WR_LOOK_PERIOD] * 20 + 0.5f);
  put(h, "swings of +-%d %%",
      percent(l->sorted[l->count - 1] - middle, middle));
  if (period != 0)
    put(h, ", one in %d s", period);
}

static void say_rough(const struct wr_context *c, const struct lately *l,
                      struct wr_hint *h) {
  float mean = 0, squares = 0;
  for (int i = 0; i < l->count; i++)
    mean += l->x[i] / (float)l->count;
  for (int i = 0; i < l->count; i++)
    squares += (l->x[i] - mean) * (l->x[i] - mean) / (float)l->count;
  put(h, "noise of %d %% in %d s", percent(sqrtf(squares), mean), l->count);
  float base = fabsf(c->look[WR_SHAPE_MEAN]) + 0.05f * WR_NOMINAL;
  float was = c->look[WR_LOOK_BEFORE] * base;
  if (c->count == WR_LOOK_SAMPLES && was > mean * 1.03f)
    put(h, ", %d %% below what it was", 100 - percent(mean, was));
}

/* How long the newest samples are on that side of the ranges. */
static void say_level(const struct wr_context *c, bool low, struct wr_hint *h) {
  const float margin = 0.1f * WR_NOMINAL;
  float level = wr_context_level(c);
  size_t seconds = 0;
  for (; seconds < c->count; seconds++) {
    float off = c->samples[c->count - 1 - seconds] - level;
    if (!(low ? off < margin : off > -margin))
      break;
  }
  put(h, "%d %% of nominal for %s%zu s", percent(level, WR_NOMINAL),
      seconds == WR_LOOK_SAMPLES ? "at least " : "", seconds);
}

static void say_range(const struct lately *l, struct wr_hint *h) {
  put(h, "between %d and %d %% of nominal in %d s",
      percent(l->sorted[0], WR_NOMINAL),
      percent(l->sorted[l->count - 1], WR_NOMINAL), l->count);
}

static void say(const struct wr_context *c, struct wr_hint *h) {
  struct lately l = lately_of(c);
  h->text[0] = '\0';
  put(h, "%s", names[h->first]);
  if (h->second != WR_CAUSE_UNCLEAR)
    put(h, " or %s", names[h->second]);
  put(h, ": ");
  switch (h->first) {
  case WR_CAUSE_BLOCKED:
  case WR_CAUSE_BURST:
    say_level(c, h->first == WR_CAUSE_BLOCKED, h);
    break;
  case WR_CAUSE_SENSOR:
    put(h, "the same reading for long");
    break;
  case WR_CAUSE_AIR:
  case WR_CAUSE_NOISE:
    say_stretches(&l, h->first == WR_CAUSE_AIR, h);
    break;
  case WR_CAUSE_HUNTING:
    say_swing(c, &l, h);
    break;
  case WR_CAUSE_CAVITATION:
    say_rough(c, &l, h);
    break;
  default:
    say_range(&l, h);
  }
}

/* A level that has left the ranges says more than the shape; but where the
 * flow keeps coming back it is the shape that matters. */
static float level_weight(const struct wr_context *c, bool low) {
  float back = c->samples[c->count - 1]; /* how far it came */
  for (size_t i = 2; i <= 4 && i <= c->count; i++) {
    float x = c->samples[c->count - i];
    back = low ? fmaxf(back, x) : fminf(back, x);
  }
  bool left = low ? back <= 0.4f * WR_NOMINAL : back >= 2.0f * WR_NOMINAL;
  return left ? 2.0f : 0.5f;
}

static int side_of(const struct wr_context *c, int side) {
  float level = wr_context_level(c);
  if (side == 0)
    side = level < 0.4f * WR_NOMINAL ? -1 : level > 2.0f * WR_NOMINAL;
  return side;
}

/* What the network sees: the share of each kind in all that is no clean
 * flow. */
static void weigh_kinds(struct wr_context *c, float weight[WR_CAUSES]) {
  float faults = 1 - c->kinds[WR_NATURE_CLEAN] + 1e-3f;
  struct lately l = lately_of(c);
  weight[WR_CAUSE_UNCLEAR] = fmaxf(c->kinds[WR_NATURE_OTHER] / faults, ENOUGH);
  if (faults < ENOUGH) /* the alarm is not about what is seen here */
    return;
  for (int i = WR_NATURE_AIR; i <= WR_NATURE_PULSES; i++)
    weight[WR_CAUSE_AIR + i - WR_NATURE_AIR] = c->kinds[i] / faults;
  if (!has_stretches(&l, true))
    weight[WR_CAUSE_AIR] = 0;
  if (!has_stretches(&l, false))
    weight[WR_CAUSE_NOISE] = 0;
}

void wr_hint(struct wr_context *c, int side, bool stuck, struct wr_hint *out) {
  float weight[WR_CAUSES] = {[WR_CAUSE_UNCLEAR] = ENOUGH};
  side = side_of(c, side);
  if (wr_context_judge(c))
    weigh_kinds(c, weight);
  if (side < 0 && c->count > 0)
    weight[WR_CAUSE_BLOCKED] = level_weight(c, true);
  if (side > 0 && c->count > 0)
    weight[WR_CAUSE_BURST] = level_weight(c, false);
  /* No flow is always the same. */
  if (stuck && wr_context_level(c) > 0.02f * WR_NOMINAL)
    weight[WR_CAUSE_SENSOR] = 3;
  out->first = out->second = WR_CAUSE_UNCLEAR;
  for (int i = 0; i < WR_CAUSES; i++)
    if (weight[i] > weight[out->first])
      out->first = (enum wr_cause)i;
  float best = 0.08f; /* of a second one that is worth a word */
  for (int i = 0; i < WR_CAUSE_UNCLEAR; i++)
    if ((enum wr_cause)i != out->first && weight[i] > best) {
      best = weight[i];
      out->second = (enum wr_cause)i;
    }
  say(c, out);
}
