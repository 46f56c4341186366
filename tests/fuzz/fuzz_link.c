/* The other end of the cloud says anything: statuses, headers, bodies, in any
 * order. A row is only ever given up in the service's own words, waits keep
 * within their bounds, what an operator reads is one clean line, and secrets
 * stay out of it.
 *
 * Of each reply: status (2 bytes), Retry-After in s (2), what failed (1), the
 * lengths of Date and body (1 each), then these. */
#define _GNU_SOURCE /* memmem */
#include "lib/cloud/link.h"
#include "lib/cloud/words.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/transport.h"

#include <errno.h>

#define SECRET "s3cret-of-the-thing"

struct script {
  const uint8_t *data;
  size_t size;
};

static unsigned next(struct script *s) {
  if (s->size == 0)
    return 0;
  s->size--;
  return *s->data++;
}

static size_t text(struct script *s, char *to, size_t most, size_t len) {
  len = len < s->size ? len : s->size;
  len = len < most ? len : most;
  memcpy(to, s->data, len);
  s->data += len;
  s->size -= len;
  return len;
}

static int answer(void *arg, const struct wr_http_request *request,
                  struct wr_http_reply *reply) {
  static const int errors[] = {0, 0, 0, 0, -ETIMEDOUT, -ECONNREFUSED, -EIO};
  struct script *s = arg;
  char body[256];
  check(strpbrk(request->url, "\r\n ") == NULL);
  for (const char *const *h = request->headers; *h != NULL; h++)
    check(strpbrk(*h, "\r\n") == NULL);
  check(request->body == NULL || strstr(request->url, "token") != NULL ||
        memmem(request->body, request->body_len, SECRET, 8) == NULL);
  wr_bytes_reset(&reply->body);
  reply->body.max = 1u << 20;
  reply->status = (int)(next(s) << 8 | next(s)) % 1000;
  reply->retry_after_ms = (int64_t)(next(s) << 8 | next(s)) * 1000;
  int error = errors[next(s) % 7];
  size_t date_len = next(s), body_len = next(s);
  date_len = text(s, reply->watched, sizeof(reply->watched) - 1, date_len);
  reply->watched[date_len] = '\0';
  body_len = text(s, body, sizeof(body), body_len);
  check(wr_bytes_append(&reply->body, body, body_len) == 0);
  strcpy(reply->error, error != 0 ? "no way there" : "");
  return error;
}

static void sane(const struct wr_link *l, const struct wr_moment *t) {
  int64_t wait = wr_link_wait(l, t->now_ms);
  check(wait >= 0 && wait <= WR_PACE_ASKED_MAX_MS);
  check(l->state <= WR_LINK_REFUSED);
  size_t len = strnlen(l->fault, sizeof(l->fault));
  check(len < sizeof(l->fault) && strstr(l->fault, SECRET) == NULL);
  for (size_t i = 0; i < len; i++)
    check(l->fault[i] >= ' ' && l->fault[i] <= '~');
  check(l->oauth.token.len == 0 ||
        strpbrk(l->oauth.token.data, "\r\n") == NULL);
  int64_t present = wr_link_present_us(l, t);
  check(present > 0);
}

static void publish(struct wr_link *l, const struct wr_moment *t) {
  const struct wr_http_reply *r = &l->reply;
  check(wr_link_address(l, WR_CLOUD_PUBLISH_MANY, NULL) == 0);
  check(wr_bytes_text(&l->body, "{}") == 0);
  int error = wr_link_perform(l, "PUT");
  enum wr_outcome outcome = wr_link_judge(l, t, true, error);
  bool own = r->body.data != NULL &&
             wr_words_own(r->body.data, r->body.len, r->status);
  if (outcome == WR_OUTCOME_DONE)
    check(error == 0 && r->status / 100 == 2 && l->state == WR_LINK_OK);
  if (outcome == WR_OUTCOME_REFUSED)
    check(error == 0 && own &&
          (r->status == 400 || r->status == 413 || r->status == 422));
  if (outcome == WR_OUTCOME_ABSENT)
    check(error == 0 && r->status == 404);
  if (outcome == WR_OUTCOME_WAIT)
    check(l->fault[0] != '\0' || r->status == 401);
  char reason[64];
  wr_link_reason(l, error, reason, sizeof(reason));
  check(memchr(reason, '\0', sizeof(reason)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct script s = {data, size};
  struct wr_link l;
  struct wr_moment t = {.now_ms = 1000, .wall_us = INT64_C(1700000000000000)};
  wr_link_init(&l, &(struct wr_link_options){.url = "https://cloud.test",
                                             .thing_id = "thing",
                                             .client_id = "id",
                                             .client_secret = SECRET,
                                             .send = answer,
                                             .send_arg = &s});
  while (s.size > 0) {
    t.random = next(&s) << 24;
    if (wr_oauth_due(&l.oauth, t.now_ms))
      wr_link_renew(&l, &t);
    else
      publish(&l, &t);
    sane(&l, &t);
    t.now_ms += wr_link_wait(&l, t.now_ms) + 1;
  }
  wr_link_free(&l);
  return 0;
}
