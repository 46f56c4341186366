/* Whatever answers on the other end of an HTTP connection: the reply that a
 * caller sees stays within its limits, and is there exactly when no error is.
 *
 * No network: libcurl's connect() ends here, and gets one end of a pair of
 * sockets in which the reply already waits. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/transport.h"

#include <sys/socket.h>

#define BODY_MAX 4096

static const uint8_t *reply_data;
static size_t reply_size;

int connect(int fd, const struct sockaddr *to, socklen_t len) {
  int pair[2];
  (void)to, (void)len;
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  check(dup2(pair[0], fd) == fd);
  close(pair[0]);
  size_t sent = 0;
  while (sent < reply_size) {
    ssize_t n = send(pair[1], reply_data + sent, reply_size - sent, 0);
    if (n <= 0)
      break; /* more than a socket holds */
    sent += (size_t)n;
  }
  shutdown(pair[1], SHUT_WR);
  static int last = -1; /* until the next: closed, it would be a reset */
  if (last >= 0)
    close(last);
  last = pair[1];
  return 0;
}

static struct wr_http *handle(void) {
  static struct wr_http *h;
  if (h == NULL) {
    check(wr_http_start() == 0);
    h = wr_http_create(&(struct wr_http_options){.user_agent = "fuzz",
                                                 .timeout_ms = 5000,
                                                 .max_body = BODY_MAX,
                                                 .watch_header = "Date"});
  }
  check(h != NULL);
  return h;
}

static bool one_line(const char *text, size_t size) {
  size_t len = strnlen(text, size);
  return len < size && strpbrk(text, "\r\n") == NULL;
}

static void judge(int error, const struct wr_http_reply *r) {
  check(one_line(r->content_type, sizeof(r->content_type)));
  check(one_line(r->watched, sizeof(r->watched)));
  check(memchr(r->error, '\0', sizeof(r->error)) != NULL);
  check(r->body.len <= BODY_MAX);
  check((error == 0) == (r->error[0] == '\0'));
  check((error == 0) == (r->status != 0));
  check(r->status == 0 || (r->status >= 100 && r->status <= 999));
  /* The hour, and what the request itself took. */
  check(r->retry_after_ms >= 0 &&
        r->retry_after_ms <= WR_HTTP_RETRY_AFTER_MAX_S * INT64_C(1000) + 5100);
  enum wr_result result = wr_http_classify(error, r);
  check(error == 0 || result == WR_RETRY);
  check(result != WR_OK || r->status / 100 == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct wr_http_reply reply;
  reply_data = data;
  reply_size = size;
  const struct wr_http_request request = {.method = "PUT",
                                          .url = "http://127.0.0.1:9/thing",
                                          .body = "{}",
                                          .body_len = 2};
  judge(wr_http_perform(handle(), &request, &reply), &reply);
  return 0;
}
