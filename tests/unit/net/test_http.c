/* wr_http against a one-thread server that plays one canned reply for each
 * connection. */
#include "lib/net/http.h"
#include "tests/unit/alloc.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
  int fd;
  int port;
  pthread_t thread;
  const char *reply; /* NULL: read, never answer */
  char request[2048];
};

static void *serve(void *arg) {
  struct server *s = arg;
  int client;
  while ((client = accept(s->fd, NULL, NULL)) >= 0) {
    ssize_t len = read(client, s->request, sizeof(s->request) - 1);
    s->request[len > 0 ? len : 0] = '\0';
    char byte;
    if (s->reply == NULL)
      while (read(client, &byte, 1) > 0)
        ;
    else if (write(client, s->reply, strlen(s->reply)) < 0)
      perror("write");
    close(client);
  }
  return NULL;
}

static void server_start(struct server *s, const char *reply) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  s->reply = reply;
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_FATAL(bind(s->fd, (struct sockaddr *)&a, len) == 0 &&
                  listen(s->fd, 5) == 0 &&
                  getsockname(s->fd, (struct sockaddr *)&a, &len) == 0);
  s->port = ntohs(a.sin_port);
  pthread_create(&s->thread, NULL, serve, s);
}

static void server_stop(struct server *s) {
  shutdown(s->fd, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->fd);
}

static const struct wr_http_options options = {.user_agent = "weir-test",
                                               .timeout_ms = 30000,
                                               .max_body = 100,
                                               .watch_header = "x-version"};

static int get(struct wr_http *h, const struct server *s,
               struct wr_http_reply *reply) {
  char url[64];
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/a", s->port);
  return wr_http_perform(
      h, &(struct wr_http_request){.method = "GET", .url = url}, reply);
}

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
  CU_ASSERT_PTR_NULL(strstr(s.request, "Expect"));
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

/* The environment's proxy is used only where the user asks for it. */
static void test_proxy_of_the_environment(void) {
  struct server origin, proxy;
  server_start(&origin, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
                        "Connection: close\r\n\r\norigin");
  server_start(&proxy, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                       "Connection: close\r\n\r\nproxy");
  char address[64];
  snprintf(address, sizeof(address), "http://127.0.0.1:%d", proxy.port);
  setenv("http_proxy", address, 1);
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  for (int uses = 0; uses < 2; uses++) {
    struct wr_http_options o = options;
    o.use_proxy = uses;
    struct wr_http *h = wr_http_create(&o);
    struct wr_http_reply reply = {0};
    CU_ASSERT_EQUAL(get(h, &origin, &reply), 0);
    CU_ASSERT_STRING_EQUAL(reply.body.data, uses ? "proxy" : "origin");
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
  }
  unsetenv("http_proxy");
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
  pthread_create(&thread, NULL, stop_later, h);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ECANCELED);
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ECANCELED); /* and for good */
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

static void test_classes(void) {
  static const struct {
    int status;
    enum wr_result result;
  } cases[] = {{200, WR_OK},     {204, WR_OK},          {301, WR_REJECT},
               {400, WR_REJECT}, {401, WR_REAUTHORISE}, {403, WR_REJECT},
               {404, WR_REJECT}, {408, WR_RETRY},       {425, WR_RETRY},
               {429, WR_RETRY},  {500, WR_RETRY},       {503, WR_RETRY}};
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

UNIT_MAIN("http", UNIT(test_reply_and_headers), UNIT(test_request_as_sent),
          UNIT(test_body_ceiling), UNIT(test_no_memory),
          UNIT(test_proxy_of_the_environment), UNIT(test_garbage_and_silence),
          UNIT(test_stop_ends_a_hanging_request), UNIT(test_classes),
          UNIT(test_urls), UNIT(test_date), UNIT(test_no_transport))
