#include "lib/cloud/sending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct wr_pace_rule stubborn = {20, 600000};

struct request {
  enum wr_cloud_endpoint endpoint;
  struct wr_row *rows;
  int count;
  bool live;
};

static struct wr_property *property_of(const struct wr_sending *s,
                                       const struct request *r) {
  return s->names->at + r->rows->property;
}

static int build(struct wr_sending *s, const struct request *r) {
  struct wr_cloud_item items[WR_BATCH_MAX];
  for (int i = 0; i < r->count; i++) {
    const struct wr_property *q = s->names->at + r->rows[i].property;
    items[i] = (struct wr_cloud_item){.name = wr_property_name(q),
                                      .type = q->cloud.type,
                                      .time_us = r->rows[i].time_us,
                                      .value = &r->rows[i].value};
  }
  int status =
      wr_link_address(s->link, r->endpoint, wr_property_id(property_of(s, r)));
  return status == 0 ? wr_cloud_publish_body(&s->link->body, r->endpoint, items,
                                             (size_t)r->count)
                     : status;
}

/* --- it went --- */

/* What is current is seen last, whatever the service makes of old stamps. */
static void show_again(struct wr_property *q, const struct wr_row *row,
                       bool last) {
  if (q->has_last && last && row->seq == q->last.seq) {
    q->again = false;
    return;
  }
  q->again |=
      q->kind != WR_VALUE_NUMBER && q->has_last && q->last.seq >= row->seq;
}

static void note_shown(struct wr_property *q, const struct wr_row *row) {
  if (row->seq > q->shown_seq)
    q->shown_seq = row->seq;
  if (q->has_last && row->seq >= q->last.seq)
    q->again = false;
  q->live_fails = 0;
}

static void note_passed(struct wr_sending *s, const struct request *r) {
  struct wr_property *q = property_of(s, r);
  s->choice->passed++;
  q->fails = 0;
  wr_pace_ok(&q->pace);
  q->refused = q->skip_count > 0;
  q->batch = q->batch * 2 < s->batch ? q->batch * 2 : s->batch;
}

/* Must a row that was shown also go with its own time stamp? */
static bool also_old(const struct wr_sending *s, const struct wr_moment *t,
                     struct wr_row row) {
  return !wr_choice_no_batch(s->choice, t) && !wr_row_is_fresh(&row, t) &&
         wr_row_stamp(&row, t,
                      s->link->clock_us != 0 ? wr_link_present_us(s->link, t)
                                             : 0);
}

static void delivered(struct wr_sending *s, const struct wr_moment *t,
                      const struct request *r) {
  int gone = 0;
  s->passed++;
  wr_budget_spend(s->budget, r->count, !r->live);
  s->published += r->count;
  s->backfilled += r->live ? 0 : r->count;
  for (int i = 0; i < r->count; i++) {
    struct wr_row row = r->rows[i];
    struct wr_property *q = s->names->at + row.property;
    if (r->live)
      note_shown(q, &row);
    else {
      show_again(q, &row, i == r->count - 1);
      /* What is older than this is not so now, and never shown live. */
      if (row.seq > q->shown_seq)
        q->shown_seq = row.seq;
    }
    if (!r->live || !also_old(s, t, row))
      r->rows[gone++] = row;
  }
  wr_spool_delivered(s->spool, r->rows, gone, &s->budget->spent);
  wr_pace_ok(&s->pace);
}

/* --- it did not --- */

/* A failure after which the cloud may or may not have the values. */
static bool outcome_unknown(int error, int status) {
  return (error != 0 && error != -ECONNREFUSED && error != -EHOSTUNREACH &&
          error != -EPROTO) ||
         (error == 0 && status >= 500);
}

static void after_any_failure(struct wr_sending *s, const struct request *r,
                              int error, enum wr_outcome outcome) {
  bool unknown = r->live && outcome_unknown(error, s->link->reply.status);
  for (int i = 0; unknown && i < r->count; i++)
    s->names->at[r->rows[i].property].tried_seq = r->rows[i].seq;
  for (int i = 0; i < s->names->count; i++) {
    struct wr_property *q = s->names->at + i;
    q->again |= q->has_last && (r->live || outcome == WR_OUTCOME_WAIT);
  }
  if (s->link->reply.status != 401)
    wr_names_doubt(s->names);
}

