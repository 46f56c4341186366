#include "lib/flow/context.h"

#include <math.h>
#include <string.h>

#define N WR_LOOK_SAMPLES
#define CLEAN 0.4f    /* as the default threshold: Anomalous above 0.6 */
#define CHANGED 0.05f /* of the flow, between now and the last minute */
#define LOWEST (0.4f * WR_NOMINAL)
#define HIGHEST (2.0f * WR_NOMINAL)

void wr_context_init(struct wr_context *c) { *c = (struct wr_context){0}; }

void wr_context_add(struct wr_context *c, const double *values, size_t step,
                    size_t count, double scale) {
  if (count > N) {
    values += (count - N) * step;
    count = N;
  }
  size_t drop = c->count + count > N ? c->count + count - N : 0;
  memmove(c->samples, c->samples + drop,
          (c->count - drop) * sizeof(c->samples[0]));
  c->count -= drop;
  for (size_t i = 0; i < count; i++)
    c->samples[c->count++] = (float)(values[i * step] * scale);
  c->judged = c->judged && count == 0;
}

float wr_context_level(const struct wr_context *c) {
  size_t used = c->count < 3 ? c->count : 3;
  float total = 0;
  for (size_t i = 1; i <= used; i++)
    total += c->samples[c->count - i];
  return used > 0 ? total / (float)used : 0;
}

bool wr_context_judge(struct wr_context *c) {
  if (c->count < WR_LOOK_LEAST)
    return false;
  if (!c->judged) {
    float inputs[WR_LOOK_COUNT];
    wr_look(c->samples, c->count, 0, c->look);
    wr_nature_inputs(c->look, inputs);
    wr_nature(inputs, c->kinds);
    c->judged = true;
  }
  return true;
}

/* A jump, or a level that was another one within the minute. */
static bool has_changed(const float *look) {
  if (look[WR_LOOK_JUMPS + 4] > 0)
    return true;
  for (int w = 1; w < WR_LOOK_LENGTHS; w++)
    if (fabsf(look[WR_LOOK_MEAN] - look[WR_LOOK_MEAN + w]) > CHANGED)
      return true;
  return fabsf(look[WR_LOOK_MEAN] - look[WR_LOOK_BEFORE]) > CHANGED;
}

static bool inside(float level) { return level >= LOWEST && level <= HIGHEST; }

bool wr_context_excuses(struct wr_context *c) {
  if (!wr_context_judge(c))
    return false;
  return inside(wr_context_level(c)) && inside(c->samples[c->count - 1]) &&
         c->kinds[WR_NATURE_CLEAN] >= CLEAN && has_changed(c->look);
}
