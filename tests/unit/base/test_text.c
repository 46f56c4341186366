#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static void check_classes(void) {
  for (int i = 0; i < 256; i++) {
    char c = (char)i;
    bool digit = i >= '0' && i <= '9';
    bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
    CU_ASSERT_EQUAL(wr_text_is_digit(c), digit);
    CU_ASSERT_EQUAL(wr_text_is_alnum(c), digit || letter);
    CU_ASSERT_EQUAL(wr_text_is_space(c),
                    i != 0 && strchr(" \t\n\v\f\r", i) != NULL);
    CU_ASSERT_EQUAL(wr_text_upper(c), i >= 'a' && i <= 'z' ? c - 32 : c);
  }
}

static void check_same(void) {
  CU_ASSERT_TRUE(wr_text_same("Interval", "iNTERVAL"));
  CU_ASSERT_TRUE(wr_text_same("ID", "id"));
  CU_ASSERT_TRUE(wr_text_same("", ""));
  CU_ASSERT_FALSE(wr_text_same("id", "ids"));
  CU_ASSERT_FALSE(wr_text_same("ids", "id"));
  CU_ASSERT_FALSE(wr_text_same("a[", "a{"));
  CU_ASSERT_FALSE(wr_text_same("\xe4", "\xc4"));
}

static void test_ascii_alone(void) {
  check_classes();
  check_same();
}

/* In Turkish "ID" is not "id", and in 8 bits letters lie above 127. */
static void test_any_locale(void) {
  unit_set_locale("tr_TR.ISO-8859-9");
  CU_ASSERT_NOT_EQUAL(tolower('I'), 'i');
  CU_ASSERT_NOT_EQUAL(isalnum(0xe4), 0);
  check_classes();
  check_same();
  unit_set_locale("C");
}

static void test_utf8(void) {
  static const struct {
    const char *text;
    size_t len;
  } cases[] = {
      {"a", 1},
      {"\x7f", 1},
      {"\xc2\x80", 2},
      {"\xdf\xbf", 2},
      {"\xe0\xa0\x80", 3},
      {"\xed\x9f\xbf", 3},
      {"\xee\x80\x80", 3},
      {"\xef\xbf\xbf", 3},
      {"\xf0\x90\x80\x80", 4},
      {"\xf4\x8f\xbf\xbf", 4},
      {"\x80", 0},
      {"\xc1\xbf", 0}, /* overlong */
      {"\xe0\x9f\xbf", 0},
      {"\xf0\x8f\xbf\xbf", 0},
      {"\xed\xa0\x80", 0}, /* a surrogate */
      {"\xf4\x90\x80\x80", 0},
      {"\xf5\x80\x80\x80", 0},
      {"\xc3", 0}, /* cut short */
      {"\xc3(", 0},
      {"\xe2\x82", 0},
      {"\xe2(\xac", 0},
      {"\xe2\x82(", 0},
      {"\xf0\x9f\x92", 0},
      {"\xf0\x9f\x92(", 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *text = cases[i].text;
    CU_ASSERT_EQUAL(wr_text_utf8(text, strlen(text)), cases[i].len);
    CU_ASSERT_EQUAL(wr_text_is_utf8(text, strlen(text)), cases[i].len > 0);
  }
  CU_ASSERT_EQUAL(wr_text_utf8("", 0), 0);
  CU_ASSERT_TRUE(wr_text_is_utf8("", 0));
  CU_ASSERT_TRUE(wr_text_is_utf8("a\0\xc3\xa4z", 5));
  CU_ASSERT_FALSE(wr_text_is_utf8("a\xc3\xa4z\xff", 5));
  CU_ASSERT_TRUE(wr_text_is_utf8("a\xc3\xa4z\xff", 4));
}

static void test_cut(void) {
  static const struct {
    const char *text;
    size_t max, kept;
  } cases[] = {
      {"", 0, 0},
      {"", 3, 0},
      {"abc", 3, 3},
      {"abc", 4, 3},
      {"abc", 2, 2},
      {"abc", 0, 0},
      {"a\xc3\xa4", 2, 1},
      {"a\xc3\xa4", 3, 3},
      {"\xe2\x82\xac", 2, 0},
      {"\xe2\x82\xac", 3, 3},
      {"\x80\x80", 1, 0}, /* none: still an end */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_text_cut(cases[i].text, cases[i].max), cases[i].kept);
}

static void test_errors(void) {
  CU_ASSERT_STRING_EQUAL(wr_text_error(ENOENT), "No such file or directory");
  CU_ASSERT_STRING_EQUAL(wr_text_error(ENOSPC), "No space left on device");
  CU_ASSERT_PTR_NOT_NULL(wr_text_error(123456));
}

UNIT_MAIN("text", UNIT(test_ascii_alone), UNIT(test_any_locale),
          UNIT(test_utf8), UNIT(test_cut), UNIT(test_errors))
