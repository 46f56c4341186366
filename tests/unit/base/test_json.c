#include "lib/base/json.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, yajl_val *doc) {
  return wr_json_parse(text, strlen(text), 4096, doc);
}

static void test_members_and_their_types(void) {
  yajl_val doc;
  CU_ASSERT_EQUAL_FATAL(
      parse("{\"s\":\"x\",\"i\":-7,\"d\":0.5,\"t\":true,\"n\":null}", &doc), 0);
  const char *s = NULL;
  int64_t i = 0;
  double d = 0;
  bool t = false;
  CU_ASSERT_EQUAL(wr_json_string(doc, "s", &s), 0);
  CU_ASSERT_STRING_EQUAL(s, "x");
  CU_ASSERT_EQUAL(wr_json_int(doc, "i", &i), 0);
  CU_ASSERT_EQUAL(i, -7);
  CU_ASSERT_EQUAL(wr_json_double(doc, "i", &d), 0);
  CU_ASSERT_EQUAL(d, -7.0);
  CU_ASSERT_EQUAL(wr_json_double(doc, "d", &d), 0);
  CU_ASSERT_EQUAL(d, 0.5);
  CU_ASSERT_EQUAL(wr_json_bool(doc, "t", &t), 0);
  CU_ASSERT(t);
  CU_ASSERT_EQUAL(wr_json_double(doc, "n", &d), -EINVAL);
  CU_ASSERT_EQUAL(wr_json_int(doc, "d", &i), -EINVAL);
  CU_ASSERT_EQUAL(wr_json_string(doc, "absent", &s), -ENOENT);
  CU_ASSERT_EQUAL(wr_json_string(wr_json_get(doc, "s"), "s", &s), -ENOENT);
  wr_json_free(doc);
}

static void test_bad_documents(void) {
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"", -EBADMSG},         {"{", -EBADMSG},
      {"{} {}", -EBADMSG},    {"{\"a\":NaN}", -EBADMSG},
      {"\"\xff\"", -EBADMSG}, {"[1,]", -EBADMSG},
      {"]]]]", -EBADMSG},     {"{\"a\" 1}", -EBADMSG},
      {"nul", -EBADMSG},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    yajl_val doc = (yajl_val)&doc;
    CU_ASSERT_EQUAL(parse(cases[i].text, &doc), cases[i].status);
    CU_ASSERT_PTR_NULL(doc);
  }
}

static void test_bombs(void) {
  yajl_val doc;
  char deep[201];
  memset(deep, '[', 100);
  memset(deep + 100, ']', 100);
  deep[200] = '\0';
  CU_ASSERT_EQUAL(parse(deep, &doc), -ELOOP);
  CU_ASSERT_EQUAL(wr_json_parse("[1,2,3]", 7, 6, &doc), -E2BIG);
  CU_ASSERT_EQUAL(wr_json_parse("{}\0{}", 5, 10, &doc), -EBADMSG);
  /* brackets in strings are no depth */
  CU_ASSERT_EQUAL(
      parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"", &doc), 0);
  wr_json_free(doc);
}

static void test_numbers_beyond_a_double(void) {
  yajl_val doc;
  double d = 1;
  CU_ASSERT_EQUAL_FATAL(parse("{\"a\":1e999}", &doc), 0);
  CU_ASSERT_EQUAL(wr_json_double(doc, "a", &d), -EINVAL);
  CU_ASSERT_EQUAL(d, 1);
  wr_json_free(doc);
}

static void test_strings_come_out_valid(void) {
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"plain", "\"plain\""},
      {"q\"b\\n\n\x01", "\"q\\\"b\\\\n\\u000a\\u0001\""},
      {"\xc3\xa4\xf0\x9f\x92\xa7", "\"\xc3\xa4\xf0\x9f\x92\xa7\""},
      {"\xff"
       "a",
       "\"\xef\xbf\xbd"
       "a\""},
      {"\xc3", "\"\xef\xbf\xbd\""},                 /* cut short */
      {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* overlong */
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_bytes b = WR_BYTES_INIT(100);
    CU_ASSERT_EQUAL(wr_json_put_string(&b, cases[i].in), 0);
    CU_ASSERT_STRING_EQUAL(b.data, cases[i].out);
    yajl_val doc;
    CU_ASSERT_EQUAL(parse(b.data, &doc), 0);
    wr_json_free(doc);
    wr_bytes_free(&b);
  }
  struct wr_bytes tiny = WR_BYTES_INIT(4);
  CU_ASSERT_EQUAL(wr_json_put_string(&tiny, "abc"), -ENOSPC);
  wr_bytes_free(&tiny);
}

static void test_doubles_read_back(void) {
  const double values[] = {0,      0.1,    -1.0 / 3,
                           1e300,  5e-324, 10.13,
                           123456, 1e15,   3.4028234663852886e38};
  struct wr_bytes b = WR_BYTES_INIT(100);
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    wr_bytes_reset(&b);
    CU_ASSERT_EQUAL(wr_json_put_double(&b, values[i]), 0);
    CU_ASSERT_EQUAL(strtod(b.data, NULL), values[i]);
  }
  wr_bytes_reset(&b);
  wr_json_put_double(&b, 0.1);
  CU_ASSERT_STRING_EQUAL(b.data, "0.1");
  wr_bytes_reset(&b);
  wr_json_put_double(&b, NAN);
  wr_json_put_double(&b, -HUGE_VAL);
  CU_ASSERT_STRING_EQUAL(b.data, "nullnull");
  wr_bytes_free(&b);
}

UNIT_MAIN("json", UNIT(test_members_and_their_types), UNIT(test_bad_documents),
          UNIT(test_bombs), UNIT(test_numbers_beyond_a_double),
          UNIT(test_strings_come_out_valid), UNIT(test_doubles_read_back))
