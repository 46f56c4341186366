/* What the link makes of a reply: every class of status, in whose words. */
#include "lib/cloud/link.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OWN "{\"code\":\"x\",\"detail\":\"no\"}"
#define TOKEN "{\"access_token\":\"abc\",\"expires_in\":300}"
#define HTML "<html>log in</html>"

struct plan {
  int error, status;
  const char *body;
};

static struct plan plan;
static char headers[512];
static const char *sent_body, *date = "";
static int64_t waits_ms;

static int fake_send(void *arg, const struct wr_http_request *request,
                     struct wr_http_reply *reply) {
  (void)arg;
  headers[0] = '\0';
  for (const char *const *h = request->headers; *h != NULL; h++) {
    strncat(headers, *h, sizeof(headers) - strlen(headers) - 2);
    strcat(headers, "\n");
  }
  sent_body = request->body;
  wr_bytes_reset(&reply->body);
  reply->body.max = 1 << 20;
  reply->status = plan.status;
  if (plan.body[0] != '\0')
    wr_bytes_text(&reply->body, plan.body);
  snprintf(reply->watched, sizeof(reply->watched), "%s", date);
  reply->waited_ms = waits_ms;
  snprintf(reply->error, sizeof(reply->error), "no way");
  return plan.error;
}

static struct wr_link l;
static const struct wr_moment now = {.now_ms = 1000};

static void begin(void) {
  wr_link_init(&l, &(struct wr_link_options){.url = "https://h",
                                             .thing_id = "t",
                                             .client_id = "i",
                                             .client_secret = "s",
                                             .send = fake_send});
}

static void test_no_token(void) {
  static const struct {
    struct plan plan;
    enum wr_link_state state;
    const char *words;
  } cases[] = {
      {{0, 200, TOKEN}, WR_LINK_OK, ""},
      {{-ETIMEDOUT, 0, ""}, WR_LINK_DOWN, "no token: no way"},
      {{-ETIMEDOUT, 401, OWN}, WR_LINK_DOWN, "no token: no way"},
      {{-ETIMEDOUT, 200, TOKEN}, WR_LINK_DOWN, "no token: no way"},
      {{0, 399, OWN}, WR_LINK_BLOCKED, "(HTTP 399)"},
      {{0, 400, OWN}, WR_LINK_NO_TOKEN, "HTTP 400: no"},
      {{0, 401, OWN}, WR_LINK_NO_TOKEN, "HTTP 401: no"},
      {{0, 499, OWN}, WR_LINK_NO_TOKEN, "HTTP 499: no"},
      {{0, 401, HTML}, WR_LINK_BLOCKED, "(HTTP 401)"},
      {{0, 408, OWN}, WR_LINK_DOWN, "no token: HTTP 408"},
      {{0, 425, OWN}, WR_LINK_DOWN, "no token: HTTP 425"},
      {{0, 429, OWN}, WR_LINK_DOWN, "no token: HTTP 429"},
      {{0, 500, OWN}, WR_LINK_DOWN, "no token: HTTP 500"},
      {{0, 302, ""}, WR_LINK_BLOCKED, "(HTTP 302)"},
      {{0, 200, HTML}, WR_LINK_BLOCKED, "(HTTP 200)"},
      {{0, 299, TOKEN}, WR_LINK_OK, ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    plan = cases[i].plan;
    wr_link_renew(&l, &now);
    bool good = cases[i].state == WR_LINK_OK;
    CU_ASSERT_EQUAL(l.state, cases[i].state);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.fault, cases[i].words));
    CU_ASSERT_EQUAL(wr_oauth_usable(&l.oauth, 1000), good);
    CU_ASSERT_EQUAL(wr_link_wait(&l, 1000) > 0, !good);
    CU_ASSERT_EQUAL(l.retries, !good);
    CU_ASSERT_EQUAL(l.requests, 1);
    CU_ASSERT_EQUAL(l.reply.body.len, 0); /* a token was in it */
    wr_link_free(&l);
  }
}

