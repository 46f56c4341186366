#include "lib/base/json.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, struct wr_json **doc) {
  return wr_json_parse(text, strlen(text), 4096, doc);
}

static void test_members_and_their_types(void) {
  struct wr_json *doc;
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

static void test_items_in_their_order(void) {
  struct wr_json *doc;
  CU_ASSERT_EQUAL_FATAL(
      parse(" [1,[[2],{}],{\"a\":[3],\"b\":\"x\",\"c\":[]},true] ", &doc), 0);
  const struct wr_json *v = wr_json_next(doc, NULL);
  CU_ASSERT_EQUAL(wr_json_kind(v), WR_JSON_NUMBER);
  v = wr_json_next(doc, v);
  CU_ASSERT_EQUAL(wr_json_kind(v), WR_JSON_ARRAY);
  v = wr_json_next(doc, v);
  CU_ASSERT_EQUAL(wr_json_kind(v), WR_JSON_OBJECT);
  const struct wr_json *m = wr_json_next(v, NULL);
  CU_ASSERT_STRING_EQUAL(wr_json_key(m), "a");
  CU_ASSERT_PTR_EQUAL(m, wr_json_get(v, "a"));
  m = wr_json_next(v, m);
  CU_ASSERT_STRING_EQUAL(wr_json_key(m), "b");
  CU_ASSERT_STRING_EQUAL(wr_json_text(m), "x");
  m = wr_json_next(v, m);
  CU_ASSERT_STRING_EQUAL(wr_json_key(m), "c");
  CU_ASSERT_PTR_NULL(wr_json_next(m, NULL));
  CU_ASSERT_PTR_NULL(wr_json_next(v, m));
  v = wr_json_next(doc, v);
  CU_ASSERT_EQUAL(wr_json_kind(v), WR_JSON_BOOL);
  CU_ASSERT_PTR_NULL(wr_json_text(v));
  CU_ASSERT_PTR_NULL(wr_json_next(v, NULL));
  CU_ASSERT_PTR_NULL(wr_json_next(doc, v));
  wr_json_free(doc);
  CU_ASSERT_EQUAL(wr_json_kind(NULL), WR_JSON_NONE);
  CU_ASSERT_PTR_NULL(wr_json_next(NULL, NULL));
  CU_ASSERT_PTR_NULL(wr_json_get(NULL, "a"));
}

/* A document may be one value. */
static void test_one_value(void) {
  static const struct {
    const char *text;
    enum wr_json_kind kind;
  } cases[] = {{"7", WR_JSON_NUMBER},    {" -1.5 ", WR_JSON_NUMBER},
               {"true", WR_JSON_BOOL},   {"null", WR_JSON_NULL},
               {"\"\"", WR_JSON_STRING}, {"[]", WR_JSON_ARRAY},
               {"{}", WR_JSON_OBJECT}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_json *doc;
    CU_ASSERT_EQUAL_FATAL(parse(cases[i].text, &doc), 0);
    CU_ASSERT_EQUAL(wr_json_kind(doc), cases[i].kind);
    wr_json_free(doc);
  }
}

/* Nothing behind the document is looked at: sanitizers see its end. */
static void test_ends_where_it_ends(void) {
  static const char text[] = "[1,{\"a\":\"b\"},\"\\\"\",-1.5e-7,true]";
  const size_t len = sizeof(text) - 1;
  char *exact = malloc(len);
  struct wr_json *doc;
  memcpy(exact, text, len);
  CU_ASSERT_EQUAL(wr_json_parse(exact, len, len, &doc), 0);
  wr_json_free(doc);
  free(exact);
  CU_ASSERT_EQUAL(
      wr_json_parse("[]", (size_t)UINT32_MAX / 2 + 1, SIZE_MAX, &doc), -E2BIG);
  CU_ASSERT_PTR_NULL(doc);
}

static void test_the_last_of_equal_keys(void) {
  struct wr_json *doc;
  int64_t i = 0;
  CU_ASSERT_EQUAL_FATAL(parse("{\"a\":1,\"b\":2,\"a\":3}", &doc), 0);
  CU_ASSERT_EQUAL(wr_json_int(doc, "a", &i), 0);
  CU_ASSERT_EQUAL(i, 3);
  wr_json_free(doc);
}

static void test_strings_are_read(void) {
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"\"\"", ""},
      {"\"\\u00e4\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\xc3\xa4\"\\/\b\f\n\r\t"},
      {"\"a\\u0000b\"", "a\xef\xbf\xbd"
                        "b"}, /* no text ends early */
      {"\"\\ud83d\\udca7\"", "\xf0\x9f\x92\xa7"},
      {"\"\\u0000\\u0000\"", "\xef\xbf\xbd\xef\xbf\xbd"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_json *doc;
    CU_ASSERT_EQUAL_FATAL(parse(cases[i].in, &doc), 0);
    CU_ASSERT_STRING_EQUAL(wr_json_text(doc), cases[i].out);
    wr_json_free(doc);
  }
}

