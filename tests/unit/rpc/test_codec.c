#include "tests/unit/rpc/codec_case.h"
#include "tests/unit/unit.h"

#include "lib/rpc/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool encodes(const char *want, enum wr_rpc_type type, uint32_t msgid,
                    const char *method, const struct wr_rpc_arg *args,
                    size_t count) {
  uint8_t got[WR_RPC_REQUEST_MAX], bytes[WR_RPC_REQUEST_MAX];
  size_t len = 0, n = hex(want, bytes, sizeof(bytes));
  return wr_rpc_encode(got, &len, type, msgid, method, args, count) == 0 &&
         len == n && memcmp(got, bytes, n) == 0;
}

static void test_requests(void) {
  CU_ASSERT(encodes("94 00 07 a9 666c6f775f72617465 90", WR_RPC_REQUEST, 7,
                    "flow_rate", NULL, 0));
  CU_ASSERT(encodes("94 00 ce fffffffe a1 78 90", WR_RPC_REQUEST, 0xfffffffe,
                    "x", NULL, 0));
  const struct wr_rpc_arg args[] = {
      {.kind = WR_ARG_TEXT, .text = "ab"},
      {.kind = WR_ARG_INT, .i = -1},
      {.kind = WR_ARG_INT, .i = 300},
      {.kind = WR_ARG_BOOL, .b = true},
  };
  CU_ASSERT(encodes("93 02 a1 78 94 a2 6162 ff cd 012c c3", WR_RPC_NOTIFY, 9,
                    "x", args, 4));
  /* from 16 on an array has a head of its own */
  struct wr_rpc_arg many[16];
  for (int i = 0; i < 16; i++)
    many[i] = (struct wr_rpc_arg){.kind = WR_ARG_INT, .i = i};
  CU_ASSERT(encodes("93 02 a1 78 9f 000102030405060708090a0b0c0d0e",
                    WR_RPC_NOTIFY, 9, "x", many, 15));
  CU_ASSERT(encodes("93 02 a1 78 dc 0010 000102030405060708090a0b0c0d0e0f",
                    WR_RPC_NOTIFY, 9, "x", many, 16));
}

/* Each outcome counts as one kind of fault, and is explained in words. */
static void test_outcomes(void) {
  static const struct {
    enum wr_rpc_outcome outcome;
    const char *counts, *says;
  } cases[] = {{WR_RPC_OK, "none", "the M4 answers"},
               {WR_RPC_REMOTE, "remote", "answered with an error"},
               {WR_RPC_UNROUTED, "remote", "knows nobody for this method"},
               {WR_RPC_SILENT, "timeout", "the M4 is silent"},
               {WR_RPC_CRASHED, "protocol", "crashed on this call"},
               {WR_RPC_CLOSED, "protocol", "closed before an answer"},
               {WR_RPC_REFUSED, "refused", "nothing listens there"},
               {WR_RPC_UNREACHABLE, "refused", "no way to connect: No route"},
               {WR_RPC_UNRESOLVED, "refused", "does not resolve"},
               {WR_RPC_STALE, "stale", "only late replies"},
               {WR_RPC_PROTOCOL, "protocol", "is not MessagePack-RPC"},
               {WR_RPC_TIMEOUT, "timeout", "no answer came"},
               {WR_RPC_BUSY, "timeout", "kept the proxy locked"},
               {WR_RPC_UNSENDABLE, "protocol", "longer than the M4 can take"},
               {WR_RPC_WITHHELD, "protocol", "not called, because"},
               {WR_RPC_CANCELLED, "none", "was cancelled"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_rpc_call call = {.outcome = cases[i].outcome,
                               .error = -EHOSTUNREACH};
    char text[256];
    CU_ASSERT_STRING_EQUAL(wr_rpc_fault_name(wr_rpc_fault_of(cases[i].outcome)),
                           cases[i].counts);
    wr_rpc_explain(&call, text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, cases[i].says));
    call.error = 0; /* the system has no word for it */
    wr_rpc_explain(&call, text, sizeof(text));
    if (cases[i].outcome == WR_RPC_UNREACHABLE)
      CU_ASSERT_STRING_EQUAL(text, "there is no way to connect");
  }
}

