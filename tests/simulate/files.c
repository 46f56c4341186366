/* The C library's files below DISK_ROOT, for what the spool and the state file
 * do beside SQLite: linked with --wrap for each of these functions. All other
 * paths are the real ones. */
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST 100000 /* of our descriptors */
#define OPEN_MAX_FILES 16

struct open_file {
  struct file *file; /* NULL: free, or a folder */
  bool used;
  int64_t at;
};

static struct open_file table[OPEN_MAX_FILES];

int files_open(void) {
  int open = 0;
  for (int i = 0; i < OPEN_MAX_FILES; i++)
    open += table[i].used;
  return open;
}

static bool is_ours(const char *path) {
  return strncmp(path, DISK_ROOT, strlen(DISK_ROOT) - 1) == 0;
}

static struct open_file *of(int fd) {
  return fd >= FIRST && fd < FIRST + OPEN_MAX_FILES ? &table[fd - FIRST] : NULL;
}

static int set_errno(int status) {
  if (status < 0)
    errno = -status;
  return status < 0 ? -1 : status;
}

static int take_place(struct file *f) {
  for (int i = 0; i < OPEN_MAX_FILES; i++)
    if (!table[i].used) {
      table[i] = (struct open_file){.file = f, .used = true};
      return FIRST + i;
    }
  sim_fail("ceilings: %d files are open", OPEN_MAX_FILES);
}

static int open_ours(const char *path, int flags) {
  struct file *f = disk_find(path, false);
  if (flags & O_DIRECTORY)
    return take_place(NULL);
  if (f == NULL && !(flags & O_CREAT))
    return -ENOENT;
  if (f != NULL && (flags & O_EXCL))
    return -EEXIST;
  int status =
      f == NULL || (flags & (O_WRONLY | O_RDWR)) ? disk_may_create() : 0;
  if (status == -ENOSPC && f != NULL)
    status = 0;
  if (status != 0)
    return status;
  if (f == NULL)
    f = disk_find(path, true);
  else if (flags & O_TRUNC)
    status = disk_cut(f, 0);
  if (status != 0)
    return status;
  disk_open(f, 1);
  return take_place(f);
}

/* NOLINTBEGIN: the linker makes these names */
#define REAL(result, name, ...)                                                \
  result __real_##name(__VA_ARGS__);                                           \
  result __wrap_##name(__VA_ARGS__);                                           \
  result __wrap_##name(__VA_ARGS__)

REAL(int, open64, const char *path, int flags, int mode) {
  return is_ours(path) ? set_errno(open_ours(path, flags))
                       : __real_open64(path, flags, mode);
}

REAL(int, openat64, int dir, const char *path, int flags, int mode) {
  return is_ours(path) ? set_errno(open_ours(path, flags))
                       : __real_openat64(dir, path, flags, mode);
}

REAL(int, close, int fd) {
  struct open_file *o = of(fd);
  if (o == NULL)
    return __real_close(fd);
  if (o->file != NULL)
    disk_open(o->file, -1);
  *o = (struct open_file){.file = NULL};
  return 0;
}

REAL(ssize_t, read, int fd, void *out, size_t len) {
  struct open_file *o = of(fd);
  if (o == NULL)
    return __real_read(fd, out, len);
  int n = disk_read(o->file, out, len, o->at);
  o->at += n;
  return n;
}

REAL(ssize_t, pread64, int fd, void *out, size_t len, off_t at) {
  struct open_file *o = of(fd);
  return o == NULL ? __real_pread64(fd, out, len, at)
                   : disk_read(o->file, out, len, at);
}

REAL(ssize_t, write, int fd, const void *data, size_t len) {
  struct open_file *o = of(fd);
  if (o == NULL)
    return __real_write(fd, data, len);
  size_t part = len > 1 ? 1 + (size_t)sim_below((int64_t)len) : len;
  int status = disk_write(o->file, data, part, o->at);
  if (status != 0)
    return set_errno(status);
  o->at += (int64_t)part;
  return (ssize_t)part;
}

REAL(ssize_t, pwrite64, int fd, const void *data, size_t len, off_t at) {
  struct open_file *o = of(fd);
  if (o == NULL)
    return __real_pwrite64(fd, data, len, at);
  int status = disk_write(o->file, data, len, at);
  return status != 0 ? set_errno(status) : (ssize_t)len;
}

REAL(int, fsync, int fd) {
  struct open_file *o = of(fd);
  return o == NULL         ? __real_fsync(fd)
         : o->file == NULL ? 0
                           : set_errno(disk_sync(o->file));
}

static int look_at(const struct file *f, struct stat *st) {
  *st = (struct stat){.st_mode = S_IFREG | 0640};
  if (f == NULL)
    return -ENOENT;
  st->st_size = disk_size(f);
  return 0;
}

REAL(int, fstat64, int fd, struct stat *st) {
  struct open_file *o = of(fd);
  return o == NULL ? __real_fstat64(fd, st) : set_errno(look_at(o->file, st));
}

REAL(int, stat64, const char *path, struct stat *st) {
  return is_ours(path) ? set_errno(look_at(disk_find(path, false), st))
                       : __real_stat64(path, st);
}

REAL(int, rename, const char *from, const char *to) {
  return is_ours(from) ? set_errno(disk_rename(from, to))
                       : __real_rename(from, to);
}

REAL(int, remove, const char *path) {
  return is_ours(path) ? set_errno(disk_remove(path)) : __real_remove(path);
}

REAL(int, unlink, const char *path) {
  return is_ours(path) ? set_errno(disk_remove(path)) : __real_unlink(path);
}

REAL(int, flock, int fd, int how) {
  return of(fd) != NULL ? 0 : __real_flock(fd, how);
}

REAL(int, fchmod, int fd, mode_t mode) {
  return of(fd) != NULL ? 0 : __real_fchmod(fd, mode);
}
/* NOLINTEND */
