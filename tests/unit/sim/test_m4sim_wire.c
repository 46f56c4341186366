/* The simulator's bytes: what the real proxy does with every type of value. */
#include "tests/sim/m4sim_wire.c"
#include "tests/unit/unit.h"

#define B(text) (const uint8_t *)(text), sizeof(text) - 1

static struct ms_out out;
static const char *why;

static enum ms_verdict transcode(const uint8_t *data, size_t len) {
  struct ms_in in = {data, data + len};
  out.len = 0;
  out.full = false;
  why = "";
  return ms_transcode(&in, &out, &why);
}

static bool passes_as(const uint8_t *data, size_t len, const uint8_t *want,
                      size_t wantlen) {
  return transcode(data, len) == MS_PASS && out.len == wantlen &&
         memcmp(out.data, want, wantlen) == 0;
}

static void test_plain_request_passes_unchanged(void) {
  CU_ASSERT_TRUE(passes_as(B("\x94\x00\x07\xa9"
                             "flow_rate\x90"),
                           B("\x94\x00\x07\xa9"
                             "flow_rate\x90")));
  CU_ASSERT_TRUE(passes_as(B("\x91\x81\xa1k\xc3"), B("\x91\x81\xa1k\xc3")));
}

static void test_numbers_come_out_compact(void) {
  CU_ASSERT_TRUE(passes_as(B("\x91\xcf\0\0\0\0\0\0\0\x07"), B("\x91\x07")));
  CU_ASSERT_TRUE(
      passes_as(B("\x91\xd3\xff\xff\xff\xff\xff\xff\xff\xff"), B("\x91\xff")));
  CU_ASSERT_TRUE(passes_as(B("\x91\xd1\x00\x05"), B("\x91\x05")));
  CU_ASSERT_TRUE(passes_as(B("\x91\xd0\x80"), B("\x91\xd0\x80")));
  CU_ASSERT_TRUE(
      passes_as(B("\x91\xce\xff\xff\xff\xfe"), B("\x91\xce\xff\xff\xff\xfe")));
}

static void test_floats_turn_into_their_bits(void) {
  CU_ASSERT_TRUE(
      passes_as(B("\x91\xca\x41\x48\x00\x00"), B("\x91\xce\x41\x48\x00\x00")));
  CU_ASSERT_TRUE(passes_as(B("\x91\xcb\x40\x29\0\0\0\0\0\0"),
                           B("\x91\xcf\x40\x29\0\0\0\0\0\0")));
}

static void test_raw16_up_to_255_bytes_survives(void) {
  uint8_t data[320] = {0x91, 0xda, 0x00, 0xff};
  CU_ASSERT_EQUAL(transcode(data, 4 + 255), MS_PASS);
  CU_ASSERT_EQUAL(out.len, 4 + 255);
  CU_ASSERT_EQUAL(memcmp(out.data, data, 4), 0);
}

static void test_longer_strings_get_a_wrong_length(void) {
  uint8_t data[320] = {0x91, 0xda, 0x01, 0x2c}; /* 300 */
  CU_ASSERT_EQUAL(transcode(data, 4 + 300), MS_PASS);
  CU_ASSERT_EQUAL(out.data[2], 0);
  CU_ASSERT_EQUAL(out.data[3], 44);
  CU_ASSERT_EQUAL(out.len, 4 + 300);
  data[3] = 0; /* 256 */
  CU_ASSERT_EQUAL(transcode(data, 4 + 256), MS_PASS);
  CU_ASSERT_EQUAL(out.data[3], 0);
}

static void test_what_kills_the_proxy(void) {
  static const struct {
    const char *bytes;
    size_t len;
    const char *why;
  } bad[] = {
      {"\x90", 1, "empty array"},
      {"\x07", 1, "not an array"},
      {"GET / HTTP/1.0\r\n", 16, "not an array"},
      {"\x80", 1, "not an array"},
      {"\xc1", 1, "code 0xc1"},
      {"\x91\xc1", 2, "code 0xc1"},
      {"\x91\xc0", 2, "nil"},
      {"\x92\x00\x91\xc0", 4, "nil"},
      {"\x91\xd9\x20", 3, "unsupported code: 217 (str8)"},
      {"\x91\xc5\x00\x01x", 5, "bin"},
      {"\x91\xd4\x01x", 4, "ext"},
      {"\x91\xc7\x01\x01x", 5, "ext"},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CU_ASSERT_EQUAL(transcode((const uint8_t *)bad[i].bytes, bad[i].len),
                    MS_PANIC);
    CU_ASSERT_STRING_EQUAL(why, bad[i].why);
  }
  CU_ASSERT_EQUAL(transcode(B("\x91\xc4\x01x")), MS_GARBLED);
}

