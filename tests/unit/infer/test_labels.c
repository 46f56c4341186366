#include "lib/infer/labels.h"

#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reserved[] = {"up", "uncertain", NULL};

static void test_refused(void) {
  struct wr_labels l = {0};
  char text[WR_LABEL_LEN + 1];
  memset(text, 'x', WR_LABEL_LEN);
  text[WR_LABEL_LEN] = '\0';
  CU_ASSERT_EQUAL(wr_labels_add(&l, "", reserved), -EINVAL);
  CU_ASSERT_EQUAL(wr_labels_add(&l, text, reserved), -EINVAL);
  CU_ASSERT_EQUAL(l.count, 0);
  for (int i = 0; i < WR_LABELS_MAX; i++) {
    snprintf(text, sizeof(text), "label %d", i);
    CU_ASSERT_EQUAL(wr_labels_add(&l, text, reserved), i);
  }
  CU_ASSERT_EQUAL(wr_labels_add(&l, "one more", reserved), -ENOSPC);
  wr_labels_free(&l);
  wr_labels_free(&l);
}

static void test_plain_names_stay(void) {
  struct wr_labels l = {0};
  CU_ASSERT_EQUAL(wr_labels_add(&l, "Anomalous", reserved), 0);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "v1.2_x-y", reserved), 1);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "D\xc3\xbcse", reserved), 2);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "Anomalous", reserved), 0);
  CU_ASSERT_STRING_EQUAL(l.at[0].id, "Anomalous");
  CU_ASSERT_STRING_EQUAL(l.at[1].id, "v1.2_x-y");
  CU_ASSERT_STRING_EQUAL(l.at[2].id, "D\xc3\xbcse");
  CU_ASSERT_EQUAL(wr_labels_find(&l, "v1.2_x-y"), 1);
  CU_ASSERT_EQUAL(wr_labels_find(&l, "v1.2"), -ENOENT);
  wr_labels_free(&l);
}

static void test_unsafe_bytes(void) {
  static const struct {
    const char *name, *id;
  } cases[] = {{"a/b", "a_b"},
               {"low flow", "low_flow"},
               {"x\ny\t\"z\"", "x_y__z_"},
               {"\xff\xfe", "__"},
               {"\xc3", "_"},           /* cut off */
               {"\xe2\x82", "__"},      /* cut off */
               {"\xc0\xaf", "__"},      /* overlong slash */
               {"\xed\xa0\x80", "___"}, /* surrogate */
               {"\xc2\x85x", "__x"},    /* a control character */
               {"\xe2\x82\xac", "\xe2\x82\xac"},
               {"\xf0\x9f\x92\xa7", "\xf0\x9f\x92\xa7"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_labels l = {0};
    CU_ASSERT_EQUAL_FATAL(wr_labels_add(&l, cases[i].name, reserved), 0);
    CU_ASSERT_STRING_EQUAL(l.at[0].id, cases[i].id);
    CU_ASSERT_STRING_EQUAL(l.at[0].name, cases[i].name);
    wr_labels_free(&l);
  }
}

static void all_differ(const struct wr_labels *l) {
  for (size_t i = 0; i < l->count; i++)
    for (size_t j = 0; j < i; j++)
      CU_ASSERT_STRING_NOT_EQUAL(l->at[i].id, l->at[j].id);
}

static void test_no_collisions(void) {
  struct wr_labels l = {0};
  char longer[100];
  memset(longer, 'x', 90);
  longer[90] = '\0';
  const char *const names[] = {"a b", "a/b", "a_b",       "a\\b", "a:b",
                               "up",  "Up",  "uncertain", "A B",  longer};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    CU_ASSERT_EQUAL(wr_labels_add(&l, names[i], reserved), (int)i);
  longer[89] = 'y';
  CU_ASSERT_EQUAL(wr_labels_add(&l, longer, reserved), 10);
  all_differ(&l);
  for (size_t i = 0; i < l.count; i++) {
    CU_ASSERT_STRING_NOT_EQUAL(l.at[i].id, "up");
    CU_ASSERT_STRING_NOT_EQUAL(l.at[i].id, "uncertain");
    CU_ASSERT(strlen(l.at[i].id) < WR_LABEL_ID);
    CU_ASSERT_PTR_NULL(strchr(l.at[i].id, '/'));
  }
  wr_labels_free(&l);
}

/* Names of series that are on record: the same in every version. */
static void test_hashes_stay(void) {
  struct wr_labels l = {0};
  CU_ASSERT_EQUAL(wr_labels_add(&l, "a b", reserved), 0);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "a/b", reserved), 1);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "UP", reserved), 2);
  CU_ASSERT_STRING_EQUAL(l.at[0].id, "a_b");
  CU_ASSERT_STRING_EQUAL(l.at[1].id, "a_b_3a8e75c1");
  CU_ASSERT_STRING_EQUAL(l.at[2].id, "UP_62f38ba0");
  /* and whose hash is somebody's name takes the next one */
  CU_ASSERT_EQUAL(wr_labels_add(&l, "a_b_3a8e75c1", reserved), 3);
  CU_ASSERT_STRING_EQUAL(l.at[1].id, "a_b_95664a96");
  CU_ASSERT_EQUAL(wr_labels_add(&l, "a_b_95664a96", reserved), 4);
  CU_ASSERT_STRING_EQUAL(l.at[1].id, "a_b_ed2b9bbf");
  wr_labels_free(&l);
}