static void test_integers(void) {
  static const struct {
    const char *text;
    int status;
    int64_t value;
  } cases[] = {
      {"{\"i\":9223372036854775807}", 0, INT64_MAX},
      {"{\"i\":-9223372036854775808}", 0, INT64_MIN},
      {"{\"i\":9223372036854775808}", -EINVAL, 5},
      {"{\"i\":-9223372036854775809}", -EINVAL, 5},
      {"{\"i\":1.0}", -EINVAL, 5},
      {"{\"i\":1e3}", -EINVAL, 5},
      {"{\"i\":\"1\"}", -EINVAL, 5},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_json *doc;
    int64_t value = 5;
    errno = ERANGE; /* of somebody else */
    CU_ASSERT_EQUAL_FATAL(parse(cases[i].text, &doc), 0);
    CU_ASSERT_EQUAL(wr_json_int(doc, "i", &value), cases[i].status);
    CU_ASSERT_EQUAL(value, cases[i].value);
    wr_json_free(doc);
  }
}

static void test_bad_documents(void) {
  static const char *const cases[] = {
      "",
      " ",
      "{",
      "{} {}",
      "{\"a\":NaN}",
      "[1,]",
      "]]]]",
      "\"\xff\"",
      "{\"a\" 1}",
      "nul",
      "\"a",
      "{}x",
      "{}}",
      "{}1",
      "{}\"abc",
      "1\"abc",
      "1 \"abc",
      "{}/",
      "{} /* a */",
      "[1]nul",
      "01",
      "[1 2]",
      "1 2",
      "{}-",
      "[]\xc3",
      "\"\n\"",
      "\"\\x\"",
      "+1",
      "\"\\u12g4\"",
      "{\"a\":1,}",
      "{1:2}",
      "[}",
      "{]",
      "\xef\xbb\xbf{}",
      "\"\xed\xa0\x80\"",
      "[1-2]",
      "\"\xc0\x80\"",
      "tru",
      "truefalse",
      "'a'",
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_json *doc = (struct wr_json *)&doc;
    int status = parse(cases[i], &doc);
    if (status != -EBADMSG)
      printf("%s: %d\n", cases[i], status);
    CU_ASSERT_EQUAL(status, -EBADMSG);
    CU_ASSERT_PTR_NULL(doc);
  }
}

static void test_ceilings(void) {
  struct wr_json *doc;
  char deep[2 * WR_JSON_DEPTH + 3];
  for (int depth = WR_JSON_DEPTH - 1; depth <= WR_JSON_DEPTH + 1; depth++) {
    memset(deep, '[', (size_t)depth);
    memset(deep + depth, ']', (size_t)depth);
    deep[2 * depth] = '\0';
    CU_ASSERT_EQUAL(parse(deep, &doc), depth <= WR_JSON_DEPTH ? 0 : -ELOOP);
    wr_json_free(doc);
  }
  for (size_t max = 6; max <= 8; max++) {
    CU_ASSERT_EQUAL(wr_json_parse("[1,2,3]", 7, max, &doc),
                    max < 7 ? -E2BIG : 0);
    wr_json_free(doc);
  }
  CU_ASSERT_EQUAL(wr_json_parse("{}\0{}", 5, 10, &doc), -EBADMSG);
  /* brackets in strings are no depth */
  CU_ASSERT_EQUAL(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"",
                        &doc),
                  0);
  wr_json_free(doc);
}

