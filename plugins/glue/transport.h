/* transport: HTTP for a plugin whose configuration asks for it.
 *
 * libcurl and its TLS are in a module of their own, weir_http.so, which lies
 * beside the plugins and is loaded here alone: an agent without a cloud and
 * without a URL has none of it. Threads: while the configuration is read. */
#ifndef WR_TRANSPORT_H
#define WR_TRANSPORT_H

#include <stddef.h>

/* 0, also when it is there already; else -1 with the fault logged, after
 * `where`: the agent is not to start. */
int wr_transport_load(const char *where);

#endif
