#include "lib/cloud/proto.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void test_bad_token_replies(void) {
  static const char *const bad[] = {
      "",
      "{",
      "[]",
      "{}",
      "null",
      "{\"access_token\":\"\"}",
      "{\"access_token\":17}",
      "{\"access_token\":\"a b\"}",
      "{\"access_token\":\"a\\r\\nX-Evil: 1\"}",
      "{\"access_token\":\"\\u00e4\"}",
      "{\"access_token\":\"a\\u0000b\"}x",
      "<html>",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct wr_bytes token = WR_BYTES_INIT(1000);
    int64_t lifetime = 0;
    CU_ASSERT_EQUAL(
        wr_cloud_read_token(bad[i], strlen(bad[i]), &token, &lifetime),
        -EBADMSG);
    wr_bytes_free(&token);
  }
}

/* What may just stand in a header, and what may not. */
static void test_bytes_of_a_token(void) {
  for (int c = 1; c < 128; c++) {
    struct wr_bytes token = WR_BYTES_INIT(1000);
    char text[64];
    int64_t lifetime = 0;
    snprintf(text, sizeof(text), "{\"access_token\":\"a\\u%04x\"}", c);
    CU_ASSERT_EQUAL(wr_cloud_read_token(text, strlen(text), &token, &lifetime),
                    c > 0x20 && c < 0x7f ? 0 : -EBADMSG);
    wr_bytes_free(&token);
  }
}

static void check_token(const char *text, int64_t want_ms) {
  struct wr_bytes token = WR_BYTES_INIT(1000);
  int64_t lifetime = 0;
  CU_ASSERT_EQUAL(wr_cloud_read_token(text, strlen(text), &token, &lifetime),
                  0);
  CU_ASSERT_STRING_EQUAL(token.data, "ey.J-_~+/=");
  CU_ASSERT_EQUAL(lifetime, want_ms);
  wr_bytes_free(&token);
}

static void test_tokens(void) {
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":300}", 300000);
  check_token("{\"access_token\":\"ey.J-_~+/=\"}", 60000);
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":-1}", 60000);
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":1e300}", 60000);
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":\"x\"}", 60000);
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":0}", 60000);
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":0.5}", 500);
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":31622399}",
              INT64_C(31622399000));
  check_token("{\"access_token\":\"ey.J-_~+/=\",\"expires_in\":31622400}",
              60000);
}

static void test_token_longer_than_its_ceiling(void) {
  struct wr_bytes token = WR_BYTES_INIT(4);
  int64_t lifetime = 0;
  const char *text = "{\"access_token\":\"12345\"}";
  CU_ASSERT_EQUAL(wr_cloud_read_token(text, strlen(text), &token, &lifetime),
                  -EBADMSG);
  wr_bytes_free(&token);
}

static void test_token_body_is_a_form(void) {
  struct wr_bytes out = WR_BYTES_INIT(1000);
  CU_ASSERT_EQUAL(wr_cloud_token_body(&out, "id", "s&=+ %\xc3", "sp-1"), 0);
  CU_ASSERT_STRING_EQUAL(
      out.data,
      "grant_type=client_credentials&client_id=id&"
      "client_secret=s%26%3D%2B%20%25%C3&"
      "audience=https%3A%2F%2Fapi2.arduino.cc%2Fiot&organization_id=sp-1");
  wr_bytes_reset(&out);
  CU_ASSERT_EQUAL(wr_cloud_token_body(&out, "id", "s", NULL), 0);
  CU_ASSERT_PTR_NULL(strstr(out.data, "organization"));
  wr_bytes_free(&out);
}

static void check_url(enum wr_cloud_endpoint e, const char *want) {
  struct wr_bytes out = WR_BYTES_INIT(1000);
  CU_ASSERT_EQUAL(wr_cloud_url(&out, "https://h", e, "t", "p"), 0);
  CU_ASSERT_STRING_EQUAL(out.data, want);
  wr_bytes_free(&out);
}

