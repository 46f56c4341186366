/* What the spool costs: acceptance while a commit with fsync and a cloud that
 * hangs are under way, storing beside a bare SQLite loop, the way out in
 * batches, and a start with a million rows. Prints `name value unit`. */
#include "lib/cloud/publisher.h"
#include "tests/bench/cost.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GROUP 100 /* rows of a commit */
#define WRITES 20000
#define MILLION 1000000

static const char *const keys[] = {"flow_rate", "classification"};
static char dir[] = "/var/tmp/weir-bench-XXXXXX"; /* a disk, not a tmpfs */
static char path[64];
static atomic_bool done;

static int64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t wall_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void remove_files(void) {
  static const char *const suffixes[] = {"", "-wal", "-shm"};
  char name[80];
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
    unlink(name);
  }
}

static struct wr_spool *open_spool(bool power) {
  struct wr_spool_options o = {.path = path,
                               .power = power,
                               .max_bytes = INT64_C(1) << 30,
                               .max_age_us = INT64_C(1) << 60,
                               .memory_bytes = 1 << 20,
                               .max_accepted = MILLION};
  struct wr_spool *s = wr_spool_create(&o, keys, 2);
  if (s == NULL)
    exit(1);
  wr_spool_open(s, 0);
  struct wr_spool_status st;
  wr_spool_status(s, &st);
  if (st.in_memory) {
    fprintf(stderr, "cloud_spool: %s\n", st.fault);
    exit(1);
  }
  return s;
}

static void offer(struct wr_spool *s, int64_t n) {
  struct wr_row row = {.time_us = n * 1000000,
                       .value = {WR_VALUE_NUMBER, (double)n * 0.01, ""}};
  wr_spool_offer(s, &row);
}

static double spool_rate(int rows, bool power) {
  struct wr_spool *s = open_spool(power);
  int64_t begun = now_ns();
  for (int i = 0; i < rows; i++) {
    offer(s, i);
    if (i % GROUP == GROUP - 1)
      wr_spool_commit(s, 0, 0);
  }
  double seconds = (double)(now_ns() - begun) / 1e9;
  wr_spool_destroy(s);
  remove_files();
  return rows / seconds;
}

/* The same rows in the same groups, by hand. */
static double bare_rate(int rows, bool power) {
  sqlite3 *db = NULL;
  sqlite3_stmt *q = NULL;
  sqlite3_open(path, &db);
  sqlite3_exec(db,
               power ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"
                     : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
               NULL, NULL, NULL);
  sqlite3_exec(db,
               "CREATE TABLE value(property, time_us, seq, level, value, "
               "PRIMARY KEY(property, time_us, seq)) WITHOUT ROWID",
               NULL, NULL, NULL);
  sqlite3_prepare_v2(db, "INSERT INTO value VALUES(1, ?, ?, 0, ?)", -1, &q,
                     NULL);
  int64_t begun = now_ns();
  for (int i = 0; i < rows; i++) {
    if (i % GROUP == 0)
      sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    sqlite3_bind_int64(q, 1, i * INT64_C(1000000));
    sqlite3_bind_int64(q, 2, i);
    sqlite3_bind_double(q, 3, i * 0.01);
    if (sqlite3_step(q) != SQLITE_DONE)
      exit(1);
    sqlite3_reset(q);
    if (i % GROUP == GROUP - 1)
      sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  }
  double seconds = (double)(now_ns() - begun) / 1e9;
  sqlite3_finalize(q);
  sqlite3_close(db);
  remove_files();
  return rows / seconds;
}

/* In turns, so that a busy moment of the disk hits both; the best of each. */
static void storing(const char *name, int rows, bool power) {
  double ours = 0, bare = 0;
  for (int i = 0; i < 5; i++) {
    double a = spool_rate(rows, power), b = bare_rate(rows, power);
    ours = a > ours ? a : ours;
    bare = b > bare ? b : bare;
  }
  printf("spool_%s %.0f values/s\n", name, ours);
  printf("bare_sqlite_%s %.0f values/s\n", name, bare);
  printf("spool_to_bare_%s %.2f ratio\n", name, ours / bare);
}

/* --- acceptance --- */

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void *keep_committing(void *arg) {
  while (!atomic_load(&done)) {
    wr_spool_commit(arg, 0, 0);
    usleep(1000);
  }
  return NULL;
}

struct hung {
  struct wr_spool *spool;
  struct wr_http *http;
  char url[64];
};

static int send_for_ever(void *arg, const struct wr_http_request *request,
                         struct wr_http_reply *reply) {
  return wr_http_perform(arg, request, reply);
}

