/* scratch: a directory that only we can enter, for a socket.
 *
 * It is made at the first of several places where one can be made, because
 * /tmp may be read-only, full or not there. It is locked as long as it is in
 * use; what is left of a process that was killed has no lock and is removed
 * when the next one is made.
 * Threads: none of its own. */
#ifndef WR_SCRATCH_H
#define WR_SCRATCH_H

#include <stddef.h>

#define WR_SCRATCH_PLACES 6
/* So that a socket inside fits an address of 108 bytes. */
#define WR_SCRATCH_PLACE_MAX 80
#define WR_SCRATCH_NAME "weir-eim-" /* and six characters */
#define WR_SCRATCH_MAX (WR_SCRATCH_PLACE_MAX + sizeof(WR_SCRATCH_NAME) + 7)

struct wr_scratch_places {
  size_t count;
  char at[WR_SCRATCH_PLACES][WR_SCRATCH_PLACE_MAX];
};

/* In this order: the runtime directory that systemd gave us, $TMPDIR, /tmp,
 * /run, /dev/shm, and `last` (may be NULL). What is relative or too long is
 * left out. `get` is getenv() or stands for it; call this at the start, because
 * another plugin may change the environment later. */
void wr_scratch_find_places(struct wr_scratch_places *places,
                            char *(*get)(const char *name), const char *last);

struct wr_scratch {
  char path[WR_SCRATCH_MAX]; /* empty: none */
  int fd;
};

#define WR_SCRATCH_INIT                                                        \
  { .fd = -1 }

/* 0, or -errno of the last place with `fault` as "/tmp: Read-only file system,
 * /run: Permission denied". */
int wr_scratch_make(struct wr_scratch *s,
                    const struct wr_scratch_places *places, char *fault,
                    size_t size);
/* With the file of this name in it. Nothing happens where there is none. */
void wr_scratch_remove(struct wr_scratch *s, const char *file);

#endif