/* A token that still is good is gone on with; but another is asked for. */
static void test_old_token_will_do(void) {
  begin();
  plan = (struct plan){0, 200, TOKEN};
  wr_link_renew(&l, &now);
  plan = (struct plan){0, 503, ""};
  wr_link_renew(&l, &now);
  CU_ASSERT_EQUAL(wr_link_wait(&l, 1000), 0);
  CU_ASSERT(wr_oauth_usable(&l.oauth, 1000));
  wr_link_free(&l);
}

static void test_outcomes(void) {
  static const struct {
    struct plan plan;
    enum wr_outcome outcome;
    enum wr_link_state state;
    const char *words;
  } cases[] = {
      {{0, 200, ""}, WR_OUTCOME_DONE, WR_LINK_OK, ""},
      {{0, 299, "{}"}, WR_OUTCOME_DONE, WR_LINK_OK, ""},
      {{0, 300, "{}"}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "HTTP 300"},
      {{0, 199, "{}"}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "HTTP 199"},
      {{0, 200, HTML}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "HTTP 200"},
      {{-EIO, 200, ""}, WR_OUTCOME_WAIT, WR_LINK_DOWN, "no way"},
      {{0, 408, OWN}, WR_OUTCOME_WAIT, WR_LINK_DOWN, "HTTP 408: no"},
      {{0, 425, OWN}, WR_OUTCOME_WAIT, WR_LINK_DOWN, "HTTP 425: no"},
      {{0, 429, OWN}, WR_OUTCOME_WAIT, WR_LINK_DOWN, "HTTP 429: no"},
      {{0, 500, OWN}, WR_OUTCOME_WAIT, WR_LINK_DOWN, "HTTP 500: no"},
      {{0, 404, OWN}, WR_OUTCOME_ABSENT, WR_LINK_OK, ""},
      {{0, 400, OWN}, WR_OUTCOME_REFUSED, WR_LINK_OK, ""},
      {{0, 413, OWN}, WR_OUTCOME_REFUSED, WR_LINK_OK, ""},
      {{0, 422, OWN}, WR_OUTCOME_REFUSED, WR_LINK_OK, ""},
      {{0, 400, HTML}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "portal"},
      {{0, 402, OWN}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "SPACE_ID"},
      {{0, 403, OWN}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "SPACE_ID"},
      {{0, 405, OWN}, WR_OUTCOME_WAIT, WR_LINK_BLOCKED, "every request"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    plan = cases[i].plan;
    CU_ASSERT_EQUAL(wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL), 0);
    wr_bytes_text(&l.body, "{}");
    int error = wr_link_perform(&l, "PUT");
    CU_ASSERT_EQUAL(wr_link_judge(&l, &now, true, error), cases[i].outcome);
    CU_ASSERT_EQUAL(l.state, cases[i].state);
    CU_ASSERT_EQUAL(l.owed, cases[i].outcome != WR_OUTCOME_DONE);
    CU_ASSERT_EQUAL(wr_link_wait(&l, 1000) > 0, cases[i].state != WR_LINK_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.fault, cases[i].words));
    wr_link_free(&l);
  }
}

/* What fails to publish is not mended by another request that passes: only the
 * wait ends. */
static void test_owed(void) {
  begin();
  wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL);
  plan = (struct plan){0, 503, ""};
  wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT"));
  plan = (struct plan){0, 200, "[]"};
  wr_link_judge(&l, &now, false, wr_link_perform(&l, "GET"));
  CU_ASSERT(l.owed);
  CU_ASSERT_EQUAL(l.state, WR_LINK_DOWN);
  CU_ASSERT_EQUAL(wr_link_wait(&l, 1000), 0);
  wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT"));
  CU_ASSERT_FALSE(l.owed);
  CU_ASSERT_EQUAL(l.state, WR_LINK_OK);
  wr_link_free(&l);
}

/* The service's clock: of any second after 1970 began, the middle; what is no
 * date changes nothing. */