static void say_refused(struct wr_sending *s, const struct request *r) {
  char reason[256];
  wr_link_reason(s->link, 0, reason, sizeof(reason));
  if (r->live && r->count > 1)
    wr_link_fault(s->link, WR_LINK_REFUSED,
                  "the cloud refuses values (%s); they are kept and tried one "
                  "by one",
                  reason);
  else
    wr_link_fault(s->link, WR_LINK_REFUSED,
                  "the cloud refuses values of property \"%s\" (%s); they are "
                  "kept and tried again",
                  property_of(s, r)->key, reason);
}

/* Counts failures of one thing between which the names were answered. */
static bool counts(int *fails, int64_t *answers, const struct wr_names *n) {
  if (*fails > 0 && *answers == n->answers)
    return false;
  *answers = n->answers;
  ++*fails;
  return true;
}

static void live_failed(struct wr_sending *s, const struct wr_moment *t,
                        const struct request *r, enum wr_outcome outcome) {
  struct wr_property *q = property_of(s, r);
  if (q->live_fails == 0)
    q->live_passed = s->passed;
  counts(&q->live_fails, &q->live_answers, s->names);
  if (outcome != WR_OUTCOME_WAIT) {
    wr_pace_fail(&s->pace, t->now_ms, t->random, &stubborn, 0);
    say_refused(s, r);
  }
  if (r->endpoint == WR_CLOUD_PUBLISH_MANY) {
    if (outcome == WR_OUTCOME_ABSENT)
      s->names->no_many_ms =
          t->now_ms +
          (wr_property_id(q) != NULL ? WR_ABSENT_MS : WR_PACE_BRISK_MS);
    if (outcome != WR_OUTCOME_WAIT || q->live_fails > 1)
      s->one_by_one_ms = t->now_ms + WR_SINGLE_MS;
  }
  if (r->count == 1 && q->live_fails > 2 && s->passed > q->live_passed) {
    q->hidden_seq = r->rows->seq;
    q->hidden_until_ms = t->now_ms + WR_SINGLE_MS;
  }
}

static void reject(struct wr_sending *s, const struct wr_moment *t,
                   const struct request *r) {
  char reason[256];
  struct wr_property *q = property_of(s, r);
  wr_link_reason(s->link, 0, reason, sizeof(reason));
  wr_spool_reject(s->spool, r->rows, s->link->reply.status, reason, t->wall_us);
  s->rejected++;
  q->fails = 0;
  q->refused = false;
  s->link->state = WR_LINK_OK; /* others pass */
  snprintf(s->refusal, sizeof(s->refusal),
           "a value is rejected, of property \"%s\" (%s)", q->key, reason);
}

static struct wr_skip *find_skip(struct wr_property *q, int64_t seq) {
  for (int i = 0; i < q->skip_count; i++)
    if (q->skips[i].seq == seq)
      return q->skips + i;
  return NULL;
}

/* The row was tried again after others had passed. */
static void failed_again(struct wr_sending *s, const struct wr_moment *t,
                         const struct request *r, struct wr_skip *skip,
                         enum wr_outcome outcome) {
  struct wr_property *q = property_of(s, r);
  bool refused = outcome == WR_OUTCOME_REFUSED;
  bool proven = s->choice->passed > skip->passed || s->passed > skip->requests;
  if (refused && skip->refused && proven) {
    *skip = q->skips[--q->skip_count];
    reject(s, t, r);
    return;
  }
  skip->refused |= refused;
  skip->tried = proven; /* else nothing passes, and it may not be its fault */
  skip->passed = s->choice->passed;
  skip->requests = s->passed;
  skip->until_ms = t->now_ms + (proven ? WR_STEP_BACK_MS : WR_SINGLE_MS);
}

static void step_over(struct wr_sending *s, const struct wr_moment *t,
                      const struct request *r, bool refused) {
  struct wr_property *q = property_of(s, r);
  if (q->skip_count == WR_SKIPS_MAX)
    return; /* too many: it is not a matter of single rows */
  q->skips[q->skip_count++] =
      (struct wr_skip){.seq = r->rows->seq,
                       .until_ms = t->now_ms + WR_SINGLE_MS,
                       .passed = s->choice->passed,
                       .requests = s->passed,
                       .refused = refused};
  q->fails = 0;
  wr_pace_ok(&q->pace); /* the next one at once */
}

