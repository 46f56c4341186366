#include "lib/cloud/oauth.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int take(struct wr_oauth *o, int64_t now_ms, const char *body) {
  struct wr_http_reply reply = {.status = 200, .body = WR_BYTES_INIT(1 << 20)};
  wr_bytes_text(&reply.body, body);
  int result = wr_oauth_take(o, now_ms, &reply);
  wr_http_reply_free(&reply);
  return result;
}

static const char *const good =
    "{\"access_token\":\"abc\",\"expires_in\":300,\"token_type\":\"Bearer\"}";

static void test_renewed_before_it_expires(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  CU_ASSERT_TRUE(wr_oauth_due(&o, 0));
  CU_ASSERT_FALSE(wr_oauth_usable(&o, 0));
  CU_ASSERT_EQUAL(take(&o, 0, good), 0);
  CU_ASSERT_STRING_EQUAL(o.token.data, "abc");
  CU_ASSERT_FALSE(wr_oauth_due(&o, 269999));
  CU_ASSERT_TRUE(wr_oauth_due(&o, 270000));
  /* The endpoint fails: the old token goes on until it expires. */
  wr_oauth_failed(&o, 270000);
  CU_ASSERT_FALSE(wr_oauth_due(&o, 274999));
  CU_ASSERT_TRUE(wr_oauth_usable(&o, 274999));
  CU_ASSERT_TRUE(wr_oauth_due(&o, 275000));
  wr_oauth_failed(&o, 299000);
  CU_ASSERT_FALSE(wr_oauth_due(&o, 299999));
  CU_ASSERT_TRUE(wr_oauth_due(&o, 300000));
  CU_ASSERT_FALSE(wr_oauth_usable(&o, 300000));
  wr_oauth_free(&o);
}

static void test_short_lives_do_not_storm(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  take(&o, 0, "{\"access_token\":\"a\",\"expires_in\":20}");
  CU_ASSERT_FALSE(wr_oauth_due(&o, 9999));
  CU_ASSERT_TRUE(wr_oauth_due(&o, 10000));
  wr_oauth_free(&o);
}

static void test_any_token_length(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  static char body[WR_OAUTH_TOKEN_MAX + 100];
  size_t len = (size_t)snprintf(body, sizeof(body), "{\"access_token\":\"");
  memset(body + len, 'x', 20000);
  memcpy(body + len + 20000, "\"}", 3);
  CU_ASSERT_EQUAL(take(&o, 0, body), 0);
  CU_ASSERT_EQUAL(o.token.len, 20000);
  wr_oauth_free(&o);
}

static void test_401_costs_a_proven_token(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  take(&o, 0, good);
  wr_oauth_accepted(&o);
  CU_ASSERT_TRUE(wr_oauth_unauthorised(&o, 1000));
  CU_ASSERT_EQUAL(o.token.len, 0);
  CU_ASSERT_TRUE(wr_oauth_due(&o, 1000));
  wr_oauth_free(&o);
}

/* The server may have forgotten it; but another is not asked for at each 401.
 */
static void test_401_of_new_tokens_is_no_storm(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  int64_t now_ms = 0;
  take(&o, now_ms, good);
  CU_ASSERT_TRUE(wr_oauth_unauthorised(&o, now_ms)); /* once, at once */
  for (int64_t keep = WR_OAUTH_KEEP_MS; keep <= 160000; keep *= 2) {
    take(&o, now_ms, good);
    CU_ASSERT_FALSE(wr_oauth_unauthorised(&o, now_ms));
    CU_ASSERT_FALSE(wr_oauth_unauthorised(&o, now_ms + keep - 1));
    CU_ASSERT_FALSE(wr_oauth_due(&o, now_ms + keep - 1));
    now_ms += keep;
    CU_ASSERT_TRUE(wr_oauth_unauthorised(&o, now_ms));
  }
  take(&o, now_ms, good);
  CU_ASSERT_FALSE(wr_oauth_unauthorised(&o, now_ms + WR_OAUTH_KEEP_MAX_MS - 1));
  CU_ASSERT_TRUE(wr_oauth_unauthorised(&o, now_ms + WR_OAUTH_KEEP_MAX_MS));
  wr_oauth_free(&o);
}

