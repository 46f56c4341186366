/* fake_cloud: a cloud that is a table of planned answers, with the publisher
 * and its spool before it, in virtual time. */
#ifndef WEIR_TESTS_FAKE_CLOUD_H
#define WEIR_TESTS_FAKE_CLOUD_H

#include "lib/cloud/publisher.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)
#define WALL (INT64_C(1767225600) * SECOND)
#define LOG_MAX 1000

enum { FLOW, LABEL };
static const char *const keys[] = {"flow_rate", "classification"};
static const char *const names_reply =
    "[{\"id\":\"f-1\",\"variable_name\":\"flow_rate\",\"type\":\"FLOAT\"},"
    "{\"id\":\"c-1\",\"variable_name\":\"classification\","
    "\"type\":\"CHARSTRING\"}]";

/* What the cloud answers to a request whose URL contains `part`. */
struct plan {
  const char *part;
  int error, status;
  const char *body;
  int64_t retry_after_ms;
  int times;         /* 0: for ever */
  const char *holds; /* only bodies with this in them */
};

static struct {
  struct plan plans[16];
  int plan_count;
  char log[LOG_MAX][400]; /* "PUT /publish {...}" */
  int count;
  int tokens;
  char last_auth[100];
  int64_t true_us; /* of its clock minus now_ms; 0: replies have no Date */
  /* NULL, or told of each request and how it was answered. */
  void (*seen)(const struct wr_http_request *r, int error, int status);
} cloud;

static struct wr_publisher pub;
static struct wr_property properties[2];
static struct wr_spool *spool;
static struct wr_moment t;
static char path[64];

static inline void plan(const char *part, int status, const char *body,
                        int times) {
  cloud.plans[cloud.plan_count++] = (struct plan){
      .part = part, .status = status, .body = body, .times = times};
}

static inline struct plan *planned(const struct wr_http_request *r) {
  for (int i = 0; i < cloud.plan_count; i++) {
    struct plan *p = cloud.plans + i;
    if (p->part == NULL || strstr(r->url, p->part) == NULL ||
        (p->holds != NULL &&
         (r->body == NULL || strstr(r->body, p->holds) == NULL)))
      continue;
    if (p->times > 0 && --p->times == 0) {
      static struct plan copy;
      copy = *p;
      p->part = NULL;
      return &copy;
    }
    return p;
  }
  return NULL;
}

static inline int fake_send(void *arg, const struct wr_http_request *r,
                            struct wr_http_reply *reply) {
  (void)arg;
  bool token = strstr(r->url, "/clients/token") != NULL;
  bool list = strcmp(r->method, "GET") == 0;
  const char *tail = strstr(r->url, "/things/");
  if (cloud.count < LOG_MAX)
    snprintf(cloud.log[cloud.count++], sizeof(cloud.log[0]), "%s %s",
             token || tail == NULL ? "token" : strchr(tail + 8, '/'),
             !token && r->body != NULL ? r->body : "");
  for (const char *const *h = r->headers; *h != NULL; h++)
    if (strncmp(*h, "Authorization", 13) == 0)
      snprintf(cloud.last_auth, sizeof(cloud.last_auth), "%s", *h);
  reply->watched[0] = '\0';
  if (cloud.true_us != 0) {
    time_t now = (time_t)((cloud.true_us + t.now_ms * 1000) / SECOND);
    struct tm tm;
    strftime(reply->watched, sizeof(reply->watched), "%a, %d %b %Y %T GMT",
             gmtime_r(&now, &tm));
  }
  wr_bytes_reset(&reply->body);
  reply->body.max = 1 << 20;
  reply->retry_after_ms = 0;
  struct plan *p = planned(r);
  char issued[100];
  snprintf(issued, sizeof(issued),
           "{\"access_token\":\"tok-%d\",\"expires_in\":300}", ++cloud.tokens);
  cloud.tokens -= !token;
  const char *body = token ? issued : list ? names_reply : "";
  reply->status = p != NULL ? p->status : 200;
  if (p != NULL) {
    reply->retry_after_ms = p->retry_after_ms;
    body = p->body != NULL ? p->body : "";
  }
  if (body[0] != '\0')
    wr_bytes_text(&reply->body, body);
  snprintf(reply->error, sizeof(reply->error), "planned");
  if (cloud.seen != NULL)
    cloud.seen(r, p != NULL ? p->error : 0, reply->status);
  return p != NULL ? p->error : 0;
}

