/* The runner's HTTP against peers that are not there, end, say odd things or
 * fall silent. What it makes of answers is in test_ei_answer.c. */
#include "lib/infer/inference.h"

#include "tests/unit/alloc.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const double flow[10] = {10, 10, 10, 10, 10, 10, 10, 10, 10, 10};

static struct wr_inference *http(const char *url) {
  struct wr_inference *i =
      wr_inference_http(url, &(struct wr_http_options){.user_agent = "test",
                                                       .timeout_ms = 30000});
  CU_ASSERT_PTR_NOT_NULL_FATAL(i);
  return i;
}

/* A port of 127.0.0.1 that is bound; it listens if told to. */
static int bind_port(bool listens, char *url, size_t size) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&a, len) == 0);
  if (listens)
    CU_ASSERT_FATAL(listen(fd, 8) == 0);
  getsockname(fd, (struct sockaddr *)&a, &len);
  snprintf(url, size, "http://127.0.0.1:%d//", ntohs(a.sin_port));
  return fd;
}

static void test_nobody_listens(void) {
  struct wr_model m;
  char url[64];
  int fd = bind_port(false, url, sizeof(url));
  struct wr_inference *i = http(url);
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECONNREFUSED);
  CU_ASSERT_NOT_EQUAL(i->error[0], '\0');
  wr_inference_destroy(i);
  close(fd);
}

struct reply {
  int listener;
  const char *text;
};

/* One connection for each reply of a list; reads a request, answers, closes. */
static void *serve(void *arg) {
  for (struct reply *r = arg; r->text != NULL; r++) {
    char request[4096];
    int fd = accept(r->listener, NULL, NULL);
    size_t len = 0;
    while (len < sizeof(request) - 1) {
      ssize_t n = read(fd, request + len, sizeof(request) - 1 - len);
      if (n <= 0)
        break;
      len += (size_t)n;
      request[len] = '\0';
      if (strstr(request, "\r\n\r\n") != NULL)
        break;
    }
    (void)!write(fd, r->text, strlen(r->text));
    close(fd);
  }
  return NULL;
}

#define HEAD(status, type)                                                     \
  "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n"

static void test_statuses(void) {
  static const struct {
    const char *reply;
    int status;
    const char *says;
  } cases[] = {
      {HEAD("400 Bad Request", "text/plain") "Runner is not initialized",
       -EREMOTEIO, "400: Runner is not initialized"},
      {HEAD("500 Internal Server Error",
            "text/html") "<!DOCTYPE html><pre>Error: Process exited with 1<br> "
                         "at x</pre>",
       -EREMOTEIO, "500: Error: Process exited with 1"},
      {HEAD("404 Not Found", "text/html") "<pre>Cannot GET /</pre>", -EPROTO,
       "404: Cannot GET /"},
      {HEAD("503 Service Unavailable", "text/plain") "", -ECONNREFUSED, "503"},
      {HEAD("302 Found", "text/plain") "", -EPROTO, "302"},
      {HEAD("200 OK", "text/html") "<html>", -EPROTO, "not a JSON object"},
      {HEAD("200 OK", "application/json") "", -EPROTO, "not a JSON object"},
      {HEAD("200 OK", "application/json") "{\"project\":{}}", -EPROTO,
       "input_features_count"}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    char url[64];
    struct wr_model m;
    pthread_t thread;
    int fd = bind_port(true, url, sizeof(url));
    struct reply list[] = {{fd, cases[k].reply}, {0}};
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve, list), 0);
    struct wr_inference *i = http(url);
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), cases[k].status);
    if (strstr(i->error, cases[k].says) == NULL)
      printf("case %zu: %s\n", k, i->error);
    CU_ASSERT_PTR_NOT_NULL(strstr(i->error, cases[k].says));
    pthread_join(thread, NULL);
    wr_inference_destroy(i);
    close(fd);
  }
}

#define MODEL                                                                  \
  "{\"project\":{\"deploy_version\":1},\"modelParameters\":{"                  \
  "\"input_features_count\":10,\"interval_ms\":1000,\"labels\":[\"a\"]}}"
#define ANSWER "{\"result\":{\"classification\":{\"a\":1}}}"

/* Reads one request with its body; false when the peer has closed. */
static bool read_request(int fd) {
  char text[4096] = "";
  size_t len = 0;
  for (;;) {
    const char *body = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "Content-Length: ");
    size_t want = length != NULL ? strtoul(length + 16, NULL, 10) : 0;
    if (body != NULL && strlen(body + 4) >= want)
      return true;
    ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);
    if (n <= 0)
      return false;
    len += (size_t)n;
    text[len] = '\0';
  }
}