static void test_urls(void) {
  check_url(WR_CLOUD_TOKEN, "https://h/iot/v1/clients/token");
  check_url(WR_CLOUD_PROPERTIES, "https://h/iot/v2/things/t/properties");
  check_url(WR_CLOUD_PUBLISH_MANY, "https://h/iot/v2/things/t/publish");
  check_url(WR_CLOUD_PUBLISH_ONE,
            "https://h/iot/v2/things/t/properties/p/publish");
  check_url(WR_CLOUD_PUBLISH_BATCH,
            "https://h/iot/v2/things/t/properties/p/publish_batch");
  struct wr_bytes out = WR_BYTES_INIT(1000);
  CU_ASSERT_EQUAL(wr_cloud_url(&out, "h", (enum wr_cloud_endpoint)99, "t", "p"),
                  -EINVAL);
  CU_ASSERT_EQUAL(out.len, 0);
}

static void check_body(enum wr_cloud_endpoint e, const struct wr_cloud_item *i,
                       size_t count, const char *want) {
  struct wr_bytes out = WR_BYTES_INIT(1000);
  CU_ASSERT_EQUAL(wr_cloud_publish_body(&out, e, i, count), 0);
  CU_ASSERT_STRING_EQUAL(out.data, want);
  wr_bytes_free(&out);
}

static const struct wr_value half = {WR_VALUE_NUMBER, 12.5, ""};
static const struct wr_value yes = {WR_VALUE_BOOL, 1, ""};
static const struct wr_value text = {WR_VALUE_TEXT, 0, "L\"\n\xff"};

static void test_bodies(void) {
  struct wr_cloud_item items[] = {{"flow", WR_CLOUD_NUMBER, 0, &half},
                                  {"leak", WR_CLOUD_BOOL, 0, &yes},
                                  {"label", WR_CLOUD_TEXT, 0, &text}};
  check_body(
      WR_CLOUD_PUBLISH_MANY, items, 3,
      "{\"to_device\":false,\"properties\":["
      "{\"property\":\"flow\",\"value\":12.5},"
      "{\"property\":\"leak\",\"value\":true},"
      "{\"property\":\"label\",\"value\":\"L\\\"\\u000a\xef\xbf\xbd\"}]}");
  check_body(WR_CLOUD_PUBLISH_ONE, items, 1, "{\"value\":12.5}");
  items[0].time_us = INT64_C(1767225600123456);
  items[1] = items[0];
  items[1].time_us = INT64_C(1767225601000000);
  check_body(WR_CLOUD_PUBLISH_BATCH, items, 2,
             "[{\"timestamp\":\"2026-01-01T00:00:00.123456Z\",\"value\":12.5},"
             "{\"timestamp\":\"2026-01-01T00:00:01.000000Z\",\"value\":12.5}]");
}

static void test_values_take_the_type_of_the_property(void) {
  struct wr_cloud_item i = {"x", WR_CLOUD_INTEGER, 0, &half};
  check_body(WR_CLOUD_PUBLISH_ONE, &i, 1, "{\"value\":12}");
  i.type = WR_CLOUD_BOOL;
  check_body(WR_CLOUD_PUBLISH_ONE, &i, 1, "{\"value\":true}");
  i.value = &yes;
  i.type = WR_CLOUD_NUMBER;
  check_body(WR_CLOUD_PUBLISH_ONE, &i, 1, "{\"value\":1}");
  i.type = WR_CLOUD_UNKNOWN;
  check_body(WR_CLOUD_PUBLISH_ONE, &i, 1, "{\"value\":true}");
}

static void test_nan_is_never_sent(void) {
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  for (size_t k = 0; k < 3; k++) {
    struct wr_bytes out = WR_BYTES_INIT(1000);
    struct wr_value v = {WR_VALUE_NUMBER, bad[k], ""};
    struct wr_cloud_item i = {"x", WR_CLOUD_NUMBER, 0, &v};
    CU_ASSERT_EQUAL(wr_cloud_publish_body(&out, WR_CLOUD_PUBLISH_ONE, &i, 1),
                    -EINVAL);
    wr_bytes_free(&out);
  }
}

static void test_times_out_of_range(void) {
  char out[40];
  CU_ASSERT_EQUAL(wr_cloud_time(out, sizeof(out), -1), -ERANGE);
  CU_ASSERT_EQUAL(wr_cloud_time(out, sizeof(out), INT64_MAX), -ERANGE);
  CU_ASSERT_EQUAL(wr_cloud_time(out, sizeof(out), 0), 0);
  CU_ASSERT_STRING_EQUAL(out, "1970-01-01T00:00:00.000000Z");
}

