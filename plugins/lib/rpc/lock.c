#include "lib/rpc/lock.h"

#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RETRY_US 3000

/* Another user's file can be locked although it cannot be written. */
static int open_in(struct wr_rpc_lock *lock, const char *directory,
                   const char *address) {
  int n = snprintf(lock->path, sizeof(lock->path), "%s/weir-m4-%s.lock",
                   directory, address);
  if (n < 0 || (size_t)n >= sizeof(lock->path))
    return -ENAMETOOLONG;
  char *name = lock->path + strlen(directory) + 1;
  for (char *c = name; *c != '\0'; c++)
    if (!wr_text_is_alnum(*c) && strchr("-.", *c) == NULL)
      *c = '_';
  int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  lock->fd = open(lock->path, flags);
  if (lock->fd < 0 && errno == ENOENT)
    lock->fd = open(lock->path, flags | O_CREAT, 0644);
  return lock->fd >= 0 ? 0 : -errno;
}

int wr_rpc_lock_open(struct wr_rpc_lock *lock, const char *address,
                     const char *directory) {
  lock->fd = -1;
  if (directory != NULL)
    return open_in(lock, directory, address);
  const char *tmp = getenv("TMPDIR");
  const char *const tries[] = {
      "/run/lock", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "/tmp"};
  int status = -ENOENT;
  for (size_t i = 0; i < 3 && lock->fd < 0; i++)
    status = open_in(lock, tries[i], address);
  return status;
}

void wr_rpc_lock_close(struct wr_rpc_lock *lock) {
  if (lock->fd >= 0)
    close(lock->fd);
  lock->fd = -1;
}

int wr_rpc_lock_take(const struct wr_rpc_lock *lock,
                     const struct wr_rpc_env *env, int64_t deadline_us) {
  while (lock->fd >= 0 && flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return 0; /* a file system without locks: as without a file */
    int64_t next_us = env->clock_us() + RETRY_US;
    if (next_us > deadline_us)
      return -ETIMEDOUT;
    if (wr_rpc_pause(env, next_us) == -ECANCELED)
      return -ECANCELED;
  }
  return 0;
}

void wr_rpc_lock_give(const struct wr_rpc_lock *lock) {
  if (lock->fd >= 0)
    flock(lock->fd, LOCK_UN);
}