/* Two connections, of which each answers three requests: the model, then two
 * windows as version 1 and as version `arg`. */
static void *serve_kept(void *arg) {
  const struct reply *r = arg;
  for (int connection = 0; connection < 2; connection++) {
    int fd = accept(r->listener, NULL, NULL);
    for (int i = 0; i < 3 && read_request(fd); i++)
      dprintf(fd,
              "HTTP/1.1 200 OK\r\nx-ei-project-version: %s\r\n"
              "Content-Length: %zu\r\n\r\n%s",
              i < 2 ? "1" : r->text, strlen(i == 0 ? MODEL : ANSWER),
              i == 0 ? MODEL : ANSWER);
    close(fd);
  }
  return NULL;
}

/* Describe again: after another version, and after another connection, behind
 * which a container that was started anew may have another model. */
static void test_version_changes(void) {
  char url[64];
  struct wr_model m;
  struct wr_answer a;
  pthread_t thread;
  bool changed = true;
  int fd = bind_port(true, url, sizeof(url));
  struct reply version = {fd, "2"};
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve_kept, &version), 0);
  struct wr_inference *i = http(url);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed), 0);
  CU_ASSERT_FALSE(changed);
  CU_ASSERT_EQUAL(a.scores[0], 1.0);
  CU_ASSERT(isnan(a.anomaly));
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed), 0);
  CU_ASSERT_TRUE(changed);
  wr_model_free(&m);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0); /* connects anew */
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed), 0);
  CU_ASSERT_FALSE(changed);
  wr_inference_destroy(i);
  pthread_join(thread, NULL);
  wr_model_free(&m);
  close(fd);
}

static void test_another_connection(void) {
  char url[64];
  struct wr_model m;
  struct wr_answer a;
  pthread_t thread;
  bool changed = false;
  int fd = bind_port(true, url, sizeof(url));
  struct reply list[] = {{fd, HEAD("200 OK", "application/json") MODEL},
                         {fd, HEAD("200 OK\r\nx-ei-project-version: 1",
                                   "application/json") ANSWER},
                         {0}};
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve, list), 0);
  struct wr_inference *i = http(url);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed), 0);
  CU_ASSERT_TRUE(changed);
  pthread_join(thread, NULL);
  wr_model_free(&m);
  wr_inference_destroy(i);
  close(fd);
}

/* One connection that answers two requests, or three: the model as version
 * `model`, and windows with the header `says` (may be empty). */
struct kept {
  int listener;
  const char *model, *says;
  bool twice;
  char requests[3][512];
};

static void *serve_two(void *arg) {
  struct kept *k = arg;
  int fd = accept(k->listener, NULL, NULL);
  for (int i = 0; i < (k->twice ? 3 : 2); i++) {
    size_t len = 0;
    char *text = k->requests[i];
    const char *end = i == 0 ? "\r\n\r\n" : "]}";
    while (strstr(text, end) == NULL) {
      ssize_t n = read(fd, text + len, sizeof(k->requests[0]) - 1 - len);
      if (n <= 0)
        break;
      len += (size_t)n;
      text[len] = '\0';
    }
    const char *body = i == 0 ? k->model : ANSWER;
    dprintf(fd, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s",
            i == 0 ? "" : k->says, strlen(body), body);
  }
  close(fd);
  return NULL;
}

#define PARAMETERS                                                             \
  "\"modelParameters\":{\"input_features_count\":10,\"interval_ms\":1000,"     \
  "\"labels\":[\"a\"]}}"

