#include "lib/base/json.h"
#include "tests/unit/alloc.h"
#include "tests/unit/flow/capture_case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void test_no_directory(void) {
  struct wr_capture *c;
  CU_ASSERT_EQUAL(wr_capture_open("/none/such", 1, 1, &c), -ENOENT);
  CU_ASSERT_PTR_NULL(c);
  CU_ASSERT_EQUAL(wr_capture_open("/dev/null", 1, 1, &c), -ENOTDIR);
  wr_capture_close(NULL);
}

static void test_document(void) {
  struct wr_bytes b = WR_BYTES_INIT(4096);
  struct wr_sample s = sample(0);
  struct wr_json *doc = NULL;
  CU_ASSERT_EQUAL_FATAL(wr_sample_put(&b, &s), 0);
  CU_ASSERT_EQUAL_FATAL(wr_json_parse(b.data, b.len, b.len, &doc), 0);
  const char *text = "";
  double interval = 0;
  const struct wr_json *payload = wr_json_get(doc, "payload");
  CU_ASSERT_EQUAL(wr_json_string(doc, "signature", &text), 0);
  CU_ASSERT_EQUAL(strlen(text), 64);
  CU_ASSERT_EQUAL(wr_json_double(payload, "interval_ms", &interval), 0);
  CU_ASSERT_EQUAL(interval, 1000);
  CU_ASSERT_PTR_NOT_NULL(strstr(b.data, "\"values\":[[10.1,20],[9.9,21]]"));
  CU_ASSERT_PTR_NOT_NULL(strstr(b.data, "\"name\":\"temperature\""));
  wr_json_free(doc);
  wr_bytes_free(&b);
}

static void test_names_and_leftovers(void) {
  struct wr_capture *c;
  make_dir();
  char path[128];
  snprintf(path, sizeof(path), "%s/.weir-new", dir);
  close(open(path, O_CREAT | O_WRONLY, 0600));
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 100000, &c), 0);
  struct wr_sample s = sample(1);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  CU_ASSERT_TRUE(there("no_flow.host_pump_1.1700000001000.weir.json"));
  CU_ASSERT_EQUAL(list(false), 1);
  wr_capture_close(c);
  remove_dir();
}

static void test_oldest_goes(void) {
  struct wr_capture *c;
  make_dir();
  char path[128];
  snprintf(path, sizeof(path), "%s/mine.json", dir);
  close(open(path, O_CREAT | O_WRONLY, 0600));
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 3, 100000, &c), 0);
  for (int i = 0; i < 5; i++) {
    struct wr_sample s = sample(i);
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  }
  CU_ASSERT_EQUAL(wr_capture_files(c), 3);
  CU_ASSERT_EQUAL(list(false), 4);
  CU_ASSERT_FALSE(there("no_flow.host_pump_1.1700000001000.weir.json"));
  CU_ASSERT_TRUE(there("no_flow.host_pump_1.1700000002000.weir.json"));
  CU_ASSERT_TRUE(there("mine.json"));
  wr_capture_close(c);
  /* The next run counts what it finds. */
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 2, 100000, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), 3);
  struct wr_sample s = sample(9);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), 2);
  CU_ASSERT_TRUE(there("no_flow.host_pump_1.1700000004000.weir.json"));
  wr_capture_close(c);
  remove_dir();
}

static void test_ceiling_of_bytes(void) {
  struct wr_capture *c;
  make_dir();
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 100, 1000, &c), 0);
  for (int i = 0; i < 10; i++) {
    struct wr_sample s = sample(i);
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
    CU_ASSERT(wr_capture_bytes(c) <= 1000);
  }
  CU_ASSERT(wr_capture_files(c) >= 2 && wr_capture_files(c) <= 4);
  CU_ASSERT_EQUAL(list(false), wr_capture_files(c));
  wr_capture_close(c);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 100, 100, &c), 0);
  struct wr_sample s = sample(99);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), -EFBIG);
  wr_capture_close(c);
  remove_dir();
}