static void test_every_cut_is_noticed(void) {
  static const char whole[] = "\x94\x00\xce\x01\x02\x03\x04\xae"
                              "classification\x91\xda\x00\x02{}";
  for (size_t len = 0; len < sizeof(whole) - 1; len++)
    CU_ASSERT_EQUAL(transcode((const uint8_t *)whole, len), MS_SHORT);
  CU_ASSERT_EQUAL(transcode(B(whole)), MS_PASS);
}

static void test_only_the_first_value_is_read(void) {
  struct ms_in in = {(const uint8_t *)"\x91\x01\x91\x02", NULL};
  in.end = in.at + 4;
  out.len = 0;
  CU_ASSERT_EQUAL(ms_transcode(&in, &out, &why), MS_PASS);
  CU_ASSERT_EQUAL(in.end - in.at, 2);
}

static void test_replies(void) {
  uint8_t big[129] = {0x94};
  CU_ASSERT_EQUAL(ms_check_reply(B("\x94\x01\x07\xc0\xca\x41\x48\0\0"), &why),
                  MS_PASS);
  CU_ASSERT_EQUAL(ms_check_reply(B("\x94\x01\x07\xd9\x20"
                                   "rpclib: 0123456789012345678901234\xc0"),
                                 &why),
                  MS_PANIC);
  CU_ASSERT_EQUAL(ms_check_reply(big, 128, &why), MS_PASS);
  CU_ASSERT_EQUAL(ms_check_reply(big, 129, &why), MS_PANIC);
}

static void test_skip(void) {
  uint8_t deep[80];
  memset(deep, 0x91, sizeof(deep));
  struct ms_in in = {deep, deep + sizeof(deep)};
  CU_ASSERT_EQUAL(ms_skip(&in), -1);
  in = (struct ms_in){deep, deep + 10};
  CU_ASSERT_EQUAL(ms_skip(&in), 0);
  CU_ASSERT_PTR_EQUAL(in.at, deep);
  static const uint8_t two[] = {0x92, 0x81, 0xa1, 'a', 0xc0, 0xd4, 1, 2, 7};
  in = (struct ms_in){two, two + sizeof(two)};
  CU_ASSERT_EQUAL(ms_skip(&in), 1);
  CU_ASSERT_PTR_EQUAL(in.at, two + 8);
}

static void test_shortest_forms(void) {
  static const struct {
    int64_t value;
    const char *bytes;
    size_t len;
  } want[] = {{0, "\0", 1},
              {127, "\x7f", 1},
              {128, "\xcc\x80", 2},
              {256, "\xcd\x01\0", 3},
              {65536, "\xce\0\x01\0\0", 5},
              {INT64_MAX, "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
              {-1, "\xff", 1},
              {-33, "\xd0\xdf", 2},
              {-129, "\xd1\xff\x7f", 3},
              {-32769, "\xd2\xff\xff\x7f\xff", 5},
              {INT64_MIN, "\xd3\x80\0\0\0\0\0\0\0", 9}};
  for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
    out.len = 0;
    ms_put_int(&out, want[i].value);
    CU_ASSERT_EQUAL(out.len, want[i].len);
    CU_ASSERT_EQUAL(memcmp(out.data, want[i].bytes, want[i].len), 0);
    struct ms_in in = {out.data, out.data + out.len};
    struct ms_value value;
    CU_ASSERT_TRUE(ms_get(&in, &value));
    CU_ASSERT_EQUAL((int64_t)value.u, want[i].value);
  }
}

static void test_output_never_overruns(void) {
  static uint8_t block[1000];
  out.len = 0;
  out.full = false;
  for (int i = 0; i < 100; i++)
    ms_put(&out, block, sizeof(block));
  CU_ASSERT_TRUE(out.full);
  CU_ASSERT_EQUAL(out.len, 65000);
}

UNIT_MAIN("m4sim_wire", UNIT(test_plain_request_passes_unchanged),
          UNIT(test_numbers_come_out_compact),
          UNIT(test_floats_turn_into_their_bits),
          UNIT(test_raw16_up_to_255_bytes_survives),
          UNIT(test_longer_strings_get_a_wrong_length),
          UNIT(test_what_kills_the_proxy), UNIT(test_every_cut_is_noticed),
          UNIT(test_only_the_first_value_is_read), UNIT(test_replies),
          UNIT(test_skip), UNIT(test_shortest_forms),
          UNIT(test_output_never_overruns))
