#include "lib/net/scratch.h"

#include "lib/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sweeper may hold a fresh directory for a moment; then there is another. */
#define TRIES 8

static void add_place(struct wr_scratch_places *p, const char *path,
                      size_t len) {
  while (len > 1 && path[len - 1] == '/')
    len--;
  if (len == 0 || path[0] != '/' || len >= WR_SCRATCH_PLACE_MAX)
    return;
  for (size_t i = 0; i < p->count; i++)
    if (strlen(p->at[i]) == len && strncmp(p->at[i], path, len) == 0)
      return;
  memcpy(p->at[p->count], path, len);
  p->at[p->count++][len] = '\0';
}

void wr_scratch_find_places(struct wr_scratch_places *p,
                            char *(*get)(const char *name), const char *last) {
  const char *runtime = get("RUNTIME_DIRECTORY"); /* several, with colons */
  const char *const others[] = {get("TMPDIR"), "/tmp", "/run", "/dev/shm",
                                last};
  p->count = 0;
  if (runtime != NULL)
    add_place(p, runtime, strcspn(runtime, ":"));
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    if (others[i] != NULL)
      add_place(p, others[i], strlen(others[i]));
}

static bool is_scratch(const char *name) {
  const size_t len = strlen(WR_SCRATCH_NAME);
  return strncmp(name, WR_SCRATCH_NAME, len) == 0 && strlen(name) == len + 6;
}

/* Removes one that nobody has locked, with what is in it. */
static void sweep_one(int place, const char *name) {
  struct stat st;
  int fd = openat(place, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return;
  if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
      flock(fd, LOCK_EX | LOCK_NB) == 0) {
    (void)unlinkat(fd, "s", 0);
    (void)unlinkat(place, name, AT_REMOVEDIR);
  }
  close(fd);
}

static void sweep(const char *place) {
  DIR *dir = opendir(place);
  if (dir == NULL)
    return;
  for (struct dirent *e; (e = readdir(dir)) != NULL;)
    if (is_scratch(e->d_name))
      sweep_one(dirfd(dir), e->d_name);
  closedir(dir);
}

/* 0; -EAGAIN when a sweeper was faster; -errno. Where a file system has no
 * locks, nobody sweeps either. */
static int make_one(struct wr_scratch *s, const char *place) {
  struct stat st;
  snprintf(s->path, sizeof(s->path), "%s/" WR_SCRATCH_NAME "XXXXXX", place);
  if (mkdtemp(s->path) == NULL)
    return -errno;
  (void)chmod(s->path, 0700); /* the umask is the process's */
  s->fd = open(s->path, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (s->fd < 0) {
    int error = errno;
    (void)rmdir(s->path);
    return error == ENOENT ? -EAGAIN : -error;
  }
  bool swept = flock(s->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!swept && fstat(s->fd, &st) == 0 && st.st_nlink > 0)
    return 0;
  close(s->fd);
  return -EAGAIN;
}

int wr_scratch_make(struct wr_scratch *s, const struct wr_scratch_places *p,
                    char *fault, size_t size) {
  int status = -ENOENT;
  fault[0] = '\0';
  for (size_t i = 0; i < p->count; i++) {
    sweep(p->at[i]);
    for (int try = 0; try < TRIES; try++) {
      status = make_one(s, p->at[i]);
      if (status != -EAGAIN)
        break;
    }
    if (status == 0)
      return 0;
    size_t used = strlen(fault);
    snprintf(fault + used, size - used, "%s%s: %s", i > 0 ? ", " : "", p->at[i],
             wr_text_error(-status));
  }
  *s = (struct wr_scratch)WR_SCRATCH_INIT;
  return status;
}

void wr_scratch_remove(struct wr_scratch *s, const char *file) {
  if (s->path[0] != '\0') {
    (void)unlinkat(s->fd, file, 0);
    (void)rmdir(s->path);
  }
  if (s->fd >= 0)
    close(s->fd);
  *s = (struct wr_scratch)WR_SCRATCH_INIT;
}
