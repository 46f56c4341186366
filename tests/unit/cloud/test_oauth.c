#include "lib/cloud/oauth.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int reply_with(struct wr_oauth *o, int64_t now_ms, int error, int status,
                      const char *body) {
  struct wr_http_reply reply = {.status = status,
                                .body = WR_BYTES_INIT(1 << 20)};
  wr_bytes_text(&reply.body, body);
  int result = wr_oauth_reply(o, now_ms, 1u << 31, error, &reply);
  wr_http_reply_free(&reply);
  return result;
}

static enum wr_oauth_need need(const struct wr_oauth *o, int64_t now_ms) {
  int64_t wait = 0;
  enum wr_oauth_need n = wr_oauth_need(o, now_ms, &wait);
  CU_ASSERT_TRUE(n != WR_OAUTH_WAIT || wait > 0);
  return n;
}

static const char *const good =
    "{\"access_token\":\"abc\",\"expires_in\":300,\"token_type\":\"Bearer\"}";

static void test_renewed_before_it_expires(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  CU_ASSERT_EQUAL(need(&o, 0), WR_OAUTH_ASK);
  CU_ASSERT_EQUAL(reply_with(&o, 0, 0, 200, good), 0);
  CU_ASSERT_STRING_EQUAL(o.token.data, "abc");
  CU_ASSERT_EQUAL(need(&o, 0), WR_OAUTH_READY);
  CU_ASSERT_EQUAL(need(&o, 269999), WR_OAUTH_READY);
  CU_ASSERT_EQUAL(need(&o, 270000), WR_OAUTH_ASK);
  /* The endpoint fails: the old token goes on until it expires. */
  CU_ASSERT_EQUAL(reply_with(&o, 270000, 0, 503, ""), -EAGAIN);
  CU_ASSERT_EQUAL(need(&o, 270001), WR_OAUTH_READY);
  CU_ASSERT_EQUAL(need(&o, 400000), WR_OAUTH_ASK);
  CU_ASSERT_EQUAL(reply_with(&o, 299990, 0, 503, ""), -EAGAIN);
  CU_ASSERT_EQUAL(need(&o, 300000), WR_OAUTH_WAIT);
  wr_oauth_free(&o);
}

static void test_short_lives_do_not_storm(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  reply_with(&o, 0, 0, 200, "{\"access_token\":\"a\",\"expires_in\":20}");
  CU_ASSERT_EQUAL(need(&o, 9999), WR_OAUTH_READY);
  CU_ASSERT_EQUAL(need(&o, 10000), WR_OAUTH_ASK);
  wr_oauth_free(&o);
}

static void test_any_token_length(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  static char body[WR_OAUTH_TOKEN_MAX + 100];
  size_t len = (size_t)snprintf(body, sizeof(body), "{\"access_token\":\"");
  memset(body + len, 'x', 20000);
  memcpy(body + len + 20000, "\"}", 3);
  CU_ASSERT_EQUAL(reply_with(&o, 0, 0, 200, body), 0);
  CU_ASSERT_EQUAL(o.token.len, 20000);
  wr_oauth_free(&o);
}

static void test_401_asks_once_then_waits(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  reply_with(&o, 0, 0, 200, good);
  wr_oauth_accepted(&o);
  wr_oauth_unauthorised(&o, 1000, 0);
  CU_ASSERT_EQUAL(o.token.len, 0);
  CU_ASSERT_EQUAL(need(&o, 1000), WR_OAUTH_ASK);
  reply_with(&o, 1000, 0, 200, good);
  CU_ASSERT_EQUAL(need(&o, 1000), WR_OAUTH_READY);
  wr_oauth_unauthorised(&o, 1001, 0); /* the fresh one as well */
  int64_t wait = 0;
  CU_ASSERT_EQUAL(wr_oauth_need(&o, 1001, &wait), WR_OAUTH_WAIT);
  CU_ASSERT_TRUE(wait >= 5000);
  /* Each further round waits longer, up to 15 minutes. */
  int64_t now = 1001, longest = 0;
  for (int i = 0; i < 20; i++) {
    while (wr_oauth_need(&o, now, &wait) == WR_OAUTH_WAIT) {
      longest = wait > longest ? wait : longest;
      now += wait;
    }
    reply_with(&o, now, 0, 200, good);
    wr_oauth_unauthorised(&o, now, UINT32_MAX);
  }
  CU_ASSERT_EQUAL(longest, 900000);
  wr_oauth_hurry(&o);
  CU_ASSERT_EQUAL(need(&o, now), WR_OAUTH_ASK);
  wr_oauth_free(&o);
}

static void test_refused_credentials_wait_long(void) {
  static const int refusals[] = {400, 401, 403};
  for (int i = 0; i < 3; i++) {
    struct wr_oauth o;
    int64_t wait = 0;
    wr_oauth_init(&o);
    CU_ASSERT_EQUAL(reply_with(&o, 0, 0, refusals[i], "{}"), -EACCES);
    CU_ASSERT_EQUAL(wr_oauth_need(&o, 0, &wait), WR_OAUTH_WAIT);
    CU_ASSERT_TRUE(wait >= 5000);
    wr_oauth_free(&o);
  }
}

static void test_bad_replies(void) {
  static const char *const bad[] = {"", "no", "{}", "{\"access_token\":5}"};
  for (size_t i = 0; i < 4; i++) {
    struct wr_oauth o;
    wr_oauth_init(&o);
    CU_ASSERT_EQUAL(reply_with(&o, 0, 0, 200, bad[i]), -EBADMSG);
    CU_ASSERT_EQUAL(need(&o, 0), WR_OAUTH_WAIT);
    CU_ASSERT_EQUAL(o.token.len, 0);
    wr_oauth_free(&o);
  }
  struct wr_oauth o;
  wr_oauth_init(&o);
  CU_ASSERT_EQUAL(reply_with(&o, 0, -ETIMEDOUT, 0, ""), -EAGAIN);
  CU_ASSERT_EQUAL(need(&o, 0), WR_OAUTH_WAIT);
  wr_oauth_free(&o);
}

static void test_retry_after_is_honoured(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  struct wr_http_reply reply = {.status = 429, .retry_after_ms = 120000};
  int64_t wait = 0;
  CU_ASSERT_EQUAL(wr_oauth_reply(&o, 0, 0, 0, &reply), -EAGAIN);
  CU_ASSERT_EQUAL(wr_oauth_need(&o, 0, &wait), WR_OAUTH_WAIT);
  CU_ASSERT_EQUAL(wait, 120000);
  wr_oauth_free(&o);
}

UNIT_MAIN("oauth", UNIT(test_renewed_before_it_expires),
          UNIT(test_short_lives_do_not_storm), UNIT(test_any_token_length),
          UNIT(test_401_asks_once_then_waits),
          UNIT(test_refused_credentials_wait_long), UNIT(test_bad_replies),
          UNIT(test_retry_after_is_honoured))
