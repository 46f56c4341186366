/* gate: the one door to an m4-proxy, for all lives of this process.
 *
 * Those of this process go through it in the order in which they came; who is
 * at the door tries the lock between processes (lib/rpc/lock.h) every few
 * milliseconds and, when another does not give it back for `patience`, goes in
 * without. From then on it is tried once for each call, until it is free. The
 * proxy's guard hangs here, too: all spellings of an address share both.
 * Threads: none of its own. */
#ifndef WR_M4_GATE_H
#define WR_M4_GATE_H

#include "lib/rpc/address.h"
#include "lib/rpc/guard.h"
#include "lib/rpc/lock.h"

#define WR_M4_GATE_RETRY_US 3000

struct wr_m4_visitor {
  struct wr_m4_visitor *behind;
};

struct wr_m4_gate {
  char key[WR_RPC_KEY_MAX];
  const char *lock_directory; /* NULL: see lib/rpc/lock.h */
  struct wr_rpc_guard guard;
  int lock_error; /* of the last try; 0, or -errno: there can be no lock */
  /* The gate's: */
  struct wr_rpc_lock lock;
  struct wr_m4_visitor *first, *last; /* the first is at the door, or inside */
  bool gave_up;
  int64_t until_us; /* of the wait for the lock; 0: it has not begun */
  struct wr_m4_gate *next;
};

/* The gate of this key in the list, made if need be; NULL without memory. */
struct wr_m4_gate *wr_m4_gate_find(struct wr_m4_gate **list, const char *key,
                                   const char *lock_directory);
void wr_m4_gates_free(struct wr_m4_gate **list);

enum wr_m4_entry {
  WR_M4_IN,      /* with the lock, or there can be none */
  WR_M4_IN_FREE, /* without it: another holds it */
  WR_M4_LATER,   /* at the door: try again */
  WR_M4_LINE,    /* others are before; when it is at the door the one that
                    leaves says so */
};
enum wr_m4_entry wr_m4_gate_enter(struct wr_m4_gate *g, struct wr_m4_visitor *v,
                                  int64_t patience_us, int64_t now_us);
/* Gives the lock back. Returns who is at the door now, if that has changed;
 * harmless for one that is not here. */
struct wr_m4_visitor *wr_m4_gate_leave(struct wr_m4_gate *g,
                                       struct wr_m4_visitor *v);

#endif
