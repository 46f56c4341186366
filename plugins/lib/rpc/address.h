/* address: where an M4 is: text to parts, parts to sockets' addresses.
 *
 * Nothing here waits; names that only a server knows are resolver's.
 * Threads: none of its own. */
#ifndef WR_RPC_ADDRESS_H
#define WR_RPC_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define WR_RPC_PORT "5001"
#define WR_RPC_PEERS 4 /* addresses of one name that are tried */

struct wr_rpc_address {
  char path[108]; /* unix socket; "": TCP */
  char host[256];
  char port[6];
};

/* "host", "host:port", "[v6]:port", "tcp:host:port", "unix:/path". 0, or
 * -EINVAL: *why is what is wrong, in words. */
int wr_rpc_address_parse(const char *text, struct wr_rpc_address *out,
                         const char **why);
/* The text of the address that nobody configured: host and port as the
 * environment gives them, where NULL and "" both mean the default. */
void wr_rpc_address_default(const char *host, const char *port, char *buf,
                            size_t size);

struct wr_rpc_peers {
  struct sockaddr_storage at[WR_RPC_PEERS];
  socklen_t len[WR_RPC_PEERS];
  unsigned count;
};

/* What needs no server: numeric hosts and unix sockets. True: *out is it;
 * false: it is empty. */
bool wr_rpc_address_known(const struct wr_rpc_address *address,
                          struct wr_rpc_peers *out);
/* What a server knows; waits for it. 0, or -EADDRNOTAVAIL. */
int wr_rpc_address_ask(const struct wr_rpc_address *address,
                       struct wr_rpc_peers *out);

#define WR_RPC_KEY_MAX 160
/* One name for one peer, however it was spelled: the path of a unix socket,
 * "local:5001" for every address of this host, else "192.0.2.1:5001". `peers`
 * holds at least one. */
void wr_rpc_peers_key(const struct wr_rpc_peers *peers, char *buf, size_t size);

#endif
