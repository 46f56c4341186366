/* m4sim_server: what its three files share.
 *
 * m4sim_socket.c listens, m4sim_reply.c brings answers to callers,
 * m4sim_server.c reads requests, crashes, comes back and turns the loop. */
#ifndef WEIR_TESTS_M4SIM_SERVER_H
#define WEIR_TESTS_M4SIM_SERVER_H

#include "tests/sim/m4sim.h"

#include <sys/socket.h>
#include <sys/un.h>

#define MS_CONNS_MAX 256
#define MS_CHANNEL_MAX 1024
#define MS_REPLY_MAX 1024

/* CONTROL connections take orders; IDEAL ones stay open; the others carry
 * one request: READING it, WAITING for its reply, SENDING the rest of one. */
enum ms_state { FREE, READING, WAITING, SENDING, IDEAL, CONTROL };

struct ms_conn {
  int fd;
  enum ms_state state;
  uint64_t serial;
  int64_t deadline_ms; /* WAITING: gives up; SENDING: the second half */
  size_t len;
  uint8_t *buf; /* IDEAL, CONTROL: what has arrived; MS_MESSAGE_MAX */
};

struct ms_reply {
  int64_t due_ms;
  uint64_t serial; /* IDEAL: whose it is */
  size_t len;
  uint8_t data[MS_REPLY_MAX];
};

struct ms_server {
  int listener, control;
  struct sockaddr_storage addr;
  socklen_t addrlen;
  const char *unix_path;
  int64_t down_until_ms; /* 0: up; INT64_MAX: stays down */
  uint64_t next_serial;
  struct ms_conn conn[MS_CONNS_MAX];
  struct ms_reply channel[MS_CHANNEL_MAX]; /* oldest first */
  size_t channel_len;
  struct ms_reply pending[MS_CHANNEL_MAX];
  size_t pending_len;
  int64_t crash_ms[32];
};

/* Both return a listening socket, or -1 with errno or a sentence in err. A
 * socket file that is left over at path is replaced, nothing else is. */
int ms_listen_unix(const char *path, struct sockaddr_un *un, char *err,
                   size_t errlen);
int ms_listen_tcp(const struct sockaddr *addr, socklen_t len);

void ms_conn_close(struct ms_conn *c);
/* Sends all of it, or gives up when the caller has gone. */
void ms_send(const struct ms_conn *c, const void *data, size_t len);

/* The M4 has answered the request of this connection: delivers now, late or
 * out of order, as the quirks say. */
void ms_answered(struct ms_sim *sim, uint64_t serial, const struct ms_out *out);
/* Ends what was to end by this time: waiting callers see EOF without a byte,
 * the second half of a split reply goes out. */
void ms_expire(struct ms_sim *sim, int64_t until_ms);
/* Delivers the late replies that are due, in order of their times even when
 * this process was held up. */
void ms_pending_due(struct ms_sim *sim);
/* Hands the replies in the channel to those who wait. */
void ms_serve_channel(struct ms_sim *sim);

#endif
