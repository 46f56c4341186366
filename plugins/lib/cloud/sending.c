#include "lib/cloud/sending.h"

#include <errno.h>
#include <stdio.h>

static int build(struct wr_sending *s, enum wr_cloud_endpoint endpoint,
                 const struct wr_row *rows, int count) {
  struct wr_cloud_item items[WR_BATCH_MAX];
  for (int i = 0; i < count; i++) {
    const struct wr_property *q = s->names->at + rows[i].property;
    items[i] = (struct wr_cloud_item){.name = wr_property_name(q),
                                      .type = q->cloud.type,
                                      .time_us = rows[i].time_us,
                                      .value = &rows[i].value};
  }
  int status = wr_link_address(s->link, endpoint,
                               wr_property_id(s->names->at + rows->property));
  return status == 0 ? wr_cloud_publish_body(&s->link->body, endpoint, items,
                                             (size_t)count)
                     : status;
}

/* A failure after which the cloud may or may not have the values. */
static bool outcome_unknown(int error, int status) {
  return (error != 0 && error != -ECONNREFUSED && error != -EHOSTUNREACH &&
          error != -EPROTO) ||
         (error == 0 && status >= 500);
}

static void note_tried(struct wr_sending *s, const struct wr_row *rows,
                       int count) {
  for (int i = 0; i < count; i++)
    s->names->at[rows[i].property].tried_seq = rows[i].seq;
}

/* Must a live row also go with its own time stamp? */
static bool keeps_waiting(const struct wr_sending *s, const struct wr_row *row,
                          int64_t wall_us) {
  return !s->names->no_batch && !wr_row_is_fresh(row, wall_us);
}

static void delivered(struct wr_sending *s, const struct wr_moment *t,
                      struct wr_row *rows, int count, bool live) {
  int gone = 0;
  wr_budget_spend(s->budget, count);
  s->published += count;
  s->backfilled += live ? 0 : count;
  for (int i = 0; i < count; i++) {
    struct wr_row row = rows[i];
    struct wr_property *q = s->names->at + row.property;
    q->suspect = false;
    if (live)
      q->shown_seq = row.seq;
    if (!live || !keeps_waiting(s, &row, t->wall_us))
      rows[gone++] = row;
  }
  wr_spool_delivered(s->spool, rows, gone, &s->budget->spent);
  s->link->state = WR_LINK_OK;
}

static void reject(struct wr_sending *s, const struct wr_moment *t,
                   const struct wr_row *row) {
  char reason[256];
  int status = s->link->reply.status;
  if (status == 0)
    snprintf(reason, sizeof(reason), "its time stamp cannot be written");
  else
    wr_link_reason(s->link, 0, reason, sizeof(reason));
  wr_spool_reject(s->spool, row, status, reason, t->wall_us);
  s->rejected++;
  snprintf(s->refusal, sizeof(s->refusal),
           "a value is rejected, of property \"%s\" (%s)",
           s->names->at[row->property].key, reason);
}

/* 404 of one property: gone, or the thing is. Ask for the names once; if they
 * say that all is well, it is this value. */
static void not_found(struct wr_sending *s, const struct wr_moment *t,
                      const struct wr_row *row) {
  struct wr_property *q = s->names->at + row->property;
  if (q->suspect)
    reject(s, t, row);
  else
    s->names->known = false;
  q->suspect = !q->suspect;
}

static void refused(struct wr_sending *s, const struct wr_moment *t,
                    enum wr_cloud_endpoint endpoint, const struct wr_row *rows,
                    int count) {
  bool absent = s->link->reply.status == 404;
  s->link->state = WR_LINK_OK; /* it answers */
  if (endpoint == WR_CLOUD_PUBLISH_MANY) {
    s->names->no_many |= absent;
    s->one_by_one = !absent;
  } else if (endpoint == WR_CLOUD_PUBLISH_ONE && absent)
    not_found(s, t, rows);
  else if (endpoint == WR_CLOUD_PUBLISH_BATCH && absent)
    s->names->no_batch = true;
  else if (count > 1)
    s->names->at[rows->property].batch = count / 2;
  else
    reject(s, t, rows);
}

static void send_rows(struct wr_sending *s, const struct wr_moment *t,
                      enum wr_cloud_endpoint endpoint, struct wr_row *rows,
                      int count, bool live) {
  struct wr_property *q = s->names->at + rows->property;
  int status = build(s, endpoint, rows, count);
  if (status == -ENOMEM) { /* nobody has seen it, so nobody refused it */
    wr_backoff_fail(&s->link->backoff, t->now_ms, t->random, 0);
    wr_link_fault(s->link, WR_LINK_DOWN, "no memory for a request");
    return;
  }
  if (status != 0) { /* a time stamp out of range, or far too much */
    s->link->reply.status = 0;
    wr_bytes_reset(&s->link->reply.body);
    refused(s, t, endpoint, rows, count);
    return;
  }
  int error = wr_link_perform(s->link, "PUT");
  if (outcome_unknown(error, s->link->reply.status) && live)
    note_tried(s, rows, count);
  if (wr_link_waits(s->link, t, error)) {
    s->names->known &= s->link->state != WR_LINK_BLOCKED;
    return;
  }
  if (wr_http_classify(error, &s->link->reply) != WR_OK) {
    refused(s, t, endpoint, rows, count);
    return;
  }
  delivered(s, t, rows, count, live);
  if (!live && q->batch < s->batch)
    q->batch *= 2;
  if (q->batch > s->batch)
    q->batch = s->batch;
}

/* Several in one request need a name each, one alone needs an id. */
static enum wr_cloud_endpoint live_endpoint(const struct wr_sending *s,
                                            const struct wr_row *rows,
                                            int *count) {
  bool names = true;
  for (int i = 0; i < *count; i++)
    names &= wr_property_name(s->names->at + rows[i].property) != NULL;
  bool has_id = wr_property_id(s->names->at + rows->property) != NULL;
  if (names && !s->names->no_many && (!s->one_by_one || !has_id))
    return WR_CLOUD_PUBLISH_MANY;
  *count = 1;
  return WR_CLOUD_PUBLISH_ONE;
}

void wr_send_live(struct wr_sending *s, const struct wr_moment *t,
                  struct wr_row *rows, int count) {
  enum wr_cloud_endpoint endpoint = live_endpoint(s, rows, &count);
  send_rows(s, t, endpoint, rows, count, true);
}

void wr_send_old(struct wr_sending *s, const struct wr_moment *t,
                 struct wr_row *rows, int count) {
  bool has_id = wr_property_id(s->names->at + rows->property) != NULL;
  if (!s->names->no_batch && has_id)
    send_rows(s, t, WR_CLOUD_PUBLISH_BATCH, rows, count, false);
  else
    send_rows(s, t, has_id ? WR_CLOUD_PUBLISH_ONE : WR_CLOUD_PUBLISH_MANY, rows,
              1, false);
}
