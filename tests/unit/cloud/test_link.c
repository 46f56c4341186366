/* The link over a real connection: a reply that ends at any byte is a wait. */
#include "lib/cloud/link.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char reply[] = "HTTP/1.1 200 OK\r\n"
                            "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                            "Content-Type: application/json\r\n"
                            "Content-Length: 2\r\n"
                            "Retry-After: 99999999999999999\r\n"
                            "\r\n{}";

static struct {
  int listener, port;
  size_t bytes; /* of the reply, for each connection one more */
} server;

/* Serves one connection for each length of the reply, the whole one last. */
static void *serve(void *arg) {
  char request[4096];
  (void)arg;
  for (server.bytes = 0; server.bytes < sizeof(reply); server.bytes++) {
    int fd = accept(server.listener, NULL, NULL);
    ssize_t got = read(fd, request, sizeof(request));
    if (got > 0 && write(fd, reply, server.bytes) < 0)
      break;
    shutdown(fd, SHUT_WR);
    while (read(fd, request, sizeof(request)) > 0)
      ;
    close(fd);
  }
  return NULL;
}

static void begin(pthread_t *thread) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  server.listener = socket(AF_INET, SOCK_STREAM, 0);
  CU_ASSERT_EQUAL_FATAL(bind(server.listener, (struct sockaddr *)&a, sizeof(a)),
                        0);
  listen(server.listener, 8);
  getsockname(server.listener, (struct sockaddr *)&a, &len);
  server.port = ntohs(a.sin_port);
  CU_ASSERT_EQUAL_FATAL(pthread_create(thread, NULL, serve, NULL), 0);
}

static int send_for_real(void *arg, const struct wr_http_request *request,
                         struct wr_http_reply *r) {
  return wr_http_perform(arg, request, r);
}

static void test_reply_that_ends_at_any_byte(void) {
  pthread_t thread;
  char url[64];
  begin(&thread);
  snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
  struct wr_http *http =
      wr_http_create(&(struct wr_http_options){.user_agent = "test",
                                               .timeout_ms = 30000,
                                               .max_body = 1 << 20,
                                               .watch_header = "Date"});
  struct wr_link l;
  wr_link_init(&l, &(struct wr_link_options){.url = url,
                                             .thing_id = "t",
                                             .client_id = "i",
                                             .client_secret = "s",
                                             .send = send_for_real,
                                             .send_arg = http});
  int waits = 0, done = 0;
  for (size_t n = 0; n < sizeof(reply); n++) {
    struct wr_moment t = {.now_ms = (int64_t)n * 1000};
    CU_ASSERT_EQUAL(wr_link_address(&l, WR_CLOUD_PUBLISH_MANY, NULL), 0);
    wr_bytes_text(&l.body, "{}");
    int error = wr_link_perform(&l, "PUT");
    enum wr_outcome outcome = wr_link_judge(&l, &t, true, error);
    if (outcome == WR_OUTCOME_DONE && n + 1 < sizeof(reply))
      printf("\n%d bytes are taken for a reply", (int)n);
    waits += outcome == WR_OUTCOME_WAIT;
    done += outcome == WR_OUTCOME_DONE;
  }
  CU_ASSERT_EQUAL(waits, (int)sizeof(reply) - 1);
  CU_ASSERT_EQUAL(done, 1); /* the whole one */
  CU_ASSERT_EQUAL(l.clock_us + (int64_t)(sizeof(reply) - 1) * 1000000,
                  INT64_C(1767225600) * 1000000 + 500000);
  wr_link_free(&l);
  wr_http_destroy(http); /* the server waits for the end of the connection */
  pthread_join(thread, NULL);
  close(server.listener);
}

int main(void) {
  const struct unit_case cases[] = {UNIT(test_reply_that_ends_at_any_byte)};
  wr_http_start();
  int status = unit_main("link", cases, 1);
  wr_http_end();
  return status;
}
