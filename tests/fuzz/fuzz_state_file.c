/* A state file that anything may have been written to. It is read only when it
 * is whole and of its kind; then it says exactly what was written.
 *
 * First byte: 0: the file is these bytes; else a good file holds them, and the
 * second and third byte say which of its bytes is changed, to what. */
#define _GNU_SOURCE /* memfd_create */
#include "lib/flow/state_file.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#define MOST 4096

static struct fuzz_file file;

static void leave(void) { fuzz_file_leave(&file); }

static void put(const void *data, size_t size) {
  int fd = open(file.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  close(fd);
}

static size_t get(char *to, size_t size) {
  int fd = open(file.path, O_RDONLY);
  ssize_t n = fd >= 0 ? read(fd, to, size) : -1;
  check(n >= 0);
  close(fd);
  return (size_t)n;
}

static int read_file(struct wr_bytes *out, const char *kind) {
  int status = wr_state_file_read(file.path, kind, out);
  check(status == 0 || status == -EBADMSG);
  check(status == 0 || out->len == 0);
  return status;
}

static void any(const uint8_t *data, size_t size) {
  struct wr_bytes out = WR_BYTES_INIT(MOST);
  put(data, size);
  if (read_file(&out, "fuzz") == 0) /* it is the end of what is there */
    check(out.len < size &&
          (out.len == 0 ||
           memcmp(out.data, data + size - out.len, out.len) == 0));
  wr_bytes_free(&out);
  out = (struct wr_bytes)WR_BYTES_INIT(MOST);
  if (size > 0)
    check(wr_state_file_set_aside(file.path) == 0);
  check(wr_state_file_read(file.path, "fuzz", &out) ==
        (size > 0 ? -ENOENT : -EBADMSG));
  wr_bytes_free(&out);
}

static void changed(const uint8_t *data, size_t size, unsigned where,
                    uint8_t to) {
  char whole[MOST + 256];
  struct wr_bytes out = WR_BYTES_INIT(MOST);
  check(wr_state_file_write(file.path, "fuzz", (const char *)data, size) == 0);
  check(read_file(&out, "other") == -EBADMSG);
  check(read_file(&out, "fuzz") == 0 && out.len == size);
  check(size == 0 || memcmp(out.data, data, size) == 0);
  wr_bytes_reset(&out);
  size_t len = get(whole, sizeof(whole));
  bool same = (uint8_t)whole[where % len] == to;
  whole[where % len] = (char)to;
  put(whole, len);
  check((read_file(&out, "fuzz") == 0) == same);
  wr_bytes_reset(&out);
  put(whole, where % len); /* and cut there */
  check(read_file(&out, "fuzz") != 0);
  wr_bytes_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_file_begin(&file, "state", leave);
  if (size < 3 || size > MOST)
    return 0;
  if (data[0] == 0)
    any(data + 1, size - 1);
  else
    changed(data + 3, size - 3, (unsigned)data[0] << 8 | data[1], data[2]);
  return 0;
}
