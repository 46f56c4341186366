#include "lib/base/table.h"

#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t released;

static void release(void *value) {
  released++;
  free(value);
}

static int *number(int n) {
  int *p = malloc(sizeof(*p));
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  *p = n;
  return p;
}

static size_t key_of(int n, char *key) {
  return (size_t)sprintf(key, "k%d", n);
}

static void put(struct wr_table *t, int n, int64_t now_ms, bool *dropped) {
  char key[16];
  size_t len = key_of(n, key);
  CU_ASSERT_EQUAL(wr_table_put(t, key, len, number(n), now_ms, dropped), 0);
}

static int get(struct wr_table *t, int n, int64_t now_ms) {
  char key[16];
  size_t len = key_of(n, key);
  int *p = wr_table_get(t, key, len, now_ms);
  return p != NULL ? *p : -1;
}

static void test_empty(void) {
  struct wr_table *t = wr_table_create(1, NULL);
  CU_ASSERT_PTR_NULL(wr_table_get(t, "", 0, 0));
  CU_ASSERT_EQUAL(wr_table_expire(t, INT64_MAX), 0);
  wr_table_clear(t);
  wr_table_destroy(t);
  wr_table_destroy(NULL);
}

/* A power of two of chains: 16, as many as keys, 65536 at most. */
static void test_memory(void) {
  static const size_t sizes[][2] = {{1, 16},        {16, 16},
                                    {17, 32},       {1000, 1024},
                                    {65536, 65536}, {100000, 65536}};
  size_t rest = 0; /* beside the chains */
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    unit_alloc_reset_peak();
    struct wr_table *t = wr_table_create(sizes[i][0], NULL);
    size_t chains = sizes[i][1] * sizeof(void *), peak = unit_alloc_peak();
    rest = i == 0 ? peak - chains : rest;
    size_t rounding = chains < 100000 ? 64 : 4200;
    CU_ASSERT(peak >= chains && rest <= 256);
    CU_ASSERT(peak <= chains + rest + rounding);
    wr_table_destroy(t);
  }
}

static void test_many(void) {
  released = 0;
  struct wr_table *t = wr_table_create(10000, release);
  bool dropped = false;
  for (int i = 0; i < 10000; i++) {
    put(t, i, i, &dropped);
    CU_ASSERT_FALSE(dropped);
  }
  CU_ASSERT_EQUAL(wr_table_count(t), 10000);
  for (int i = 0; i < 10000; i++)
    CU_ASSERT_EQUAL(get(t, i, 10000), i);
  CU_ASSERT_EQUAL(get(t, 10000, 10000), -1);
  wr_table_destroy(t);
  CU_ASSERT_EQUAL(released, 10000);
}

static void test_ceiling_drops_least_recently_used(void) {
  released = 0;
  struct wr_table *t = wr_table_create(3, release);
  bool dropped = false;
  for (int i = 0; i < 3; i++)
    put(t, i, i, &dropped);
  CU_ASSERT_EQUAL(get(t, 0, 10), 0); /* 1 is now the oldest */
  put(t, 3, 11, &dropped);
  CU_ASSERT_TRUE(dropped);
  CU_ASSERT_EQUAL(released, 1);
  CU_ASSERT_EQUAL(get(t, 1, 12), -1);
  CU_ASSERT_EQUAL(get(t, 0, 12), 0);
  CU_ASSERT_EQUAL(get(t, 3, 12), 3);
  CU_ASSERT_EQUAL(wr_table_count(t), 3);
  wr_table_destroy(t);
}

static void test_expire(void) {
  released = 0;
  struct wr_table *t = wr_table_create(10, release);
  bool dropped = false;
  for (int i = 0; i < 10; i++)
    put(t, i, i * 100, &dropped);
  CU_ASSERT_EQUAL(get(t, 2, 1000), 2);
  CU_ASSERT_EQUAL(wr_table_expire(t, 500), 4); /* 0, 1, 3, 4 */
  CU_ASSERT_EQUAL(released, 4);
  CU_ASSERT_EQUAL(get(t, 2, 1000), 2);
  CU_ASSERT_EQUAL(get(t, 4, 1000), -1);
  CU_ASSERT_EQUAL(wr_table_count(t), 6);
  wr_table_destroy(t);
}