static void test_no_memory(void) {
  static const char text[] =
      "{\"a\":[1,2,{\"b\\n\":\"long \\u00e4 text\"}],\"c\":null}";
  long rounds = 0;
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_json *doc;
    int status = parse(text, &doc);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    CU_ASSERT_EQUAL(doc == NULL, unit_alloc_failed());
    wr_json_free(doc);
    rounds++;
  }
  CU_ASSERT(rounds > 5);
}

/* Ten bytes for each byte of a document, whatever is in it. */
static void test_memory_is_bounded(void) {
  static const char *const cells[] = {
      "0,",
      "\"\",",
      "[],",
      "{},",
      "\"\\n\",",
      "{\"\":0},",
      "-1.5e-7,",
      "\"::::::::,,,,,,[[[[[[\",",
      "[0,0,0],",
      "null,",
      "\"\\u0000\",",
      "\"[[[[[[[[[[[[[[[[\",",
      "\"a b c d e f g\",",
      "\"\\\\\",",
      "\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"\","};
  const size_t size = 1 << 18;
  char *text = malloc(size + 64);
  for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
    struct wr_json *doc;
    size_t len = 1;
    text[0] = '[';
    while (len < size) {
      strcpy(text + len, cells[i]);
      len += strlen(cells[i]);
    }
    text[len - 1] = ']';
    unit_alloc_reset_peak();
    CU_ASSERT_EQUAL(wr_json_parse(text, len, len, &doc), 0);
    CU_ASSERT(unit_alloc_peak() < 10 * len);
    wr_json_free(doc);
  }
  memset(text, 'x', size);
  memcpy(text, "\"\\n", 3);
  text[size - 1] = '"';
  struct wr_json *doc;
  unit_alloc_reset_peak();
  CU_ASSERT_EQUAL(wr_json_parse(text, size, size, &doc), 0);
  CU_ASSERT(unit_alloc_peak() < 10 * size);
  wr_json_free(doc);
  free(text);
}

/* What another plugin sets at run time changes nothing. */
static void test_any_locale(void) {
  struct wr_bytes b = WR_BYTES_INIT(100);
  struct wr_json *doc;
  double d = 0;
  unit_set_locale("de_DE.UTF-8");
  CU_ASSERT_EQUAL(parse("{\"d\":0.5}", &doc), 0);
  CU_ASSERT_EQUAL(wr_json_double(doc, "d", &d), 0);
  CU_ASSERT_EQUAL(d, 0.5);
  CU_ASSERT_EQUAL(wr_json_put_double(&b, 0.5), 0);
  CU_ASSERT_STRING_EQUAL(b.data, "0.5");
  unit_set_locale("C");
  wr_json_free(doc);
  wr_bytes_free(&b);
}

static void test_numbers_beyond_a_double(void) {
  struct wr_json *doc;
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
      {"plain and\x1f\x7f", "\"plain and\\u001f\x7f\""},
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
    struct wr_json *doc;
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

UNIT_MAIN("json", UNIT(test_members_and_their_types),
          UNIT(test_items_in_their_order), UNIT(test_one_value),
          UNIT(test_ends_where_it_ends), UNIT(test_the_last_of_equal_keys),
          UNIT(test_strings_are_read), UNIT(test_integers),
          UNIT(test_bad_documents), UNIT(test_ceilings), UNIT(test_no_memory),
          UNIT(test_memory_is_bounded), UNIT(test_any_locale),
          UNIT(test_numbers_beyond_a_double), UNIT(test_strings_come_out_valid),
          UNIT(test_doubles_read_back))
