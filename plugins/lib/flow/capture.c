#include "lib/flow/capture.h"

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".weir.json"
#define TEMPORARY ".weir-new"
#define NAME_PART 80

struct file {
  char *name;
  uint64_t size;
  int64_t time_ns; /* of its last change: the order to drop them in */
};

struct wr_capture {
  int dir;
  size_t max_files, count, room;
  uint64_t max_bytes, bytes;
  struct file *files; /* the oldest first */
};

static bool is_ours(const char *name) {
  size_t len = strlen(name);
  return name[0] != '.' && len > sizeof(SUFFIX) - 1 &&
         strcmp(name + len - (sizeof(SUFFIX) - 1), SUFFIX) == 0;
}

static int remember(struct wr_capture *c, const char *name, uint64_t size,
                    int64_t time_ns) {
  if (c->count == c->room) {
    size_t room = c->room == 0 ? 16 : c->room * 2;
    struct file *more = realloc(c->files, room * sizeof(*more));
    if (more == NULL)
      return -ENOMEM;
    c->files = more;
    c->room = room;
  }
  char *copy = strdup(name);
  if (copy == NULL)
    return -ENOMEM;
  c->files[c->count++] = (struct file){copy, size, time_ns};
  c->bytes += size;
  return 0;
}

static void forget_first(struct wr_capture *c, size_t count) {
  if (count == 0)
    return; /* there may be no array yet */
  for (size_t i = 0; i < count; i++) {
    c->bytes -= c->files[i].size;
    free(c->files[i].name);
  }
  c->count -= count;
  memmove(c->files, c->files + count, c->count * sizeof(*c->files));
}

static int by_time(const void *a, const void *b) {
  const struct file *x = a, *y = b;
  int order = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
  return order != 0 ? order : strcmp(x->name, y->name);
}

static int read_dir(struct wr_capture *c) {
  int fd = openat(c->dir, ".", O_RDONLY | O_CLOEXEC);
  DIR *d = fd < 0 ? NULL : fdopendir(fd);
  int status = d == NULL ? -errno : 0;
  if (d == NULL && fd >= 0)
    close(fd);
  for (struct dirent *e; status == 0 && (e = readdir(d)) != NULL;) {
    struct stat st;
    if (is_ours(e->d_name) &&
        fstatat(c->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode))
      status = remember(c, e->d_name, (uint64_t)st.st_size,
                        (int64_t)st.st_mtim.tv_sec * 1000000000 +
                            st.st_mtim.tv_nsec);
  }
  if (d != NULL)
    closedir(d);
  if (c->count > 0)
    qsort(c->files, c->count, sizeof(*c->files), by_time);
  return status;
}

/* Makes room for one more file of `size` bytes. */
static void trim(struct wr_capture *c, uint64_t size) {
  size_t go = 0;
  uint64_t bytes = c->bytes;
  while (go < c->count &&
         (c->count - go >= c->max_files || bytes + size > c->max_bytes)) {
    (void)unlinkat(c->dir, c->files[go].name, 0);
    bytes -= c->files[go++].size;
  }
  forget_first(c, go);
}

int wr_capture_open(const char *dir, size_t max_files, uint64_t max_bytes,
                    struct wr_capture **out) {
  *out = NULL;
  int status = wr_file_mkdir(dir, 0750);
  if (status != 0 && status != -EEXIST)
    return status;
  struct wr_capture *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return -ENOMEM;
  c->max_files = max_files;
  c->max_bytes = max_bytes;
  c->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  status = c->dir < 0 ? -errno : read_dir(c);
  if (status != 0) {
    wr_capture_close(c);
    return status;
  }
  (void)unlinkat(c->dir, TEMPORARY, 0); /* of a run that was killed */
  *out = c;
  return 0;
}

void wr_capture_close(struct wr_capture *c) {
  if (c == NULL)
    return;
  forget_first(c, c->count);
  free(c->files);
  if (c->dir >= 0)
    close(c->dir);
  free(c);
}

static int put_sensors(struct wr_bytes *b, const struct wr_sample *s) {
  const char *name = s->sensors;
  int status = 0;
  for (size_t a = 0; status == 0 && a < s->axes; a++) {
    status = wr_bytes_text(b, a == 0 ? "{\"name\":" : ",{\"name\":");
    if (status == 0)
      status = wr_json_put_string(b, name);
    if (status == 0)
      status = wr_bytes_text(b, ",\"units\":\"N/A\"}");
    name += strlen(name) + 1;
  }
  return status;
}

