#include "lib/flow/hint.h"

#include <math.h>
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

/* Stretches beyond `limit`: how many, and their shortest and longest. */
struct stretches {
  int count, shortest, longest;
};

static struct stretches beyond(const struct lately *l, float limit, int side) {
  struct stretches s = {0, LATELY, 0};
  for (int i = 0, length = 0; i <= l->count; i++) {
    if (i < l->count && (l->x[i] - limit) * (float)side > 0) {
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

static bool has_stretches(const struct lately *l, int side) {
  float usual = l->sorted[side < 0 ? l->count * 3 / 4 : l->count / 4];
  float extreme = l->sorted[side < 0 ? 0 : l->count - 1];
  return fabsf(extreme - usual) > 0.1f * usual;
}

static int say_stretches(const struct lately *l, int side, char *text,
                         size_t size) {
  float usual = l->sorted[side < 0 ? l->count * 3 / 4 : l->count / 4];
  float extreme = l->sorted[side < 0 ? 0 : l->count - 1];
  struct stretches s = beyond(l, usual + (extreme - usual) / 2, side);
  char length[24];
  if (s.shortest == s.longest)
    snprintf(length, sizeof(length), "%d", s.longest);
  else
    snprintf(length, sizeof(length), "%d-%d", s.shortest, s.longest);
  return snprintf(text, size, "%d %s%s of %s s in %d s, %s to %d %%", s.count,
                  side < 0 ? "dropout" : "spike", s.count == 1 ? "" : "s",
                  length, l->count, side < 0 ? "down" : "up",
                  percent(extreme, usual));
}

static int say_swing(const struct wr_context *c, const struct lately *l,
                     char *text, size_t size) {
  float middle = (l->sorted[0] + l->sorted[l->count - 1]) / 2;
  int half = percent(l->sorted[l->count - 1] - middle, middle);
  int period = (int)(c->look[WR_LOOK_PERIOD] * 20 + 0.5f);
  if (period == 0)
    return snprintf(text, size, "swings of +-%d %%", half);
  return snprintf(text, size, "swings of +-%d %%, one in %d s", half, period);
}

static int say_rough(const struct wr_context *c, const struct lately *l,
                     char *text, size_t size) {
  float mean = 0, squares = 0;
  for (int i = 0; i < l->count; i++)
    mean += l->x[i] / (float)l->count;
  for (int i = 0; i < l->count; i++)
    squares += (l->x[i] - mean) * (l->x[i] - mean) / (float)l->count;
  int used = snprintf(text, size, "noise of %d %% in %d s",
                      percent(sqrtf(squares), mean), l->count);
  float base = fabsf(c->look[WR_SHAPE_MEAN]) + 0.05f * WR_NOMINAL;
  float was = c->look[WR_LOOK_BEFORE] * base;
  if (c->count == WR_LOOK_SAMPLES && was > mean * 1.03f)
    used += snprintf(text + used, size - (size_t)used,
                     ", %d %% below what it was", 100 - percent(mean, was));
  return used;
}

/* How long the newest samples are on that side of the ranges. */
static int say_level(const struct wr_context *c, int side, char *text,
                     size_t size) {
  float level = wr_context_level(c);
  size_t seconds = 0;
  while (seconds < c->count &&
         (c->samples[c->count - 1 - seconds] - level) * (float)side >
             -0.1f * WR_NOMINAL)
    seconds++;
  return snprintf(text, size, "%d %% of nominal for %s%zu s",
                  percent(level, WR_NOMINAL),
                  seconds == WR_LOOK_SAMPLES ? "at least " : "", seconds);
}

static int say_range(const struct lately *l, char *text, size_t size) {
  return snprintf(text, size, "between %d and %d %% of nominal in %d s",
                  percent(l->sorted[0], WR_NOMINAL),
                  percent(l->sorted[l->count - 1], WR_NOMINAL), l->count);
}

static void say(const struct wr_context *c, struct wr_hint *h) {
  struct lately l = lately_of(c);
  int used = snprintf(h->text, sizeof(h->text), "%s", names[h->first]);
  if (h->second != WR_CAUSE_UNCLEAR)
    used += snprintf(h->text + used, sizeof(h->text) - (size_t)used, " or %s",
                     names[h->second]);
  used += snprintf(h->text + used, sizeof(h->text) - (size_t)used, ": ");
  char *text = h->text + used;
  size_t size = sizeof(h->text) - (size_t)used;
  if (h->first == WR_CAUSE_BLOCKED || h->first == WR_CAUSE_BURST)
    say_level(c, h->first == WR_CAUSE_BURST ? 1 : -1, text, size);
  else if (h->first == WR_CAUSE_SENSOR)
    snprintf(text, size, "the same reading for long");
  else if (l.count < WR_LOOK_LEAST || h->first == WR_CAUSE_UNCLEAR)
    say_range(&l, text, size);
  else if (h->first == WR_CAUSE_AIR)
    say_stretches(&l, -1, text, size);
  else if (h->first == WR_CAUSE_NOISE)
    say_stretches(&l, 1, text, size);
  else if (h->first == WR_CAUSE_HUNTING)
    say_swing(c, &l, text, size);
  else
    say_rough(c, &l, text, size);
}

/* A level that has left the ranges says more than the shape; but where the
 * flow keeps coming back it is the shape that matters. */
static float level_weight(const struct wr_context *c, int side) {
  float far = c->samples[c->count - 1];
  for (size_t i = 2; i <= 4 && i <= c->count; i++) {
    float x = c->samples[c->count - i];
    far = (x - far) * (float)side < 0 ? x : far;
  }
  float edge = (side < 0 ? 0.4f : 2.0f) * WR_NOMINAL;
  return (far - edge) * (float)side >= 0 ? 2.0f : 0.5f;
}

static int side_of(const struct wr_context *c, int side) {
  float level = wr_context_level(c);
  if (side == 0 && c->count > 0)
    side = level < 0.4f * WR_NOMINAL ? -1 : level > 2.0f * WR_NOMINAL;
  return side;
}

void wr_hint(struct wr_context *c, int side, bool stuck, struct wr_hint *out) {
  float weight[WR_CAUSES] = {[WR_CAUSE_UNCLEAR] = ENOUGH};
  side = side_of(c, side);
  if (wr_context_judge(c)) {
    float faults = 1 - c->kinds[WR_NATURE_CLEAN] + 1e-3f;
    for (int i = WR_NATURE_AIR; i <= WR_NATURE_PULSES; i++)
      weight[WR_CAUSE_AIR + i - WR_NATURE_AIR] = c->kinds[i] / faults;
    float nameless = c->kinds[WR_NATURE_OTHER] / faults;
    weight[WR_CAUSE_UNCLEAR] = nameless > ENOUGH ? nameless : ENOUGH;
    struct lately l = lately_of(c);
    if (!has_stretches(&l, -1))
      weight[WR_CAUSE_AIR] = 0;
    if (!has_stretches(&l, 1))
      weight[WR_CAUSE_NOISE] = 0;
    if (faults < ENOUGH) /* the alarm is not about what is seen here */
      memset(weight, 0, WR_CAUSE_BLOCKED * sizeof(weight[0]));
  }
  if (side != 0 && c->count > 0)
    weight[side < 0 ? WR_CAUSE_BLOCKED : WR_CAUSE_BURST] =
        level_weight(c, side);
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
