#include "lib/cloud/words.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool own(const char *text, int status) {
  return wr_words_own(text, strlen(text), status);
}

static void test_the_services_error_format(void) {
  CU_ASSERT_TRUE(own("{\"id\":\"a\",\"code\":\"invalid_value\",\"status\":400,"
                     "\"detail\":\"too wet\",\"meta\":{}}",
                     400));
  CU_ASSERT_TRUE(own("{\"detail\":\"too wet\"}", 400));
  CU_ASSERT_FALSE(own("{\"status\":502,\"detail\":\"upstream\"}", 400));
}

static void test_words_of_others(void) {
  static const char *const others[] = {"",
                                       "<html>log in</html>",
                                       "Bad Request",
                                       "[]",
                                       "{}",
                                       "{\"message\":\"no Route matched\"}",
                                       "{\"",
                                       "{\"detail\":7}",
                                       "null"};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    CU_ASSERT_FALSE(own(others[i], 400));
  CU_ASSERT_FALSE(wr_words_own(NULL, 0, 400));
}

static void test_words_about_credentials(void) {
  static const char text[] = "{\"error\":\"access_denied\"}";
  CU_ASSERT_TRUE(wr_words_own_token(text, strlen(text)));
  CU_ASSERT_FALSE(wr_words_own_token("<html>", 6));
}

static void test_every_word_about_credentials(void) {
  static const char *const texts[] = {"{\"error\":\"a\"}",
                                      "{\"error_description\":\"a\"}",
                                      "{\"detail\":\"a\"}", "{\"code\":\"a\"}"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    CU_ASSERT_TRUE(wr_words_own_token(texts[i], strlen(texts[i])));
  CU_ASSERT_FALSE(wr_words_own_token("{\"message\":\"a\"}", 15));
  CU_ASSERT_FALSE(wr_words_own_token(NULL, 0));
  CU_ASSERT_TRUE(own("{\"code\":\"a\"}", 400));
}

/* The router's own words, and what is shorter or only alike. */
static void test_no_endpoint(void) {
  CU_ASSERT_TRUE(wr_words_no_endpoint("404 page not found\n", 19));
  CU_ASSERT_TRUE(wr_words_no_endpoint("404 page not found", 18));
  CU_ASSERT_FALSE(wr_words_no_endpoint("404 page not foun", 17));
  CU_ASSERT_FALSE(wr_words_no_endpoint("404 page not found", 17));
  CU_ASSERT_FALSE(wr_words_no_endpoint("404 page not founD", 18));
  CU_ASSERT_FALSE(wr_words_no_endpoint("<404 page not found", 19));
  CU_ASSERT_FALSE(wr_words_no_endpoint(NULL, 0));
}

static void test_pages_are_foreign(void) {
  CU_ASSERT_FALSE(wr_words_foreign(NULL, 0));
  CU_ASSERT_FALSE(wr_words_foreign("", 0));
  CU_ASSERT_FALSE(wr_words_foreign("[]", 2));
  CU_ASSERT_FALSE(wr_words_foreign("{}", 2));
  CU_ASSERT_TRUE(wr_words_foreign("<html>", 6));
  CU_ASSERT_TRUE(wr_words_foreign("Success", 7));
}

/* Longer than 4 MiB is none of the service's replies. */
static void test_length_of_a_reply(void) {
  static char text[(4u << 20) + 1];
  memset(text, ' ', sizeof(text));
  memcpy(text, "[]", 2);
  CU_ASSERT_FALSE(wr_words_foreign(text, sizeof(text) - 1));
  CU_ASSERT_TRUE(wr_words_foreign(text, sizeof(text)));
}

UNIT_MAIN("words", UNIT(test_length_of_a_reply),
          UNIT(test_the_services_error_format), UNIT(test_words_of_others),
          UNIT(test_no_endpoint), UNIT(test_every_word_about_credentials),
          UNIT(test_words_about_credentials), UNIT(test_pages_are_foreign))
