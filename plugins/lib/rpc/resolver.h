/* resolver: names looked up in the background, by a few threads at most.
 *
 * getaddrinfo() may hang for tens of seconds and cannot be interrupted. So it
 * runs in threads of its own, at most `threads` at once however many ask; the
 * others wait in line. Nobody waits for such a thread: it belongs to itself,
 * and what it finds after its asker has gone is dropped.
 * Threads: one owner; the threads inside see only what is locked. */
#ifndef WR_RPC_RESOLVER_H
#define WR_RPC_RESOLVER_H

#include "lib/rpc/address.h"

struct wr_rpc_resolver;

/* NULL without memory or descriptors. */
struct wr_rpc_resolver *wr_rpc_resolver_new(unsigned threads);
/* Returns at once; look-ups that hang free themselves later. */
void wr_rpc_resolver_free(struct wr_rpc_resolver *r);
/* Readable while an answer waits. */
int wr_rpc_resolver_fd(const struct wr_rpc_resolver *r);

/* Asks for `who`, unless his question is open already. 0 or -errno. */
int wr_rpc_resolver_ask(struct wr_rpc_resolver *r,
                        const struct wr_rpc_address *address, void *who);
/* Forgets the question of `who`, if there is one. */
void wr_rpc_resolver_forget(struct wr_rpc_resolver *r, const void *who);
/* The next answer: whose it is, NULL: none. *out is empty when the name has no
 * address. */
void *wr_rpc_resolver_take(struct wr_rpc_resolver *r, struct wr_rpc_peers *out);

#endif
