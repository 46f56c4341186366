#include "lib/flow/points.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define DAY_S 86400.0

/* It held as long as a point must. */
static bool is_ripe(const struct wr_point *q) {
  return (double)q->held_s >= WR_POINTS_SETTLE_S;
}

/* What is kept beside the points, so that no sample has to look for it. */
static void survey(struct wr_points *p) {
  p->count = 0;
  p->scale = 0;
  for (int i = 0; i < WR_POINTS_MAX; i++)
    if (p->at[i].used) {
      if (p->at[i].accepted)
        p->scale = fmaxf(p->scale, fabsf(p->at[i].level));
      p->count +=
          p->at[i].accepted || (double)p->at[i].held_s >= WR_POINTS_SETTLE_S;
    }
}

static double distance(double a, double b, double least) {
  double scale = fmax(fmax(fabs(a), fabs(b)), least);
  return scale > 0 ? fabs(a - b) / scale : 0;
}

static double distance_to(const struct wr_points *p, int i, double level) {
  return distance(level, (double)p->at[i].level,
                  WR_POINTS_SMALL * (double)p->scale);
}

int wr_points_near(const struct wr_points *p, double level, bool returning) {
  int best = WR_POINTS_NONE;
  double found = WR_POINTS_REACH;
  for (int i = 0; i < WR_POINTS_MAX; i++) {
    const struct wr_point *q = p->at + i;
    double d = distance_to(p, i, level);
    if (q->used && isnan(q->key) && d <= found &&
        (q->accepted || (returning && is_ripe(q)))) {
      best = i;
      found = d;
    }
  }
  return best;
}

bool wr_points_accept(struct wr_points *p, int point) {
  struct wr_point *q = p->at + point;
  if (q->accepted)
    return false;
  q->accepted = true;
  q->reference = q->origin = q->level;
  survey(p);
  return true;
}

int wr_points_keyed(const struct wr_points *p, double key) {
  for (int i = 0; i < WR_POINTS_MAX; i++) {
    const struct wr_point *q = p->at + i;
    if (q->used && !isnan(q->key) &&
        distance((double)q->key, key, 0) <= WR_POINTS_KEY)
      return i;
  }
  return WR_POINTS_NONE;
}

/* A place for a new one: empty, or that of the candidate, else of the point,
 * left longest ago. */
static int make_room(const struct wr_points *p) {
  int best = WR_POINTS_NONE;
  for (int i = 0; i < WR_POINTS_MAX; i++) {
    const struct wr_point *q = p->at + i;
    if (!q->used)
      return i;
    if (i == p->current)
      continue;
    const struct wr_point *b = p->at + (best < 0 ? i : best);
    if (best < 0 || (b->accepted && !q->accepted) ||
        (b->accepted == q->accepted && q->left_s < b->left_s))
      best = i;
  }
  return best;
}

static int place(struct wr_points *p, double level, double key, double age_s,
                 bool accepted) {
  int i = make_room(p);
  p->at[i] = (struct wr_point){.level = (float)level,
                               .reference = (float)level,
                               .origin = (float)level,
                               .left_s = (float)age_s,
                               .key = (float)key,
                               .visits = 1,
                               .used = true,
                               .accepted = accepted};
  survey(p);
  return i;
}

int wr_points_add(struct wr_points *p, double level, double key, double age_s) {
  return place(p, level, key, age_s, true);
}

static int candidate_near(const struct wr_points *p, double level) {
  for (int i = 0; i < WR_POINTS_MAX; i++)
    if (p->at[i].used && !p->at[i].accepted &&
        distance_to(p, i, level) <= WR_POINTS_NEAR)
      return i;
  return WR_POINTS_NONE;
}

int wr_points_wait(struct wr_points *p, double level, double dt_s, double age_s,
                   bool fresh) {
  int i = candidate_near(p, level);
  if (i < 0)
    i = place(p, level, (double)NAN, age_s, false);
  else if (fresh && p->at[i].visits < UINT8_MAX)
    p->at[i].visits++;
  struct wr_point *q = p->at + i;
  q->held_s += (float)dt_s;
  q->left_s = (float)age_s;
  q->level += (float)((level - (double)q->level) * fmin(dt_s / 60, 1));
  survey(p);
  bool known = age_s <= WR_POINTS_FIRST_S || q->visits > 1;
  return is_ripe(q) && known ? i : WR_POINTS_NONE;
}

/* The first day is a plain mean; from then on a limited slew. */
static void follow(struct wr_point *q, double mean, double seconds,
                   bool alarm) {
  double way = mean - (double)q->reference;
  if ((double)q->seen_s <= DAY_S && !alarm) {
    q->reference += (float)(way * seconds / (double)q->seen_s);
    q->origin = q->reference;
    return;
  }
  double most =
      (double)fabsf(q->reference) * WR_POINTS_FOLLOW * seconds / DAY_S;
  if (alarm)
    most /= 10;
  q->reference += (float)fmax(-most, fmin(most, way));
}

void wr_points_mean(struct wr_points *p, double mean, double seconds,
                    double age_s, bool alarm) {
  struct wr_point *q = p->at + p->current;
  q->seen_s += (float)seconds;
  q->left_s = (float)age_s;
  if (!alarm)
    q->level = (float)mean;
  survey(p);
  follow(q, mean, seconds, alarm);
}

void wr_points_confirm(struct wr_points *p, double level) {
  struct wr_point *q = p->at + p->current;
  q->level = q->reference = q->origin = (float)level;
  q->held_s = 1;
  survey(p);
}

bool wr_points_unkey(struct wr_points *p) {
  for (int i = 0; i < WR_POINTS_MAX; i++) {
    struct wr_point *q = p->at + i;
    if (!isnan(q->key) && q->held_s <= 0 && q->seen_s <= 0)
      *q = (struct wr_point){0};
    q->key = NAN;
  }
  survey(p);
  return p->current >= 0 && p->at[p->current].used;
}

void wr_points_rescale(struct wr_points *p, double factor) {
  for (int i = 0; i < WR_POINTS_MAX; i++) {
    struct wr_point *q = p->at + i;
    q->level *= (float)factor;
    q->reference *= (float)factor;
    q->origin *= (float)factor;
  }
  survey(p);
}
