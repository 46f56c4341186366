#include "lib/infer/inference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_inference {
  struct wr_inference base;
  struct wr_http *http;
  struct wr_http_reply reply;
  struct wr_bytes body;
  char *url; /* without a slash at the end */
};

/* The runner explains itself in plain text, or as HTML with the reason inside
 * <pre>; at most one line of it. */
static void reason_of(const struct wr_http_reply *reply, char *out,
                      size_t size) {
  const char *text = reply->body.data != NULL ? reply->body.data : "";
  const char *pre = strstr(text, "<pre>");
  if (pre != NULL)
    text = pre + 5;
  snprintf(out, size, "%.*s", (int)strcspn(text, "<\r\n"), text);
  for (char *c = out; *c != '\0'; c++)
    if ((unsigned char)*c < ' ')
      *c = ' ';
}

static int transport_error(struct http_inference *h, int error) {
  snprintf(h->base.error, sizeof(h->base.error), "%s", h->reply.error);
  switch (error) {
  case -EHOSTUNREACH:
  case -EIO: /* the connection broke */
    return -ECONNREFUSED;
  case -EMSGSIZE:
    return -EPROTO;
  default:
    return error;
  }
}

/* One place that says what a status of the runner means. 400 is not always
 * our fault: a runner whose model has died answers "Runner is not initialized"
 * to everything, for ever. */
static int status_error(struct http_inference *h) {
  char reason[128];
  int status = h->reply.status;
  reason_of(&h->reply, reason, sizeof(reason));
  snprintf(h->base.error, sizeof(h->base.error), "HTTP status %d: %s", status,
           reason);
  if (status == 400 || status == 500)
    return -EREMOTEIO;
  return status / 100 == 5 ? -ECONNREFUSED : -EPROTO;
}

static int perform(struct http_inference *h, const char *method,
                   const char *path, const struct wr_bytes *body) {
  static const char *const headers[] = {"Content-Type: application/json",
                                        "Accept: application/json", NULL};
  char url[1024];
  snprintf(url, sizeof(url), "%s%s", h->url, path);
  struct wr_http_request request = {
      .method = method, .url = url, .headers = headers};
  if (body != NULL) {
    request.body = body->data;
    request.body_len = body->len;
  }
  int error = wr_http_perform(h->http, &request, &h->reply);
  /* The runner closes a connection that was idle for six seconds. libcurl
   * notices and tries again, but counts: every sixth time it gives up. */
  if (error == -EIO)
    error = wr_http_perform(h->http, &request, &h->reply);
  if (error != 0)
    return transport_error(h, error);
  return h->reply.status == 200 ? 0 : status_error(h);
}

static int protocol_error(struct http_inference *h, int error,
                          const char *fault) {
  snprintf(h->base.error, sizeof(h->base.error), "%s", fault);
  return error == -EBADMSG ? -EPROTO : error;
}

static int describe(struct wr_inference *i, struct wr_model *out) {
  struct http_inference *h = (struct http_inference *)i;
  char fault[WR_EI_TEXT] = "";
  int status = perform(h, "GET", "/api/info", NULL);
  if (status != 0)
    return status;
  return protocol_error(
      h,
      wr_ei_read_model(h->reply.body.data, h->reply.body.len, -1, out, fault),
      fault);
}

/* A container that was started anew may have another model of the same version;
 * one cannot be started anew without losing its connections. */
static int classify(struct wr_inference *i, const struct wr_model *model,
                    const double *features, struct wr_answer *out,
                    bool *changed) {
  struct http_inference *h = (struct http_inference *)i;
  char fault[WR_EI_TEXT] = "";
  wr_bytes_reset(&h->body);
  int status = wr_ei_put_features(&h->body, features, model->features);
  if (status != 0)
    return protocol_error(h, -ENOMEM, "no memory for the request");
  status = perform(h, "POST", "/api/features", &h->body);
  if (status != 0)
    return status;
  *changed = h->reply.connected ||
             (h->reply.watched[0] != '\0' && model->version >= 0 &&
              strtoll(h->reply.watched, NULL, 10) != model->version);
  status = wr_ei_read_answer(h->reply.body.data, h->reply.body.len, -1, model,
                             out, fault);
  return protocol_error(h, status, fault);
}

static void stop(struct wr_inference *i) {
  wr_http_stop(((struct http_inference *)i)->http);
}

static void destroy(struct wr_inference *i) {
  struct http_inference *h = (struct http_inference *)i;
  wr_http_destroy(h->http);
  wr_http_reply_free(&h->reply);
  wr_bytes_free(&h->body);
  free(h->url);
  free(h);
}

struct wr_inference *wr_inference_http(const char *url,
                                       const struct wr_http_options *options) {
  static const struct wr_inference_ops ops = {describe, classify, stop,
                                              destroy};
  struct http_inference *h = calloc(1, sizeof(*h));
  if (h == NULL)
    return NULL;
  struct wr_http_options o = *options;
  o.max_body = WR_EI_REPLY_MAX;
  o.watch_header = "x-ei-project-version";
  h->base.ops = &ops;
  h->body.max = WR_EI_REPLY_MAX * 4;
  h->url = strdup(url);
  h->http = wr_http_create(&o);
  if (h->url == NULL || h->http == NULL) {
    wr_http_destroy(h->http);
    free(h->url);
    free(h);
    return NULL;
  }
  size_t len = strlen(h->url);
  while (len > 0 && h->url[len - 1] == '/')
    h->url[--len] = '\0';
  return &h->base;
}
