/* The requests as they go out, whatever went before them, and how long the link
 * waits after each kind of fault. */
#include "lib/cloud/link.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OWN "{\"code\":\"x\",\"detail\":\"no\"}"
#define TOKEN "{\"access_token\":\"abc\",\"expires_in\":300}"
#define DAY_MS 86400000

static struct {
  int count;
  char method[10], url[200], body[500];
  char headers[WR_OAUTH_TOKEN_MAX + 500];
  bool has_body;
  size_t len;
} sent;

static int error, status;
static const char *body;
static struct wr_link l;
static const struct wr_moment now = {
    .now_ms = DAY_MS, .wall_us = 77, .random = UINT32_MAX}; /* the longest */

static int fake_send(void *arg, const struct wr_http_request *r,
                     struct wr_http_reply *reply) {
  (void)arg;
  sent.count++;
  snprintf(sent.method, sizeof(sent.method), "%s", r->method);
  snprintf(sent.url, sizeof(sent.url), "%s", r->url);
  sent.has_body = r->body != NULL;
  sent.len = r->body_len;
  snprintf(sent.body, sizeof(sent.body), "%s", r->body != NULL ? r->body : "");
  sent.headers[0] = '\0';
  for (const char *const *h = r->headers; *h != NULL; h++) {
    strcat(sent.headers, *h);
    strcat(sent.headers, "\n");
  }
  wr_bytes_reset(&reply->body);
  reply->body.max = 1 << 20;
  wr_bytes_text(&reply->body, body);
  reply->status = status;
  snprintf(reply->error, sizeof(reply->error), "no way");
  return error;
}

static void answer(int with_error, int with_status, const char *with_body) {
  error = with_error;
  status = with_status;
  body = with_body;
}

static void begin(void) {
  memset(&sent, 0, sizeof(sent));
  answer(0, 200, "");
  wr_link_init(&l, &(struct wr_link_options){.url = "https://h",
                                             .thing_id = "t",
                                             .client_id = "i",
                                             .client_secret = "s",
                                             .send = fake_send});
}

static void check_sent(const char *method, const char *url,
                       const char *headers) {
  CU_ASSERT_STRING_EQUAL(sent.method, method);
  CU_ASSERT_STRING_EQUAL(sent.url, url);
  CU_ASSERT_STRING_EQUAL(sent.headers, headers);
}

/* A token, then a body, then none: each request is only what it is. */
static void test_one_after_the_other(void) {
  begin();
  for (int again = 0; again < 2; again++) {
    answer(0, 200, TOKEN);
    CU_ASSERT_EQUAL(wr_link_request_token(&l), 0);
    check_sent("POST", "https://h/iot/v1/clients/token",
               "Content-Type: application/x-www-form-urlencoded\n"
               "Accept: application/json\n");
    CU_ASSERT_STRING_EQUAL(
        sent.body, "grant_type=client_credentials&client_id=i&client_secret=s&"
                   "audience=https%3A%2F%2Fapi2.arduino.cc%2Fiot");
    CU_ASSERT_EQUAL(sent.len, strlen(sent.body));
    CU_ASSERT_EQUAL(l.body.len, 0);
    wr_link_renew(&l, &now);
    answer(0, 200, "");
    CU_ASSERT_EQUAL(wr_link_address(&l, WR_CLOUD_PUBLISH_ONE, "p"), 0);
    CU_ASSERT_EQUAL(l.body.len, 0);
    wr_bytes_text(&l.body, "{}");
    CU_ASSERT_EQUAL(wr_link_perform(&l, "PUT"), 0);
    check_sent("PUT", "https://h/iot/v2/things/t/properties/p/publish",
               "Content-Type: application/json\nAccept: application/json\n"
               "Authorization: Bearer abc\n");
    CU_ASSERT_STRING_EQUAL(sent.body, "{}");
    CU_ASSERT_EQUAL(sent.len, 2);
    CU_ASSERT_EQUAL(wr_link_address(&l, WR_CLOUD_PROPERTIES, NULL), 0);
    CU_ASSERT_EQUAL(l.body.len, 0);
    CU_ASSERT_EQUAL(wr_link_perform(&l, "GET"), 0);
    check_sent("GET", "https://h/iot/v2/things/t/properties",
               "Content-Type: application/json\nAccept: application/json\n"
               "Authorization: Bearer abc\n");
    CU_ASSERT_FALSE(sent.has_body);
    CU_ASSERT_EQUAL(sent.len, 0);
  }
  CU_ASSERT_EQUAL(l.requests, 8);
  wr_link_free(&l);
}