/* Also what ends in one millisecond is kept and counted, up to the ceiling. */
static void test_one_millisecond(void) {
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  make_dir();
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 3, 1 << 20, &c), 0);
  for (size_t n = 1; n <= 4; n++) {
    CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
    CU_ASSERT_EQUAL(wr_capture_files(c), n < 3 ? n : 3);
    CU_ASSERT_EQUAL(list(false), n < 3 ? n : 3);
    CU_ASSERT_EQUAL(wr_capture_bytes(c) % wr_capture_files(c), 0);
  }
  CU_ASSERT_TRUE(there("no_flow.host_pump_1.1700000000000-2.weir.json"));
  CU_ASSERT_TRUE(there("no_flow.host_pump_1.1700000000000-3.weir.json"));
  wr_capture_close(c);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 3, 1 << 20, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), 3);
  wr_capture_close(c);
  remove_dir();
}

static void test_any_umask(void) {
  char path[160];
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  struct stat st;
  make_dir();
  snprintf(path, sizeof(path), "%s/new", dir);
  mode_t before = umask(0777);
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(path, 3, 1 << 20, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  umask(before);
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0750);
  wr_capture_close(c);
  snprintf(path, sizeof(path),
           "%s/new/no_flow.host_pump_1.1700000000000.weir.json", dir);
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
  unlink(path);
  snprintf(path, sizeof(path), "%s/new", dir);
  rmdir(path);
  remove_dir();
}

/* Nothing is counted that is not there, nothing is there uncounted. */
static void test_no_memory(void) {
  make_dir();
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_capture *c = NULL;
    struct wr_sample s = sample(n);
    int status = wr_capture_open(dir, 100, 1 << 20, &c);
    if (status == 0)
      status = wr_capture_write(c, &s);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    CU_ASSERT(c == NULL || wr_capture_files(c) == list(false));
    wr_capture_close(c);
  }
  remove_dir();
}

/* What cannot be written whole is not there at all, and is no file of ours;
 * when it can be written again, it is. */
static void test_disk_that_is_full(void) {
  struct wr_capture *c;
  struct wr_sample s = sample(0);
  struct rlimit usual, none;
  make_dir();
  CU_ASSERT_EQUAL_FATAL(wr_capture_open(dir, 10, 1 << 20, &c), 0);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  getrlimit(RLIMIT_FSIZE, &usual);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t size = 0; size < 200; size += 50) {
    none = (struct rlimit){size, usual.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
    int status = wr_capture_write(c, &s);
    setrlimit(RLIMIT_FSIZE, &usual);
    CU_ASSERT_EQUAL(status, -EFBIG);
    CU_ASSERT_EQUAL(wr_capture_files(c), 1);
    CU_ASSERT_EQUAL(list(false), 1);
  }
  signal(SIGXFSZ, SIG_DFL);
  CU_ASSERT_EQUAL(wr_capture_write(c, &s), 0);
  CU_ASSERT_EQUAL(wr_capture_files(c), 2);
  CU_ASSERT_EQUAL(list(false), 2);
  /* nor is a descriptor to be had */
  getrlimit(RLIMIT_NOFILE, &usual);
  none = (struct rlimit){0, usual.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  int status = wr_capture_write(c, &s);
  setrlimit(RLIMIT_NOFILE, &usual);
  CU_ASSERT_EQUAL(status, -EMFILE);
  CU_ASSERT_EQUAL(wr_capture_files(c), 2);
  wr_capture_close(c);
  remove_dir();
}

UNIT_MAIN("capture", UNIT(test_disk_that_is_full), UNIT(test_one_millisecond),
          UNIT(test_any_umask), UNIT(test_no_memory), UNIT(test_no_directory),
          UNIT(test_document), UNIT(test_names_and_leftovers),
          UNIT(test_oldest_goes), UNIT(test_ceiling_of_bytes))
