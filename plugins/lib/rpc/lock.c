#include "lib/rpc/lock.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Another user's file can be locked although it cannot be written. */
static int open_in(struct wr_rpc_lock *lock, const char *directory,
                   const char *key) {
  int n = snprintf(lock->path, sizeof(lock->path), "%s/weir-m4-%s.lock",
                   directory, key);
  if ((size_t)n >= sizeof(lock->path))
    return -ENAMETOOLONG;
  char *name = lock->path + strlen(directory) + 1;
  for (char *c = name; *c != '\0'; c++)
    if (!wr_text_is_alnum(*c) && strchr("-.", *c) == NULL)
      *c = '_';
  int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int fd = open(lock->path, flags);
  if (fd < 0)
    fd = errno == ENOENT ? wr_file_create(AT_FDCWD, lock->path, flags, 0644)
                         : -errno;
  if (fd < 0)
    return fd;
  lock->fd = fd;
  return 0;
}

static int open_any(struct wr_rpc_lock *lock, const char *key,
                    const char *directory) {
  if (directory != NULL)
    return open_in(lock, directory, key);
  const char *tmp = getenv("TMPDIR");
  const char *const tries[] = {
      "/run/lock", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "/tmp"};
  int status = -ENOENT;
  for (size_t i = 0; i < 3 && lock->fd < 0; i++)
    status = open_in(lock, tries[i], key);
  return status;
}

int wr_rpc_lock_try(struct wr_rpc_lock *lock, const char *key,
                    const char *directory) {
  int status = lock->fd >= 0 ? 0 : open_any(lock, key, directory);
  if (status == 0 && flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
    status = -errno; /* -EWOULDBLOCK; else a file system without locks */
  return status;
}

void wr_rpc_lock_give(struct wr_rpc_lock *lock) {
  if (lock->fd >= 0)
    flock(lock->fd, LOCK_UN);
}

void wr_rpc_lock_close(struct wr_rpc_lock *lock) {
  wr_rpc_lock_give(lock); /* a child of somebody's may have it */
  if (lock->fd >= 0)
    close(lock->fd);
  lock->fd = -1;
}
