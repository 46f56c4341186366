/* rpc_conn: sockets with a deadline, for rpc_client.
 *
 * Every wait ends at a deadline or, within milliseconds, when stop_fd becomes
 * readable; also the look-up of a name, which getaddrinfo() may hold up for
 * tens of seconds: it runs in a detached thread of its own that is left alone
 * when its time is over and frees itself later.
 * Errors common to all: -ETIMEDOUT, -ECANCELED (stop_fd).
 * Threads: one owner at a time; none survives but such a look-up. */
#ifndef WR_RPC_CONN_H
#define WR_RPC_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WR_RPC_PORT "5001"
#define WR_RPC_PEERS 4 /* addresses of one name that are tried */

struct wr_rpc_env {
  int64_t (*clock_us)(void); /* monotonic */
  int stop_fd;               /* readable: give up at once; -1: none */
};

struct wr_rpc_address {
  char path[108]; /* unix socket; "": TCP */
  char host[256];
  char port[6];
};

/* "host", "host:port", "[v6]:port", "tcp:host:port", "unix:/path". 0, or
 * -EINVAL: *why is what is wrong, in words. */
int wr_rpc_address_parse(const char *text, struct wr_rpc_address *out,
                         const char **why);

struct wr_rpc_peers {
  struct sockaddr_storage at[WR_RPC_PEERS];
  socklen_t len[WR_RPC_PEERS];
  unsigned count;
};

/* 0, or -EADDRNOTAVAIL when the name does not resolve. */
int wr_rpc_resolve(const struct wr_rpc_address *address,
                   const struct wr_rpc_env *env, int64_t deadline_us,
                   struct wr_rpc_peers *out);

/* Connects to the first peer that accepts and sends `len` bytes (0: none) in
 * one piece. Returns a non-blocking socket, or what the last peer's connect()
 * said: -ECONNREFUSED, -ENOENT (no such unix socket), -EHOSTUNREACH ... */
int wr_rpc_open(const struct wr_rpc_peers *peers, const struct wr_rpc_env *env,
                int64_t deadline_us, const void *data, size_t len);
/* 0, or -EPIPE, -ECONNRESET ... */
int wr_rpc_send(int fd, const struct wr_rpc_env *env, int64_t deadline_us,
                const void *data, size_t len);
/* Bytes read, 0 at the end of the stream, or -errno. */
int wr_rpc_recv(int fd, const struct wr_rpc_env *env, int64_t deadline_us,
                void *data, size_t size);
/* Waits on nothing but stop_fd: -ETIMEDOUT or -ECANCELED. */
int wr_rpc_pause(const struct wr_rpc_env *env, int64_t deadline_us);

#endif