/* Only a version that both name, and that differs, is another model. */
static void test_versions(void) {
  static const struct {
    const char *model, *says;
    bool changed;
  } cases[] = {{"{\"project\":{\"deploy_version\":0}," PARAMETERS,
                "x-ei-project-version: 0\r\n", false},
               {"{\"project\":{\"deploy_version\":0}," PARAMETERS,
                "x-ei-project-version: 1\r\n", true},
               {"{\"project\":{\"deploy_version\":10}," PARAMETERS,
                "x-ei-project-version: 10\r\n", false},
               {"{\"project\":{\"deploy_version\":1}," PARAMETERS, "", false},
               {"{" PARAMETERS, "x-ei-project-version: 5\r\n", false},
               {"{" PARAMETERS, "", false}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    char url[64];
    struct wr_model m;
    struct wr_answer a;
    pthread_t thread;
    bool changed = !cases[k].changed;
    struct kept kept = {.listener = bind_port(true, url, sizeof(url)),
                        .model = cases[k].model,
                        .says = cases[k].says};
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve_two, &kept), 0);
    struct wr_inference *i = http(url);
    CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed), 0);
    CU_ASSERT_EQUAL(changed, cases[k].changed);
    wr_inference_destroy(i);
    pthread_join(thread, NULL);
    wr_model_free(&m);
    close(kept.listener);
    /* as the runner wants them; the slashes behind the URL are gone */
    const char *post = kept.requests[1];
    CU_ASSERT_EQUAL(strncmp(kept.requests[0], "GET /api/info HTTP", 18), 0);
    CU_ASSERT_EQUAL(strncmp(post, "POST /api/features HTTP", 23), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(post, "Content-Type: application/json\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(post, "\r\n\r\n{\"features\":[10,10,10,10,10,10,10,10,10,10]}"));
  }
}

/* Each window is sent alone. */
static void test_window_by_window(void) {
  char url[64];
  struct wr_model m;
  struct wr_answer a;
  pthread_t thread;
  bool changed = true;
  struct kept kept = {.listener = bind_port(true, url, sizeof(url)),
                      .model = "{" PARAMETERS,
                      .says = "",
                      .twice = true};
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve_two, &kept), 0);
  struct wr_inference *i = http(url);
  CU_ASSERT_EQUAL_FATAL(wr_inference_describe(i, &m), 0);
  for (int turn = 0; turn < 2; turn++) {
    CU_ASSERT_EQUAL(wr_inference_classify(i, &m, flow, &a, &changed), 0);
    CU_ASSERT_STRING_EQUAL(i->error, "");
    CU_ASSERT_EQUAL(a.scores[0], 1.0);
    CU_ASSERT_FALSE(changed);
  }
  wr_inference_destroy(i);
  pthread_join(thread, NULL);
  wr_model_free(&m);
  close(kept.listener);
  for (int turn = 0; turn < 2; turn++) {
    const char *body = strstr(kept.requests[1 + turn], "\r\n\r\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    CU_ASSERT_STRING_EQUAL(
        body, "\r\n\r\n{\"features\":[10,10,10,10,10,10,10,10,10,10]}");
  }
}

/* A runner that closes an idle connection is asked once more, not twice. */
static void test_connection_closed(void) {
  for (int closed = 0; closed <= 2; closed++) {
    char url[64];
    struct wr_model m;
    pthread_t thread;
    int fd = bind_port(true, url, sizeof(url));
    struct reply list[] = {{fd, closed > 0 ? "" : HEAD("200 OK", "x") MODEL},
                           {fd, closed > 1 ? "" : HEAD("200 OK", "x") MODEL},
                           {0}};
    if (closed == 0)
      list[1].text = NULL;
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve, list), 0);
    struct wr_inference *i = http(url);
    int status = wr_inference_describe(i, &m);
    CU_ASSERT_EQUAL(status, closed > 1 ? -ECONNREFUSED : 0);
    CU_ASSERT_EQUAL(i->error[0] != '\0', closed > 1);
    pthread_join(thread, NULL);
    wr_inference_destroy(i);
    close(fd);
    if (status == 0)
      wr_model_free(&m);
  }
}

/* What the runner says goes into a log: one line of it, cut, no codes. */
static void test_reasons(void) {
  static const struct {
    const char *body, *says;
  } cases[] = {{"a\tb\x1b[0m\nsecond", "HTTP status 400: a b [0m"},
               {"<b><pre>in here<br>", "HTTP status 400: in here"},
               {"", "HTTP status 400: "}};
  for (size_t k = 0; k <= sizeof(cases) / sizeof(cases[0]); k++) {
    char url[64], text[512], says[256] = "HTTP status 400: ";
    struct wr_model m;
    pthread_t thread;
    bool last = k == sizeof(cases) / sizeof(cases[0]);
    int fd = bind_port(true, url, sizeof(url));
    snprintf(text, sizeof(text), HEAD("400 Bad", "x") "%s",
             last ? "" : cases[k].body);
    if (last) { /* longer than anybody wants to read */
      memset(text + strlen(text), 'y', 200);
      memset(says + strlen(says), 'y', 127);
    } else
      snprintf(says, sizeof(says), "%s", cases[k].says);
    struct reply list[] = {{fd, text}, {0}};
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve, list), 0);
    struct wr_inference *i = http(url);
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -EREMOTEIO);
    CU_ASSERT_STRING_EQUAL(i->error, says);
    pthread_join(thread, NULL);
    wr_inference_destroy(i);
    close(fd);
  }
}

