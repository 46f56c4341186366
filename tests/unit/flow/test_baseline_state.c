#include "lib/flow/baseline_state.h"
#include "lib/flow/state_file.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define S INT64_C(1000000)

/* A series with something in every field. */
static struct wr_baseline busy(void) {
  struct wr_baseline b;
  struct wr_baseline_rules rules = WR_BASELINE_RULES;
  wr_baseline_init(&b);
  for (int i = 0; i < 3 * 86400; i++) {
    double level = i / 20000 % 2 ? 7.3 : 10;
    (void)wr_baseline_push(&b, &rules, (1700000000 + i) * S, 1000 * i + 1, 1,
                           level + (i % 5) * 0.01);
  }
  return b;
}

static char *text_of(const struct wr_baseline *b) {
  struct wr_bytes out = WR_BYTES_INIT(WR_BASELINE_STATE_MAX);
  CU_ASSERT_EQUAL_FATAL(wr_baseline_put(&out, b), 0);
  char *text = strndup(out.data, out.len);
  wr_bytes_free(&out);
  return text;
}

static void test_there_and_back(void) {
  struct wr_baseline b = busy(), read;
  b.totals.busy_s = 1234.5f;
  b.totals.restless = true;
  char *text = text_of(&b);
  CU_ASSERT_EQUAL_FATAL(wr_baseline_get(text, &read), 0);
  char *again = text_of(&read);
  CU_ASSERT_STRING_EQUAL(text, again);
  CU_ASSERT_EQUAL(read.base, b.base);
  CU_ASSERT_EQUAL(read.points.count, b.points.count);
  CU_ASSERT_EQUAL(memcmp(&read.totals, &b.totals, sizeof(b.totals)), 0);
  CU_ASSERT_EQUAL(memcmp(&read.u.trend, &b.u.trend, sizeof(b.u.trend)), 0);
  CU_ASSERT(read.settle_s > 0); /* the next sample comes after a gap */
  free(text);
  free(again);
}

/* A series that has learnt stands at a point that is in use. */
static void test_stands_at_a_point(void) {
  struct wr_baseline b = busy(), read;
  CU_ASSERT_FATAL(b.learned && b.points.current >= 0);
  int8_t current = b.points.current;
  b.points.current = WR_POINTS_NONE;
  char *text = text_of(&b);
  CU_ASSERT_EQUAL(wr_baseline_get(text, &read), -EBADMSG);
  free(text);
  b.points.current = current;
  b.points.at[current].used = false;
  text = text_of(&b);
  CU_ASSERT_EQUAL(wr_baseline_get(text, &read), -EBADMSG);
  free(text);
  b.learned = false;
  text = text_of(&b);
  CU_ASSERT_EQUAL(wr_baseline_get(text, &read), 0);
  free(text);
}

static void test_locale(void) {
  unit_set_locale("de_DE.UTF-8");
  test_there_and_back();
  unit_set_locale("C");
}

/* Every shorter text, and every text with one character changed, is refused
 * or gives a series that can be used. */
static void test_damaged(void) {
  struct wr_baseline b = busy(), read;
  struct wr_baseline_rules rules = WR_BASELINE_RULES;
  char *text = text_of(&b);
  size_t len = strlen(text);
  for (size_t i = 0; i < len - 2; i += 3) {
    char kept = text[i];
    text[i] = '\0';
    CU_ASSERT(wr_baseline_get(text, &read) != 0);
    for (const char *c = "9- ex"; *c != '\0'; c++) {
      text[i] = *c;
      if (wr_baseline_get(text, &read) != 0)
        continue;
      for (int k = 0; k < 100; k++)
        (void)wr_baseline_push(&read, &rules, (1800000000 + k) * S, k * 1000, 1,
                               10);
      struct wr_baseline_view v;
      wr_baseline_view(&read, &rules, &v);
    }
    text[i] = kept;
  }
  CU_ASSERT_EQUAL(wr_baseline_get(text, &read), 0);
  text[0] = '2';
  CU_ASSERT_EQUAL(wr_baseline_get(text, &read), -ENOTSUP);
  CU_ASSERT_EQUAL(wr_baseline_get("", &read), -EBADMSG);
  free(text);
}

