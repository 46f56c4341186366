/* A state file that anything may have been written to. It is read only when it
 * is whole and of its kind; then it says exactly what was written.
 *
 * First byte: 0: the file is these bytes; else a good file holds them, and the
 * second and third byte say which of its bytes is changed, to what. */
#define _GNU_SOURCE /* memfd_create */
#include "lib/flow/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], path[96];

static void check(bool holds) {
  if (!holds)
    abort();
}

static void clean(void) {
  static const char *const ends[] = {"", ".old", ".new", ".corrupt"};
  char name[128];
  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    snprintf(name, sizeof(name), "%s%s", path, ends[i]);
    unlink(name);
  }
  rmdir(folder);
}

static void begin(void) {
  if (folder[0] != '\0')
    return;
  strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/weir-fuzz-XXXXXX"
                                               : "/tmp/weir-fuzz-XXXXXX");
  check(mkdtemp(folder) != NULL);
  snprintf(path, sizeof(path), "%s/state", folder);
  atexit(clean);
}

static void put(const void *data, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  close(fd);
}

static size_t get(char *to, size_t size) {
  int fd = open(path, O_RDONLY);
  ssize_t n = fd >= 0 ? read(fd, to, size) : -1;
  check(n >= 0);
  close(fd);
  return (size_t)n;
}

static int read_file(struct wr_bytes *out, const char *kind) {
  int status = wr_state_file_read(path, kind, out);
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
    check(wr_state_file_set_aside(path) == 0);
  check(wr_state_file_read(path, "fuzz", &out) ==
        (size > 0 ? -ENOENT : -EBADMSG));
  wr_bytes_free(&out);
}

static void changed(const uint8_t *data, size_t size, unsigned where,
                    uint8_t to) {
  char file[MOST + 256];
  struct wr_bytes out = WR_BYTES_INIT(MOST);
  check(wr_state_file_write(path, "fuzz", (const char *)data, size) == 0);
  check(read_file(&out, "other") == -EBADMSG);
  check(read_file(&out, "fuzz") == 0 && out.len == size);
  check(size == 0 || memcmp(out.data, data, size) == 0);
  wr_bytes_reset(&out);
  size_t len = get(file, sizeof(file));
  bool same = (uint8_t)file[where % len] == to;
  file[where % len] = (char)to;
  put(file, len);
  check((read_file(&out, "fuzz") == 0) == same);
  wr_bytes_reset(&out);
  put(file, where % len); /* and cut there */
  check(read_file(&out, "fuzz") != 0);
  wr_bytes_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  begin();
  if (size < 3 || size > MOST)
    return 0;
  if (data[0] == 0)
    any(data + 1, size - 1);
  else
    changed(data + 3, size - 3, (unsigned)data[0] << 8 | data[1], data[2]);
  return 0;
}