static void test_remove(void) {
  released = 0;
  struct wr_table *t = wr_table_create(10, release);
  bool dropped = false;
  for (int i = 0; i < 4; i++)
    put(t, i, i, &dropped);
  CU_ASSERT_TRUE(wr_table_remove(t, "k1", 2));
  CU_ASSERT_FALSE(wr_table_remove(t, "k1", 2));
  CU_ASSERT_FALSE(wr_table_remove(t, "k", 1));
  CU_ASSERT_EQUAL(released, 1);
  CU_ASSERT_EQUAL(get(t, 1, 10), -1);
  CU_ASSERT_EQUAL(get(t, 2, 10), 2);
  CU_ASSERT_EQUAL(wr_table_count(t), 3);
  put(t, 1, 11, &dropped);
  CU_ASSERT_EQUAL(get(t, 1, 12), 1);
  wr_table_destroy(t);
  CU_ASSERT_EQUAL(released, 5);
}

static void test_binary_keys(void) {
  struct wr_table *t = wr_table_create(4, NULL);
  int a = 1, b = 2;
  bool dropped;
  CU_ASSERT_EQUAL(wr_table_put(t, "x\0y", 3, &a, 0, &dropped), 0);
  CU_ASSERT_EQUAL(wr_table_put(t, "x\0z", 3, &b, 0, &dropped), 0);
  CU_ASSERT_PTR_EQUAL(wr_table_get(t, "x\0y", 3, 0), &a);
  CU_ASSERT_PTR_EQUAL(wr_table_get(t, "x\0z", 3, 0), &b);
  CU_ASSERT_PTR_NULL(wr_table_get(t, "x", 1, 0));
  CU_ASSERT_PTR_EQUAL(wr_table_get(t, "x\0y, and more", 3, 0), &a);
  wr_table_destroy(t);
}

/* Two keys that a stranger may choose: their 64 bits of hash are the same. */
static void test_keys_of_one_hash(void) {
  static const char one[] = "\xb3\xfc\xae\x2b\xd0\x0b\x31\x3b";
  static const char other[] = "\x75\xd2\xaf\x75\x71\x08\xd0\xbd";
  struct wr_table *t = wr_table_create(4, NULL);
  int a = 1, b = 2;
  bool dropped;
  CU_ASSERT_EQUAL(wr_table_put(t, one, 8, &a, 0, &dropped), 0);
  CU_ASSERT_PTR_NULL(wr_table_get(t, other, 8, 0));
  CU_ASSERT_FALSE(wr_table_remove(t, other, 8));
  CU_ASSERT_EQUAL(wr_table_put(t, other, 8, &b, 0, &dropped), 0);
  CU_ASSERT_PTR_EQUAL(wr_table_get(t, one, 8, 0), &a);
  CU_ASSERT_PTR_EQUAL(wr_table_get(t, other, 8, 0), &b);
  CU_ASSERT_TRUE(wr_table_remove(t, one, 8));
  CU_ASSERT_PTR_NULL(wr_table_get(t, one, 8, 0));
  CU_ASSERT_PTR_EQUAL(wr_table_get(t, other, 8, 0), &b);
  wr_table_destroy(t);
}

static void append(void *value, void *arg) {
  char *text = arg;
  sprintf(text + strlen(text), "%d ", *(int *)value);
}

static void test_each_in_order_of_use(void) {
  struct wr_table *t = wr_table_create(5, release);
  bool dropped;
  char text[64] = "";
  for (int i = 0; i < 4; i++)
    put(t, i, i, &dropped);
  get(t, 1, 10);
  wr_table_each(t, append, text);
  CU_ASSERT_STRING_EQUAL(text, "0 2 3 1 ");
  wr_table_destroy(t);
}

/* What does not fit is refused and stays the caller's; the rest is there. */
static void test_no_memory(void) {
  int values[3];
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_table *t = wr_table_create(2, NULL);
    size_t there = 0;
    bool dropped = true;
    for (int i = 0; t != NULL && i < 2; i++) {
      char key = (char)('a' + i);
      int status = wr_table_put(t, &key, 1, values + i, i, &dropped);
      CU_ASSERT(status == 0 || status == -ENOMEM);
      there += status == 0;
      CU_ASSERT_EQUAL(wr_table_get(t, &key, 1, i) == NULL, status != 0);
    }
    CU_ASSERT_EQUAL(t == NULL || there < 2, unit_alloc_failed());
    CU_ASSERT(t == NULL || wr_table_count(t) == there);
    wr_table_destroy(t);
  }
}

UNIT_MAIN("table", UNIT(test_no_memory), UNIT(test_empty), UNIT(test_many),
          UNIT(test_memory), UNIT(test_ceiling_drops_least_recently_used),
          UNIT(test_expire), UNIT(test_remove), UNIT(test_binary_keys),
          UNIT(test_keys_of_one_hash), UNIT(test_each_in_order_of_use))