static void test_clock(void) {
  static const struct {
    const char *date;
    int64_t clock_us;
  } cases[] = {{"Thu, 01 Jan 1970 00:00:00 GMT", 7},
               {"Thu, 01 Jan 1970 00:00:01 GMT", 500000},
               {"Thu, 01 Jan 2026 00:00:00 GMT", INT64_C(1767225599500000)},
               {"yesterday", 7},
               {"", 7}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    l.clock_us = 7;
    l.clock_doubt_us = INT64_MAX / 4;
    date = cases[i].date;
    plan = (struct plan){0, 200, ""};
    wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL);
    wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT"));
    CU_ASSERT_EQUAL(l.clock_us, cases[i].clock_us);
    l.clock_us = 7; /* also of a token, before any value goes */
    l.clock_doubt_us = INT64_MAX / 4;
    plan = (struct plan){0, 200, TOKEN};
    wr_link_renew(&l, &now);
    CU_ASSERT_EQUAL(l.clock_us, cases[i].clock_us);
    wr_link_free(&l);
  }
  date = "";
}

/* One reply that says 1000 s, asked at `ms` and waited for so long; 0: what is
 * kept stays. */
static int64_t clock_after(int64_t ms, int64_t waited_ms) {
  int64_t before = l.clock_us;
  date = "Thu, 01 Jan 1970 00:16:40 GMT";
  waits_ms = waited_ms;
  plan = (struct plan){0, 200, ""};
  wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL);
  wr_link_judge(&l, &(struct wr_moment){.now_ms = ms}, true,
                wr_link_perform(&l, "PUT"));
  date = "";
  waits_ms = 0;
  return l.clock_us != before ? l.clock_us : 0;
}

/* A slow reply says little about the time: what it can be wrong by is less than
 * a step, and what was known better stays. */
static void test_clock_of_slow_replies(void) {
  begin();
  CU_ASSERT_EQUAL(clock_after(1000000, 0), 500000); /* the first one counts */
  wr_link_free(&l);
  begin();
  CU_ASSERT_EQUAL(clock_after(5000, 4001), 0);
  CU_ASSERT_EQUAL(clock_after(5000, 4000), 993500000);
  CU_ASSERT_EQUAL(clock_after(5000, 2000), 994500000);
  CU_ASSERT_EQUAL(clock_after(4400, 2002), 0);
  CU_ASSERT_EQUAL(clock_after(5600, 100), 994850000);
  CU_ASSERT_EQUAL(clock_after(5700, 100), 994750000);
  /* 200 millionths of 250 s are 50 ms, half of 100 ms */
  CU_ASSERT_EQUAL(clock_after(5700, 200), 0);
  l.clock_ms -= 249990;
  CU_ASSERT_EQUAL(clock_after(5700, 200), 0);
  l.clock_ms -= 10;
  CU_ASSERT_EQUAL(clock_after(5700, 200), 994700000);
  /* the machine slept: what is said is beyond all doubt something else */
  static const int64_t apart[] = {1300000, -1300000}; /* 0.6 and 0.7 s */
  for (size_t i = 0; i < 2; i++) {
    l.clock_us = 994600000 + apart[i];
    l.clock_doubt_us = 600000;
    CU_ASSERT_EQUAL(clock_after(5700, 400), 0);
    l.clock_us += apart[i] > 0 ? 1 : -1;
    CU_ASSERT_EQUAL(clock_after(5700, 400), 994600000);
  }
  wr_link_free(&l);
}