/* str8 (d9) would crash the proxy: 32 bytes and more must be raw16 (da). */
static void test_old_strings(void) {
  char text[WR_RPC_STRING_MAX + 2];
  for (size_t len = 0; len <= 240; len++) {
    memset(text, 'a', len);
    text[len] = '\0';
    struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT, .text = text};
    uint8_t buf[WR_RPC_REQUEST_MAX];
    size_t used = 0;
    int status = wr_rpc_encode(buf, &used, WR_RPC_NOTIFY, 0, "x", &arg, 1);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    CU_ASSERT_EQUAL(buf[5], len < 32 ? 0xa0 + len : 0xda);
    CU_ASSERT_EQUAL(used, len + (len < 32 ? 6 : 8));
  }
}

static void test_too_long(void) {
  char text[300];
  uint8_t buf[WR_RPC_REQUEST_MAX];
  size_t used = 0;
  memset(text, 'a', sizeof(text));
  text[243] = '\0'; /* 8 bytes of head: 251 */
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT, .text = text};
  CU_ASSERT_EQUAL(wr_rpc_encode(buf, &used, WR_RPC_NOTIFY, 0, "x", &arg, 1),
                  -EMSGSIZE);
  text[242] = '\0';
  CU_ASSERT_EQUAL(wr_rpc_encode(buf, &used, WR_RPC_NOTIFY, 0, "x", &arg, 1), 0);
  CU_ASSERT_EQUAL(used, WR_RPC_REQUEST_MAX);
  memset(text, 'a', sizeof(text));
  text[256] = '\0';
  CU_ASSERT_EQUAL(wr_rpc_encode(buf, &used, WR_RPC_NOTIFY, 0, text, NULL, 0),
                  -EMSGSIZE);
  CU_ASSERT_EQUAL(wr_rpc_encode(buf, &used, WR_RPC_NOTIFY, 0, "", NULL, 0),
                  -EINVAL);
}

static void test_drain_message(void) {
  uint8_t buf[WR_RPC_REQUEST_MAX], want[16];
  size_t used = 0, n = hex("95 00 07 a1 78 90 00", want, sizeof(want));
  wr_rpc_encode_drain(buf, &used, 7);
  CU_ASSERT_EQUAL_FATAL(used, n);
  CU_ASSERT_EQUAL(memcmp(buf, want, n), 0);
}

static void test_bad_bytes(void) {
  static const struct {
    const char *bytes;
    int status;
  } cases[] = {
      {"", -EAGAIN},
      {"c1", -EBADMSG},
      {"94 01 07 c1 c0", -EBADMSG},
      {"94 01 07 c0", -EAGAIN},
      {"ca 41 48 00", -EAGAIN},
      {"d9 05 61", -EAGAIN},
      {"dd", -EAGAIN},
      {"db ffffffff 61", -E2BIG}, /* text of 4 GB */
      {"c6 7fffffff", -E2BIG},    /* bin of 2 GB */
      {"c9 ffffffff 01", -E2BIG}, /* ext of 4 GB */
      {"dd ffffffff c0", -E2BIG}, /* 2^32-1 elements */
      {"df ffffffff c0", -E2BIG}, /* 2^32-1 pairs */
      {"dc 0100", -E2BIG},        /* 256 elements and itself */
      {"de 0100", -E2BIG},
      {"dc 00ff c0", -EAGAIN},
      {"91919191 91919191 91 c0", -ELOOP},
      {"8181 81", -EAGAIN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t size = 0;
    int status = scan(cases[i].bytes, &size);
    CU_ASSERT_EQUAL(status, cases[i].status);
    if (status != cases[i].status)
      printf("  %s: %d\n", cases[i].bytes, status);
  }
}

/* Every prefix of a message is incomplete, never misread. */
static void test_prefixes(void) {
  uint8_t bytes[64];
  size_t size = 0, len = hex("94 01 ce 499602d2 c0 93 2a cb 4028000000000000 "
                             "82 a1 61 d9 02 6869 01 d1 ff00",
                             bytes, sizeof(bytes));
  for (size_t n = 0; n < len; n++)
    CU_ASSERT_EQUAL(wr_rpc_scan(bytes, n, &size), -EAGAIN);
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, len, &size), 0);
  CU_ASSERT_EQUAL(size, len);
}