/* The longest id of a space, and the longest token, have room. */
static void test_longest_headers(void) {
  static char space[WR_CLOUD_ID_MAX + 1], token[WR_OAUTH_TOKEN_MAX + 1];
  static char want[sizeof(sent.headers)];
  begin();
  memset(space, 'x', sizeof(space) - 1);
  memset(token, 'y', sizeof(token) - 1);
  l.options.space_id = space;
  l.oauth.token.max = WR_OAUTH_TOKEN_MAX;
  CU_ASSERT_EQUAL(wr_bytes_text(&l.oauth.token, token), 0);
  CU_ASSERT_EQUAL(wr_link_address(&l, WR_CLOUD_PROPERTIES, NULL), 0);
  CU_ASSERT_EQUAL(wr_link_perform(&l, "GET"), 0);
  snprintf(want, sizeof(want),
           "Content-Type: application/json\nAccept: application/json\n"
           "X-Organization: %s\nAuthorization: Bearer %s\n",
           space, token);
  CU_ASSERT_STRING_EQUAL(sent.headers, want);
  wr_link_free(&l);
}

/* What has no room for itself is not sent in part. */
static void test_no_room(void) {
  begin();
  l.url.max = 10;
  CU_ASSERT_EQUAL(wr_link_request_token(&l), -ENOSPC);
  CU_ASSERT_EQUAL(l.body.len, 0);
  l.url.max = 1000;
  l.body.max = 30;
  CU_ASSERT_EQUAL(wr_link_request_token(&l), -ENOSPC);
  CU_ASSERT_EQUAL(l.body.len, 0); /* with the beginning of the secret */
  l.auth.max = 5;
  CU_ASSERT_EQUAL(wr_link_perform(&l, "GET"), -ENOSPC);
  CU_ASSERT_EQUAL(sent.count, 0);
  CU_ASSERT_EQUAL(l.requests, 0);
  wr_link_free(&l);
}

/* The service's clock where it is known, ours else. */
static void test_present(void) {
  begin();
  CU_ASSERT_EQUAL(wr_link_present_us(&l, &now), 77);
  l.clock_us = 1;
  CU_ASSERT_EQUAL(wr_link_present_us(&l, &now), INT64_C(86400000001));
  l.clock_us = 1000;
  CU_ASSERT_EQUAL(wr_link_present_us(&l, &now), INT64_C(86400001000));
  wr_link_free(&l);
}

/* The longest wait after a day of it: no reply costs nothing, one that a server
 * gave a little, and what somebody has to mend can wait. */
static void test_waits(void) {
  static const struct {
    int error, status;
    const char *body;
    int64_t wait_ms;
  } cases[] = {
      {-ETIMEDOUT, 0, "", 2500}, {-EIO, 503, OWN, 2500},
      {0, 503, OWN, 60000},      {0, 429, "", 60000},
      {0, 302, "", 60000},       {0, 200, "<html>", 60000},
      {0, 403, OWN, 900000},     {0, 405, OWN, 900000},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    l.pace = (struct wr_pace){.failing = true};
    answer(cases[i].error, cases[i].status, cases[i].body);
    wr_link_address(&l, WR_CLOUD_PROPERTIES, NULL);
    wr_link_judge(&l, &now, false, wr_link_perform(&l, "GET"));
    CU_ASSERT_EQUAL(wr_link_wait(&l, DAY_MS), cases[i].wait_ms);
    CU_ASSERT_EQUAL(l.retries, 1);
    wr_link_free(&l);
  }
}

static void test_waits_without_a_token(void) {
  static const struct {
    int error, status;
    const char *body;
    int64_t wait_ms;
  } cases[] = {{-ETIMEDOUT, 0, "", 2500},
               {0, 503, OWN, 60000},
               {0, 200, "<html>", 60000},
               {0, 401, OWN, 900000}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin();
    l.pace = (struct wr_pace){.failing = true};
    answer(cases[i].error, cases[i].status, cases[i].body);
    wr_link_renew(&l, &now);
    CU_ASSERT_EQUAL(wr_link_wait(&l, DAY_MS), cases[i].wait_ms);
    CU_ASSERT_EQUAL(l.retries, 1);
    CU_ASSERT_EQUAL(l.oauth.ask_ms, DAY_MS + WR_OAUTH_KEEP_MS);
    CU_ASSERT_PTR_NULL(l.reply.body.data);
    wr_link_free(&l);
  }
}

