/* service: what the driver does for one board; driver's alone. */
#ifndef WR_M4_SERVICE_H
#define WR_M4_SERVICE_H

#include "lib/m4/driver.h"
#include "lib/rpc/resolver.h"

struct wr_m4_driver {
  struct wr_m4_world world;
  size_t descriptors, held;
  int epoll_fd, wake_fd;
  struct wr_rpc_resolver *resolver;
  struct wr_timers timers;
  struct wr_m4_gate *gates;
  struct wr_m4_board **boards;
  size_t count;
  struct wr_m4_board *ready, *ready_last; /* to be turned, in order */
  struct wr_m4_board *line, *line_last;   /* wait for a descriptor */
  pthread_mutex_t lock;                   /* of what follows */
  struct wr_m4_board *woken;
  bool stop;
};

int64_t wr_m4_now_us(const struct wr_m4_driver *d);

/* It is to be turned, after those that are ready already. */
void wr_m4_make_ready(struct wr_m4_driver *d, struct wr_m4_board *b);
/* For epoll_wait(), which counts in milliseconds: rounded up, which keeps it
 * from spinning and lets what falls into one go together; an hour at most. */
int wr_m4_wait_ms(const struct wr_m4_driver *d);
/* Those who wait for descriptors get what is free, first come, first served. */
void wr_m4_next_in_line(struct wr_m4_driver *d);
/* Gives back what the board holds, if it needs it no more. */
void wr_m4_release(struct wr_m4_driver *d, struct wr_m4_board *b);

/* Fulfils the wishes of the board until it has to wait for something. */
void wr_m4_serve(struct wr_m4_driver *d, struct wr_m4_board *b);
/* Its address was looked up; `peers` may be empty. */
void wr_m4_found(struct wr_m4_driver *d, struct wr_m4_board *b,
                 const struct wr_rpc_peers *peers);
/* Its operation is over: the next one may go to the proxy. */
void wr_m4_leave_gate(struct wr_m4_driver *d, struct wr_m4_board *b);
/* Tells epoll which socket there is and what for; a closed one leaves by
 * itself. */
void wr_m4_watch(struct wr_m4_driver *d, struct wr_m4_board *b);

#endif
