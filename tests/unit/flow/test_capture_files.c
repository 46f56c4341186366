/* What is written, under which name, and which files go for it. */
#include "lib/flow/capture.h"

#include "tests/unit/flow/capture_case.h"

#include <errno.h>

#define MEGABYTE (1 << 20)

static void test_document_in_full(void) {
  struct wr_bytes b = WR_BYTES_INIT(4096);
  struct wr_sample s = sample(0);
  s.interval_us = 62500;
  CU_ASSERT_EQUAL_FATAL(wr_sample_put(&b, &s), 0);
  CU_ASSERT_STRING_EQUAL(
      b.data,
      "{\"protected\":{\"ver\":\"v1\",\"alg\":\"none\",\"iat\":1700000000},"
      "\"signature\":\"0000000000000000000000000000000000000000000000000000000"
      "000000000\",\"payload\":{\"device_name\":\"host/pump.1\","
      "\"device_type\":\"WEIR\",\"interval_ms\":62.5,\"sensors\":["
      "{\"name\":\"flow\",\"units\":\"N/A\"},"
      "{\"name\":\"temperature\",\"units\":\"N/A\"}],"
      "\"values\":[[10.1,20],[9.9,21]]}}\n");
  wr_bytes_free(&b);
}

static void test_document_of_one_axis(void) {
  struct wr_bytes b = WR_BYTES_INIT(4096);
  struct wr_sample s = sample(0);
  s.axes = 1;
  CU_ASSERT_EQUAL_FATAL(wr_sample_put(&b, &s), 0);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(b.data, "\"sensors\":[{\"name\":\"flow\",\"units\":\"N/A\"}],"
                     "\"values\":[[10.1],[20],[9.9],[21]]}}\n"));
  wr_bytes_free(&b);
}

/* At any ceiling below its size a document is refused, not cut. */
static void test_document_that_does_not_fit(void) {
  struct wr_bytes whole = WR_BYTES_INIT(4096);
  struct wr_sample s = sample(0);
  CU_ASSERT_EQUAL_FATAL(wr_sample_put(&whole, &s), 0);
  for (size_t most = 1; most <= whole.len; most++) {
    struct wr_bytes b = WR_BYTES_INIT(most);
    CU_ASSERT_EQUAL(wr_sample_put(&b, &s), most < whole.len ? -ENOSPC : 0);
    wr_bytes_free(&b);
  }
  wr_bytes_free(&whole);
}

static bool names(const char *label, const char *device, const char *want) {
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  s.label = label;
  s.device = device;
  make_dir();
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, MEGABYTE, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  bool found = there(want);
  wr_capture_close(c);
  remove_dir();
  return found;
}

/* Letters, digits, a minus and what is not ASCII stay; 79 bytes of each. */
static void test_names(void) {
  char want[256], longest[100], longer[100];
  CU_ASSERT(names("azAZ09-_", "q", "azAZ09-_.q.1700000000000.weir.json"));
  CU_ASSERT(names("a b/c.d$e", "..", "a_b_c_d_e.__.1700000000000.weir.json"));
  CU_ASSERT(names("\xc3\x80\xc3\xbf", "\x7f",
                  "\xc3\x80\xc3\xbf._.1700000000000.weir.json"));
  memset(longest, 'a', sizeof(longest));
  memset(longer, 'b', sizeof(longer));
  snprintf(want, sizeof(want), "%.79s.%.79s.1700000000000.weir.json", longest,
           longer);
  for (size_t length = 79; length < 82; length++) {
    longest[length] = longer[length] = '\0';
    CU_ASSERT(names(longest, longer, want));
    longest[length] = longer[length] = 'x';
  }
}

/* Only what has such a name, and is a file. */
static void test_what_is_ours(void) {
  static const char *const others[] = {
      ".weir.json",     ".a.weir.json", "weir.json", "a.weir.jso",
      "a.weir.json.gz", "aweirjson",    "x"};
  struct wr_capture *c;
  char path[128];
  make_dir();
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    put_file(others[i], 10, 1, 0);
  snprintf(path, sizeof(path), "%s/link.weir.json", dir);
  CU_ASSERT_EQUAL(symlink("x", path), 0);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 1, MEGABYTE, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), 0);
  CU_ASSERT_EQUAL(wr_capture_bytes(c), 0);
  wr_capture_close(c);
  put_file("a.weir.json", 123, 1, 0);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 1, MEGABYTE, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), 1);
  CU_ASSERT_EQUAL(wr_capture_bytes(c), 123);
  struct wr_sample s = sample(0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  CU_ASSERT_FALSE(there("a.weir.json"));
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    CU_ASSERT_EQUAL(size_of(others[i]), 10);
  CU_ASSERT_EQUAL(size_of("link.weir.json"), 1);
  wr_capture_close(c);
  remove_dir();
}

/* The oldest by their times, to the nanosecond; of those of one time by name.
 */
