#include "lib/base/json_reader.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the reader reported, in short: kinds and depths, texts behind. */
struct record {
  char text[1024];
  int stop_at; /* events until on_event() refuses; 0 never */
};

static int on_event(void *context, const struct wr_json_event *e) {
  struct record *r = context;
  size_t used = strlen(r->text);
  snprintf(r->text + used, sizeof(r->text) - used, "%c%u%.*s%s ",
           "-nbNSAOKE"[e->kind], e -> depth, (int)e -> len,
           e -> text == NULL ? "" : e->text, e->truth ? "!" : "");
  CU_ASSERT_EQUAL(e->text != NULL, e->kind == WR_JSON_NUMBER ||
                                       e->kind == WR_JSON_STRING ||
                                       e->kind == WR_JSON_KEY);
  CU_ASSERT(e->kind != WR_JSON_NUMBER || e->text[e->len] == '\0');
  return r->stop_at > 0 && --r->stop_at == 0 ? -EXDEV : 0;
}

/* Reads in pieces of this size. */
static int read_in(struct record *r, const char *text, size_t piece,
                   size_t text_max) {
  struct wr_json_reader reader;
  int status = 0;
  r->text[0] = '\0';
  wr_json_reader_init(&reader, text_max, on_event, r);
  for (size_t at = 0, len = strlen(text); at < len; at += piece)
    status = wr_json_reader_push(&reader, text + at,
                                 piece < len - at ? piece : len - at);
  int end = wr_json_reader_end(&reader);
  CU_ASSERT(status == 0 || end == status);
  wr_json_reader_free(&reader);
  wr_json_reader_free(&reader);
  CU_ASSERT_NOT_EQUAL(wr_json_reader_push(&reader, "1", 1), 0);
  return end;
}

static void test_events_in_any_pieces(void) {
  static const char text[] = " {\"a\\u00e4\": [1, -2.50e3, \"x\\\"y\"], "
                             "\"b\":{\"c\":null}, \"d\":true,\"e\":false} ";
  static const char empty[] = "[\"\",{\"\":\"\"},[],{}]";
  struct record r = {0};
  for (size_t piece = 1; piece <= sizeof(text); piece++) {
    CU_ASSERT_EQUAL(read_in(&r, empty, piece, 100), 0);
    CU_ASSERT_STRING_EQUAL(r.text, "A0 S1 O1 K2 S2 E1 A1 E1 O1 E1 E0 ");
    CU_ASSERT_EQUAL(read_in(&r, text, piece, 100), 0);
    CU_ASSERT_STRING_EQUAL(
        r.text, "O0 K1a\xc3\xa4 A1 N21 N2-2.50e3 S2x\"y E1 K1b O1 K2c n2 E1 "
                "K1d b1! K1e b1 E0 ");
  }
}

static void test_bad_in_any_pieces(void) {
  static const char *const cases[] = {"{} \"a", "{}}",        "[1",  "\"a",
                                      "[1,,2]", "[\"\xff\"]", "1 2", "nulla"};
  struct record r = {0};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (size_t piece = 1; piece <= strlen(cases[i]); piece++)
      CU_ASSERT_EQUAL(read_in(&r, cases[i], piece, 100), -EBADMSG);
  CU_ASSERT_EQUAL(read_in(&r, "", 1, 100), -EBADMSG);
}

/* One byte below the ceiling, at it and above, whatever the pieces. */
static void test_long_texts(void) {
  struct record r = {0};
  for (size_t piece = 1; piece <= 64; piece *= 2)
    for (int len = 9; len <= 11; len++) {
      char text[64];
      int expected = len <= 10 ? 0 : -E2BIG;
      snprintf(text, sizeof(text), "[\"%0*d\"]", len - 2, 0);
      CU_ASSERT_EQUAL(read_in(&r, text, piece, 10), expected);
      snprintf(text, sizeof(text), "{\"%0*d\":1}", len - 2, 0);
      CU_ASSERT_EQUAL(read_in(&r, text, piece, 10), expected);
      snprintf(text, sizeof(text), "[1,-1.%0*d]", len - 3, 0);
      CU_ASSERT_EQUAL(read_in(&r, text, piece, 10), expected);
      snprintf(text, sizeof(text), "[1E%0*d,2]", len - 2, 0);
      CU_ASSERT_EQUAL(read_in(&r, text, piece, 10), expected);
    }
}

/* Words have a ceiling, too: what they are made of, each of it. */
static void test_long_words(void) {
  struct record r = {0};
  for (int c = 1; c < 256; c++) {
    char text[12] = "";
    bool word = strchr("0123456789abcdefghijklmnopqrstuvwxyz"
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-.",
                       c) != NULL;
    memset(text, c, 11);
    int status = read_in(&r, text, 11, 10);
    CU_ASSERT_EQUAL(status == -E2BIG, word);
    CU_ASSERT_NOT_EQUAL(status, 0);
  }
  CU_ASSERT_EQUAL(read_in(&r, "[true,null]", 1, 4), 0);
  CU_ASSERT_EQUAL(read_in(&r, "[false]", 1, 4), -E2BIG);
}

static void test_long_numbers(void) {
  struct record r = {0};
  for (int len = WR_NUMBER_MAX - 1; len <= WR_NUMBER_MAX + 1; len++) {
    char text[WR_NUMBER_MAX + 8];
    snprintf(text, sizeof(text), "[0.%0*d]", len - 2, 0);
    CU_ASSERT_EQUAL(read_in(&r, text, 1000, 1000),
                    len < WR_NUMBER_MAX ? 0 : -EBADMSG);
  }
}

static void test_deep(void) {
  struct record r = {0};
  for (int depth = WR_JSON_DEPTH - 1; depth <= WR_JSON_DEPTH + 1; depth++) {
    char text[2 * WR_JSON_DEPTH + 4] = "";
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    CU_ASSERT_EQUAL(read_in(&r, text, 1, 1000),
                    depth <= WR_JSON_DEPTH ? 0 : -ELOOP);
  }
}

static void test_the_caller_ends_it(void) {
  struct record r = {.stop_at = 3};
  CU_ASSERT_EQUAL(read_in(&r, "[1,2,3]", 1, 100), -EXDEV);
  CU_ASSERT_STRING_EQUAL(r.text, "A0 N11 N12 ");
}

static void test_no_memory(void) {
  for (size_t piece = 1; piece <= 64; piece *= 8)
    for (long n = 0; unit_alloc_arm(n); n++) {
      struct record r = {0};
      int status = read_in(&r, "{\"a\\n\":[1,\"\\u00e4bc\",{}]}", piece, 100);
      CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    }
}

static void test_event_is(void) {
  struct wr_json_event e = {.kind = WR_JSON_KEY, .text = "id\"", .len = 2};
  CU_ASSERT_TRUE(wr_json_event_is(&e, "id"));
  CU_ASSERT_FALSE(wr_json_event_is(&e, "ie"));
  CU_ASSERT_FALSE(wr_json_event_is(&e, "i"));
  CU_ASSERT_FALSE(wr_json_event_is(&e, "id\""));
}

UNIT_MAIN("json_reader", UNIT(test_events_in_any_pieces), UNIT(test_event_is),
          UNIT(test_bad_in_any_pieces), UNIT(test_long_texts),
          UNIT(test_long_words), UNIT(test_long_numbers), UNIT(test_deep),
          UNIT(test_the_caller_ends_it), UNIT(test_no_memory))
