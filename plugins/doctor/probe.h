/* probe: one connection to a peer that may be anything, and all it did.
 *
 * The agent's own client asks "did I get an answer?"; a doctor asks what came
 * instead: which bytes, an end or a reset, and when. So this is a plain
 * blocking socket with deadlines, and nothing is interpreted before kind_of().
 * Ownership: doctor_hang_up() closes; a probe may be used again after it.
 * One thread. */
#ifndef WEIR_DOCTOR_PROBE_H
#define WEIR_DOCTOR_PROBE_H

#include "lib/rpc/address.h"
#include "lib/rpc/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DOCTOR_PEERS 4 /* addresses of one name that are tried */

struct doctor_peer {
  struct sockaddr_storage at[DOCTOR_PEERS];
  socklen_t len[DOCTOR_PEERS];
  unsigned count;
};

/* 0; -ENOENT: the name has no address; -EAGAIN: nobody answered the look-up;
 * -ENAMETOOLONG. */
int doctor_find(const struct wr_rpc_address *address, struct doctor_peer *out);

enum doctor_end_of { DOCTOR_OPEN, DOCTOR_EOF, DOCTOR_RESET };

struct doctor_probe {
  int fd;
  enum doctor_end_of end;
  int64_t sent_us, first_us, end_us; /* monotonic; 0: did not happen */
  int64_t way_us; /* that connecting took: about once there and back */
  size_t len;
  uint8_t in[4 * WR_RPC_REPLY_MAX];
};

/* Connects to the first of the peer's addresses that accepts. 0, or what the
 * last one said: -ECONNREFUSED, -ETIMEDOUT (nothing came back), -EAGAIN (the
 * queue of a unix socket is full), -ENOENT, -EACCES, -EHOSTUNREACH ... */
int doctor_dial(struct doctor_probe *p, const struct doctor_peer *peer,
                int64_t timeout_ms);
/* 0 or -errno; one send(), as an m4-proxy needs it. */
int doctor_say(struct doctor_probe *p, const void *data, size_t len);
/* Collects what comes until the peer ends, the time is over, or `enough` (may
 * be NULL) is content with what is there. */
void doctor_hear(struct doctor_probe *p, int64_t timeout_ms,
                 bool (*enough)(const struct doctor_probe *p, void *arg),
                 void *arg);
void doctor_hang_up(struct doctor_probe *p);

enum doctor_kind {
  DOCTOR_IS_NOTHING,
  DOCTOR_IS_RPC, /* begins like a MessagePack array */
  DOCTOR_IS_WEB,
  DOCTOR_IS_TLS,
  DOCTOR_IS_OTHER,
};
enum doctor_kind doctor_kind_of(const struct doctor_probe *p);

/* A short TLS hello: who answers it with a TLS record is a TLS server. An
 * m4-proxy dies of it: only for peers that are known to be none. */
extern const uint8_t doctor_tls_hello[];
extern const size_t doctor_tls_hello_len;

/* Connections that wait to be accepted at a listening socket of this machine;
 * -1: the peer is not on this machine, or nobody listens there. `root` is
 * where /proc lies, "" for the real one. */
int doctor_backlog(const struct doctor_peer *peer, const char *root);
bool doctor_is_local(const struct doctor_peer *peer);

#endif
