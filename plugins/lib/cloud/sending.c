#include "lib/cloud/sending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- what to send --- */

static const char *name_of(const struct wr_publisher_property *q) {
  return q->cloud.name[0] != '\0' ? q->cloud.name : q->name;
}
static const char *id_of(const struct wr_publisher_property *q) {
  return q->cloud.id[0] != '\0' ? q->cloud.id : q->id;
}

static bool may_send(const struct wr_publisher *p, int i) {
  const struct wr_publisher_property *q = p->properties + i;
  bool route = id_of(q) != NULL || (name_of(q) != NULL && !p->no_many);
  return route && !q->missing && !q->misfit &&
         (q->kind != WR_VALUE_NUMBER || wr_budget_left(&p->budget) > 0);
}

static bool is_fresh(const struct wr_row *row, int64_t wall_us) {
  int64_t age_us = wall_us - row->time_us;
  return age_us <= WR_PUBLISHER_LIVE_AGE_US &&
         age_us >= -WR_PUBLISHER_LIVE_AGE_US;
}

/* Is this newest row of its property to be shown live? Rows accepted before
 * the one shown last are history, whatever their time stamps say: the clock may
 * have been set. One whose first sending had no answer may be there already: it
 * goes with its time stamp, so that it cannot be there twice. */
static bool is_live(const struct wr_publisher *p, const struct wr_row *row,
                    int64_t wall_us) {
  const struct wr_publisher_property *q = p->properties + row->property;
  if (row->seq <= q->shown_seq)
    return false;
  return p->no_batch || row->seq != q->tried_seq || !is_fresh(row, wall_us);
}

int wr_publisher_collect_live(struct wr_publisher *p,
                              const struct wr_moment *t) {
  int count = 0, states = 0;
  for (int i = 0; i < p->count && count < WR_PUBLISHER_MANY_MAX; i++) {
    struct wr_row row;
    if (!may_send(p, i) || !wr_spool_newest(p->spool, i, &row) ||
        !is_live(p, &row, t->wall_us))
      continue;
    p->rows[count++] = row;
    if (row.state) {
      p->rows[count - 1] = p->rows[states];
      p->rows[states++] = row;
    }
  }
  return count;
}

int wr_publisher_collect_old(struct wr_publisher *p,
                             const struct wr_moment *t) {
  int best = -1;
  int64_t oldest_us = 0;
  struct wr_row row, newest;
  for (int i = 0; i < p->count; i++) {
    if (!may_send(p, i) || wr_spool_oldest(p->spool, i, &row, 1) == 0 ||
        (best >= 0 && row.time_us >= oldest_us) ||
        !wr_spool_newest(p->spool, i, &newest) ||
        (newest.seq == row.seq && is_live(p, &row, t->wall_us)))
      continue;
    best = i;
    oldest_us = row.time_us;
  }
  if (best < 0)
    return 0;
  struct wr_publisher_property *q = p->properties + best;
  int64_t max = p->no_batch ? 1 : q->batch;
  if (q->kind == WR_VALUE_NUMBER && max > wr_budget_left(&p->budget))
    max = wr_budget_left(&p->budget);
  int count = wr_spool_oldest(p->spool, best, p->rows, (int)max);
  if (count > 1 && wr_spool_newest(p->spool, best, &newest) &&
      p->rows[count - 1].seq == newest.seq && is_live(p, &newest, t->wall_us))
    count--;
  return count;
}

/* --- sending values --- */

static int build(struct wr_publisher *p, enum wr_cloud_endpoint endpoint,
                 int count) {
  struct wr_cloud_item items[WR_PUBLISHER_MANY_MAX > WR_BATCH_MAX
                                 ? WR_PUBLISHER_MANY_MAX
                                 : WR_BATCH_MAX];
  for (int i = 0; i < count; i++) {
    const struct wr_publisher_property *q = p->properties + p->rows[i].property;
    items[i] = (struct wr_cloud_item){.name = name_of(q),
                                      .type = q->cloud.type,
                                      .time_us = p->rows[i].time_us,
                                      .value = &p->rows[i].value};
  }
  int status = wr_publisher_address(p, endpoint,
                                    id_of(p->properties + p->rows[0].property));
  return status == 0
             ? wr_cloud_publish_body(&p->body, endpoint, items, (size_t)count)
             : status;
}

/* A failure after which the cloud may or may not have the values. */
static bool outcome_unknown(int error, int status) {
  return (error != 0 && error != -ECONNREFUSED && error != -EHOSTUNREACH &&
          error != -EPROTO) ||
         (error == 0 && status >= 500);
}

static void note_tried(struct wr_publisher *p, int count) {
  for (int i = 0; i < count; i++)
    p->properties[p->rows[i].property].tried_seq = p->rows[i].seq;
}

/* Must a live row also go with its own time stamp? */
static bool keeps_waiting(const struct wr_publisher *p,
                          const struct wr_row *row, int64_t wall_us) {
  return !p->no_batch && !is_fresh(row, wall_us);
}

