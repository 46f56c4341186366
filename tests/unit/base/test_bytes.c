#include "lib/base/bytes.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

static void test_text_stays_terminated(void) {
  struct wr_bytes b = WR_BYTES_INIT(100);
  CU_ASSERT_PTR_NULL(b.data);
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "ab"), 0);
  CU_ASSERT_EQUAL(wr_bytes_append(&b, "\0c", 2), 0);
  CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%d-%s", 7, "x"), 0);
  CU_ASSERT_EQUAL(b.len, 7);
  CU_ASSERT_EQUAL(memcmp(b.data, "ab\0c7-x", 8), 0);
  wr_bytes_reset(&b);
  CU_ASSERT_EQUAL(b.len, 0);
  CU_ASSERT_STRING_EQUAL(b.data, "");
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "x"), 0); /* nothing of before is left */
  CU_ASSERT_STRING_EQUAL(b.data, "x");
  wr_bytes_free(&b);
  CU_ASSERT_PTR_NULL(b.data);
}

static void test_ceiling_changes_nothing(void) {
  struct wr_bytes b = WR_BYTES_INIT(5);
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "1234"), 0);
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "56"), -ENOSPC);
  CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%d", 56), -ENOSPC);
  CU_ASSERT_EQUAL(wr_bytes_append(&b, "x", (size_t)-1), -ENOSPC);
  CU_ASSERT_STRING_EQUAL(b.data, "1234");
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "5"), 0);
  CU_ASSERT_EQUAL(b.len, 5);
  CU_ASSERT(b.cap <= 6);
  wr_bytes_free(&b);
}

static void test_grows_to_the_ceiling(void) {
  enum { MAX = 10000 };
  struct wr_bytes b = WR_BYTES_INIT(MAX);
  for (int i = 0; i < MAX; i++)
    CU_ASSERT_EQUAL_FATAL(wr_bytes_append(&b, &"0123456789"[i % 10], 1), 0);
  CU_ASSERT_EQUAL(wr_bytes_append(&b, "x", 1), -ENOSPC);
  CU_ASSERT_EQUAL(b.len, MAX);
  CU_ASSERT_EQUAL(b.data[MAX - 1], '9');
  wr_bytes_wipe(&b);
  CU_ASSERT_EQUAL(b.cap, 0);
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "again"), 0);
  wr_bytes_free(&b);
}

/* Without memory nothing changes, and later it goes on. */
static void test_no_memory(void) {
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_bytes b = WR_BYTES_INIT(1000);
    size_t len = 0;
    for (int i = 0; i < 20; i++) {
      int status = i % 2 == 0 ? wr_bytes_text(&b, "0123456789")
                              : wr_bytes_printf(&b, "%d", 1234567890);
      CU_ASSERT(status == 0 || status == -ENOMEM);
      len += status == 0 ? 10 : 0;
      CU_ASSERT_EQUAL(b.len, len);
    }
    CU_ASSERT_EQUAL(len < 200, unit_alloc_failed());
    wr_bytes_free(&b);
  }
}

/* Never more memory than the ceiling and its NUL, however it grows. */
static void test_memory_stays_below_the_ceiling(void) {
  for (size_t max = 1; max < 300; max++) {
    struct wr_bytes b = WR_BYTES_INIT(max);
    while (wr_bytes_append(&b, "x", 1) == 0)
      CU_ASSERT_FATAL(b.cap <= max + 1);
    CU_ASSERT_EQUAL(b.len, max);
    wr_bytes_free(&b);
    CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%0*d", (int)max, 7), 0);
    CU_ASSERT_EQUAL(b.cap <= max + 1 && strlen(b.data) == max, true);
    wr_bytes_free(&b);
  }
}

/* Of nothing there is an empty text, and what cannot be written is refused. */
static void test_nothing(void) {
  struct wr_bytes b = WR_BYTES_INIT(5);
  CU_ASSERT_EQUAL(wr_bytes_append(&b, NULL, 0), 0);
  CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%s", ""), 0);
  CU_ASSERT_EQUAL(b.len, 0);
  CU_ASSERT_STRING_EQUAL(b.data, "");
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "12345"), 0);
  CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%s", ""), 0);
  CU_ASSERT_EQUAL(wr_bytes_printf(&b, "%lc", (wint_t)0x110000), -EINVAL);
  CU_ASSERT_STRING_EQUAL(b.data, "12345");
  wr_bytes_free(&b);
  CU_ASSERT_EQUAL(b.len + b.cap, 0);
  wr_bytes_reset(&b);
  CU_ASSERT_PTR_NULL(b.data);
}

/* A secret is gone from the block that goes back, up to its last byte. */
static void test_wipe(void) {
  struct wr_bytes b = WR_BYTES_INIT(1000);
  char zeros[128] = {0};
  CU_ASSERT_EQUAL(wr_bytes_text(&b, "a secret of more than a few bytes"), 0);
  size_t cap = b.cap;
  CU_ASSERT_FATAL(cap <= sizeof(zeros));
  memset(b.data + b.len, 's', cap - b.len);
  unit_alloc_keep_freed(b.data);
  wr_bytes_wipe(&b);
  CU_ASSERT_EQUAL(memcmp(unit_alloc_kept(), zeros, cap), 0);
  unit_alloc_keep_freed(NULL);
  CU_ASSERT_PTR_NULL(b.data);
  CU_ASSERT_EQUAL(b.len + b.cap, 0);
}

UNIT_MAIN("bytes", UNIT(test_memory_stays_below_the_ceiling),
          UNIT(test_nothing), UNIT(test_wipe), UNIT(test_no_memory),
          UNIT(test_text_stays_terminated), UNIT(test_ceiling_changes_nothing),
          UNIT(test_grows_to_the_ceiling))