static void test_bad_replies(void) {
  static const char *const bad[] = {"", "no", "{}", "{\"access_token\":5}"};
  for (size_t i = 0; i < 4; i++) {
    struct wr_oauth o;
    wr_oauth_init(&o);
    CU_ASSERT_EQUAL(take(&o, 0, bad[i]), -EBADMSG);
    CU_ASSERT_TRUE(wr_oauth_due(&o, 0));
    CU_ASSERT_EQUAL(o.token.len, 0);
    wr_oauth_free(&o);
  }
}

/* When a token of so many seconds is renewed: 30 s early, or half its life. */
static void test_lives_of_all_lengths(void) {
  static const struct {
    double life_s;
    int64_t renew_ms;
  } cases[] = {{0.001, 0},  {40, 20000}, {59.999, 29999}, {60, 30000},
               {61, 31000}, {90, 60000}, {100, 70000}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char body[100];
    struct wr_oauth o;
    wr_oauth_init(&o);
    snprintf(body, sizeof(body), "{\"access_token\":\"a\",\"expires_in\":%g}",
             cases[i].life_s);
    CU_ASSERT_EQUAL(take(&o, 1000, body), 0);
    CU_ASSERT_EQUAL(o.renew_ms, 1000 + cases[i].renew_ms);
    CU_ASSERT_EQUAL(o.expires_ms, 1000 + (int64_t)(cases[i].life_s * 1000));
    CU_ASSERT_EQUAL(o.issued_ms, 1000);
    wr_oauth_free(&o);
  }
}

/* A failure is forgotten with the next token; each token is counted. */
static void test_a_new_token_forgets_a_failure(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  CU_ASSERT_EQUAL(take(&o, 0, good), 0);
  wr_oauth_failed(&o, 270000);
  CU_ASSERT_EQUAL(take(&o, 270001, "{\"access_token\":\"a\",\"expires_in\":2}"),
                  0);
  CU_ASSERT_FALSE(wr_oauth_due(&o, 271000));
  CU_ASSERT_TRUE(wr_oauth_due(&o, 271001));
  CU_ASSERT_EQUAL(o.ask_ms, 0);
  CU_ASSERT_EQUAL(o.issued, 2);
  CU_ASSERT_EQUAL(take(&o, 270001, ""), -EBADMSG);
  CU_ASSERT_EQUAL(o.issued, 2);
  CU_ASSERT_STRING_EQUAL(o.token.data, "a"); /* it stays */
  wr_oauth_free(&o);
}

/* What was a token is nowhere in memory. */
static void test_old_tokens_are_wiped(void) {
  struct wr_oauth o;
  wr_oauth_init(&o);
  for (int way = 0; way < 3; way++) {
    CU_ASSERT_EQUAL(take(&o, 0, good), 0);
    unit_alloc_keep_freed(o.token.data);
    if (way == 0)
      take(&o, 0, "{\"access_token\":\"def\"}");
    else if (way == 1)
      wr_oauth_unauthorised(&o, 1000);
    else
      wr_oauth_free(&o);
    const char *left = unit_alloc_kept();
    CU_ASSERT_PTR_NOT_NULL_FATAL(left);
    CU_ASSERT_EQUAL(memcmp(left, "\0\0\0", 4), 0);
    unit_alloc_keep_freed(NULL);
  }
}

UNIT_MAIN("oauth", UNIT(test_lives_of_all_lengths),
          UNIT(test_a_new_token_forgets_a_failure),
          UNIT(test_old_tokens_are_wiped), UNIT(test_renewed_before_it_expires),
          UNIT(test_short_lives_do_not_storm), UNIT(test_any_token_length),
          UNIT(test_401_costs_a_proven_token),
          UNIT(test_401_of_new_tokens_is_no_storm), UNIT(test_bad_replies))