static int put_values(struct wr_bytes *b, const struct wr_sample *s) {
  int status = 0;
  for (size_t i = 0; status == 0 && i < s->count; i++) {
    bool first = i % s->axes == 0;
    status = wr_bytes_text(b, i == 0 ? "[" : first ? "],[" : ",");
    if (status == 0)
      status = wr_json_put_double(b, s->values[i]);
  }
  return status != 0 ? status : wr_bytes_text(b, "]");
}

/* "none": no key is needed to read it in, and there is none to protect. */
int wr_sample_put(struct wr_bytes *b, const struct wr_sample *s) {
  int status = wr_bytes_printf(
      b,
      "{\"protected\":{\"ver\":\"v1\",\"alg\":\"none\",\"iat\":%lld},"
      "\"signature\":\"%064d\",\"payload\":{\"device_name\":",
      (long long)(s->end_us / 1000000), 0);
  if (status == 0)
    status = wr_json_put_string(b, s->device);
  if (status == 0)
    status = wr_bytes_text(b, ",\"device_type\":\"WEIR\",\"interval_ms\":");
  if (status == 0)
    status = wr_json_put_double(b, (double)s->interval_us / 1000.0);
  if (status == 0)
    status = wr_bytes_text(b, ",\"sensors\":[");
  if (status == 0)
    status = put_sensors(b, s);
  if (status == 0)
    status = wr_bytes_text(b, "],\"values\":[");
  if (status == 0)
    status = put_values(b, s);
  return status != 0 ? status : wr_bytes_text(b, "]}}\n");
}

/* A part of a file name: no dot, no slash, nothing a shell would touch. */
static void clean(const char *text, char *out) {
  size_t i = 0;
  for (; text[i] != '\0' && i + 1 < NAME_PART; i++)
    out[i] = wr_text_is_alnum(text[i]) || (unsigned char)text[i] >= 0x80
                 ? text[i]
             : text[i] == '-' ? '-'
                              : '_';
  out[i] = '\0';
}

static int write_file(struct wr_capture *c, const char *name,
                      const struct wr_bytes *b) {
  /* O_NONBLOCK: a FIFO in its place must not hold us up. */
  int fd = wr_file_create(c->dir, TEMPORARY,
                          O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0640);
  if (fd < 0)
    return fd;
  int status = wr_file_write(fd, b->data, b->len);
  if (close(fd) != 0 && status == 0)
    status = -errno;
  if (status == 0 && renameat(c->dir, TEMPORARY, c->dir, name) != 0)
    status = -errno;
  if (status != 0)
    (void)unlinkat(c->dir, TEMPORARY, 0);
  return status;
}

/* Two windows may end in one millisecond; a clock set back may meet old names.
 */
static void free_name(const struct wr_capture *c, char *out, size_t size,
                      const char *label, const char *device, int64_t end_ms) {
  char more[16] = "";
  for (int n = 2;; n++) {
    snprintf(out, size, "%s.%s.%lld%s" SUFFIX, label, device, (long long)end_ms,
             more);
    if (faccessat(c->dir, out, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
      return;
    snprintf(more, sizeof(more), "-%d", n);
  }
}

int wr_capture_write(struct wr_capture *c, const struct wr_sample *s) {
  char label[NAME_PART], device[NAME_PART], name[2 * NAME_PART + 48];
  struct wr_bytes b = WR_BYTES_INIT(c->max_bytes);
  int status = wr_sample_put(&b, s);
  clean(s->label, label);
  clean(s->device, device);
  if (status == -ENOSPC)
    status = -EFBIG;
  if (status == 0) {
    trim(c, b.len);
    free_name(c, name, sizeof(name), label, device, s->end_us / 1000);
    status = write_file(c, name, &b);
  }
  if (status == 0) {
    status = remember(c, name, b.len, 0);
    if (status != 0)
      (void)unlinkat(c->dir, name, 0); /* what is not counted is not kept */
  }
  wr_bytes_free(&b);
  return status;
}

size_t wr_capture_files(const struct wr_capture *c) { return c->count; }
uint64_t wr_capture_bytes(const struct wr_capture *c) { return c->bytes; }
