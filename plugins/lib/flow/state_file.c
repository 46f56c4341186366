#include "lib/flow/state_file.h"

#include "lib/base/file.h"
#include "lib/base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
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

static int name(char out[PATH_MAX], const char *path, const char *suffix) {
  int len = wr_number_print(out, PATH_MAX, "%s%s", path, suffix);
  return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int wr_state_file_old(const char *path, char *out, size_t size) {
  int len = wr_number_print(out, size, "%s.old", path);
  return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static int write_new(const char *path, const char *head, const char *text,
                     size_t len) {
  int fd =
      wr_file_create(AT_FDCWD, path, O_WRONLY | O_TRUNC | O_NOFOLLOW, 0640);
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

/* The renames are durable when the folder is. Some file systems cannot do
 * this; the file is whole all the same. */
static void sync_folder(const char *path) {
  char folder[PATH_MAX];
  if (name(folder, path, "") != 0)
    return;
  char *slash = strrchr(folder, '/');
  if (slash == NULL)
    memcpy(folder, ".", 2);
  else
    slash[slash == folder] = '\0';
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)fsync(fd);
  close(fd);
}

int wr_state_file_write(const char *path, const char *kind, const char *text,
                        size_t len) {
  char head[HEAD_MAX], fresh[PATH_MAX], old[PATH_MAX];
  int status = name(fresh, path, ".new");
  if (status == 0)
    status = name(old, path, ".old");
  if (status != 0)
    return status;
  wr_number_print(head, sizeof(head), "weir %s %zu %016" PRIx64 "\n", kind, len,
                  checksum(text, len));
  status = write_new(fresh, head, text, len);
  if (status == 0 && rename(path, old) != 0 && errno != ENOENT)
    status = -errno;
  if (status == 0 && rename(fresh, path) != 0)
    status = -errno;
  if (status != 0)
    (void)unlink(fresh);
  else
    sync_folder(path);
  return status;
}

static int read_all(int fd, struct wr_bytes *out) {
  char buffer[16384];
  for (;;) {
    ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n == 0)
      return 0;
    if (n < 0 && errno != EINTR)
      return -errno;
    int status = n > 0 ? wr_bytes_append(out, buffer, (size_t)n) : 0;
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
  if (status == 0 && len > 0)
    status = wr_bytes_append(out, text, len);
  wr_bytes_free(&file);
  return status == -ENOSPC ? -EBADMSG : status;
}

int wr_state_file_set_aside(const char *path) {
  char aside[PATH_MAX];
  int status = name(aside, path, ".corrupt");
  if (status != 0)
    return status;
  return rename(path, aside) == 0 ? 0 : -errno;
}