/* In either order the one that is an identifier keeps its spelling. */
static void test_as_spelled_wins(void) {
  static const char *const orders[][3] = {{"no flow", "no_flow", "no/flow"},
                                          {"no_flow", "no/flow", "no flow"},
                                          {"no/flow", "no flow", "no_flow"}};
  for (size_t i = 0; i < 3; i++) {
    struct wr_labels l = {0};
    for (int k = 0; k < 3; k++)
      CU_ASSERT_EQUAL(wr_labels_add(&l, orders[i][k], reserved), k);
    CU_ASSERT_STRING_EQUAL(l.at[wr_labels_find(&l, "no_flow")].id, "no_flow");
    all_differ(&l);
    /* even what looks like somebody's hash */
    char hashed[WR_LABEL_ID];
    strcpy(hashed, l.at[wr_labels_find(&l, "no/flow")].id);
    CU_ASSERT_EQUAL(wr_labels_add(&l, hashed, reserved), 3);
    CU_ASSERT_STRING_EQUAL(l.at[3].id, hashed);
    all_differ(&l);
    wr_labels_free(&l);
  }
  struct wr_labels l = {0};
  CU_ASSERT_EQUAL(wr_labels_add(&l, "normal", reserved), 0);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "Normal", reserved), 1);
  CU_ASSERT_STRING_EQUAL(l.at[0].id, "normal");
  CU_ASSERT_STRING_EQUAL(l.at[1].id, "Normal");
  wr_labels_free(&l);
}

/* Property: any bytes make identifiers that differ and are clean. */
static void test_property_any_bytes(void) {
  srand(1);
  for (int round = 0; round < 200; round++) {
    struct wr_labels l = {0};
    for (int i = 0; i < 60; i++) {
      char name[80];
      size_t len = 1 + (size_t)rand() % 78;
      if (rand() % 2 == 0)
        len = 1 + len % 3; /* short ones collide more */
      for (size_t k = 0; k < len; k++)
        name[k] = (char)(1 + rand() % 255);
      name[len] = '\0';
      CU_ASSERT(wr_labels_add(&l, name, reserved) >= 0);
    }
    all_differ(&l);
    for (size_t i = 0; i < l.count; i++) {
      CU_ASSERT_NOT_EQUAL(l.at[i].id[0], '\0');
      CU_ASSERT_PTR_NULL(strpbrk(l.at[i].id, "/ \"\\\n"));
    }
    wr_labels_free(&l);
  }
}

static void test_no_memory(void) {
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_labels l = {0};
    int first = wr_labels_add(&l, "Normal", NULL);
    int second = wr_labels_add(&l, "Low", NULL);
    CU_ASSERT_EQUAL(unit_alloc_failed(), first < 0 || second < 0);
    CU_ASSERT(first == -ENOMEM || first == 0);
    CU_ASSERT_EQUAL(second, second < 0 ? -ENOMEM : (int)l.count - 1);
    CU_ASSERT_EQUAL(l.count, (size_t)((first >= 0) + (second >= 0)));
    wr_labels_free(&l);
  }
}

/* One byte below the longest identifier, at it and above: what does not fit
 * ends in a hash and has that very length. */
static void test_longest_identifier(void) {
  for (int len = WR_LABEL_ID - 2; len <= WR_LABEL_ID + 1; len++) {
    struct wr_labels l = {0};
    char name[WR_LABEL_ID + 2];
    snprintf(name, sizeof(name), "%0*d", len, 7);
    CU_ASSERT_EQUAL(wr_labels_add(&l, name, reserved), 0);
    CU_ASSERT_EQUAL(strcmp(l.at[0].id, name) == 0, len < WR_LABEL_ID);
    CU_ASSERT_EQUAL(strlen(l.at[0].id),
                    len < WR_LABEL_ID ? (size_t)len : WR_LABEL_ID - 1);
    wr_labels_free(&l);
  }
}

/* The last control character beyond ASCII, and what stands behind it. */
static void test_where_controls_end(void) {
  struct wr_labels l = {0};
  CU_ASSERT_EQUAL(wr_labels_add(&l, "\xc2\x9f", reserved), 0);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "\xc2\xa0", reserved), 1);
  CU_ASSERT_EQUAL(wr_labels_add(&l, "\xc3\x80", reserved), 2);
  CU_ASSERT_STRING_EQUAL(l.at[0].id, "__");
  CU_ASSERT_STRING_EQUAL(l.at[1].id, "\xc2\xa0");
  CU_ASSERT_STRING_EQUAL(l.at[2].id, "\xc3\x80");
  wr_labels_free(&l);
}

UNIT_MAIN("labels", UNIT(test_no_memory), UNIT(test_refused),
          UNIT(test_plain_names_stay), UNIT(test_unsafe_bytes),
          UNIT(test_no_collisions), UNIT(test_hashes_stay),
          UNIT(test_as_spelled_wins), UNIT(test_property_any_bytes),
          UNIT(test_longest_identifier), UNIT(test_where_controls_end))