static void *publish_to_nobody(void *arg) {
  struct hung *h = arg;
  struct wr_publisher p;
  struct wr_property q[2] = {
      {.key = "flow_rate", .name = "flow_rate"},
      {.key = "classification", .name = "classification"}};
  struct wr_publisher_options o = {.link = {.url = h->url,
                                            .thing_id = "t",
                                            .client_id = "i",
                                            .client_secret = "s",
                                            .send = send_for_ever,
                                            .send_arg = h->http},
                                   .rate = 10,
                                   .batch = 100};
  struct wr_moment t = {.now_ms = now_ns() / 1000000, .wall_us = wall_us()};
  if (wr_publisher_init(&p, &o, q, 2, h->spool, &t) != 0)
    exit(1);
  while (!atomic_load(&done)) {
    t = (struct wr_moment){now_ns() / 1000000, wall_us(), 0};
    wr_publisher_step(&p, &t);
  }
  wr_publisher_free(&p);
  return NULL;
}

/* A socket that lets connect and never answers. */
static int deaf_socket(struct hung *h) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 8) != 0 ||
      getsockname(fd, (struct sockaddr *)&a, &len) != 0)
    exit(1);
  snprintf(h->url, sizeof(h->url), "http://127.0.0.1:%d", ntohs(a.sin_port));
  return fd;
}

/* What write() does with a value: policy, then the spool. */
static void acceptance(void) {
  static int64_t took[WRITES];
  struct hung h = {.spool = open_spool(true)};
  int fd = deaf_socket(&h);
  h.http = wr_http_create(&(struct wr_http_options){
      .user_agent = "bench", .timeout_ms = 300000, .max_body = 1000});
  pthread_t keeper, publisher;
  pthread_create(&keeper, NULL, keep_committing, h.spool);
  pthread_create(&publisher, NULL, publish_to_nobody, &h);
  struct wr_policy policy = {0};
  for (int i = 0; i < WRITES; i++) {
    struct wr_row row = {.time_us = i * INT64_C(1000000),
                         .value = {WR_VALUE_NUMBER, i, ""}};
    int64_t begun = now_ns();
    if (wr_policy_decide(&policy, &row.value, i, row.time_us, 0, 0) != WR_SKIP)
      wr_spool_offer(h.spool, &row);
    took[i] = now_ns() - begun;
    usleep(50);
  }
  atomic_store(&done, true);
  wr_http_stop(h.http);
  pthread_join(keeper, NULL);
  pthread_join(publisher, NULL);
  qsort(took, WRITES, sizeof(took[0]), compare);
  printf("write_p50 %.2f us\n", (double)took[WRITES / 2] / 1e3);
  printf("write_p99 %.2f us\n", (double)took[WRITES / 100 * 99] / 1e3);
  printf("write_max %.2f us\n", (double)took[WRITES - 1] / 1e3);
  wr_http_destroy(h.http);
  wr_spool_destroy(h.spool);
  close(fd);
  remove_files();
}

/* --- growth: a backlog of a thousand to a million rows --- */

static void backlog(int64_t rows_there) {
  struct wr_spool *s = open_spool(false);
  for (int64_t i = 0; i < rows_there; i++) {
    offer(s, i);
    if (i % 1000 == 999)
      wr_spool_commit(s, 0, 0);
  }
  struct wr_spool_status st;
  wr_spool_status(s, &st);
  wr_spool_destroy(s);
  int64_t begun = now_ns();
  s = open_spool(false);
  struct wr_row rows[100];
  int count = wr_spool_oldest(s, 0, 0, rows, 100);
  double start_ms = (double)(now_ns() - begun) / 1e6;
  double cpu = cpu_s();
  int64_t moved = 0;
  for (; moved < 200000 && count > 0; moved += count) {
    count = wr_spool_oldest(s, 0, 0, rows, 100);
    wr_spool_delivered(s, rows, count, NULL);
  }
  printf("| %lld | %.1f | %.1f | %.2f |\n", (long long)rows_there, start_ms,
         (double)st.bytes / (double)rows_there,
         (cpu_s() - cpu) / (double)moved * 1e6);
  fflush(stdout);
  wr_spool_destroy(s);
  remove_files();
}

static void growth(void) {
  printf(
      "\n| values that wait | first one after a start, ms | bytes each on the "
      "disk | CPU to send one in batches of 100, us |\n|---|---|---|---|\n");
  for (int64_t rows = 1000; rows <= MILLION; rows *= 10)
    backlog(rows);
}

int main(void) {
  if (mkdtemp(dir) == NULL)
    return 1;
  snprintf(path, sizeof(path), "%s/thing.db", dir);
  wr_http_provide(&wr_http_curl);
  wr_http_start();
  acceptance();
  storing("with_fsync", 20000, true);
  storing("without_fsync", 200000, false);
  growth();
  rmdir(dir);
  wr_http_end();
  return 0;
}
