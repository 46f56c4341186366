/* http's transport through libcurl: all that knows libcurl is here, so that an
 * agent which speaks no HTTP need not load it.
 *
 * Requests run inside a multi handle for one reason: curl_multi_poll() can be
 * woken from another thread, curl_easy_perform() cannot. It also keeps the
 * connections, so that each request can have a fresh easy handle: libcurl
 * before 8.0 remembers the last header of a reply on its handle, freed, and
 * follows it when the next reply begins with a folded one. */
#include "lib/net/http.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define FILES 3

struct wr_http {
  CURL *pattern; /* has the options */
  CURLM *multi;
  CURL *easy;                  /* of the request under way */
  struct wr_http_reply *reply; /* of the request under way */
  size_t max_body;
  char *watch_header;
  char *files[FILES]; /* that libcurl reads; NULL: none */
  char curl_error[CURL_ERROR_SIZE];
  bool whole_header; /* of the reply under way */
  bool no_memory;    /* for the last piece of its body */
  atomic_bool stopped;
};

/* libcurl takes a header that the connection's end cut off for a whole one. */
static size_t on_header(char *data, size_t size, size_t count, void *arg) {
  struct wr_http *h = arg;
  size_t len = size * count;
  if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
    h->whole_header = false;
  if (len >= 1 && len <= 2 && data[len - 1] == '\n')
    h->whole_header = true;
  return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
  struct wr_http *h = arg;
  size_t len = size * count;
  /* A short count makes curl end the transfer with CURLE_WRITE_ERROR. */
  int status = wr_bytes_append(&h->reply->body, data, len);
  h->no_memory = status == -ENOMEM;
  return status == 0 ? len : 0;
}

/* No child of the process, whoever starts it, holds our connections open. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
  (void)arg;
  (void)purpose;
  return wr_file_lift(socket(address->family, address->socktype | SOCK_CLOEXEC,
                             address->protocol));
}

/* What the user names is trusted alone: Debian's libcurl would go on trusting
 * the system's directory of authorities beside a file. */
static int set_authorities(CURL *c, const struct wr_http_options *o) {
  if (o->ca_cert == NULL && o->ca_path == NULL)
    return 0;
  return curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_cert) != CURLE_OK ||
         curl_easy_setopt(c, CURLOPT_CAPATH, o->ca_path) != CURLE_OK;
}

static int set_options(struct wr_http *h, const struct wr_http_options *o) {
  CURL *c = h->pattern;
  long connect_ms =
      (long)(o->connect_timeout_ms > 0 ? o->connect_timeout_ms : o->timeout_ms);
  int bad = 0;
#define SET(option, value) bad |= curl_easy_setopt(c, option, value) != CURLE_OK
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_QUICK_EXIT, 1L);            /* never join a hanging name lookup */
  SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L); /* of each request, not 64 kB */
  SET(CURLOPT_ERRORBUFFER, h->curl_error);
  SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  SET(CURLOPT_USERAGENT, o->user_agent);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  SET(CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, h);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, h);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, o->insecure_peer ? 0L : 1L);
  SET(CURLOPT_SSL_VERIFYHOST, o->insecure_host ? 0L : 2L);
  /* Both always: what is not set, libcurl takes from the environment. */
  SET(CURLOPT_PROXY, o->proxy != NULL ? o->proxy : "");
  SET(CURLOPT_NOPROXY, o->no_proxy != NULL ? o->no_proxy : "");
  bad |= set_authorities(c, o);
  if (o->client_cert != NULL)
    SET(CURLOPT_SSLCERT, o->client_cert);
  if (o->client_key != NULL)
    SET(CURLOPT_SSLKEY, o->client_key);
#undef SET
  return bad;
}

static void http_destroy(struct wr_http *h) {
  if (h == NULL)
    return;
  if (h->pattern != NULL)
    curl_easy_cleanup(h->pattern);
  if (h->multi != NULL)
    curl_multi_cleanup(h->multi);
  free(h->watch_header);
  for (size_t i = 0; i < FILES; i++)
    free(h->files[i]);
  free(h);
}

static int copy_files(struct wr_http *h, const struct wr_http_options *o) {
  const char *const from[FILES] = {o->ca_cert, o->client_cert, o->client_key};
  for (size_t i = 0; i < FILES; i++)
    if (from[i] != NULL && (h->files[i] = strdup(from[i])) == NULL)
      return -ENOMEM;
  return 0;
}

