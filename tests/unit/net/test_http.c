/* wr_http against replies of every kind. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/alloc.h"
#include "tests/unit/net/http_case.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void test_reply_and_headers(void) {
  struct server s;
  server_start(&s, "HTTP/1.1 429 Slow\r\nContent-Type: text/plain\r\n"
                   "Retry-After: 7\r\nX-Version: 42\r\n"
                   "Content-Length: 4\r\nConnection: close\r\n\r\nwait");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT_EQUAL(reply.status, 429);
  CU_ASSERT_STRING_EQUAL(reply.body.data, "wait");
  CU_ASSERT_STRING_EQUAL(reply.content_type, "text/plain");
  CU_ASSERT_STRING_EQUAL(reply.watched, "42");
  /* seven seconds from the reply, which came within the timeout */
  CU_ASSERT(reply.retry_after_ms >= 7100);
  CU_ASSERT(reply.retry_after_ms <= 7100 + options.timeout_ms);
  CU_ASSERT_EQUAL(wr_http_classify(0, &reply), WR_RETRY);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* No less than the server took. */
static void test_wait(void) {
  struct server s;
  pause_us = 30000;
  server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT(reply.waited_ms >= 30);
  CU_ASSERT(reply.waited_ms <= options.timeout_ms);
  pause_us = 0;
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* The end of the line is no part of a header. */
static void test_empty_header(void) {
  static const char *const shapes[] = {"X-Version:\n", "X-Version:\r\n",
                                       "X-Version: \r\n"};
  for (size_t i = 0; i < 3; i++) {
    char text[128];
    struct server s;
    snprintf(text, sizeof(text),
             "HTTP/1.1 200 OK\r\n%sContent-Length: 0\r\n\r\n", shapes[i]);
    server_start(&s, text);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
    CU_ASSERT_STRING_EQUAL(reply.watched, "");
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
}

/* Not HTTP, though libcurl takes it for that. */
static void test_no_status(void) {
  struct server s;
  server_start(&s, "HTTP/1 7\r\nContent-Length: 0\r\n\r\n");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  CU_ASSERT_EQUAL(get(h, &s, &reply), -EPROTO);
  CU_ASSERT_EQUAL(reply.status, 0);
  CU_ASSERT(reply.error[0] != '\0');
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* A reply that begins with a folded header line, after one with headers: that
 * is what libcurl before 8.0 does not survive on one handle (see unit-asan). */
static void test_folded_first_line(void) {
  static const char good[] = "HTTP/1.1 200 OK\r\nX-Version: 1\r\n"
                             "Content-Length: 0\r\nConnection: close\r\n\r\n";
  struct server s;
  server_start(&s, good);
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  for (int i = 0; i < 3; i++) {
    s.reply = good;
    CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
    CU_ASSERT_STRING_EQUAL(reply.watched, "1");
    s.reply = "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n";
    int error = get(h, &s, &reply); /* an error, or without that line */
    CU_ASSERT_EQUAL(error == 0, reply.status == 200);
    CU_ASSERT_STRING_EQUAL(reply.watched, "");
  }
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

static void test_request_as_sent(void) {
  struct server s;
  server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                   "Connection: close\r\n\r\n");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  char url[64];
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/p", s.port);
  const char *const headers[] = {"X-Organization: space", NULL};
  struct wr_http_request put = {.method = "PUT",
                                .url = url,
                                .headers = headers,
                                .body = "{\"value\":1}",
                                .body_len = 11};
  CU_ASSERT_EQUAL(wr_http_perform(h, &put, &reply), 0);
  CU_ASSERT_EQUAL(strncmp(s.request, "PUT /p HTTP/1.1\r\n", 17), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(s.request, "X-Organization: space\r\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(s.request, "User-Agent: weir-test\r\n"));
  CU_ASSERT_PTR_NULL(strstr(s.request, "Expect"));
  CU_ASSERT_PTR_EQUAL(s.on_pipe, SIG_DFL); /* the process's, not ours */
  CU_ASSERT_EQUAL(s.inherited, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(s.request, "\r\n\r\n{\"value\":1}"));
  /* the next request is a plain GET again */
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT_EQUAL(strncmp(s.request, "GET /a HTTP/1.1\r\n", 17), 0);
  CU_ASSERT_PTR_NULL(strstr(s.request, "X-Organization"));
  CU_ASSERT_PTR_NULL(strstr(s.request, "value"));
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* Wherever the connection ends in the head, what came is no reply. */
static void test_head_cut_off(void) {
  /* with the shortest line there can be, of three bytes */
  static const char head[] = "HTTP/1.1 200 OK\r\n:\r\nX-Version: 4\r\n\r\n";
  const int whole = (int)sizeof(head) - 1;
  for (int len = 1; len <= whole; len++) {
    struct server s;
    char text[sizeof(head)];
    snprintf(text, sizeof(text), "%.*s", len, head);
    server_start(&s, text);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    int status = get(h, &s, &reply);
    /* RFC 9112 2.2: a line may end in the line feed alone. */
    CU_ASSERT_EQUAL(status == 0, len >= whole);
    CU_ASSERT_EQUAL(reply.status, len >= whole ? 200 : 0);
    CU_ASSERT_EQUAL(reply.error[0] == '\0', len >= whole);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
}

/* Lines that may stand in a reply, and that others send. */
static void test_odd_replies(void) {
  static const char *const replies[] = {
      "HTTP/1.1 200 OK\n\nbody",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\nbody\r\n0\r\nX-Trailer: 1\r\nB:\r\n\r\n"};
  for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
    struct server s;
    server_start(&s, replies[i]);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
    CU_ASSERT_EQUAL(reply.status, 200);
    CU_ASSERT_STRING_EQUAL(reply.body.data, "body");
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
  struct server s; /* the final reply is cut off behind a whole first one */
  server_start(&s, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: ");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  CU_ASSERT(get(h, &s, &reply) < 0);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* Each reply is told by itself, whatever the one before was. */
static void test_reply_used_again(void) {
  static const char *const replies[] = {
      "HTTP/1.1 429 Slow\r\nContent-Type: text/plain\r\nRetry-After: 1\r\n"
      "X-Version: 42\r\nContent-Length: 4\r\n\r\nwait",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  struct server s;
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {.error = "old", .connected = true};
  server_start(&s, NULL);
  s.replies = replies;
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT_EQUAL(reply.status, 429);
  CU_ASSERT(reply.retry_after_ms >= 1100);
  CU_ASSERT_STRING_EQUAL(reply.error, "");
  CU_ASSERT_TRUE(reply.connected);
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT_EQUAL(reply.status, 200);
  CU_ASSERT_EQUAL(reply.retry_after_ms, 0);
  CU_ASSERT_EQUAL(reply.body.len, 0);
  CU_ASSERT_STRING_EQUAL(reply.watched, "");
  CU_ASSERT_STRING_EQUAL(reply.content_type, "");
  CU_ASSERT_FALSE(reply.connected); /* the same connection */
  server_stop(&s);
  CU_ASSERT(get(h, &s, &reply) < 0);
  CU_ASSERT_EQUAL(reply.status, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(reply.error, "connect"));
  server_start(&s, "HTTP/1.1 200 OK\r\n"); /* cut off, for which we say it */
  CU_ASSERT_EQUAL(get(h, &s, &reply), -EIO);
  CU_ASSERT_PTR_NULL(strstr(reply.error, "connect"));
  server_stop(&s);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
}

/* From the start of the request, no sooner and no later, an hour at most. */
static void test_retry_after(void) {
  static const struct {
    const char *says;
    int64_t wants_ms;
  } cases[] = {{"0", 0},          {"1", 1100},       {"2", 2100},
               {"3600", 3600100}, {"3601", 3600100}, {"99999999", 3600100},
               {"-5", 0},         {"soon", 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct server s;
    char text[200];
    struct timespec a, b;
    snprintf(text, sizeof(text), "HTTP/1.1 503 No\r\nRetry-After: %s\r\n\r\n",
             cases[i].says);
    server_start(&s, text);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    clock_gettime(CLOCK_MONOTONIC, &a);
    CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    int64_t most = cases[i].wants_ms > 0
                       ? (b.tv_sec - a.tv_sec) * 1000 +
                             (b.tv_nsec - a.tv_nsec) / 1000000 + 1
                       : 0;
    CU_ASSERT(reply.retry_after_ms >= cases[i].wants_ms);
    CU_ASSERT(reply.retry_after_ms <= cases[i].wants_ms + most);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
}

static int perform(const struct wr_http_options *o, const char *url,
                   struct wr_http_reply *reply) {
  struct wr_http *h = wr_http_create(o);
  int status = wr_http_perform(
      h, &(struct wr_http_request){.method = "GET", .url = url}, reply);
  wr_http_destroy(h);
  return status;
}

/* A label of a name has 63 bytes at most: no server is asked for this one. */
#define NO_NAME                                                                \
  "a123456789012345678901234567890123456789012345678901234567890123.invalid"

/* What did not arrive, by kind, with a sentence that names the place. */
static void test_errors(void) {
  struct server s;
  struct wr_http_reply reply = {0};
  char url[64];
  server_start(&s, "\x94\x01garbage");
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/", s.port);
  CU_ASSERT_EQUAL(perform(&options, url, &reply), -EPROTO);
  snprintf(url, sizeof(url), "https://127.0.0.1:%d/", s.port);
  CU_ASSERT_EQUAL(perform(&options, url, &reply), -EPROTO);
  server_stop(&s);
  CU_ASSERT_EQUAL(perform(&options, url, &reply), -ECONNREFUSED);
  CU_ASSERT_PTR_NOT_NULL(strstr(reply.error, "127.0.0.1"));
  CU_ASSERT_EQUAL(perform(&options, "http://" NO_NAME "/", &reply),
                  -EHOSTUNREACH);
  CU_ASSERT_PTR_NOT_NULL(strstr(reply.error, "invalid"));
  /* No other protocol, whatever libcurl was built with. */
  CU_ASSERT_EQUAL(perform(&options, "file:///etc/passwd", &reply), -EPROTO);
  CU_ASSERT_EQUAL(reply.body.len, 0);
  wr_http_reply_free(&reply);
}

/* Nothing is trusted, and nobody is told who we are, without the files that the
 * user named. libcurl reads the authorities when the server has answered. */
static void test_files_that_are_named(void) {
  char both[] = "/tmp/test-http-XXXXXX", command[256];
  close(mkstemp(both));
  snprintf(command, sizeof(command),
           "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
           "-nodes -subj /CN=nobody -keyout %s -out - 2>/dev/null >>%s",
           both, both);
  CU_ASSERT_EQUAL_FATAL(system(command), 0);
  const struct {
    const char *ca_cert, *client_cert, *client_key;
    bool sends;
    const char *says;
  } cases[] = {{NULL, NULL, NULL, true, ""},
               {both, both, both, true, ""},
               {"/none/ca.pem", NULL, NULL, true, "/none/ca.pem"},
               {NULL, "/none/cert.pem", NULL, false, ""},
               {NULL, both, "/none/key.pem", false, ""}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct server s;
    struct wr_http_reply reply = {0};
    struct wr_http_options o = options;
    char url[64];
    server_start(&s, "no TLS");
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", s.port);
    o.ca_cert = cases[i].ca_cert;
    o.client_cert = cases[i].client_cert;
    o.client_key = cases[i].client_key;
    CU_ASSERT_EQUAL(perform(&o, url, &reply), -EPROTO);
    CU_ASSERT(reply.error[0] != '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.error, cases[i].says));
    for (int tries = 0; s.served == 0 && tries < 30000; tries++)
      usleep(1000);
    CU_ASSERT_EQUAL(s.served, 1);
    server_stop(&s);
    CU_ASSERT_EQUAL(s.request[0] == 0x16, cases[i].sends); /* a handshake */
    CU_ASSERT(cases[i].sends || s.request[0] == '\0');
    wr_http_reply_free(&reply);
  }
  unlink(both);
}

/* A host that does not take the connection: its queue is full. */
static void test_connect_timeout(void) {
  struct server s = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  int fill[4];
  CU_ASSERT_FATAL(bind(s.fd, (struct sockaddr *)&a, len) == 0 &&
                  listen(s.fd, 0) == 0 &&
                  getsockname(s.fd, (struct sockaddr *)&a, &len) == 0);
  s.port = ntohs(a.sin_port);
  for (int i = 0; i < 4; i++) {
    fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(fill[i], (struct sockaddr *)&a, len);
  }
  struct wr_http_options o = options;
  o.timeout_ms = 0; /* it never ends by this one */
  o.connect_timeout_ms = 50;
  struct wr_http *h = wr_http_create(&o);
  struct wr_http_reply reply = {0};
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ETIMEDOUT);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  for (int i = 0; i < 4; i++)
    close(fill[i]);
  close(s.fd);
}

/* One byte below the ceiling, at it, above it. */
static void test_body_ceiling(void) {
  for (int len = 99; len <= 101; len++) {
    struct server s;
    char text[400];
    snprintf(text, sizeof(text),
             "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%0*d", len, 0);
    server_start(&s, text);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    CU_ASSERT_EQUAL(get(h, &s, &reply), len > 100 ? -EMSGSIZE : 0);
    CU_ASSERT_STRING_EQUAL(
        reply.error, len > 100 ? "the reply is larger than 100 bytes" : "");
    CU_ASSERT_EQUAL(reply.body.len, len > 100 ? 0 : (size_t)len);
    CU_ASSERT_EQUAL(wr_http_classify(-EMSGSIZE, &reply), WR_RETRY);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
}

/* What fails for want of memory is a wait, and says what it is. */
static void test_no_memory(void) {
  struct server s;
  server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
                   "Connection: close\r\n\r\nbody");
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_http_reply reply = {0};
    struct wr_http *h = wr_http_create(&options);
    int status = h != NULL ? get(h, &s, &reply) : -ENOMEM;
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    CU_ASSERT(h == NULL || status == 0 || reply.error[0] != '\0');
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
  }
  server_stop(&s);
}

/* The proxy is what we are told, whatever the environment says, at the start or
 * by the hand of another plugin in between. */
static void test_proxy(void) {
  static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY",
                                      "no_proxy", "NO_PROXY"};
  struct server origin, proxy;
  char right[64], wrong[128];
  server_start(&origin, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
                        "Connection: close\r\n\r\norigin");
  server_start(&proxy, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                       "Connection: close\r\n\r\nproxy");
  snprintf(right, sizeof(right), "http://127.0.0.1:%d", proxy.port);
  snprintf(wrong, sizeof(wrong), "http://%s:1", NO_NAME);
  for (int way = 0; way < 3; way++)
    for (int later = 0; later < 2; later++) {
      struct wr_http_options o = options;
      o.proxy = way > 0 ? right : NULL;
      o.no_proxy = way > 1 ? "127.0.0.1" : NULL;
      for (int i = 0; i < 5 && !later; i++)
        setenv(names[i], i < 3 ? wrong : way == 1 ? "127.0.0.1" : "", 1);
      struct wr_http *h = wr_http_create(&o);
      for (int i = 0; i < 5; i++)
        setenv(names[i], i < 3 ? wrong : way == 1 ? "*" : "", 1);
      struct wr_http_reply reply = {0};
      CU_ASSERT_EQUAL(get(h, &origin, &reply), 0);
      CU_ASSERT_EQUAL_FATAL(reply.status, 200);
      CU_ASSERT_STRING_EQUAL(reply.body.data, way == 1 ? "proxy" : "origin");
      wr_http_reply_free(&reply);
      wr_http_destroy(h);
      for (int i = 0; i < 5; i++)
        unsetenv(names[i]);
    }
  struct wr_http_options o = options; /* its name has no address */
  struct wr_http_reply reply = {0};
  o.proxy = wrong;
  CU_ASSERT_EQUAL(perform(&o, "http://127.0.0.1:1/", &reply), -EHOSTUNREACH);
  wr_http_reply_free(&reply);
  server_stop(&origin);
  server_stop(&proxy);
}

static void test_garbage_and_silence(void) {
  struct server s;
  server_start(&s, "\x94\x01garbage");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  CU_ASSERT(get(h, &s, &reply) < 0);
  CU_ASSERT(reply.error[0] != '\0');
  server_stop(&s);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ECONNREFUSED);
  CU_ASSERT_EQUAL(reply.status, 0);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);

  struct wr_http_options brief = options;
  brief.timeout_ms = 50;
  server_start(&s, NULL);
  h = wr_http_create(&brief);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ETIMEDOUT);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* --- libcurl without memory, and woken --- */

static int appends_left = -1, handles_left = -1, wakes;

static void *next_of(const char *name) { return dlsym(RTLD_NEXT, name); }

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *s) {
  struct curl_slist *(*real)(struct curl_slist *, const char *) =
      (__typeof__(real))next_of("curl_slist_append");
  return appends_left == 0 || appends_left-- == 0 ? NULL : real(list, s);
}

CURL *curl_easy_duphandle(CURL *easy) {
  CURL *(*real)(CURL *) = (__typeof__(real))next_of("curl_easy_duphandle");
  return handles_left == 0 ? NULL : real(easy);
}

CURLMcode curl_multi_wakeup(CURLM *multi) {
  CURLMcode (*real)(CURLM *) = (__typeof__(real))next_of("curl_multi_wakeup");
  wakes++;
  return real(multi);
}

static void *stop_later(void *h) {
  usleep(20000);
  wr_http_stop(h);
  return NULL;
}

static void test_stop_ends_a_hanging_request(void) {
  struct server s;
  server_start(&s, NULL);
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  pthread_t thread;
  wakes = 0;
  pthread_create(&thread, NULL, stop_later, h);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ECANCELED);
  CU_ASSERT_STRING_EQUAL(reply.error, "the request was stopped");
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(wakes, 1);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ECANCELED); /* and for good */
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

static void test_classes(void) {
  static const struct {
    int status;
    enum wr_result result;
  } cases[] = {{199, WR_REJECT}, {200, WR_OK},          {204, WR_OK},
               {299, WR_OK},     {300, WR_REJECT},      {301, WR_REJECT},
               {400, WR_REJECT}, {401, WR_REAUTHORISE}, {403, WR_REJECT},
               {404, WR_REJECT}, {408, WR_RETRY},       {425, WR_RETRY},
               {429, WR_RETRY},  {499, WR_REJECT},      {500, WR_RETRY},
               {503, WR_RETRY},  {599, WR_RETRY}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(
        wr_http_classify(0, &(struct wr_http_reply){.status = cases[i].status}),
        cases[i].result);
}

static void test_urls(void) {
  static const char *const good[] = {
      "https://api2.arduino.cc", "http://127.0.0.1:1337", "http://[::1]:8/x",
      "http://localhost", "HTTP://127.255.0.1:65535"};
  static const char *const bad[] = {"",
                                    "inference:1337",
                                    "ftp://127.0.0.1/",
                                    "http://",
                                    "http://127.0.0.1:65536",
                                    "http://127.0.0.1:x",
                                    "http://10.0.0.1",
                                    "http://127.0.0.1.example.com",
                                    "http://user:pw@127.0.0.1",
                                    "http://localhost.example.com"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    CU_ASSERT_PTR_NULL(wr_http_url_fault(good[i], true));
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_PTR_NOT_NULL(wr_http_url_fault(bad[i], true));
  CU_ASSERT_PTR_NULL(wr_http_url_fault("http://inference:1337", false));
  /* each says what is allowed in its place */
  CU_ASSERT_PTR_NOT_NULL(
      strstr(wr_http_url_fault("ftp://127.0.0.1/", false), "begins with"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(wr_http_url_fault("https://u@h", false), "without user name"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(wr_http_url_fault("http://h", true), "this machine only"));
  CU_ASSERT_PTR_NULL(wr_http_url_fault("https://h", true));
  CU_ASSERT_PTR_NOT_NULL(wr_http_url_fault("http://[::2]", true));
  CU_ASSERT_PTR_NOT_NULL(wr_http_url_fault("http://128.0.0.1", true));
  CU_ASSERT_PTR_NOT_NULL(wr_http_url_fault("http://126.255.255.255", true));
}

static void test_date(void) {
  CU_ASSERT_EQUAL(wr_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  CU_ASSERT_EQUAL(wr_http_date(""), -1);
  CU_ASSERT_EQUAL(wr_http_date("soon"), -1);
}

/* Nothing speaks HTTP by accident. */
static void test_no_transport(void) {
  wr_http_provide(NULL);
  CU_ASSERT_FALSE(wr_http_provided());
  CU_ASSERT_EQUAL(wr_http_start(), -ENOSYS);
  CU_ASSERT_PTR_NULL(wr_http_create(&options));
  CU_ASSERT_EQUAL(wr_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), -1);
  wr_http_destroy(NULL);
  wr_http_provide(&wr_http_curl);
  CU_ASSERT(wr_http_provided());
  CU_ASSERT_EQUAL(wr_http_start(), 0);
  wr_http_end();
}

/* A request that cannot even begin: nothing of the reply before is left. */
static void test_no_memory_in_libcurl(void) {
  static const char *const replies[] = {
      "HTTP/1.1 429 Slow\r\nContent-Type: text/plain\r\nRetry-After: 1\r\n"
      "X-Version: 42\r\nContent-Length: 4\r\n\r\nwait",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  static const char *const headers[] = {"A: 1", "B: 2", NULL};
  struct server s;
  char url[64];
  server_start(&s, NULL);
  s.replies = replies;
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/", s.port);
  const struct wr_http_request request = {
      .method = "GET", .url = url, .headers = headers};
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(i > 0 || wr_http_perform(h, &request, &reply) == 0, true);
    appends_left = i < 3 ? i : -1;
    handles_left = i == 3 ? 0 : -1;
    int status = wr_http_perform(h, &request, &reply);
    appends_left = handles_left = -1;
    CU_ASSERT_EQUAL(status, -ENOMEM);
    CU_ASSERT_EQUAL(reply.status, 0);
    CU_ASSERT_EQUAL(reply.body.len, 0);
    CU_ASSERT_EQUAL(reply.retry_after_ms, 0);
    CU_ASSERT_STRING_EQUAL(reply.watched, "");
    CU_ASSERT_STRING_EQUAL(reply.error, "no memory for the request");
  }
  CU_ASSERT_EQUAL(wr_http_perform(h, &request, &reply), 0);
  CU_ASSERT_EQUAL(reply.status, 200);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* Of a header that comes twice the last one counts. */
static void test_header_that_comes_twice(void) {
  struct server s;
  server_start(&s, "HTTP/1.1 999 Odd\r\nX-Version: 1\r\nX-Version: 2\r\n"
                   "Content-Length: 0\r\n\r\n");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT_EQUAL(reply.status, 999);
  CU_ASSERT_STRING_EQUAL(reply.watched, "2");
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* So many bytes, whatever they are; and no asking first whether they may come,
 * which libcurl does with many. */
static void test_bodies(void) {
  static char many[1 << 21];
  const struct {
    const char *body;
    size_t len;
    const char *says;
  } cases[] = {{"ab\0cd", 5, "Content-Length: 5\r\n"},
               {"ab", 1, "Content-Length: 1\r\n"},
               {"", 0, "Content-Length: 0\r\n"},
               {many, sizeof(many), "Content-Length: 2097152\r\n"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct server s;
    char url[64];
    server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                     "Connection: close\r\n\r\n");
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", s.port);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    (void)wr_http_perform(h,
                          &(struct wr_http_request){.method = "POST",
                                                    .url = url,
                                                    .body = cases[i].body,
                                                    .body_len = cases[i].len},
                          &reply); /* of many it reads the beginning alone */
    server_stop(&s);
    CU_ASSERT_EQUAL(strncmp(s.request, "POST / HTTP/1.1\r\n", 17), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.request, cases[i].says));
    CU_ASSERT_PTR_NULL(strstr(s.request, "Expect"));
    const char *body = strstr(s.request, "\r\n\r\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    CU_ASSERT(cases[i].len > 5 ||
              memcmp(body + 4, cases[i].body, cases[i].len) == 0);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
  }
}

UNIT_MAIN("http", UNIT(test_no_status), UNIT(test_empty_header),
          UNIT(test_folded_first_line), UNIT(test_reply_and_headers),
          UNIT(test_wait), UNIT(test_request_as_sent), UNIT(test_head_cut_off),
          UNIT(test_odd_replies), UNIT(test_reply_used_again),
          UNIT(test_retry_after), UNIT(test_errors), UNIT(test_connect_timeout),
          UNIT(test_files_that_are_named), UNIT(test_body_ceiling),
          UNIT(test_no_memory), UNIT(test_proxy),
          UNIT(test_garbage_and_silence),
          UNIT(test_stop_ends_a_hanging_request), UNIT(test_classes),
          UNIT(test_urls), UNIT(test_date), UNIT(test_no_transport),
          UNIT(test_no_memory_in_libcurl), UNIT(test_header_that_comes_twice),
          UNIT(test_bodies))