static char folder[] = "/tmp/weir-state-XXXXXX";
static char path[64];

static int read_file(char *out, size_t size) {
  struct wr_bytes b = WR_BYTES_INIT(size - 1);
  int status = wr_state_file_read(path, "test", &b);
  snprintf(out, size, "%s", b.data != NULL ? b.data : "");
  wr_bytes_free(&b);
  return status;
}

static int write_text(const char *text) {
  return wr_state_file_write(path, "test", text, strlen(text));
}

static void test_file(void) {
  char text[64], old[80];
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/file", folder);
  CU_ASSERT_EQUAL(read_file(text, sizeof(text)), -ENOENT);
  CU_ASSERT_EQUAL(write_text("one\n"), 0);
  CU_ASSERT_EQUAL(read_file(text, sizeof(text)), 0);
  CU_ASSERT_STRING_EQUAL(text, "one\n");
  CU_ASSERT_EQUAL(write_text("two\n"), 0);
  CU_ASSERT_EQUAL(wr_state_file_old(path, old, sizeof(old)), 0);
  struct wr_bytes b = WR_BYTES_INIT(100);
  CU_ASSERT_EQUAL(wr_state_file_read(old, "test", &b), 0);
  CU_ASSERT_STRING_EQUAL(b.data, "one\n");
  wr_bytes_free(&b);
  CU_ASSERT_EQUAL(wr_state_file_read(path, "other", &b), -EBADMSG);
  CU_ASSERT_EQUAL(write_text(""), 0);
  CU_ASSERT_EQUAL(read_file(text, sizeof(text)), 0);
}

static void test_file_damaged(void) {
  char text[64], aside[80];
  CU_ASSERT_EQUAL(write_text("a state of some length\n"), 0);
  struct stat st;
  CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
  for (long at = 0; at < st.st_size; at++) { /* any one byte */
    FILE *f = fopen(path, "r+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
    CU_ASSERT_EQUAL(read_file(text, sizeof(text)), -EBADMSG);
    f = fopen(path, "r+");
    fseek(f, at, SEEK_SET);
    fputc(c, f);
    fclose(f);
  }
  for (long len = 0; len < st.st_size; len++) { /* torn anywhere */
    CU_ASSERT_EQUAL(write_text("a state of some length\n"), 0);
    CU_ASSERT_EQUAL(truncate(path, len), 0);
    CU_ASSERT_EQUAL(read_file(text, sizeof(text)), -EBADMSG);
  }
  CU_ASSERT_EQUAL(wr_state_file_set_aside(path), 0);
  CU_ASSERT_EQUAL(read_file(text, sizeof(text)), -ENOENT);
  snprintf(aside, sizeof(aside), "%s.corrupt", path);
  CU_ASSERT_EQUAL(access(aside, F_OK), 0);
}

static void test_file_out_of_reach(void) {
  char text[16];
  CU_ASSERT_EQUAL(write_text("long enough to be too long\n"), 0);
  CU_ASSERT_EQUAL(read_file(text, sizeof(text)), -EBADMSG);
  CU_ASSERT(wr_state_file_write("/none/file", "test", "x", 1) < 0);
  struct wr_bytes b = WR_BYTES_INIT(100);
  CU_ASSERT_EQUAL(wr_state_file_read(folder, "test", &b), -EBADMSG);
  char command[100];
  const char *const names[] = {"file", "file.old", "file.corrupt"};
  for (size_t i = 0; i < 3; i++) {
    snprintf(command, sizeof(command), "%s/%s", folder, names[i]);
    (void)unlink(command);
  }
  CU_ASSERT_EQUAL(rmdir(folder), 0); /* nothing else was left there */
}

UNIT_MAIN("baseline_state", UNIT(test_there_and_back),
          UNIT(test_stands_at_a_point), UNIT(test_locale), UNIT(test_damaged),
          UNIT(test_file), UNIT(test_file_damaged),
          UNIT(test_file_out_of_reach))
