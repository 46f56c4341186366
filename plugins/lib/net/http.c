/* What needs no libcurl, and the way to the transport that has it. */
#include "lib/net/http.h"

#include <errno.h>
#include <stddef.h>

static const struct wr_http_calls *transport;

void wr_http_provide(const struct wr_http_calls *calls) { transport = calls; }

bool wr_http_provided(void) { return transport != NULL; }

int wr_http_start(void) {
  return transport != NULL ? transport->start() : -ENOSYS;
}

void wr_http_end(void) { transport->end(); }

struct wr_http *wr_http_create(const struct wr_http_options *options) {
  return transport != NULL ? transport->create(options) : NULL;
}

void wr_http_destroy(struct wr_http *h) {
  if (h != NULL)
    transport->destroy(h);
}

int wr_http_perform(struct wr_http *h, const struct wr_http_request *request,
                    struct wr_http_reply *reply) {
  return transport->perform(h, request, reply);
}

void wr_http_stop(struct wr_http *h) { transport->stop(h); }

const char *wr_http_url_fault(const char *url, bool loopback_only) {
  return transport->url_fault(url, loopback_only);
}

int64_t wr_http_date(const char *text) {
  return transport != NULL ? transport->date(text) : -1;
}

void wr_http_reply_free(struct wr_http_reply *reply) {
  wr_bytes_wipe(&reply->body); /* a token may be in it */
}

enum wr_result wr_http_classify(int error, const struct wr_http_reply *reply) {
  if (error != 0)
    return WR_RETRY;
  int status = reply->status;
  if (status >= 200 && status < 300)
    return WR_OK;
  if (status == 401)
    return WR_REAUTHORISE;
  if (status == 408 || status == 425 || status == 429 || status >= 500)
    return WR_RETRY;
  return WR_REJECT;
}
