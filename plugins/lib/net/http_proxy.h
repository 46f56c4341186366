/* http_proxy: which one the environment names for a URL, found once.
 *
 * libcurl asks the environment at each new connection. By then another plugin
 * may have changed it for purposes of its own, or may be changing it at this
 * moment, which no reader survives for certain. So it is asked at the start,
 * and libcurl is told. Names and their order are libcurl's: http_proxy, in
 * small letters only, for http://; https_proxy or HTTPS_PROXY for https://; for
 * both then all_proxy or ALL_PROXY; no_proxy or NO_PROXY lists hosts without
 * one. An empty one is none. Threads: none of its own; find it before there are
 * others. */
#ifndef WR_HTTP_PROXY_H
#define WR_HTTP_PROXY_H

#include <stdbool.h>

struct wr_http_proxy {
  char *url;    /* NULL: none */
  char *except; /* NULL: no host */
};

/* `get` is getenv() or stands for it. 0 or -ENOMEM; *p is the caller's. */
int wr_http_proxy_find(struct wr_http_proxy *p, const char *url,
                       char *(*get)(const char *name));
/* Whether the URL begins with https://, in any letters. */
bool wr_http_proxy_is_tls(const char *url);
void wr_http_proxy_free(struct wr_http_proxy *p);

#endif
