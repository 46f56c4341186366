/* A file that was taken away while it is in use: removed, or another put in its
 * place. What we hold open is whole, but nobody would ever find it again. */
#include "lib/spool/impl.h"

#include "lib/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool is_away(const struct wr_spool *s) {
  int moved = 0;
  return s->db.handle != NULL &&
         sqlite3_file_control(s->db.handle, "main", SQLITE_FCNTL_HAS_MOVED,
                              &moved) == SQLITE_OK &&
         moved != 0;
}

/* What is left beside a file that is gone belongs to nobody, and a new one must
 * not take it for its own. */
static void remove_beside(const struct wr_spool *s) {
  static const char *const suffixes[] = {"-wal", "-shm"};
  char name[4096];
  for (int i = 0; i < 2; i++)
    if (wr_spool_suffixed(s, suffixes[i], name, sizeof(name)) == 0)
      (void)remove(name);
}

/* All of it, in a new file. One that is there is left alone. */
static int copy(struct wr_spool *s) {
  int fd = wr_file_create(AT_FDCWD, s->path, O_RDWR | O_EXCL, 0644);
  if (fd < 0)
    return SQLITE_CANTOPEN;
  close(fd);
  remove_beside(s);
  char *sql = sqlite3_mprintf("VACUUM INTO %Q", s->path);
  int code = sql != NULL ? wr_db_exec(&s->db, sql) : SQLITE_NOMEM;
  sqlite3_free(sql);
  if (code != SQLITE_OK)
    (void)unlink(s->path);
  return code;
}

/* The lock's file may be away as well. */
static void release_lock(struct wr_spool *s) {
  if (s->lock_fd >= 0)
    close(s->lock_fd);
  s->lock_fd = -1;
}

void wr_spool_follow(struct wr_spool *s) {
  if (s->status.in_memory || !is_away(s) ||
      wr_backoff_wait(&s->disk_retry, s->now_ms) != 0)
    return;
  int code = copy(s);
  if (code != SQLITE_OK) {
    wr_backoff_fail(&s->disk_retry, s->now_ms, 0, 0);
    wr_spool_note(s,
                  "the spool %s was taken away, and it cannot be written anew "
                  "(%s); what waits is lost when collectd ends",
                  s->path, sqlite3_errstr(code));
    return;
  }
  struct wr_db_state state = s->db.state;
  wr_db_close(&s->db);
  release_lock(s);
  wr_spool_note(s, "the spool %s was taken away, and is written anew", s->path);
  wr_backoff_ok(&s->disk_retry);
  s->db.state = state;
  wr_spool_reopen(s);
}
