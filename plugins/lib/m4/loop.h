/* m4_loop: the life of one M4: calls on schedule, labels back, health.
 *
 * wr_m4_run() is the body of the thread that owns the loop. It calls every
 * method whose instant has come, sends labels as soon as they are due, never
 * both at once, and tells its caller what happened through the struct
 * wr_m4_sink, from that thread. It sleeps in between and ends within
 * milliseconds when env.stop_fd becomes readable.
 * Ownership: the caller owns the loop and everything in it, strings too; they
 * must not change while it runs. wr_m4_offer() may be called by any thread
 * and never waits for the network. */
#ifndef WR_M4_LOOP_H
#define WR_M4_LOOP_H

#include "lib/base/sample_clock.h"
#include "lib/m4/label_report.h"
#include "lib/m4/values.h"
#include "lib/rpc/client.h"
#include "lib/rpc/guard.h"

#include <pthread.h>

#define WR_M4_METHODS WR_RPC_BATCH
#define WR_M4_REPORTS 8

struct wr_m4_method {
  const char *name;
  int64_t interval_ms;
  int64_t seq_index;      /* element that counts measurements; -1: none */
  const int64_t *indices; /* of the numbers wanted, or WR_M4_WHOLE */
  size_t indices_count;
  bool repair; /* see m4_values.h */
  double scale;
  /* The loop's: */
  struct wr_sample_clock clock;
  struct wr_m4_repair repair_state;
  struct wr_m4_seq seq;
  struct wr_rpc_ward ward;
};

struct wr_m4_report {
  const char *method;
  bool call; /* a request; else a notification */
  struct wr_label_report state;
  struct wr_rpc_ward ward; /* the loop's */
};

enum wr_m4_event {
  WR_M4_DOWN, /* the peer does not answer, twice in a row: why */
  WR_M4_UP,
  WR_M4_METHOD_FAILS, /* though the peer answers: why */
  WR_M4_METHOD_WORKS,
  WR_M4_METHOD_RESTS, /* it crashed the proxy: why, and for how long */
  WR_M4_REPORT_FAILS,
  WR_M4_REPORT_WORKS,
};

/* `at_us` is the monotonic instant at which the call went out; `which` an
 * index into methods or reports. Events repeat as long as a state lasts. */
struct wr_m4_sink {
  void *user;
  void (*sample)(void *user, size_t which, size_t output, double value,
                 int64_t at_us);
  void (*latency)(void *user, size_t which, int64_t took_us, int64_t at_us);
  void (*health)(void *user); /* every interval_ms: read up, faults, seq */
  void (*event)(void *user, enum wr_m4_event event, size_t which,
                const char *why);
};

struct wr_m4_loop {
  struct wr_rpc_options rpc;
  struct wr_rpc_guard *guard; /* of the proxy; loops at one may share it */
  int64_t interval_ms;        /* of the health */
  uint32_t (*random)(void);
  struct wr_m4_sink sink;
  struct wr_m4_method *methods[WR_M4_METHODS];
  size_t methods_count;
  struct wr_m4_report *reports[WR_M4_REPORTS];
  size_t reports_count;
  /* For the sink to read: */
  bool up;
  int64_t faults[WR_FAULTS];
  /* The loop's: */
  unsigned misses; /* turns in a row that nobody answered */
  struct wr_rpc_client *client;
  struct wr_sample_clock health;
  struct wr_rpc_call *calls;
  pthread_mutex_t lock; /* of the reports' states */
  int wake_fd;
  bool open;
};

/* 0 or -errno; wr_m4_close() undoes it and accepts a loop that was not opened
 * or is all zero. */
int wr_m4_open(struct wr_m4_loop *l);
void wr_m4_close(struct wr_m4_loop *l);
/* Returns when stop_fd is readable. */
void wr_m4_run(struct wr_m4_loop *l);
/* A label for the reports, see label_report.h. */
void wr_m4_offer(struct wr_m4_loop *l, const char *label, double score,
                 int64_t time_us);

#endif