static struct wr_http *http_create(const struct wr_http_options *options) {
  struct wr_http *h = calloc(1, sizeof(*h));
  if (h == NULL)
    return NULL;
  h->max_body = options->max_body;
  h->pattern = curl_easy_init();
  h->multi = curl_multi_init();
  if (options->watch_header != NULL)
    h->watch_header = strdup(options->watch_header);
  if (h->pattern == NULL || h->multi == NULL || set_options(h, options) != 0 ||
      copy_files(h, options) != 0 ||
      (options->watch_header != NULL && h->watch_header == NULL)) {
    http_destroy(h);
    return NULL;
  }
  return h;
}

static void http_stop(struct wr_http *h) {
  atomic_store(&h->stopped, true);
  curl_multi_wakeup(h->multi);
}

/* NULL: no memory. */
static struct curl_slist *header_list(const char *const *headers) {
  struct curl_slist *list = NULL;
  /* Without it curl waits a second for "100 Continue" on larger bodies. */
  static const char *const own[] = {"Expect:", NULL};
  const char *const *sets[] = {own, headers};
  for (size_t s = 0; s < 2; s++)
    for (size_t i = 0; sets[s] != NULL && sets[s][i] != NULL; i++) {
      struct curl_slist *longer = curl_slist_append(list, sets[s][i]);
      if (longer == NULL) {
        curl_slist_free_all(list);
        return NULL;
      }
      list = longer;
    }
  return list;
}

static void set_request(CURL *c, const struct wr_http_request *r,
                        struct curl_slist *list) {
  curl_easy_setopt(c, CURLOPT_URL, r->url);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
  if (r->body != NULL) {
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
  }
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
}

/* Runs the transfer; a curl code, or CURLE_ABORTED_BY_CALLBACK when stopped. */
static CURLcode run(struct wr_http *h) {
  int running = 1;
  while (running > 0) {
    if (atomic_load(&h->stopped))
      return CURLE_ABORTED_BY_CALLBACK;
    if (curl_multi_perform(h->multi, &running) != CURLM_OK)
      return CURLE_OUT_OF_MEMORY;
    if (running > 0 &&
        curl_multi_poll(h->multi, NULL, 0, 1000, NULL) != CURLM_OK)
      return CURLE_OUT_OF_MEMORY;
  }
  int left = 0;
  CURLMsg *message = curl_multi_info_read(h->multi, &left);
  return message != NULL ? message->data.result : CURLE_RECV_ERROR;
}

static void copy_text(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from != NULL ? from : "");
}

static void read_metadata(struct wr_http *h, struct wr_http_reply *reply) {
  long status = 0, connects = 0;
  const char *type = NULL;
  curl_off_t retry_after = 0, took_us = 0, waited_us = 0;
  curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(h->easy, CURLINFO_CONTENT_TYPE, &type);
  curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
  curl_easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &took_us);
  curl_easy_getinfo(h->easy, CURLINFO_STARTTRANSFER_TIME_T, &waited_us);
  curl_easy_getinfo(h->easy, CURLINFO_NUM_CONNECTS, &connects);
  reply->status = (int)status;
  reply->connected = connects > 0;
  reply->waited_ms = waited_us / 1000;
  copy_text(reply->content_type, sizeof(reply->content_type), type);
  /* The server counts from its reply, the caller from a moment before its
   * request; a little later is polite, a little earlier is refused. */
  if (retry_after > WR_HTTP_RETRY_AFTER_MAX_S)
    retry_after = WR_HTTP_RETRY_AFTER_MAX_S;
  if (retry_after > 0)
    reply->retry_after_ms = (int64_t)retry_after * 1000 + took_us / 1000 + 100;
  struct curl_header *header = NULL;
  for (size_t i = 0; h->watch_header != NULL &&
                     curl_easy_header(h->easy, h->watch_header, i, CURLH_HEADER,
                                      -1, &header) == CURLHE_OK;
       i++)
    copy_text(reply->watched, sizeof(reply->watched), header->value);
  /* libcurl 7.88 leaves the end of the line in an empty one. */
  reply->watched[strcspn(reply->watched, "\r\n")] = '\0';
}

static int to_errno(CURLcode code) {
  switch (code) {
  case CURLE_OK:
    return 0;
  case CURLE_ABORTED_BY_CALLBACK:
    return -ECANCELED;
  case CURLE_OUT_OF_MEMORY:
    return -ENOMEM;
  case CURLE_OPERATION_TIMEDOUT:
    return -ETIMEDOUT;
  case CURLE_COULDNT_CONNECT:
    return -ECONNREFUSED;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return -EHOSTUNREACH;
  case CURLE_WRITE_ERROR:
    return -EMSGSIZE;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_CIPHER:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_UNSUPPORTED_PROTOCOL:
    return -EPROTO;
  default:
    return -EIO;
  }
}

