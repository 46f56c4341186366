/* tell: what a block's life has to say, as collectd's values and log lines.
 * Only the driver's thread calls what is here. */
#ifndef WR_M4_TELL_H
#define WR_M4_TELL_H

#include "block.h"

struct wr_m4_sink m4_sink(struct m4 *m4);
/* See struct wr_m4_world; `user` is a block. */
void m4_lock_fault(void *user, const char *path, int error);

#endif