static void delivered(struct wr_publisher *p, const struct wr_moment *t,
                      int count, bool live) {
  int gone = 0;
  wr_budget_spend(&p->budget, count);
  p->stats.published += count;
  p->stats.backfilled += live ? 0 : count;
  for (int i = 0; i < count; i++) {
    struct wr_row row = p->rows[i];
    struct wr_publisher_property *q = p->properties + row.property;
    q->suspect = false;
    if (live)
      q->shown_seq = row.seq;
    if (!live || !keeps_waiting(p, &row, t->wall_us))
      p->rows[gone++] = row;
  }
  wr_spool_delivered(p->spool, p->rows, gone, &p->budget);
  p->stats.state = WR_PUBLISHER_OK;
}

static void reject(struct wr_publisher *p, const struct wr_moment *t) {
  char reason[256];
  if (p->reply.status == 0)
    snprintf(reason, sizeof(reason), "its time stamp cannot be written");
  else
    wr_publisher_reason(p, 0, reason, sizeof(reason));
  wr_spool_reject(p->spool, p->rows, p->reply.status, reason, t->wall_us);
  p->stats.rejected++;
  snprintf(p->stats.refusal, sizeof(p->stats.refusal),
           "a value is rejected, of property \"%s\" (%s)",
           p->properties[p->rows[0].property].key, reason);
}

/* 404 of one property: gone, or the thing is. Ask for the names once; if they
 * say that all is well, it is this value. */
static void not_found(struct wr_publisher *p, const struct wr_moment *t) {
  struct wr_publisher_property *q = p->properties + p->rows[0].property;
  if (q->suspect)
    reject(p, t);
  else
    p->resolved = false;
  q->suspect = !q->suspect;
}

static void refused(struct wr_publisher *p, const struct wr_moment *t,
                    enum wr_cloud_endpoint endpoint, int count) {
  bool absent = p->reply.status == 404;
  p->stats.state = WR_PUBLISHER_OK; /* it answers */
  if (endpoint == WR_CLOUD_PUBLISH_MANY) {
    p->no_many |= absent;
    p->one_by_one = !absent;
  } else if (endpoint == WR_CLOUD_PUBLISH_ONE && absent)
    not_found(p, t);
  else if (endpoint == WR_CLOUD_PUBLISH_BATCH && absent)
    p->no_batch = true;
  else if (count > 1)
    p->properties[p->rows[0].property].batch = count / 2;
  else
    reject(p, t);
}

static void send_rows(struct wr_publisher *p, const struct wr_moment *t,
                      enum wr_cloud_endpoint endpoint, int count, bool live) {
  int status = build(p, endpoint, count);
  if (status != 0) { /* a time stamp out of range, or far too much */
    p->reply.status = 0;
    wr_bytes_reset(&p->reply.body);
    refused(p, t, endpoint, count);
    return;
  }
  int error = wr_publisher_perform(p, "PUT", false);
  if (outcome_unknown(error, p->reply.status) && live)
    note_tried(p, count);
  if (wr_publisher_handled(p, t, error))
    return;
  if (wr_http_classify(error, &p->reply) != WR_OK) {
    refused(p, t, endpoint, count);
    return;
  }
  delivered(p, t, count, live);
  struct wr_publisher_property *q = p->properties + p->rows[0].property;
  if (!live && q->batch < p->options.batch)
    q->batch *= 2;
  if (q->batch > p->options.batch)
    q->batch = p->options.batch;
}

/* Several in one request need a name each, one alone needs an id. */
static enum wr_cloud_endpoint live_endpoint(const struct wr_publisher *p,
                                            int *count) {
  bool names = true;
  for (int i = 0; i < *count; i++)
    names &= name_of(p->properties + p->rows[i].property) != NULL;
  bool has_id = id_of(p->properties + p->rows[0].property) != NULL;
  if (names && !p->no_many && (!p->one_by_one || !has_id))
    return WR_CLOUD_PUBLISH_MANY;
  *count = 1;
  return WR_CLOUD_PUBLISH_ONE;
}

void wr_publisher_send_live(struct wr_publisher *p, const struct wr_moment *t,
                            int count) {
  p->old_turn = !p->rows[0].state;
  enum wr_cloud_endpoint endpoint = live_endpoint(p, &count);
  send_rows(p, t, endpoint, count, true);
}

void wr_publisher_send_old(struct wr_publisher *p, const struct wr_moment *t,
                           int count) {
  p->old_turn = false;
  bool has_id = id_of(p->properties + p->rows[0].property) != NULL;
  if (!p->no_batch && has_id)
    send_rows(p, t, WR_CLOUD_PUBLISH_BATCH, count, false);
  else
    send_rows(p, t, has_id ? WR_CLOUD_PUBLISH_ONE : WR_CLOUD_PUBLISH_MANY, 1,
              false);
}