static void old_failed(struct wr_sending *s, const struct wr_moment *t,
                       const struct request *r, enum wr_outcome outcome) {
  struct wr_property *q = property_of(s, r);
  struct wr_skip *skip = find_skip(q, r->rows->seq);
  if (outcome != WR_OUTCOME_WAIT) {
    say_refused(s, r);
    q->refused = true;
  }
  if (skip != NULL) {
    failed_again(s, t, r, skip, outcome);
    return;
  }
  if (q->fails == 0)
    q->first_fail_ms = t->now_ms;
  bool counted = counts(&q->fails, &q->fail_answers, s->names);
  int64_t for_ms = t->now_ms - q->first_fail_ms;
  wr_pace_fail(&q->pace, t->now_ms, t->random, &stubborn, 0);
  if (outcome == WR_OUTCOME_ABSENT) {
    if (r->endpoint == WR_CLOUD_PUBLISH_BATCH && for_ms >= WR_ABSENT_MS &&
        q->fails > 2)
      s->names->no_batch_ms = t->now_ms + WR_ABSENT_MS;
  } else if (r->count > 1) {
    if (outcome == WR_OUTCOME_REFUSED || (counted && q->fails > 1))
      q->batch = r->count / 2;
  } else if (q->fails > 1 && for_ms >= WR_STEP_AFTER_MS)
    step_over(s, t, r, outcome == WR_OUTCOME_REFUSED);
}

/* --- one request --- */

static void unsendable(struct wr_sending *s, const struct wr_moment *t,
                       const struct request *r) {
  struct wr_property *q = property_of(s, r);
  if (r->count > 1)
    q->batch = r->count / 2;
  else
    step_over(s, t, r, false);
  wr_pace_fail(&q->pace, t->now_ms, t->random, &stubborn, 0);
}

static void send_rows(struct wr_sending *s, const struct wr_moment *t,
                      const struct request *r) {
  int status = build(s, r);
  if (status == -ENOMEM) { /* nobody has seen it, so nobody refused it */
    wr_link_garbled(s->link, t, "no memory for a request");
    return;
  }
  if (status != 0) { /* far too much for one request */
    unsendable(s, t, r);
    return;
  }
  int error = wr_link_perform(s->link, "PUT");
  enum wr_outcome outcome = wr_link_judge(s->link, t, true, error);
  if (outcome == WR_OUTCOME_DONE) {
    if (!r->live)
      note_passed(s, r);
    delivered(s, t, r);
    return;
  }
  after_any_failure(s, r, error, outcome);
  if (r->live)
    live_failed(s, t, r, outcome);
  else
    old_failed(s, t, r, outcome);
}

/* Several in one request need a name each, one alone needs an id. */
void wr_send_live(struct wr_sending *s, const struct wr_moment *t, int count) {
  struct request r = {WR_CLOUD_PUBLISH_MANY, s->choice->rows, count, true};
  bool names = true;
  for (int i = 0; i < count; i++)
    names &= wr_property_name(s->names->at + r.rows[i].property) != NULL;
  bool has_id = wr_property_id(property_of(s, &r)) != NULL;
  bool many = names && !wr_choice_no_many(s->choice, t) &&
              (t->now_ms >= s->one_by_one_ms || !has_id);
  if (!many) {
    r.endpoint = WR_CLOUD_PUBLISH_ONE;
    r.count = 1;
  }
  send_rows(s, t, &r);
}

void wr_send_old(struct wr_sending *s, const struct wr_moment *t, int count) {
  struct request r = {WR_CLOUD_PUBLISH_BATCH, s->choice->rows, count, false};
  bool has_id = wr_property_id(property_of(s, &r)) != NULL;
  if (s->choice->bare || wr_choice_no_batch(s->choice, t) || !has_id) {
    r.endpoint = has_id ? WR_CLOUD_PUBLISH_ONE : WR_CLOUD_PUBLISH_MANY;
    r.count = 1;
  }
  send_rows(s, t, &r);
}
