/* http: one libcurl handle with limits, and the one place that says what an
 * HTTP outcome means.
 *
 * libcurl, with its TLS, takes more memory than all the rest of an agent, so it
 * is not linked to this: what speaks HTTP provides the transport first
 * (wr_http_provide), once, before anything else here. Programs link it
 * (wr_http_curl); a plugin loads it (glue/transport.h).
 *
 * A handle keeps its connection alive between requests and is used by one
 * thread at a time; only wr_http_stop() may be called from another thread, at
 * any moment, and ends a transfer in flight within milliseconds
 * (curl_multi_wakeup), also one that hangs in a name lookup.
 * wr_http_start() must have run. TLS is 1.2 or newer; redirects are never
 * followed, so that no header goes to a host the user did not name. */
#ifndef WR_HTTP_H
#define WR_HTTP_H

#include "lib/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define WR_HTTP_RETRY_AFTER_MAX_S 3600

struct wr_http;

struct wr_http_options {
  const char *user_agent;
  int64_t connect_timeout_ms; /* 0: the total timeout */
  int64_t timeout_ms;         /* of a whole request */
  size_t max_body;            /* of a reply, in bytes */
  bool insecure_peer;         /* true: certificate not verified */
  bool insecure_host;         /* true: host name not verified */
  const char *proxy;          /* NULL: none; see lib/net/http_proxy.h */
  const char *no_proxy;       /* hosts reached without it; NULL: none */
  const char *ca_cert;        /* PEM files and directories; NULL: system's */
  const char *ca_path;
  const char *client_cert;
  const char *client_key;
  const char *watch_header; /* its last value is kept in the reply */
};

struct wr_http_request {
  const char *method; /* "GET", "PUT", "POST" */
  const char *url;
  const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
  const char *body;           /* NULL: none */
  size_t body_len;
};

/* Reused from request to request; start with {0}, end with
 * wr_http_reply_free(). `body.max` is set from the options. */
struct wr_http_reply {
  int status; /* HTTP status; 0: none arrived */
  struct wr_bytes body;
  char content_type[64];
  char watched[64];  /* value of watch_header, "" when absent */
  bool connected;    /* over a connection that was made for it */
  int64_t waited_ms; /* from its start until the first byte of the reply */
  /* Retry-After, in seconds or as a date, from the start of the request, an
   * hour at most; 0: none */
  int64_t retry_after_ms;
  char error[256]; /* a sentence when no HTTP reply arrived */
};

enum wr_result {
  WR_OK,          /* 2xx */
  WR_RETRY,       /* no reply, 408, 425, 429, 5xx */
  WR_REAUTHORISE, /* 401 */
  WR_REJECT,      /* every other status: the request itself is at fault */
};

/* The transport; its members are the functions below of that name. */
struct wr_http_calls {
  const char *version; /* of Weir: both sides are of one build */
  int (*start)(void);
  void (*end)(void);
  struct wr_http *(*create)(const struct wr_http_options *);
  void (*destroy)(struct wr_http *);
  int (*perform)(struct wr_http *, const struct wr_http_request *,
                 struct wr_http_reply *);
  void (*stop)(struct wr_http *);
  const char *(*url_fault)(const char *, bool);
  int64_t (*date)(const char *);
};
extern const struct wr_http_calls wr_http_curl; /* curl.c */

void wr_http_provide(const struct wr_http_calls *calls);
bool wr_http_provided(void);

/* curl_global_init(): behind a fork, before there are threads. 0; -EIO when
 * libcurl does not start, -ENOSYS where no transport was provided. */
int wr_http_start(void);
void wr_http_end(void); /* once for each start */

/* NULL when libcurl cannot give a handle. Strings are copied. */
struct wr_http *wr_http_create(const struct wr_http_options *options);
void wr_http_destroy(struct wr_http *h); /* accepts NULL */

/* 0 when an HTTP reply arrived, whatever its status; else with a sentence in
 * reply->error: -ECANCELED (stopped), -ETIMEDOUT, -ECONNREFUSED,
 * -EHOSTUNREACH (name or route), -EPROTO (TLS or HTTP), -EMSGSIZE (reply
 * larger than max_body), -ENOMEM, -EIO (rest). */
int wr_http_perform(struct wr_http *h, const struct wr_http_request *request,
                    struct wr_http_reply *reply);
void wr_http_stop(struct wr_http *h); /* for good */
void wr_http_reply_free(struct wr_http_reply *reply);

/* `error` is what wr_http_perform() returned. */
enum wr_result wr_http_classify(int error, const struct wr_http_reply *reply);

/* NULL when `url` is http or https with a host and, for plain http with
 * `loopback_only`, that host is this machine (127.0.0.0/8, ::1, localhost);
 * else a static phrase that says what is allowed. */
const char *wr_http_url_fault(const char *url, bool loopback_only);

/* Seconds since 1970 of a date as HTTP writes it; -1: it is none. */
int64_t wr_http_date(const char *text);

#endif
