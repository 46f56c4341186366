/* A spool file that a failing disk has been at: whatever stands in it, opening
 * ends, what is read from it is well-formed, and values that come afterwards
 * are kept in their order.
 *
 * First byte: 0: the file is the rest; else a good file in which bytes are
 * changed: place (2 bytes, times 1 or, for odd first bytes, 4), then the new
 * byte, and so on. */
#include "lib/spool/spool.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#define KEYS 2
#define NEW 3
#define ROWS 64

static const char *const keys[KEYS] = {"flow_rate", "classification"};
static struct fuzz_file file;
static unsigned char *image; /* of a good file */
static size_t image_len;
static bool untouched; /* the file under test is the good one */

static void leave(void) {
  fuzz_file_leave(&file);
  free(image);
}

static struct wr_spool *open_spool(void) {
  static const struct wr_spool_options options = {.path = file.path,
                                                  .max_bytes = 1 << 20,
                                                  .max_age_us = INT64_MAX / 4,
                                                  .memory_bytes = 1 << 18,
                                                  .max_accepted = 100,
                                                  .boot = "boot"};
  struct wr_spool *s = wr_spool_create(&options, keys, KEYS);
  check(s != NULL);
  wr_spool_open(s, 0);
  return s;
}

static void offer(struct wr_spool *s, int property, double number) {
  struct wr_row row = {.property = property,
                       .time_us = INT64_C(1700000000000000),
                       .value = {.kind = WR_VALUE_NUMBER, .number = number}};
  if (property == 1)
    row.value = (struct wr_value){.kind = WR_VALUE_TEXT, .text = "Normal"};
  wr_spool_offer(s, &row);
}

static void make_image(void) {
  struct wr_spool *s = open_spool();
  for (int i = 0; i < 60; i++)
    offer(s, i % KEYS, i);
  wr_spool_commit(s, 1, INT64_C(1700000000000000));
  struct wr_row row;
  check(wr_spool_oldest(s, 0, 0, &row, 1) == 1);
  wr_spool_reject(s, &row, 400, "no such thing", INT64_C(1700000000000000));
  wr_spool_remember(s, 0, &(struct wr_memo){"id", "name", "FLOAT"});
  wr_spool_destroy(s);
  int fd = open(file.path, O_RDONLY);
  struct stat st;
  check(fd >= 0 && fstat(fd, &st) == 0);
  image_len = (size_t)st.st_size;
  image = malloc(image_len);
  check(image != NULL && read(fd, image, image_len) == (ssize_t)image_len);
  close(fd);
}

static void put(const void *data, size_t size) {
  fuzz_file_clean(&file);
  int fd = open(file.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  close(fd);
}

static void damage(const uint8_t *data, size_t size) {
  unsigned char *copy = malloc(image_len);
  size_t step = *data & 1 ? 4 : 1;
  check(copy != NULL);
  memcpy(copy, image, image_len);
  for (data++, size--; size >= 3; data += 3, size -= 3)
    copy[(((size_t)data[0] << 8 | data[1]) * step) % image_len] = data[2];
  untouched = memcmp(copy, image, image_len) == 0;
  put(copy, image_len);
  free(copy);
}

static void look(const struct wr_row *row, int property) {
  check(row->property == property);
  check(row->value.kind <= WR_VALUE_TEXT);
  check(row->value.kind == WR_VALUE_TEXT || isfinite(row->value.number));
  check(memchr(row->value.text, '\0', sizeof(row->value.text)) != NULL);
}

/* All rows of a property, in order; their number. *last: the newest ones. */
static int walk(struct wr_spool *s, int property, double last[NEW]) {
  static struct wr_row rows[ROWS];
  int total = 0, n;
  int64_t seq = 0;
  while ((n = wr_spool_oldest(s, property, seq, rows, ROWS)) > 0) {
    for (int i = 0; i < n; i++) {
      look(rows + i, property);
      check(rows[i].seq > seq);
      seq = rows[i].seq;
      memmove(last, last + 1, (NEW - 1) * sizeof(*last));
      last[NEW - 1] = rows[i].value.number;
    }
    check((total += n) < 100000);
  }
  return total;
}

static int moved(struct wr_spool *s) {
  struct wr_spool_status status;
  wr_spool_status(s, &status);
  return status.moved_aside;
}

/* Three new values, and all that is there. SQLite keeps no checksums: what goes
 * into a damaged page may be lost with it, as long as the damage shows nowhere.
 * Once it has been seen there is a new file, and that keeps everything. */
static void keep_new(struct wr_spool *s) {
  double last[NEW] = {0};
  int before, total, rounds = 0;
  do {
    before = moved(s);
    for (int i = 0; i < NEW; i++)
      offer(s, 0, 1000 + i);
    wr_spool_commit(s, 2, INT64_C(1700000001000000));
    walk(s, 1, last);
    total = walk(s, 0, last);
    check(rounds++ < 4);
  } while (moved(s) != before);
  if (before == 0 && !untouched)
    return;
  check(total >= NEW);
  for (int i = 0; i < NEW; i++)
    check(last[i] == 1000 + i);
}

static void use(struct wr_spool *s) {
  struct wr_spool_status status;
  struct wr_spent spent;
  struct wr_memo memo;
  struct wr_row row;
  keep_new(s);
  if (!wr_spool_newest(s, 0, &row))
    row = (struct wr_row){.seq = 1};
  wr_spool_load_spent(s, &spent);
  if (wr_spool_recall(s, 0, &memo))
    check(memchr(memo.id, '\0', sizeof(memo.id)) != NULL);
  wr_spool_again(s, 0);
  wr_spool_delivered(s, &row, 1, &spent);
  wr_spool_status(s, &status);
  check(status.rows >= 0 && memchr(status.fault, '\0', sizeof(status.fault)));
}

static void note(const struct wr_rejected *r, void *arg) {
  (void)arg;
  check(memchr(r->reason, '\0', sizeof(r->reason)) != NULL);
  check(memchr(r->property, '\0', sizeof(r->property)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char fault[128];
  int64_t marked;
  if (fuzz_file_begin(&file, "spool.db", leave))
    make_image();
  if (size == 0)
    return 0;
  untouched = false;
  if (data[0] == 0)
    put(data + 1, size - 1);
  else
    damage(data, size);
  (void)wr_spool_read_rejected(file.path, note, NULL, fault, sizeof(fault));
  (void)wr_spool_resend_rejected(file.path, &marked, fault, sizeof(fault));
  for (int round = 0; round < 2; round++) { /* and it stays so */
    struct wr_spool *s = open_spool();
    use(s);
    wr_spool_destroy(s);
  }
  return 0;
}
