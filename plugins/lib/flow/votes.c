#include "lib/flow/votes.h"

#include <string.h>

void wr_votes_init(struct wr_votes *v) {
  memset(v, 0, sizeof(*v));
  v->state = WR_UNCERTAIN;
  v->since = WR_VOTES_AGAIN;
}

void wr_votes_gap(struct wr_votes *v) { v->count = v->next = v->calm = 0; }

static int newest(const struct wr_votes *v, int i) {
  return v->last[(v->next + WR_VOTES_MAX - 1 - i) % WR_VOTES_MAX];
}

static void put(struct wr_votes *v, int vote, bool alarm) {
  v->last[v->next] = (int16_t)vote;
  v->next = (v->next + 1) % WR_VOTES_MAX;
  if (v->count < WR_VOTES_MAX)
    v->count++;
  v->calm = alarm ? 0 : v->calm < WR_VOTES_MAX << 3 ? v->calm + 1 : v->calm;
}

static bool elected(const struct wr_votes *v, const struct wr_votes_rules *r,
                    int vote) {
  int same = 0;
  for (int i = 0; i < v->count && i < r->of; i++)
    same += newest(v, i) == vote;
  return same >= r->need && (r->need < 2 || newest(v, 1) == vote);
}

/* An alarm that comes back soon is left more slowly. */
static void count_alarms(struct wr_votes *v, bool was_alarm) {
  if (was_alarm && !v->alarm)
    v->since = 0;
  else if (!was_alarm && v->alarm && v->since < WR_VOTES_AGAIN)
    v->patience += v->patience < WR_VOTES_PATIENCE;
  else if (!v->alarm && v->since < WR_VOTES_AGAIN)
    v->since++;
  else if (!v->alarm)
    v->patience = 0;
}

int wr_votes_cast(struct wr_votes *v, const struct wr_votes_rules *rules,
                  int vote, bool alarm, int quiet) {
  bool was_alarm = v->alarm;
  put(v, vote, alarm);
  int release = rules->release << v->patience;
  bool ends = v->alarm && !alarm;
  bool comes = !(ends && v->calm < release) && elected(v, rules, vote);
  if (vote != v->state && (comes || (ends && quiet >= release))) {
    v->state = vote;
    v->alarm = alarm;
  }
  count_alarms(v, was_alarm);
  return v->state;
}

void wr_votes_set(struct wr_votes *v, int state, bool alarm) {
  v->state = state;
  v->alarm = alarm;
  wr_votes_gap(v);
}