static void test_files_of_before_go_in_order(void) {
  static const struct {
    const char *name;
    time_t s;
    long ns;
  } files[] = {
      {"m.weir.json", 1000, 999999998}, {"c.weir.json", 1000, 999999999},
      {"z.weir.json", 1001, 0},         {"a.weir.json", 1002, 5},
      {"b.weir.json", 1002, 5},         {"n.weir.json", 1002, 5},
      {"k.weir.json", 1002, 6},         {"d.weir.json", 1500, 0}};
  enum { FILES = sizeof(files) / sizeof(files[0]) };
  for (size_t stay = 0; stay <= FILES; stay++) {
    struct wr_capture *c;
    struct wr_sample s = sample(0);
    make_dir();
    for (size_t i = 0; i < FILES; i++) {
      size_t at = i * 5 % FILES;
      put_file(files[at].name, 10, files[at].s, files[at].ns);
    }
    CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, stay + 1, MEGABYTE, &c), 0);
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
    for (size_t i = 0; i < FILES; i++)
      CU_ASSERT_EQUAL(there(files[i].name), i >= FILES - stay);
    CU_ASSERT_EQUAL(wr_capture_files(c), stay + 1);
    wr_capture_close(c);
    remove_dir();
  }
}

/* More than the list has room for at first. */
static void test_many_files_of_before(void) {
  enum { FILES = 70 };
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  char name[64];
  make_dir();
  for (int i = 0; i < FILES; i++) {
    snprintf(name, sizeof(name), "%02d.weir.json", i);
    put_file(name, i, 1000 - i, 0);
  }
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, FILES, MEGABYTE, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), FILES);
  CU_ASSERT_EQUAL(wr_capture_bytes(c), FILES * (FILES - 1) / 2);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  CU_ASSERT_FALSE(there("69.weir.json"));
  CU_ASSERT_EQUAL(list(false), FILES);
  wr_capture_close(c);
  remove_dir();
}

/* Files that are written go in that order, and those of before first. */
static void test_newest_stay(void) {
  enum { MOST = 5 };
  struct wr_capture *c;
  char name[64];
  make_dir();
  put_file("z.weir.json", 100, 4000000000, 0);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, MOST, MEGABYTE, &c), 0);
  for (int n = 1; n <= 20; n++) {
    struct wr_sample s = sample(100 - n);
    long all = 0;
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
    for (int i = 1; i <= n; i++) {
      snprintf(name, sizeof(name), "no_flow.host_pump_1.%d000.weir.json",
               1700000100 - i);
      CU_ASSERT_EQUAL(there(name), i > n - MOST);
      all += there(name) ? size_of(name) : 0;
    }
    CU_ASSERT_EQUAL(there("z.weir.json"), n < MOST);
    all += n < MOST ? 100 : 0;
    CU_ASSERT_EQUAL(wr_capture_bytes(c), (uint64_t)all);
    CU_ASSERT_EQUAL(wr_capture_files(c), n < MOST ? (size_t)n + 1 : MOST);
  }
  wr_capture_close(c);
  remove_dir();
}

/* Just as many bytes as there may be are not too many; one more is. */
static void test_bytes_at_the_ceiling(void) {
  for (int less = 0; less < 2; less++) {
    struct wr_capture *c;
    struct wr_bytes b = WR_BYTES_INIT(4096);
    struct wr_sample s = sample(0);
    CU_ASSERT_EQUAL_FATAL(wr_sample_put(&b, &s), 0);
    uint64_t most = 3 * b.len - (uint64_t)less;
    make_dir();
    CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 100, most, &c), 0);
    for (int i = 1; i <= 6; i++) {
      s = sample(i);
      CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
      size_t want = i < 3 ? (size_t)i : 3 - (size_t)less;
      CU_ASSERT_EQUAL(wr_capture_files(c), want);
      CU_ASSERT_EQUAL(wr_capture_bytes(c), want * b.len);
    }
    wr_capture_close(c);
    CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 100, b.len, &c), 0);
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0); /* several go at once */
    CU_ASSERT_EQUAL(wr_capture_files(c), 1);
    CU_ASSERT_EQUAL(wr_capture_bytes(c), b.len);
    CU_ASSERT_EQUAL(list(false), 1);
    wr_capture_close(c);
    remove_dir();
    wr_bytes_free(&b);
  }
}

static void test_no_files_are_one(void) {
  for (size_t most = 0; most <= 1; most++) {
    struct wr_capture *c;
    make_dir();
    CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, most, MEGABYTE, &c), 0);
    for (int i = 0; i < 3; i++) {
      struct wr_sample s = sample(i);
      CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
      CU_ASSERT_EQUAL(wr_capture_files(c), 1);
      CU_ASSERT_EQUAL(list(false), 1);
    }
    wr_capture_close(c);
    remove_dir();
  }
}

UNIT_MAIN("capture, its files", UNIT(test_document_in_full),
          UNIT(test_document_of_one_axis),
          UNIT(test_document_that_does_not_fit), UNIT(test_names),
          UNIT(test_what_is_ours), UNIT(test_files_of_before_go_in_order),
          UNIT(test_many_files_of_before), UNIT(test_newest_stay),
          UNIT(test_bytes_at_the_ceiling), UNIT(test_no_files_are_one))
