#include "lib/cloud/publisher.h"

#include <errno.h>
#include <string.h>

int wr_publisher_init(struct wr_publisher *p,
                      const struct wr_publisher_options *options,
                      struct wr_property *properties, int count,
                      struct wr_spool *spool, const struct wr_moment *t) {
  memset(p, 0, sizeof(*p));
  p->spool = spool;
  p->budget.daily = options->daily_records;
  wr_spool_load_spent(spool, &p->budget.spent);
  wr_link_init(&p->link, &options->link);
  wr_bucket_init(&p->bucket, options->rate,
                 options->rate < 2 ? 2 : options->rate, t->now_ms);
  wr_names_init(&p->names, properties, count, spool);
  for (int i = 0; i < count; i++) {
    properties[i].batch = options->batch;
    /* It may have been sent just before we were killed. */
    struct wr_row newest;
    if (wr_spool_newest(spool, i, &newest))
      properties[i].tried_seq = newest.seq;
  }
  p->sending = (struct wr_sending){.link = &p->link,
                                   .names = &p->names,
                                   .spool = spool,
                                   .budget = &p->budget,
                                   .batch = options->batch};
  return wr_choice_init(&p->choice, &p->names, spool, &p->budget,
                        options->batch);
}

void wr_publisher_free(struct wr_publisher *p) {
  wr_link_free(&p->link);
  wr_choice_free(&p->choice);
}

void wr_publisher_hurry(struct wr_publisher *p) { wr_link_hurry(&p->link); }

/* --- the step --- */

enum job { NOTHING, NAMES, LIVE, OLD };

/* What is next; the rows for it are in p->choice.rows. */
static enum job choose(struct wr_publisher *p, const struct wr_moment *t,
                       int *count) {
  *count = 0;
  if (!p->names.known)
    return NAMES;
  int old = 0;
  int live = wr_choose_live(&p->choice, t);
  p->sending.one_by_one &= live > 0;
  if (live > 0 && (p->choice.rows[0].state || !p->old_turn)) {
    *count = live;
    return LIVE;
  }
  if (t->now_ms >= p->names.recheck_ms)
    return NAMES;
  old = wr_choose_old(&p->choice, t);
  if (old > 0) {
    *count = old;
    return OLD;
  }
  *count = wr_choose_live(&p->choice, t);
  return *count > 0 ? LIVE : NOTHING;
}

static void update_stats(struct wr_publisher *p, const struct wr_moment *t) {
  struct wr_publisher_stats *s = &p->stats;
  int streams = 0;
  struct wr_row row;
  s->oldest_us = 0;
  for (int i = 0; i < p->names.count; i++) {
    streams += p->names.at[i].kind == WR_VALUE_NUMBER;
    if (wr_spool_oldest(p->spool, i, &row, 1) == 1 &&
        (s->oldest_us == 0 || row.time_us < s->oldest_us))
      s->oldest_us = row.time_us;
  }
  wr_budget_roll(&p->budget, t->wall_us);
  s->budget_left = wr_budget_left(&p->budget);
  s->spacing_ms = wr_budget_spacing_ms(&p->budget, t->wall_us, streams);
  s->state = p->link.state;
  memcpy(s->fault, p->link.fault, sizeof(s->fault));
  memcpy(s->advice, p->names.advice, sizeof(s->advice));
  memcpy(s->refusal, p->sending.refusal, sizeof(s->refusal));
  s->published = p->sending.published;
  s->backfilled = p->sending.backfilled;
  s->rejected = p->sending.rejected;
  s->requests = p->link.requests;
  s->retries = p->link.retries;
  s->reauthorised = p->link.reauthorised;
  s->tokens = (int64_t)p->link.oauth.issued;
}

static void act(struct wr_publisher *p, const struct wr_moment *t, enum job job,
                int count) {
  if (job == NAMES) {
    wr_names_ask(&p->names, &p->link, t);
  } else if (job == LIVE) {
    p->old_turn = !p->choice.rows[0].state;
    wr_send_live(&p->sending, t, p->choice.rows, count);
  } else {
    p->old_turn = false;
    wr_send_old(&p->sending, t, p->choice.rows, count);
  }
}

static int64_t step(struct wr_publisher *p, const struct wr_moment *t) {
  int count = 0;
  wr_budget_roll(&p->budget, t->wall_us);
  int64_t wait = wr_link_wait(&p->link, t->now_ms);
  if (wait > 0)
    return wait;
  enum job job = choose(p, t, &count);
  if (job == NOTHING)
    return p->names.recheck_ms - t->now_ms < WR_PUBLISHER_IDLE_MS
               ? p->names.recheck_ms - t->now_ms
               : WR_PUBLISHER_IDLE_MS;
  switch (wr_oauth_need(&p->link.oauth, t->now_ms, &wait)) {
  case WR_OAUTH_WAIT:
    return wait;
  case WR_OAUTH_ASK:
    wr_link_renew(&p->link, t);
    return 0;
  case WR_OAUTH_READY:
    break;
  }
  wait = wr_bucket_take(&p->bucket, t->now_ms);
  if (wait == 0)
    act(p, t, job, count);
  return wait;
}

int64_t wr_publisher_step(struct wr_publisher *p, const struct wr_moment *t) {
  int64_t wait = step(p, t);
  update_stats(p, t);
  return wait;
}
