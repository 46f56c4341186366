/* sending_case.h: one request with rows, how it is answered, and what the spool
 * is told. */
#ifndef WEIR_TESTS_SENDING_CASE_H
#define WEIR_TESTS_SENDING_CASE_H

#include "lib/cloud/sending.h"
#include "tests/unit/cloud/choice_case.h"

#include <errno.h>
#include <stdio.h>

#define OWN "{\"code\":\"x\",\"detail\":\"no\"}" /* the service's words */
#define WAIT_MS 1500 /* the first one, in the middle of its jitter */

static struct wr_link link_;
static struct wr_sending sending;
static struct wr_moment now;

static struct {
  int error, status;
  const char *body;
} answer;

static struct {
  char url[200], body[1000];
  int count;
} sent;

static struct {
  struct wr_row delivered[WR_BATCH_MAX];
  int count, calls;
  const struct wr_spent *spent;
  struct wr_row rejected;
  int rejections, status;
  char reason[256];
  int64_t wall_us;
} told;

void wr_spool_delivered(struct wr_spool *s, const struct wr_row *rows,
                        int count, const struct wr_spent *spent) {
  (void)s;
  memcpy(told.delivered, rows, (size_t)count * sizeof(*rows));
  told.count = count;
  told.spent = spent;
  told.calls++;
}

void wr_spool_reject(struct wr_spool *s, const struct wr_row *row, int status,
                     const char *reason, int64_t wall_us) {
  (void)s;
  told.rejected = *row;
  told.rejections++;
  told.status = status;
  told.wall_us = wall_us;
  snprintf(told.reason, sizeof(told.reason), "%s", reason);
}

static inline int fake_send(void *arg, const struct wr_http_request *r,
                            struct wr_http_reply *reply) {
  (void)arg;
  sent.count++;
  snprintf(sent.url, sizeof(sent.url), "%s", r->url);
  snprintf(sent.body, sizeof(sent.body), "%s", r->body);
  reply->status = answer.status;
  reply->body.max = 1000;
  wr_bytes_reset(&reply->body);
  wr_bytes_text(&reply->body, answer.body);
  snprintf(reply->error, sizeof(reply->error), "no way");
  return answer.error;
}

static inline void answer_with(int error, int status, const char *body) {
  answer.error = error;
  answer.status = status;
  answer.body = body;
}

/* Two properties with ids and names, a number and a state, and batches of 10;
 * no row is chosen yet. */
static inline void begin_sending(void) {
  begin(2);
  now = (struct wr_moment){
      .now_ms = NOW_MS, .wall_us = WALL, .random = UINT32_C(1) << 31};
  answer_with(0, 200, "");
  memset(&sent, 0, sizeof(sent));
  memset(&told, 0, sizeof(told));
  wr_link_init(&link_, &(struct wr_link_options){.url = "https://h",
                                                 .thing_id = "t",
                                                 .send = fake_send});
  sending = (struct wr_sending){.link = &link_,
                                .names = &names,
                                .budget = &budget,
                                .choice = &choice,
                                .batch = 10};
}

static inline void end_sending(void) {
  wr_link_free(&link_);
  end();
}

/* Row number `seq` of a property is chosen, as number `i`: a minute old. */
static inline struct wr_row *choose(int i, int property, int64_t seq) {
  struct wr_row *row = choice.rows + i;
  *row = (struct wr_row){.property = property,
                         .seq = seq,
                         .time_us = WALL - 60 * SECOND,
                         .clock_us = WR_CLOCK_UNKNOWN,
                         .value = {at[property].kind, (double)seq, ""}};
  snprintf(row->value.text, sizeof(row->value.text), "L%d", (int)seq);
  return row;
}

/* One row alone, or a few of one property from `seq` on. */
static inline void send_live(int property, int64_t seq) {
  choose(0, property, seq);
  wr_send_live(&sending, &now, 1);
}

static inline void send_old(int property, int64_t seq, int count) {
  for (int i = 0; i < count; i++)
    choose(i, property, seq + i);
  wr_send_old(&sending, &now, count);
}

/* The service answers a question for the names meanwhile. */
static inline void names_answered(void) { names.answers++; }

#endif
