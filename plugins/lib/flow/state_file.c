#include "lib/flow/state_file.h"

#include "lib/base/file.h"
#include "lib/base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_MAX 128

/* FNV-1a: finds what a disk does to a file; no secret is kept by it. */
static uint64_t checksum(const char *text, size_t len) {
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < len; i++)
    h = (h ^ (unsigned char)text[i]) * 1099511628211u;
  return h;
}

static int name(char *out, size_t size, const char *path, const char *suffix) {
  int len = wr_number_print(out, size, "%s%s", path, suffix);
  return (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int wr_state_file_old(const char *path, char *out, size_t size) {
  return name(out, size, path, ".old");
}

static int write_new(const char *path, const char *head, const char *text,
                     size_t len) {
  /* O_NONBLOCK: a FIFO in its place must not hold us up. */
  int fd = wr_file_create(AT_FDCWD, path,
                          O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0640);
  if (fd < 0)
    return fd;
  int status = wr_file_write(fd, head, strlen(head));
  if (status == 0)
    status = wr_file_write(fd, text, len);
  if (status == 0 && fsync(fd) != 0)
    status = -errno;
  if (close(fd) != 0 && status == 0)
    status = -errno;
  return status;
}

/* The renames are durable when the folder of this name, which is cut off, is.
 * Some file systems cannot do this; the file is whole all the same. */
static void sync_folder(char *file) {
  int fd = open(dirname(file), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)fsync(fd);
  close(fd);
}

/* The old file goes aside, and comes back if the new one cannot come. */
static int replace(const char *path, const char *fresh, const char *old) {
  bool aside = rename(path, old) == 0;
  if (!aside && errno != ENOENT)
    return -errno;
  if (rename(fresh, path) == 0)
    return 0;
  int status = -errno;
  if (aside)
    (void)rename(old, path);
  return status;
}

int wr_state_file_write(const char *path, const char *kind, const char *text,
                        size_t len) {
  char head[HEAD_MAX], fresh[PATH_MAX], old[PATH_MAX];
  int status = name(fresh, sizeof(fresh), path, ".new");
  if (status == 0)
    status = wr_state_file_old(path, old, sizeof(old));
  if (status != 0)
    return status;
  wr_number_print(head, sizeof(head), "weir %s %zu %016" PRIx64 "\n", kind, len,
                  checksum(text, len));
  status = write_new(fresh, head, text, len);
  if (status == 0)
    status = replace(path, fresh, old);
  if (status != 0)
    (void)unlink(fresh);
  else
    sync_folder(fresh);
  return status;
}

static int read_all(int fd, struct wr_bytes *out) {
  char buffer[16384];
  for (;;) {
    ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? -errno : 0;
    int status = wr_bytes_append(out, buffer, (size_t)n);
    if (status != 0)
      return status;
  }
}

static int check(const struct wr_bytes *file, const char *kind,
                 const char **text, size_t *len) {
  char head[HEAD_MAX];
  const char *end =
      file->data != NULL ? memchr(file->data, '\n', file->len) : NULL;
  if (end == NULL)
    return -EBADMSG;
  *text = end + 1;
  *len = file->len - (size_t)(*text - file->data);
  wr_number_print(head, sizeof(head), "weir %s %zu %016" PRIx64 "\n", kind,
                  *len, checksum(*text, *len));
  size_t head_len = strlen(head);
  return head_len == (size_t)(*text - file->data) &&
                 memcmp(head, file->data, head_len) == 0
             ? 0
             : -EBADMSG;
}

int wr_state_file_read(const char *path, const char *kind,
                       struct wr_bytes *out) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  struct wr_bytes file = WR_BYTES_INIT(out->max + HEAD_MAX);
  int status = fstat(fd, &st) != 0 ? -errno : 0;
  if (status == 0 && !S_ISREG(st.st_mode))
    status = -EBADMSG;
  if (status == 0)
    status = read_all(fd, &file);
  close(fd);
  const char *text = NULL;
  size_t len = 0;
  if (status == 0)
    status = check(&file, kind, &text, &len);
  if (status == 0)
    status = wr_bytes_append(out, text, len);
  wr_bytes_free(&file);
  return status == -ENOSPC ? -EBADMSG : status;
}

int wr_state_file_set_aside(const char *path) {
  char aside[PATH_MAX];
  int status = name(aside, sizeof(aside), path, ".corrupt");
  if (status != 0)
    return status;
  return rename(path, aside) == 0 ? 0 : -errno;
}