/* What others ask for: the words, the state, the wait. */
static void test_block_and_garbled(void) {
  begin();
  l.pace = (struct wr_pace){.failing = true};
  answer(0, 418, OWN);
  wr_link_address(&l, WR_CLOUD_PROPERTIES, NULL);
  wr_link_perform(&l, "GET");
  wr_link_block(&l, &now, "mend it");
  CU_ASSERT_STRING_EQUAL(l.fault, "the cloud refuses (HTTP 418: no); mend it");
  CU_ASSERT_EQUAL(l.state, WR_LINK_BLOCKED);
  CU_ASSERT_EQUAL(wr_link_wait(&l, DAY_MS), 900000);
  CU_ASSERT_EQUAL(l.retries, 1);
  wr_link_garbled(&l, &now, "it makes no sense");
  CU_ASSERT_STRING_EQUAL(l.fault, "it makes no sense");
  CU_ASSERT_EQUAL(l.state, WR_LINK_DOWN);
  CU_ASSERT_EQUAL(wr_link_wait(&l, DAY_MS), 60000);
  CU_ASSERT_EQUAL(l.retries, 2);
  l.oauth.ask_ms = 7;
  wr_link_hurry(&l);
  CU_ASSERT_EQUAL(l.oauth.ask_ms, 0);
  CU_ASSERT_EQUAL(wr_link_wait(&l, DAY_MS), 0);
  wr_link_free(&l);
}

/* Any word of the service ends the trouble of the way: also a refusal. */
static void test_trouble_ends(void) {
  static const int statuses[] = {200, 400, 413, 422};
  for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    begin();
    l.pace = (struct wr_pace){.failing = true, .earliest_ms = DAY_MS + 5};
    l.oauth.refused = 3;
    answer(0, statuses[i], OWN);
    wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL);
    wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT"));
    CU_ASSERT_FALSE(l.pace.failing);
    CU_ASSERT_EQUAL(l.pace.earliest_ms, 0);
    CU_ASSERT_EQUAL(l.oauth.refused, i == 0 ? 0 : 3);
    CU_ASSERT_EQUAL(l.retries, 0);
    wr_link_free(&l);
  }
}

/* Another request that passes, while a value is owed: it may be tried at once,
 * but how long the trouble lasts is not forgotten. */
static void test_trouble_goes_on(void) {
  begin();
  l.owed = true;
  l.pace = (struct wr_pace){.failing = true, .since_ms = 5, .earliest_ms = 6};
  wr_link_judge(&l, &now, false, wr_link_perform(&l, "GET"));
  CU_ASSERT_TRUE(l.pace.failing);
  CU_ASSERT_EQUAL(l.pace.since_ms, 5);
  CU_ASSERT_EQUAL(l.pace.earliest_ms, 0);
  wr_link_free(&l);
}

/* The exact words when a token is refused. */
static void test_words_of_401(void) {
  begin();
  l.oauth.issued_ms = DAY_MS;
  l.oauth.refused = 1;
  answer(0, 401, OWN);
  wr_link_judge(&l, &now, true, wr_link_perform(&l, "PUT"));
  CU_ASSERT_STRING_EQUAL(l.fault,
                         "the cloud refuses the token that it gave (HTTP 401: "
                         "no); check that the API key belongs to the space");
  CU_ASSERT_EQUAL(wr_link_wait(&l, DAY_MS), 2500);
  wr_link_renew(&l, &now);
  CU_ASSERT_STRING_EQUAL(l.fault,
                         "the cloud refuses the credentials (HTTP 401: no); "
                         "check CLIENT_ID, CLIENT_SECRET and SPACE_ID");
  wr_link_free(&l);
}

/* A secret is left out from eight letters on; shorter ones are in every other
 * word. */
static void test_short_secrets(void) {
  static const char *const secrets[] = {"1234567", "12345678"};
  for (int i = 0; i < 2; i++) {
    char reason[256];
    begin();
    l.options.client_secret = secrets[i];
    answer(0, 400, "{\"detail\":\"who is 12345678\",\"code\":\"x\"}");
    wr_link_perform(&l, "PUT");
    CU_ASSERT_STRING_EQUAL(
        wr_link_reason(&l, 0, reason, sizeof(reason)),
        i == 0 ? "HTTP 400: who is 12345678"
               : "HTTP 400: its words repeat a secret and are left out");
    wr_link_free(&l);
  }
}

UNIT_MAIN("link, requests", UNIT(test_one_after_the_other),
          UNIT(test_longest_headers), UNIT(test_no_room), UNIT(test_present),
          UNIT(test_waits), UNIT(test_waits_without_a_token),
          UNIT(test_block_and_garbled), UNIT(test_trouble_ends),
          UNIT(test_trouble_goes_on), UNIT(test_words_of_401),
          UNIT(test_short_secrets))
