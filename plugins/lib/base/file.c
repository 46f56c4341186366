#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int wr_file_create(int dir, const char *path, int flags, mode_t mode) {
  int fd = wr_file_lift(openat(dir, path, flags | O_CREAT | O_CLOEXEC, mode));
  if (fd < 0)
    return -errno;
  (void)fchmod(fd, mode); /* refused where it belongs to somebody else */
  return fd;
}

int wr_file_mkdir(const char *path, mode_t mode) {
  if (mkdir(path, mode) != 0)
    return -errno;
  return chmod(path, mode) == 0 ? 0 : -errno;
}

int wr_file_write(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
    }
  }
  return 0;
}

int wr_file_lift(int fd) {
  if (fd < 0 || fd > STDERR_FILENO)
    return fd;
  int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int error = errno;
  close(fd);
  errno = error;
  return higher;
}

int wr_file_keep_standard(void) {
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    /* All below are open, so the next one is this one. */
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
      return -errno;
  return 0;
}
