/* wire: a session and its socket.
 *
 * Does what the session wishes about the connection, never waiting: its owner
 * waits for the socket (poll, epoll), for the session's next_us, and serves
 * the wishes for an address and for the lock himself.
 * Threads: one owner at a time. */
#ifndef WR_RPC_WIRE_H
#define WR_RPC_WIRE_H

#include "lib/rpc/session.h"

struct wr_rpc_wire {
  struct wr_rpc_session s;
  int fd;          /* -1: none */
  size_t out_at;   /* of `out`, sent so far */
  unsigned serial; /* rises with each new socket */
  bool sending;    /* wants to write: connecting, or the rest of `out` */
};

/* Takes over an opened session. */
void wr_rpc_wire_init(struct wr_rpc_wire *w);
void wr_rpc_wire_close(struct wr_rpc_wire *w);

/* Fulfils CONNECT, SEND and CLOSE; on return the wish is another. */
void wr_rpc_wire_serve(struct wr_rpc_wire *w, int64_t (*clock_us)(void));
/* The socket is ready for what wr_rpc_wire_events() asked, or broken; what is
 * wished for then is served as above. */
void wr_rpc_wire_ready(struct wr_rpc_wire *w, int64_t (*clock_us)(void));
/* POLLIN or POLLOUT; 0: no socket. */
short wr_rpc_wire_events(const struct wr_rpc_wire *w);

/* For poll() and its like, which count in milliseconds: rounded up, which keeps
 * who waits from spinning; an hour at most. */
int wr_rpc_poll_ms(int64_t left_us);

#endif