/* Which headers go, and that a GET has no body. */
static void test_headers(void) {
  begin();
  plan = (struct plan){0, 200, TOKEN};
  wr_link_renew(&l, &now);
  CU_ASSERT_PTR_NULL(strstr(headers, "Authorization"));
  CU_ASSERT_PTR_NULL(strstr(headers, "X-Organization"));
  CU_ASSERT_PTR_NOT_NULL(strstr(headers, "x-www-form-urlencoded\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(headers, "Accept: application/json\n"));
  CU_ASSERT_EQUAL(l.body.len, 0); /* the secret was in it */
  l.options.space_id = "sp-1";
  wr_link_address(&l, WR_CLOUD_PROPERTIES, NULL);
  wr_link_perform(&l, "GET");
  CU_ASSERT_PTR_NULL(sent_body);
  CU_ASSERT_PTR_NOT_NULL(strstr(headers, "Content-Type: application/json\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(headers, "Authorization: Bearer abc\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(headers, "X-Organization: sp-1\n"));
  wr_bytes_text(&l.body, "{}");
  wr_link_perform(&l, "PUT");
  CU_ASSERT_PTR_NOT_NULL(sent_body);
  CU_ASSERT_EQUAL(l.requests, 3);
  wr_link_free(&l);
}

/* The first 401 costs the token, which may be old; that of a new one is said.
 */
static void test_unauthorised(void) {
  begin();
  plan = (struct plan){0, 200, TOKEN};
  wr_link_renew(&l, &now);
  wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL);
  plan = (struct plan){0, 401, OWN};
  CU_ASSERT_EQUAL(wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT")),
                  WR_OUTCOME_WAIT);
  CU_ASSERT_EQUAL(l.reauthorised, 1);
  CU_ASSERT_EQUAL(wr_link_wait(&l, 1000), 0);
  CU_ASSERT_FALSE(wr_oauth_usable(&l.oauth, 1000));
  plan = (struct plan){0, 200, TOKEN};
  wr_link_renew(&l, &now);
  plan = (struct plan){0, 401, OWN};
  wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT"));
  CU_ASSERT_EQUAL(l.reauthorised, 2);
  CU_ASSERT_EQUAL(l.state, WR_LINK_NO_TOKEN);
  CU_ASSERT(wr_link_wait(&l, 1000) > 0);
  CU_ASSERT(wr_oauth_usable(&l.oauth, 1000));
  wr_link_free(&l);
}

/* A service that repeats what it was sent: neither secret nor token, also a
 * long one that the words end within, is handed on to a log. */
static void test_repeated_secrets(void) {
  char token[1500], body[2000], reason[256];
  memset(token, 'k', sizeof(token) - 1);
  token[sizeof(token) - 1] = '\0';
  begin();
  l.options.client_secret = "s3cret-of-the-thing";
  snprintf(body, sizeof(body), "{\"access_token\":\"%s\",\"expires_in\":300}",
           token);
  plan = (struct plan){0, 200, body};
  wr_link_renew(&l, &now);
  static const char *const shapes[] = {
      "{\"detail\":\"who is %s\",\"code\":\"x\"}", "who is %s?",
      "{\"error\":\"access_denied\",\"error_description\":\"not %s\"}"};
  const char *const secrets[] = {"s3cret-of-the-thing", token};
  for (size_t i = 0; i < 6; i++) {
    snprintf(body, sizeof(body), shapes[i % 3], secrets[i / 3]);
    plan = (struct plan){0, i % 2 == 0 ? 400 : 500, body};
    int error = wr_link_perform(&l, "PUT");
    wr_link_judge(&l, &now, true, error);
    wr_link_reason(&l, error, reason, sizeof(reason));
    CU_ASSERT_PTR_NULL(strstr(reason, "s3cret"));
    CU_ASSERT_PTR_NULL(strstr(reason, "kkkk"));
    CU_ASSERT_PTR_NULL(strstr(l.fault, "s3cret"));
    CU_ASSERT_PTR_NULL(strstr(l.fault, "kkkk"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reason, "left out"));
  }
  plan = (struct plan){0, 400, "{\"detail\":\"who\",\"code\":\"x\"}"};
  wr_link_perform(&l, "PUT");
  CU_ASSERT_STRING_EQUAL(wr_link_reason(&l, 0, reason, sizeof(reason)),
                         "HTTP 400: who");
  wr_link_free(&l);
}

UNIT_MAIN("link_judge", UNIT(test_repeated_secrets), UNIT(test_no_token),
          UNIT(test_old_token_will_do), UNIT(test_outcomes), UNIT(test_owed),
          UNIT(test_headers), UNIT(test_clock),
          UNIT(test_clock_of_slow_replies), UNIT(test_unauthorised))
