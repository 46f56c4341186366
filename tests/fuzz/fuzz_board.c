/* What the doctor reads of a board: any bytes as the kernel's log, which holds
 * what peers sent, and as the version in the M7's image. In whatever pieces the
 * log comes, the same is seen in it.
 *
 * First byte: the size of a piece. */
#include "plugins/doctor/board.c"
#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>

void doctor_step(struct doctor *d, bool ok, const char *step,
                 const char *format, ...) {
  (void)d, (void)ok, (void)step, (void)format;
}

int doctor_usage(struct doctor *d, const char *format, ...) {
  (void)d, (void)format;
  return 0;
}

int doctor_conclude(struct doctor *d, enum doctor_verdict verdict) {
  (void)d, (void)verdict;
  return 0;
}

static struct fuzz_file file; /* dev/kmsg */
static char device[80];

static void leave(void) {
  unlink(file.path);
  rmdir(device);
  fuzz_file_leave(&file);
}

static void begin(void) {
  if (!fuzz_file_begin(&file, "dev/kmsg", leave))
    return;
  snprintf(device, sizeof(device), "%s/dev", file.folder);
  check(mkdir(device, 0700) == 0);
}

static void read_file(const uint8_t *data, size_t size,
                      struct doctor_board *b) {
  int fd = open(file.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  close(fd);
  *b = (struct doctor_board){0};
  read_log(b, file.folder);
  check(b->log);
}

/* As the device gives them: some bytes for each read. */
static void read_pieces(const uint8_t *data, size_t size, size_t piece,
                        struct doctor_board *b) {
  char room[2 * LOG_RECORD + 1];
  size_t left = 0;
  *b = (struct doctor_board){.log = true};
  for (; size > 0; data += piece, size -= piece) {
    piece = piece < size ? piece : size;
    memcpy(room + left, data, piece);
    left = log_take(b, room, left, piece);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct doctor_board whole, pieces;
  char text[DOCTOR_VERSION_MAX] = "";
  if (size < 1 || size > LOG_RECORD)
    return 0;
  begin();
  size_t part =
      size - 1 < DOCTOR_VERSION_MAX - 1 ? size - 1 : DOCTOR_VERSION_MAX - 1;
  char *image = malloc(part > 0 ? part : 1); /* its end is an edge */
  check(image != NULL);
  memcpy(image, data + 1, part);
  first_text(image, part, text);
  free(image);
  check(strlen(text) == 0 || strlen(text) >= 4);
  read_file(data + 1, size - 1, &whole);
  read_pieces(data + 1, size - 1, data[0] + (size_t)1, &pieces);
  check(whole.refused == pieces.refused);
  check(strcmp(whole.last, pieces.last) == 0);
  return 0;
}