/* The last second of 32 bits, the next one; the last of year 9999, the next. */
static void test_times_beyond_2038(void) {
  static const struct {
    int64_t second;
    const char *text;
  } cases[] = {
      {INT32_MAX, "2038-01-19T03:14:07.000001Z"},
      {INT32_MAX + INT64_C(1), "2038-01-19T03:14:08.000001Z"},
      {INT64_C(4294967296), "2106-02-07T06:28:16.000001Z"},
      {INT64_C(253402300799), "9999-12-31T23:59:59.000001Z"},
      {INT64_C(253402300800), NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char out[64] = "";
    CU_ASSERT_EQUAL(
        wr_cloud_time(out, sizeof(out), cases[i].second * 1000000 + 1),
        cases[i].text != NULL ? 0 : -ERANGE);
    CU_ASSERT_STRING_EQUAL(out, cases[i].text != NULL ? cases[i].text : "");
  }
}

/* The classes of the service's list of types, and the brands of three. */
static void test_types_by_class(void) {
  static const struct {
    const char *name;
    enum wr_cloud_type type;
  } types[] = {{"PERCENTAGE", WR_CLOUD_NUMBER},
               {"LITER_PER_SECOND", WR_CLOUD_NUMBER},
               {"HOME_TEMPERATURE", WR_CLOUD_NUMBER},
               {"GOOGLE_HOME_TEMPERATURE_C", WR_CLOUD_NUMBER},
               {"COUNT", WR_CLOUD_INTEGER},
               {"HOME_LIGHT", WR_CLOUD_BOOL},
               {"HOME_MOTION_SENSOR", WR_CLOUD_BOOL},
               {"HOME_CONTACT_SENSOR", WR_CLOUD_BOOL},
               {"SMART_HOME_SMART_PLUG", WR_CLOUD_BOOL},
               {"SMART_HOME_SWITCH", WR_CLOUD_BOOL},
               {"GOOGLE_HOME_MOTION_SENSOR", WR_CLOUD_BOOL},
               {"COLOR_HSB", WR_CLOUD_OTHER},
               {"COLOR_RGB", WR_CLOUD_OTHER},
               {"SCHEDULE", WR_CLOUD_OTHER},
               {"GENERIC_COMPLEX_PROPERTY", WR_CLOUD_OTHER},
               {"HOME_COLORED_LIGHT", WR_CLOUD_OTHER},
               {"SMART_HOME_TELEVISION", WR_CLOUD_OTHER},
               {"GOOGLE_HOME_DIMMED_LIGHT", WR_CLOUD_OTHER}};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    CU_ASSERT_EQUAL(wr_cloud_type_of(types[i].name), types[i].type);
}

static void test_types_and_names(void) {
  CU_ASSERT_EQUAL(wr_cloud_type_of("FLOAT"), WR_CLOUD_NUMBER);
  CU_ASSERT_EQUAL(wr_cloud_type_of("FLOW_RATE"), WR_CLOUD_NUMBER);
  CU_ASSERT_EQUAL(wr_cloud_type_of("INT"), WR_CLOUD_INTEGER);
  CU_ASSERT_EQUAL(wr_cloud_type_of("CHARSTRING"), WR_CLOUD_TEXT);
  CU_ASSERT_EQUAL(wr_cloud_type_of("STATUS"), WR_CLOUD_BOOL);
  CU_ASSERT_EQUAL(wr_cloud_type_of("HOME_SWITCH"), WR_CLOUD_BOOL);
  CU_ASSERT_EQUAL(wr_cloud_type_of("LOCATION"), WR_CLOUD_OTHER);
  CU_ASSERT_TRUE(wr_cloud_fits(WR_VALUE_NUMBER, WR_CLOUD_BOOL));
  CU_ASSERT_TRUE(wr_cloud_fits(WR_VALUE_TEXT, WR_CLOUD_UNKNOWN));
  CU_ASSERT_FALSE(wr_cloud_fits(WR_VALUE_TEXT, WR_CLOUD_NUMBER));
  CU_ASSERT_FALSE(wr_cloud_fits(WR_VALUE_NUMBER, WR_CLOUD_TEXT));
  CU_ASSERT_FALSE(wr_cloud_fits(WR_VALUE_NUMBER, WR_CLOUD_OTHER));
  CU_ASSERT_FALSE(wr_cloud_id_ok(""));
  CU_ASSERT_FALSE(wr_cloud_id_ok("../x"));
  CU_ASSERT_FALSE(wr_cloud_id_ok("a?b"));
  CU_ASSERT_FALSE(wr_cloud_id_ok("/ab"));
  CU_ASSERT_FALSE(wr_cloud_id_ok("ab/"));
  CU_ASSERT_TRUE(wr_cloud_id_ok("8f2d9a64-0b7e-5f43-9f0e-2a4c5d6e7f80"));
  char id[WR_CLOUD_ID_MAX + 2], name[WR_CLOUD_NAME_MAX + 2];
  memset(id, 'a', sizeof(id));
  memset(name, 'a', sizeof(name));
  id[WR_CLOUD_ID_MAX + 1] = name[WR_CLOUD_NAME_MAX + 1] = '\0';
  CU_ASSERT_FALSE(wr_cloud_id_ok(id));
  CU_ASSERT_FALSE(wr_cloud_name_ok(name));
  id[WR_CLOUD_ID_MAX] = name[WR_CLOUD_NAME_MAX] = '\0';
  CU_ASSERT_TRUE(wr_cloud_id_ok(id));
  CU_ASSERT_TRUE(wr_cloud_name_ok(name));
  CU_ASSERT_FALSE(wr_cloud_name_ok(""));
  CU_ASSERT_FALSE(wr_cloud_name_ok("1flow"));
  CU_ASSERT_FALSE(wr_cloud_name_ok("flow rate"));
  CU_ASSERT_TRUE(wr_cloud_name_ok("_flow2"));
}

struct list {
  int count;
  struct wr_cloud_property last;
};

static void each(const struct wr_cloud_property *p, void *arg) {
  struct list *l = arg;
  l->count++;
  memcpy(&l->last, p, sizeof(*p));
}

static void test_property_list(void) {
  const char *good =
      "[{\"id\":\"i1\",\"variable_name\":\"flow\",\"type\":\"FLOAT\"},"
      "{\"id\":\"../..\",\"variable_name\":\"evil\",\"type\":\"FLOAT\"},"
      "{\"id\":\"i3\",\"variable_name\":7,\"type\":\"FLOAT\"},"
      "{\"id\":\"i4\",\"type\":\"FLOAT\"},17,null,"
      "{\"id\":\"i6\",\"name\":\"no name\",\"type\":\"FLOAT\"},"
      "{\"id\":\"i7\",\"name\":\"x\"},{\"name\":\"x\",\"type\":\"INT\"},"
      "{\"id\":\"i5\",\"name\":\"old\",\"type\":\"STATUS\"}]";
  struct list l = {0};
  struct wr_cloud_property last; /* they are compared as bytes */
  memset(&last, 0, sizeof(last));
  strcpy(last.id, "i5");
  strcpy(last.name, "old");
  strcpy(last.type_name, "STATUS");
  last.type = WR_CLOUD_BOOL;
  CU_ASSERT_EQUAL(wr_cloud_read_properties(good, strlen(good), each, &l), 0);
  CU_ASSERT_EQUAL(l.count, 2);
  CU_ASSERT_EQUAL(memcmp(&l.last, &last, sizeof(last)), 0);
  const char *odd = "[{\"id\":\"i\",\"name\":\"n\",\"type\":\"IN_T2\\n\"}]";
  CU_ASSERT_EQUAL(wr_cloud_read_properties(odd, strlen(odd), each, &l), 0);
  CU_ASSERT_STRING_EQUAL(l.last.type_name, "IN_T2?");
  l.count = 2;
  CU_ASSERT_EQUAL(wr_cloud_read_properties("{}", 2, each, &l), -EBADMSG);
  CU_ASSERT_EQUAL(wr_cloud_read_properties("", 0, each, &l), -EBADMSG);
  CU_ASSERT_EQUAL(l.count, 2);
}

static void check_error(const char *body, const char *want) {
  char out[40];
  wr_cloud_read_error(body, strlen(body), out, sizeof(out));
  CU_ASSERT_STRING_EQUAL(out, want);
}

static void test_error_texts(void) {
  check_error("", "");
  check_error("{\"id\":\"x\",\"status\":400,\"detail\":\"no\\nway\"}",
              "no way");
  check_error("{\"error\":\"access_denied\",\"error_description\":\"Un\"}",
              "Un");
  check_error("You have reached maximum request limit.\n",
              "You have reached maximum request limit.");
  check_error("\x1b[31mred", "[31mred");
  check_error("a\x1f\x7f b~", "a  b~");
  check_error("abcdefghijklmnopqrstuvwxyzabcdefghijkl\n\n",
              "abcdefghijklmnopqrstuvwxyzabcdefghijkl");
  check_error("{\"message\":\"m\",\"error\":\"e\"}", "m");
  check_error("{\"error\":\"e\"}", "e");
  check_error("<html><body>nginx</body></html>", "");
  check_error("x", "x");
  check_error(" ", "");
  check_error("abcdefghijklmnopqrstuvwxyzabcdefghijklm",
              "abcdefghijklmnopqrstuvwxyzabcdefghijklm");
  check_error("abcdefghijklmnopqrstuvwxyzabcdefghijklmn",
              "abcdefghijklmnopqrstuvwxyzabcdefghijklm");
  check_error("{\"detail\":7}", "");
  check_error("a text that is far longer than what the buffer can hold at all",
              "a text that is far longer than what the");
  char out[8] = "x";
  wr_cloud_read_error(NULL, 0, out, sizeof(out));
  CU_ASSERT_STRING_EQUAL(out, "");
  wr_cloud_read_error("abcdef", 3, out, sizeof(out)); /* no more is its own */
  CU_ASSERT_STRING_EQUAL(out, "abc");
}

/* Nothing that can be shown: nothing before the buffer is touched. */
static void test_error_of_nothing(void) {
  char around[10] = "         ";
  wr_cloud_read_error("\x1b\n", 2, around + 1, 8);
  CU_ASSERT_EQUAL(around[0], ' ');
  CU_ASSERT_STRING_EQUAL(around + 1, "");
}

static void count_one(const struct wr_cloud_property *p, void *arg) {
  (void)p;
  ++*(int *)arg;
}

/* Each allocation fails once: a status that is a wait, no crash, no half list.
 */
static void test_no_memory(void) {
  static const char token_reply[] =
      "{\"access_token\":\"tok\\u002d1\",\"expires_in\":300}";
  static const char list[] = "[{\"id\":\"f-1\",\"name\":\"\\u0061\","
                             "\"type\":\"FLOAT\"}]";
  static const char refusal[] = "{\"detail\":\"n\\u006f\"}";
  static const struct wr_value value = {.kind = WR_VALUE_TEXT,
                                        .text = "a\"b\n"};
  const struct wr_cloud_item item = {
      .name = "n", .type = WR_CLOUD_TEXT, .value = &value};
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_bytes token = WR_BYTES_INIT(100);
    int64_t lifetime_ms = 0;
    int status = wr_cloud_read_token(token_reply, strlen(token_reply), &token,
                                     &lifetime_ms);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    wr_bytes_free(&token);
  }
  for (long n = 0; unit_alloc_arm(n); n++) {
    int count = 0;
    int status =
        wr_cloud_read_properties(list, strlen(list), count_one, &count);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    CU_ASSERT_EQUAL(count, status == 0);
  }
  for (long n = 0; unit_alloc_arm(n); n++) {
    char out[64];
    wr_cloud_read_error(refusal, strlen(refusal), out, sizeof(out));
    CU_ASSERT(unit_alloc_failed() || strcmp(out, "no") == 0);
  }
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_bytes b = WR_BYTES_INIT(1000);
    int status = wr_cloud_publish_body(&b, WR_CLOUD_PUBLISH_MANY, &item, 1);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    wr_bytes_free(&b);
  }
}

UNIT_MAIN("proto", UNIT(test_times_beyond_2038), UNIT(test_no_memory),
          UNIT(test_bad_token_replies), UNIT(test_bytes_of_a_token),
          UNIT(test_tokens), UNIT(test_token_longer_than_its_ceiling),
          UNIT(test_token_body_is_a_form), UNIT(test_urls), UNIT(test_bodies),
          UNIT(test_values_take_the_type_of_the_property),
          UNIT(test_nan_is_never_sent), UNIT(test_times_out_of_range),
          UNIT(test_types_by_class), UNIT(test_types_and_names),
          UNIT(test_property_list), UNIT(test_error_texts),
          UNIT(test_error_of_nothing))