static void say_error(struct wr_http *h, CURLcode code, int error,
                      struct wr_http_reply *reply) {
  if (error == -ECANCELED)
    copy_text(reply->error, sizeof(reply->error), "the request was stopped");
  else if (error == -ENOMEM)
    copy_text(reply->error, sizeof(reply->error), "no memory for the request");
  else if (error == -EMSGSIZE)
    snprintf(reply->error, sizeof(reply->error),
             "the reply is larger than %zu bytes", h->max_body);
  else
    copy_text(reply->error, sizeof(reply->error),
              h->curl_error[0] != '\0' ? h->curl_error
                                       : curl_easy_strerror(code));
}

static bool is_status(const struct wr_http *h) {
  long status = 0;
  curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
  return status >= 100;
}

/* Sends the request on a handle of its own. */
static CURLcode transfer(struct wr_http *h,
                         const struct wr_http_request *request,
                         struct curl_slist *list) {
  set_request(h->easy, request, list);
  if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
    return CURLE_OUT_OF_MEMORY;
  CURLcode code = run(h);
  if (code == CURLE_OK && !h->whole_header)
    return CURLE_RECV_ERROR;
  /* It lets "HTTP/1 7" pass. */
  return code == CURLE_OK && !is_status(h) ? CURLE_WEIRD_SERVER_REPLY : code;
}

/* One that libcurl would read for ever, as a FIFO; NULL: none. */
static const char *odd_file(const struct wr_http *h) {
  struct stat st;
  for (size_t i = 0; i < FILES; i++)
    if (h->files[i] != NULL && stat(h->files[i], &st) == 0 &&
        !S_ISREG(st.st_mode))
      return h->files[i];
  return NULL;
}

static int http_perform(struct wr_http *h,
                        const struct wr_http_request *request,
                        struct wr_http_reply *reply) {
  wr_bytes_reset(&reply->body);
  reply->body.max = h->max_body;
  reply->status = 0;
  reply->retry_after_ms = 0;
  reply->content_type[0] = reply->watched[0] = reply->error[0] = '\0';
  const char *odd = odd_file(h);
  if (odd != NULL) {
    snprintf(reply->error, sizeof(reply->error), "%s is not a file", odd);
    return -EPROTO;
  }
  h->reply = reply;
  h->curl_error[0] = '\0';
  h->no_memory = false;
  h->whole_header = false;
  struct curl_slist *list = header_list(request->headers);
  h->easy = list != NULL ? curl_easy_duphandle(h->pattern) : NULL;
  CURLcode code =
      h->easy != NULL ? transfer(h, request, list) : CURLE_OUT_OF_MEMORY;
  int status = h->no_memory ? -ENOMEM : to_errno(code);
  if (status == 0)
    read_metadata(h, reply);
  else
    say_error(h, code, status, reply);
  curl_multi_remove_handle(h->multi, h->easy);
  curl_easy_cleanup(h->easy);
  curl_slist_free_all(list);
  return status;
}

static bool is_loopback(const char *host) {
  if (wr_text_same(host, "localhost") || strcmp(host, "[::1]") == 0)
    return true;
  struct in_addr address;
  return inet_pton(AF_INET, host, &address) == 1 &&
         ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static const char *http_url_fault(const char *url, bool loopback_only) {
  const char *fault = NULL;
  char *scheme = NULL, *host = NULL, *user = NULL;
  CURLU *u = curl_url();
  if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
      curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
      curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
      (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
    fault = "a URL that begins with https:// or http://, with a port of 1 to "
            "65535";
  else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
    fault = "a URL without user name and password";
  else if (loopback_only && strcmp(scheme, "http") == 0 && !is_loopback(host))
    fault = "https://, or http:// to this machine only (127.0.0.1, ::1, "
            "localhost)";
  curl_free(scheme);
  curl_free(host);
  curl_free(user);
  curl_url_cleanup(u);
  return fault;
}

static int64_t http_date(const char *text) {
  return (int64_t)curl_getdate(text, NULL);
}

static int http_start(void) {
  return curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK ? 0 : -EIO;
}

const struct wr_http_calls wr_http_curl = {.version = WEIR_VERSION,
                                           .start = http_start,
                                           .end = curl_global_cleanup,
                                           .create = http_create,
                                           .destroy = http_destroy,
                                           .perform = http_perform,
                                           .stop = http_stop,
                                           .url_fault = http_url_fault,
                                           .date = http_date};