static void test_wide_nesting(void) {
  uint8_t bytes[WR_RPC_REPLY_MAX + 64];
  size_t size = 0;
  memset(bytes, 0xc0, sizeof(bytes));
  memcpy(bytes, "\xdc\x00\xff", 3); /* 255 elements and itself */
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size), 0);
  CU_ASSERT_EQUAL(size, 258);
  memset(bytes, 0x91, sizeof(bytes));
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size), -ELOOP);
  memset(bytes, 0x9f, sizeof(bytes));
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size), -ELOOP);
  memcpy(bytes, "\xda\x04\x00", 3); /* 1024 bytes of text in 1027 */
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size), -E2BIG);
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, 10, &size), -EAGAIN);
}

/* Depth, values and bytes: what may just be, and what is one too many. */
static void test_ceilings(void) {
  uint8_t bytes[WR_RPC_REPLY_MAX + 64];
  size_t size = 0;
  memset(bytes, 0xc0, sizeof(bytes));
  memset(bytes, 0x91, WR_RPC_DEPTH);
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, WR_RPC_DEPTH + 1, &size), 0);
  CU_ASSERT_EQUAL(size, WR_RPC_DEPTH + 1);
  bytes[WR_RPC_DEPTH] = 0x91;
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, WR_RPC_DEPTH + 2, &size), -ELOOP);
  for (int more = 0; more < 2; more++) { /* one, two arrays, 253 or 254 nils */
    memset(bytes, 0xc0, sizeof(bytes));
    memcpy(bytes, "\x92\xdc\x00\x7f", 4);
    memcpy(bytes + 4 + 127, "\xdc\x00", 2);
    bytes[4 + 127 + 2] = (uint8_t)(126 + more);
    CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size),
                    more ? -E2BIG : 0);
  }
  memset(bytes, 'a', sizeof(bytes));
  memcpy(bytes, "\xda\x03\xfd", 3); /* 1024 bytes with its head */
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size), 0);
  CU_ASSERT_EQUAL(size, WR_RPC_REPLY_MAX);
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, WR_RPC_REPLY_MAX - 1, &size), -EAGAIN);
  bytes[2]++;
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, sizeof(bytes), &size), -E2BIG);
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, WR_RPC_REPLY_MAX, &size), -E2BIG);
  CU_ASSERT_EQUAL(wr_rpc_scan(bytes, WR_RPC_REPLY_MAX - 1, &size), -EAGAIN);
}

