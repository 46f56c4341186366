#include "lib/cloud/publisher.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BACKLOG_ROWS 100 /* more is no matter of turns */
#define REST_MS 2000     /* in longer waits the stats follow what arrives */

int wr_publisher_init(struct wr_publisher *p,
                      const struct wr_publisher_options *options,
                      struct wr_property *properties, int count,
                      struct wr_spool *spool, const struct wr_moment *t) {
  memset(p, 0, sizeof(*p));
  p->spool = spool;
  p->budget.daily = options->daily_records;
  wr_spool_load_spent(spool, &p->budget.spent);
  wr_link_init(&p->link, &options->link);
  wr_bucket_init(&p->bucket, options->rate, 1, t->now_ms);
  wr_names_init(&p->names, properties, count, spool);
  for (int i = 0; i < count; i++)
    properties[i].batch = options->batch;
  p->sending = (struct wr_sending){.link = &p->link,
                                   .names = &p->names,
                                   .spool = spool,
                                   .budget = &p->budget,
                                   .choice = &p->choice,
                                   .batch = options->batch};
  return wr_choice_init(&p->choice, &p->names, spool, &p->budget,
                        options->batch);
}

void wr_publisher_free(struct wr_publisher *p) {
  wr_link_free(&p->link);
  wr_choice_free(&p->choice);
}

void wr_publisher_hurry(struct wr_publisher *p) {
  wr_link_hurry(&p->link);
  wr_pace_hurry(&p->sending.pace);
  wr_names_doubt(&p->names);
  for (int i = 0; i < p->names.count; i++) {
    struct wr_property *q = p->names.at + i;
    wr_pace_hurry(&q->pace);
    q->hidden_until_ms = 0;
    for (int k = 0; k < q->skip_count; k++)
      q->skips[k].until_ms = 0;
  }
}

/* --- what it has to say --- */

static bool is_up(const struct wr_publisher *p) {
  bool refused = p->names.advice[0] != '\0';
  for (int i = 0; i < p->names.count; i++)
    refused |= p->names.at[i].refused;
  return p->link.state == WR_LINK_OK && p->link.requests > 0 && !refused;
}

static void say_budget(struct wr_publisher *p, int64_t rows) {
  struct wr_publisher_stats *s = &p->stats;
  s->budget[0] = '\0';
  if (p->budget.daily == 0 || rows == 0)
    return;
  if (wr_budget_left(&p->budget) == 0)
    snprintf(s->budget, sizeof(s->budget),
             "DailyRecords is used up; %" PRIi64
             " values are kept and go after midnight UTC, changes of state go "
             "at once",
             rows);
  else if (wr_budget_left_old(&p->budget) == 0 && rows > BACKLOG_ROWS)
    snprintf(s->budget, sizeof(s->budget),
             "old values have had their half of DailyRecords; %" PRIi64
             " of them go after midnight UTC, new values go on",
             rows);
}

