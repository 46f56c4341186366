/* driver: one thread, one epoll, any number of M4s.
 *
 *   driver   waits, and turns the boards whose time has come
 *   service  gives each board what it wishes
 *   board    a life, its session with a socket, its place at a gate
 *
 * Sockets never block; names are looked up by at most WR_M4_LOOKUPS threads
 * (lib/rpc/resolver.h); a proxy's lock is tried, not waited for (gate.h). The
 * schedules of the boards are spread evenly over their intervals. No more than
 * `descriptors` are open at once: connections beyond wait in line, first come,
 * first served.
 * Ownership: boards belong to the caller and must live until
 * wr_m4_driver_free(). Threads: wr_m4_driver_run() is the body of one;
 * wr_m4_driver_offer() and wr_m4_driver_stop() may be called by any. */
#ifndef WR_M4_DRIVER_H
#define WR_M4_DRIVER_H

#include "lib/base/timers.h"
#include "lib/m4/gate.h"
#include "lib/m4/life.h"
#include "lib/rpc/wire.h"

#define WR_M4_LOOKUPS 2

struct wr_m4_board {
  struct wr_m4_life life; /* all but session and guard are the caller's */
  enum wr_rpc_mode mode;
  struct wr_rpc_address address;
  int64_t timeout_ms; /* see struct wr_rpc_options */
  const char *lock_directory;
  /* The driver's: */
  struct wr_rpc_wire wire;
  struct wr_rpc_guard guard; /* until the proxy is known */
  struct wr_m4_gate *gate;
  struct wr_m4_visitor visitor; /* first come, first served */
  struct wr_timer timer;
  struct wr_m4_board *ready_next, *woken_next, *line_next;
  bool ready, woken, in_line, at_gate;
  bool holds;       /* its share of the descriptors */
  int64_t retry_us; /* of the lock; 0: not */
  unsigned watched; /* serial of the socket that epoll knows */
  short events;
};

struct wr_m4_world {
  int64_t (*clock_us)(void); /* monotonic */
  uint32_t (*random)(void);
  /* There can be no lock: calls go unlocked. `user` of the life's sink. */
  void (*lock_fault)(void *user, const char *path, int error);
};

struct wr_m4_driver;

/* NULL without memory or descriptors. */
struct wr_m4_driver *wr_m4_driver_new(const struct wr_m4_world *world,
                                      size_t descriptors);
/* Closes the boards' connections. Accepts NULL. */
void wr_m4_driver_free(struct wr_m4_driver *d);
/* Before the run. 0 or -ENOMEM. */
int wr_m4_driver_add(struct wr_m4_driver *d, struct wr_m4_board *b);
void wr_m4_driver_run(struct wr_m4_driver *d);
void wr_m4_driver_stop(struct wr_m4_driver *d);
/* A label for the board's reports of this source, see label_report.h. */
void wr_m4_driver_offer(struct wr_m4_driver *d, struct wr_m4_board *b,
                        const char *source, const char *label, double score,
                        int64_t window, int64_t interval_ms);

#endif