static inline void start_with(int batch, int64_t daily) {
  t.random = UINT32_C(1) << 31; /* in the middle of every jitter */
  memset(properties, 0, sizeof(properties));
  for (int i = 0; i < 2; i++)
    properties[i] = (struct wr_property){.key = keys[i],
                                         .name = keys[i],
                                         .alive = true,
                                         .kind = i == FLOW ? WR_VALUE_NUMBER
                                                           : WR_VALUE_TEXT};
  spool = wr_spool_create(
      &(struct wr_spool_options){.path = path,
                                 .max_bytes = 64 << 20,
                                 .max_age_us = INT64_C(86400000000) * 365,
                                 .memory_bytes = 1 << 20,
                                 .max_accepted = 10000,
                                 .boot = "this-boot"},
      keys, 2);
  wr_spool_open(spool, t.now_ms);
  CU_ASSERT_EQUAL_FATAL(wr_publisher_init(&pub,
                                          &(struct wr_publisher_options){
                                              .link = {.url = "https://h",
                                                       .thing_id = "thing",
                                                       .client_id = "id",
                                                       .client_secret = "s",
                                                       .send = fake_send},
                                              .rate = 1,
                                              .batch = batch,
                                              .daily_records = daily},
                                          properties, 2, spool, &t),
                        0);
}

static inline void start(void) {
  memset(&cloud, 0, sizeof(cloud));
  t = (struct wr_moment){.now_ms = 1000000, .wall_us = WALL};
  snprintf(path, sizeof(path), "%s/weir-pub-%d.db",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
  unlink(path);
  start_with(100, 0);
}

static inline void stop(void) {
  char name[80];
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
  for (int i = 0; i < 4; i++) {
    snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
    unlink(name);
  }
}

static inline void pass(int64_t ms) {
  t.now_ms += ms;
  t.wall_us += ms * 1000;
}

static inline void flow(double v) {
  wr_spool_offer(spool,
                 &(struct wr_row){.property = FLOW,
                                  .time_us = t.wall_us,
                                  .clock_us = t.wall_us - t.now_ms * 1000,
                                  .value = {WR_VALUE_NUMBER, v, ""}});
  wr_spool_commit(spool, t.now_ms, t.wall_us);
}

static inline void label(const char *text) {
  struct wr_row row = {.property = LABEL,
                       .time_us = t.wall_us,
                       .clock_us = t.wall_us - t.now_ms * 1000,
                       .state = true};
  row.value.kind = WR_VALUE_TEXT;
  snprintf(row.value.text, sizeof(row.value.text), "%s", text);
  wr_spool_offer(spool, &row);
  wr_spool_commit(spool, t.now_ms, t.wall_us);
}

static inline int64_t rows_left(void) {
  struct wr_spool_status s;
  wr_spool_status(spool, &s);
  return s.rows;
}

/* Steps for `ms` of simulated time. */
static inline void run(int64_t ms) {
  int64_t end = t.now_ms + ms;
  while (t.now_ms < end) {
    int64_t wait = wr_publisher_step(&pub, &t);
    if (wait > end - t.now_ms)
      wait = end - t.now_ms;
    pass(wait);
  }
}

/* True when request number `at` is as expected; cut at a '*'. */
static inline bool was(int at, const char *want) {
  const char *star = strchr(want, '*');
  size_t len = star != NULL ? (size_t)(star - want) : strlen(want) + 1;
  bool same = at < cloud.count && strncmp(cloud.log[at], want, len) == 0;
  if (!same)
    printf("\nrequest %d is `%s', not `%s'\n", at,
           at < cloud.count ? cloud.log[at] : "(none)", want);
  return same;
}

#endif