static void update_stats(struct wr_publisher *p, const struct wr_moment *t) {
  struct wr_publisher_stats *s = &p->stats;
  struct wr_spool_status spool;
  int streams = 0;
  for (int i = 0; i < p->names.count; i++)
    streams += p->names.at[i].kind == WR_VALUE_NUMBER;
  wr_spool_status(p->spool, &spool);
  s->oldest_us = wr_choice_oldest_us(&p->choice);
  s->budget_left = wr_budget_left(&p->budget);
  s->spacing_ms = wr_budget_spacing_ms(&p->budget, t->wall_us, streams,
                                       spool.rows > BACKLOG_ROWS);
  say_budget(p, spool.rows);
  s->up = is_up(p);
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

/* --- the step --- */

enum job { NOTHING, NAMES, LIVE, OLD };

static int choose_live(struct wr_publisher *p, const struct wr_moment *t) {
  return wr_pace_wait(&p->sending.pace, t->now_ms) > 0
             ? 0
             : wr_choose_live(&p->choice, t);
}

static enum job choose_rows(struct wr_publisher *p, const struct wr_moment *t,
                            int *count) {
  int64_t present_us =
      p->link.clock_us != 0 ? wr_link_present_us(&p->link, t) : 0;
  if (!p->old_turn && (*count = choose_live(p, t)) > 0)
    return LIVE;
  if ((*count = wr_choose_old(&p->choice, t, present_us)) > 0)
    return OLD;
  return (*count = choose_live(p, t)) > 0 ? LIVE : NOTHING;
}

/* What is next; the rows for it are in p->choice.rows. */
static enum job choose(struct wr_publisher *p, const struct wr_moment *t,
                       int *count) {
  *count = 0;
  if (wr_names_due(&p->names, t->now_ms))
    return NAMES;
  enum job job = choose_rows(p, t, count);
  /* Is the way open again? Where only what was sent is at fault, it is. */
  bool lost = p->link.state != WR_LINK_OK && !p->link.owed;
  return job == NOTHING && (lost || !p->names.known) ? NAMES : job;
}

static void act(struct wr_publisher *p, const struct wr_moment *t, enum job job,
                int count) {
  if (job == NAMES) {
    wr_names_ask(&p->names, &p->link, t);
  } else if (job == LIVE) {
    p->old_turn = true;
    wr_send_live(&p->sending, t, count);
  } else {
    p->old_turn = false;
    wr_send_old(&p->sending, t, count);
  }
}

static void sooner(int64_t *wait, int64_t at_ms, int64_t now_ms) {
  if (at_ms > now_ms && at_ms - now_ms < *wait)
    *wait = at_ms - now_ms;
}

/* Nothing is to be done now; until when? */
static int64_t idle_ms(const struct wr_publisher *p, int64_t now_ms) {
  int64_t wait = WR_PUBLISHER_IDLE_MS;
  sooner(&wait, p->names.recheck_ms, now_ms);
  sooner(&wait, now_ms + wr_pace_wait(&p->sending.pace, now_ms), now_ms);
  for (int i = 0; i < p->names.count; i++) {
    const struct wr_property *q = p->names.at + i;
    sooner(&wait, now_ms + wr_pace_wait(&q->pace, now_ms), now_ms);
    sooner(&wait, q->hidden_until_ms, now_ms);
    for (int k = 0; k < q->skip_count; k++)
      sooner(&wait, q->skips[k].until_ms, now_ms);
  }
  return wait;
}

/* Counted from the moment the last reply was there. */
static int64_t take_turn(struct wr_publisher *p, int64_t now_ms) {
  if (p->replied)
    p->bucket = (struct wr_bucket){
        .per_s = p->bucket.per_s, .burst = p->bucket.burst, .last_ms = now_ms};
  p->replied = false;
  return wr_bucket_take(&p->bucket, now_ms);
}

static int64_t step(struct wr_publisher *p, const struct wr_moment *t) {
  int count = 0;
  wr_budget_roll(&p->budget, wr_link_present_us(&p->link, t));
  int64_t turn = take_turn(p, t->now_ms);
  p->resting = turn > 0 && turn <= REST_MS;
  if (turn > 0)
    return turn;
  int64_t wait = wr_link_wait(&p->link, t->now_ms);
  enum job job = wait > 0 ? NOTHING : choose(p, t, &count);
  if (job == NOTHING) {
    p->bucket.tokens = 1; /* not used after all */
    return wait > 0 ? wait : idle_ms(p, t->now_ms);
  }
  if (wr_oauth_due(&p->link.oauth, t->now_ms))
    wr_link_renew(&p->link, t);
  else
    act(p, t, job, count);
  p->replied = true;
  return 0;
}

int64_t wr_publisher_step(struct wr_publisher *p, const struct wr_moment *t) {
  int64_t wait = step(p, t);
  update_stats(p, t);
  return wait;
}