static void test_numbers(void) {
  static const struct {
    const char *bytes;
    double number;
  } cases[] = {
      {"00", 0},
      {"7f", 127},
      {"ff", -1},
      {"e0", -32},
      {"cc ff", 255},
      {"cd ffff", 65535},
      {"ce ffffffff", 4294967295.0},
      {"cf 0020000000000000", 9007199254740992.0},
      {"d0 80", -128},
      {"d1 8000", -32768},
      {"d2 80000000", -2147483648.0},
      {"d3 ffffffffffffffff", -1},
      {"d0 7f", 127},
      {"ca 41480000", 12.5},
      {"cb 4029000000000000", 12.5},
      {"c3", 1},
      {"c2", 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t bytes[64];
    struct wr_rpc_value v = value_of(cases[i].bytes, bytes);
    double number = -12345;
    CU_ASSERT_EQUAL(wr_rpc_number(&v, &number), 0);
    CU_ASSERT_EQUAL(number, cases[i].number);
  }
}

static void test_no_numbers(void) {
  static const struct {
    const char *bytes;
    int status;
  } cases[] = {
      {"ca 7fc00000", -ERANGE},
      {"ca 7f800000", -ERANGE},
      {"cb fff0000000000000", -ERANGE},
      {"c0", -EINVAL},
      {"a2 3132", -EINVAL},
      {"91 01", -EINVAL},
      {"d4 01 00", -EINVAL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t bytes[64];
    struct wr_rpc_value v = value_of(cases[i].bytes, bytes);
    double number = 0;
    CU_ASSERT_EQUAL(wr_rpc_number(&v, &number), cases[i].status);
  }
}

static int reply_of(const char *text, struct wr_rpc_reply *reply,
                    uint8_t bytes[64]) {
  size_t size = 0;
  return wr_rpc_decode_reply(bytes, hex(text, bytes, 64), reply, &size);
}

static void test_reply(void) {
  struct wr_rpc_reply reply;
  uint8_t bytes[64];
  double number = 0;
  CU_ASSERT_EQUAL(reply_of("94 01 07 c0 ca 41480000", &reply, bytes), 0);
  CU_ASSERT_EQUAL(reply.msgid, 7);
  CU_ASSERT_EQUAL(reply.error.kind, WR_RPC_NIL);
  CU_ASSERT_EQUAL(wr_rpc_number(&reply.result, &number), 0);
  CU_ASSERT_EQUAL(number, 12.5);
  CU_ASSERT_EQUAL(reply_of("94 01 d3 0000000000000007 c0 c0", &reply, bytes),
                  0);
  CU_ASSERT_EQUAL(reply.msgid, 7);
  CU_ASSERT_EQUAL(reply_of("94 01 ce ffffffff c0 c0", &reply, bytes), 0);
  CU_ASSERT_EQUAL(reply.msgid, UINT32_MAX);
}

static void test_no_replies(void) {
  static const char *const cases[] = {
      "94 00 07 c0 c0",                  /* a request */
      "93 01 07 c0",                     /* three elements */
      "95 01 07 c0 c0 c0",               /* five */
      "94 01 ff c0 c0",                  /* msgid -1 */
      "94 01 cf 0000000100000000 c0 c0", /* msgid 2^32 */
      "94 01 a1 37 c0 c0",               /* msgid "7" */
      "94 c3 07 c0 c0",                  /* type true */
      "84 01 07 c0 c0 01 01 01 01",      /* a map */
      "07",
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_rpc_reply reply;
    uint8_t bytes[64];
    CU_ASSERT_EQUAL(reply_of(cases[i], &reply, bytes), -ENOMSG);
  }
}

/* Each first byte of the specification. */
static const struct {
  const char *bytes;
  enum wr_rpc_kind kind;
  size_t len; /* of text, bin and ext */
  uint32_t count;
  uint64_t bits;
} kinds[] = {
    {"00", WR_RPC_UINT, 0, 0, 0},
    {"7f", WR_RPC_UINT, 0, 0, 127},
    {"80", WR_RPC_MAP, 0, 0, 0},
    {"82 0102 0304", WR_RPC_MAP, 4, 2, 0},
    {"8f 0102030405060708090a0b0c0d0e0f 0102030405060708090a0b0c0d0e0f",
     WR_RPC_MAP, 30, 15, 0},
    {"90", WR_RPC_ARRAY, 0, 0, 0},
    {"9f 0102030405060708090a0b0c0d0e0f", WR_RPC_ARRAY, 15, 15, 0},
    {"a0", WR_RPC_TEXT, 0, 0, 0},
    {"bf 61616161616161616161616161616161616161616161616161616161616161",
     WR_RPC_TEXT, 31, 0, 0},
    {"c0", WR_RPC_NIL, 0, 0, 0},
    {"c4 02 6869", WR_RPC_BIN, 2, 0, 0},
    {"c5 0002 6869", WR_RPC_BIN, 2, 0, 0},
    {"c6 00000002 6869", WR_RPC_BIN, 2, 0, 0},
    {"c7 02 09 6869", WR_RPC_EXT, 2, 0, 0},
    {"c8 0002 09 6869", WR_RPC_EXT, 2, 0, 0},
    {"c9 00000002 09 6869", WR_RPC_EXT, 2, 0, 0},
    {"cc 80", WR_RPC_UINT, 0, 0, 0x80},
    {"cd 8001", WR_RPC_UINT, 0, 0, 0x8001},
    {"ce 80010203", WR_RPC_UINT, 0, 0, 0x80010203},
    {"cf 8001020304050607", WR_RPC_UINT, 0, 0, 0x8001020304050607},
    {"d0 80", WR_RPC_INT, 0, 0, (uint64_t)-128},
    {"d1 8001", WR_RPC_INT, 0, 0, (uint64_t)-32767},
    {"d2 80010203", WR_RPC_INT, 0, 0, 0xffffffff80010203},
    {"d3 8001020304050607", WR_RPC_INT, 0, 0, 0x8001020304050607},
    {"d0 00", WR_RPC_UINT, 0, 0, 0},
    {"d1 7001", WR_RPC_UINT, 0, 0, 0x7001},
    {"d4 09 68", WR_RPC_EXT, 1, 0, 0},
    {"d5 09 6869", WR_RPC_EXT, 2, 0, 0},
    {"d6 09 68696869", WR_RPC_EXT, 4, 0, 0},
    {"d7 09 6869686968696869", WR_RPC_EXT, 8, 0, 0},
    {"d8 09 68696869686968696869686968696869", WR_RPC_EXT, 16, 0, 0},
    {"d9 02 6869", WR_RPC_TEXT, 2, 0, 0},
    {"da 0002 6869", WR_RPC_TEXT, 2, 0, 0},
    {"db 00000002 6869", WR_RPC_TEXT, 2, 0, 0},
    {"dc 0002 6869", WR_RPC_ARRAY, 2, 2, 0},
    {"dd 00000002 6869", WR_RPC_ARRAY, 2, 2, 0},
    {"de 0002 68696869", WR_RPC_MAP, 4, 2, 0},
    {"df 00000002 68696869", WR_RPC_MAP, 4, 2, 0},
    {"e0", WR_RPC_INT, 0, 0, (uint64_t)-32},
    {"ff", WR_RPC_INT, 0, 0, (uint64_t)-1},
};

static void test_every_kind(void) {
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    uint8_t bytes[64];
    struct wr_rpc_value v = value_of(kinds[i].bytes, bytes);
    CU_ASSERT_EQUAL(v.kind, kinds[i].kind);
    CU_ASSERT_EQUAL(v.count, kinds[i].count);
    CU_ASSERT_EQUAL(v.len, kinds[i].len);
    if (v.kind == WR_RPC_UINT || v.kind == WR_RPC_INT)
      CU_ASSERT_EQUAL(v.u, kinds[i].bits);
    if (v.kind == WR_RPC_BIN || v.kind == WR_RPC_EXT)
      CU_ASSERT_EQUAL(v.data[0], 0x68);
  }
}

/* Every width of a whole number, packed in its shortest form. */
static void test_shortest_numbers(void) {
  static const struct {
    int64_t i;
    const char *bytes;
    size_t len;
  } cases[] = {
      {0, "\x00", 1},
      {127, "\x7f", 1},
      {128, "\xcc\x80", 2},
      {255, "\xcc\xff", 2},
      {256, "\xcd\x01\x00", 3},
      {65535, "\xcd\xff\xff", 3},
      {65536, "\xce\x00\x01\x00\x00", 5},
      {4294967295, "\xce\xff\xff\xff\xff", 5},
      {4294967296, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9},
      {-1, "\xff", 1},
      {-32, "\xe0", 1},
      {-33, "\xd0\xdf", 2},
      {-128, "\xd0\x80", 2},
      {-129, "\xd1\xff\x7f", 3},
      {-32768, "\xd1\x80\x00", 3},
      {-32769, "\xd2\xff\xff\x7f\xff", 5},
      {INT32_MIN, "\xd2\x80\x00\x00\x00", 5},
      {-2147483649, "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", 9},
      {INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t buf[WR_RPC_REQUEST_MAX];
    size_t len = 0;
    struct wr_rpc_arg arg = {.kind = WR_ARG_INT, .i = cases[i].i};
    CU_ASSERT_EQUAL(wr_rpc_encode(buf, &len, WR_RPC_NOTIFY, 0, "m", &arg, 1),
                    0);
    CU_ASSERT_EQUAL(len, 5 + cases[i].len);
    CU_ASSERT_EQUAL(memcmp(buf + 5, cases[i].bytes, cases[i].len), 0);
  }
}

static void test_answer(void) {
  uint8_t buf[WR_RPC_REQUEST_MAX];
  size_t len = 0, size = 0;
  struct wr_rpc_request request;
  char text[300];
  CU_ASSERT_EQUAL(wr_rpc_encode(buf, &len, WR_RPC_REQUEST, 300, "ask", NULL, 0),
                  0);
  CU_ASSERT_EQUAL(wr_rpc_decode_request(buf, len, &request, &size), 0);
  CU_ASSERT_EQUAL(request.msgid, 300);
  CU_ASSERT_EQUAL(request.method.len, 3);
  CU_ASSERT_EQUAL(request.params.kind, WR_RPC_ARRAY);
  CU_ASSERT_EQUAL(wr_rpc_encode_reply(buf, &len, 300, NULL, "yes"), 0);
  CU_ASSERT_EQUAL(len, 10);
  CU_ASSERT_EQUAL(memcmp(buf, "\x94\x01\xcd\x01\x2c\xc0\xa3yes", 10), 0);
  CU_ASSERT_EQUAL(wr_rpc_decode_request(buf, len, &request, &size), -ENOMSG);
  CU_ASSERT_EQUAL(wr_rpc_encode_reply(buf, &len, 1, "no", NULL), 0);
  CU_ASSERT_EQUAL(memcmp(buf, "\x94\x01\x01\xa2no\xc0", 7), 0);
  memset(text, 'a', sizeof(text));
  text[299] = '\0';
  CU_ASSERT_EQUAL(wr_rpc_encode_reply(buf, &len, 1, NULL, text), -EMSGSIZE);
}

static void test_elements(void) {
  uint8_t bytes[64];
  struct wr_rpc_value e, v = value_of("93 2a 92 01 02 a1 78", bytes);
  CU_ASSERT_EQUAL(wr_rpc_element(&v, 0, &e), 0);
  CU_ASSERT_EQUAL(e.u, 42);
  CU_ASSERT_EQUAL(wr_rpc_element(&v, 1, &e), 0);
  CU_ASSERT_EQUAL(e.count, 2);
  CU_ASSERT_EQUAL(wr_rpc_element(&v, 2, &e), 0);
  CU_ASSERT_EQUAL(e.kind, WR_RPC_TEXT);
  CU_ASSERT_EQUAL(wr_rpc_element(&v, 3, &e), -ENOENT);
  CU_ASSERT_EQUAL(wr_rpc_element(&e, 0, &e), -EINVAL);
  v.len = 1; /* nothing behind its end is read, whatever it says */
  CU_ASSERT_EQUAL(wr_rpc_element(&v, 0, &e), 0);
  CU_ASSERT_EQUAL(wr_rpc_element(&v, 1, &e), -EAGAIN);
}

UNIT_MAIN("codec", UNIT(test_requests), UNIT(test_outcomes),
          UNIT(test_old_strings), UNIT(test_every_kind),
          UNIT(test_shortest_numbers), UNIT(test_answer), UNIT(test_too_long),
          UNIT(test_drain_message), UNIT(test_bad_bytes), UNIT(test_prefixes),
          UNIT(test_wide_nesting), UNIT(test_ceilings), UNIT(test_numbers),
          UNIT(test_no_numbers), UNIT(test_reply), UNIT(test_no_replies),
          UNIT(test_elements))
