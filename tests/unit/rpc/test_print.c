#include "tests/unit/rpc/codec_case.h"
#include "tests/unit/unit.h"

#include <string.h>

static void test_print(void) {
  static const struct {
    const char *bytes, *text, *error;
  } cases[] = {
      {"a3 616263", "\"abc\"", "abc"},
      {"d9 03 61 0a 62", "\"a?b\"", "a?b"},
      {"a4 1f 20 7e 7f", "\"? ~?\"", "? ~?"},
      {"c4 02 6869", "\"hi\"", "hi"},
      {"92 02 a2 6e6f", "[2,\"no\"]", "2 no"},
      {"82 a4 636f6465 07 a1 6d a3 626164", "{\"code\":7,\"m\":\"bad\"}",
       "bad"},
      {"93 01 c0 c3", "[1,null,true]", "[1,null,true]"},
      {"93 02 a2 6e6f 01", "[2,\"no\",1]", "[2,\"no\",1]"},
      {"92 02 07", "[2,7]", "[2,7]"},
      {"92 a2 6e6f 02", "[\"no\",2]", "[\"no\",2]"},
      {"91 a2 6e6f", "[\"no\"]", "[\"no\"]"},
      {"82 01 a2 6e6f 02 03", "{1:\"no\",2:3}", "no"},
      {"82 01 02 03 c4 01 61", "{1:2,3:\"a\"}", "a"},
      {"81 a1 61 02", "{\"a\":2}", "{\"a\":2}"},
      {"a0", "\"\"", ""},
      {"ca 41480000", "12.5", "12.5"},
      {"cb 3fb999999999999a", "0.1", "0.1"},
      {"cd ffff", "65535", "65535"},
      {"c2", "false", "false"},
      {"f0", "-16", "-16"},
      {"80", "{}", "{}"},
      {"d4 01 00", "(1 bytes of an extension type)",
       "(1 bytes of an extension type)"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t bytes[64];
    char text[64];
    struct wr_rpc_value v = value_of(cases[i].bytes, bytes);
    wr_rpc_print(&v, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    wr_rpc_print_error(&v, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, cases[i].error);
  }
}

static void test_print_is_cut(void) {
  uint8_t bytes[64];
  char text[5];
  struct wr_rpc_value v = value_of("92 a6 616263646566 02", bytes);
  wr_rpc_print(&v, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "[\"ab");
}

/* Into any room, also none, and not a byte before or behind it. */
static void fits(void (*print)(const struct wr_rpc_value *, char *, size_t),
                 const char *value, const char *want) {
  uint8_t bytes[64];
  struct wr_rpc_value v = value_of(value, bytes);
  for (size_t size = 0; size <= strlen(want) + 2; size++) {
    char all[64], *text = all + 1;
    memset(all, '#', sizeof(all));
    print(&v, text, size);
    CU_ASSERT_EQUAL(all[0], '#');
    for (size_t i = 1 + size; i < sizeof(all); i++)
      CU_ASSERT_EQUAL(all[i], '#');
    size_t len = size <= strlen(want) ? size - 1 : strlen(want);
    CU_ASSERT(size == 0 || strlen(text) == len);
    CU_ASSERT(size == 0 || strncmp(text, want, len) == 0);
  }
}

static void test_print_into_any_room(void) {
  fits(wr_rpc_print, "92 a3 616263 02", "[\"abc\",2]");
  fits(wr_rpc_print_error, "92 02 a3 616263", "2 abc");
  fits(wr_rpc_print_error, "a3 616263", "abc");
  fits(wr_rpc_print, "cb 3fb999999999999a", "0.1");
}

/* Whatever a value says about itself, nothing behind its end is read. */
static void test_print_ends_with_the_value(void) {
  uint8_t bytes[64];
  char text[64];
  struct wr_rpc_value v = value_of("93 01 02 03", bytes);
  v.len = 2;
  wr_rpc_print(&v, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "[1,2]");
  v = value_of("82 01 02 03 a1 61", bytes);
  v.len = 2;
  wr_rpc_print_error(&v, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "{1:2}");
}

UNIT_MAIN("print", UNIT(test_print), UNIT(test_print_is_cut),
          UNIT(test_print_into_any_room), UNIT(test_print_ends_with_the_value))