/* A reply of 1 MiB is read, one byte more is none of a runner. */
static void test_reply_ceiling(void) {
  for (size_t more = 0; more < 2; more++) {
    char url[64];
    struct wr_model m;
    pthread_t thread;
    size_t head = strlen(HEAD("200 OK", "x")), max = WR_EI_REPLY_MAX + more;
    char *text = malloc(head + max + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', head + max);
    text[head + max] = '\0';
    memcpy(text, HEAD("200 OK", "x"), head);
    memcpy(text + head, MODEL, strlen(MODEL));
    int fd = bind_port(true, url, sizeof(url));
    struct reply list[] = {{fd, text}, {0}};
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, serve, list), 0);
    struct wr_inference *i = http(url);
    CU_ASSERT_EQUAL(wr_inference_describe(i, &m), more == 0 ? 0 : -EPROTO);
    CU_ASSERT_STRING_EQUAL(
        i->error, more == 0 ? "" : "the reply is larger than 1048576 bytes");
    pthread_join(thread, NULL);
    wr_inference_destroy(i);
    close(fd);
    free(text);
    if (more == 0)
      wr_model_free(&m);
  }
}

/* Without memory there is no runner, or no answer; never half of one. */
static void test_no_memory(void) {
  struct wr_model m = {.features = 10, .axes = 1};
  struct wr_answer a;
  bool changed;
  char url[64];
  int fd = bind_port(false, url, sizeof(url));
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_inference *i = wr_inference_http(
        "http://127.0.0.1:1/",
        &(struct wr_http_options){.user_agent = "test", .timeout_ms = 30000});
    if (i == NULL) {
      CU_ASSERT_TRUE(unit_alloc_failed());
      continue;
    }
    int status = wr_inference_classify(i, &m, flow, &a, &changed);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : -ECONNREFUSED);
    CU_ASSERT_EQUAL(strcmp(i->error, "no memory for the request") == 0,
                    status == -ENOMEM);
    wr_inference_destroy(i);
  }
  close(fd);
}

static void *stop_it(void *arg) {
  wr_inference_stop(arg);
  return NULL;
}

static void test_http_stop(void) {
  char url[64];
  struct wr_model m;
  pthread_t thread;
  int fd = bind_port(true, url, sizeof(url)); /* connects, never answers */
  struct wr_inference *i = http(url);
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, stop_it, i), 0);
  CU_ASSERT_EQUAL(wr_inference_describe(i, &m), -ECANCELED);
  pthread_join(thread, NULL);
  wr_inference_destroy(i);
  close(fd);
}

/* The largest window there can be goes through whole, and a URL of slashes
 * alone is no way out of its own text. */
static void test_ends_of_what_is_sent(void) {
  struct wr_model m = {.features = 65536, .axes = 1};
  static struct wr_answer a;
  bool changed;
  char url[64];
  double *features = malloc(m.features * sizeof(*features));
  CU_ASSERT_PTR_NOT_NULL_FATAL(features);
  for (size_t i = 0; i < m.features; i++)
    features[i] = -1.23456789e-300 * (double)(i + 1);
  int fd = bind_port(false, url, sizeof(url));
  struct wr_inference *i = http(url);
  CU_ASSERT_EQUAL(wr_inference_classify(i, &m, features, &a, &changed),
                  -ECONNREFUSED); /* it was written, and nobody is there */
  wr_inference_destroy(i);
  close(fd);
  free(features);
  static const char *const odd[] = {"", "/", "//", "http:///"};
  for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
    i = http(odd[k]);
    CU_ASSERT(wr_inference_describe(i, &m) < 0);
    CU_ASSERT_NOT_EQUAL(i->error[0], '\0');
    wr_inference_destroy(i);
  }
}

UNIT_MAIN("runner", UNIT(test_nobody_listens), UNIT(test_statuses),
          UNIT(test_version_changes), UNIT(test_another_connection),
          UNIT(test_versions), UNIT(test_window_by_window),
          UNIT(test_connection_closed), UNIT(test_reasons),
          UNIT(test_reply_ceiling), UNIT(test_no_memory), UNIT(test_http_stop),
          UNIT(test_ends_of_what_is_sent))
