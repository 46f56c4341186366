/* life: the life of one M4, without any I/O of its own.
 *
 *   life     when what is asked or told: turns, reports, health
 *   results  what the end of a call means: faults, blame, up or down
 *   samples  from a good answer to samples
 *
 * In a turn the methods that are due are asked, one after another (proxy) or
 * together (persistent). A turn ends when all have answered, or with the first
 * call that nobody answers: the rest is asked in the next turn, and first. In
 * between labels are told; never both at once. After a call that was cut short
 * an m4-proxy is probed before anything else is asked (see lib/rpc/guard.h).
 *
 * wr_m4_step() does what is due and begins an operation of the session; who
 * serves the session calls it again when that has ended, when a label came and
 * at next_us. The same code runs in the daemon and in a simulator.
 * Ownership: the caller owns the life and everything in it, strings too; they
 * must not change while it runs. Threads: one owner; only wr_m4_offer() may be
 * called by any thread, and never waits. */
#ifndef WR_M4_LIFE_H
#define WR_M4_LIFE_H

#include "lib/base/sample_clock.h"
#include "lib/m4/label_report.h"
#include "lib/m4/values.h"
#include "lib/rpc/guard.h"
#include "lib/rpc/session.h"

#include <pthread.h>

#define WR_M4_METHODS WR_RPC_BATCH
#define WR_M4_REPORTS 8

struct wr_m4_method {
  const char *name;
  int64_t interval_ms;
  int64_t seq_index;      /* element that counts measurements; -1: none */
  const int64_t *indices; /* of the numbers wanted, or WR_M4_WHOLE */
  size_t indices_count;
  bool repair; /* see values.h */
  double scale;
  /* The life's: */
  struct wr_sample_clock clock;
  struct wr_m4_repair repair_state;
  struct wr_m4_seq seq;
  struct wr_rpc_ward ward;
  bool due;        /* to be asked in this turn, or the next */
  bool fails;      /* said so */
  unsigned misses; /* in a row */
  int64_t bad_us;  /* since when it gives no sample; 0: it does */
};

struct wr_m4_report {
  const char *method;
  bool call;          /* a request; else a notification */
  bool serve;         /* not told: registered at a router, for whoever asks */
  const char *source; /* whose labels; NULL: those that are offered with NULL */
  struct wr_label_report state;
  /* The life's: */
  struct wr_rpc_ward ward;
  bool fails;
  bool confirmed; /* the M4 has answered something after being told */
  bool open;      /* told, and nothing was answered since */
  unsigned dials; /* the connection it was told on, or is registered on */
  bool registered;
  int64_t bad_us;
};

enum wr_m4_event {
  WR_M4_DOWN, /* the peer does not answer: why */
  WR_M4_UP,
  WR_M4_METHOD_FAILS, /* though the peer answers, or it rests: why */
  WR_M4_METHOD_WORKS,
  WR_M4_REPORT_FAILS,
  WR_M4_REPORT_WORKS,
  WR_M4_LOCK_HELD, /* another does not give the proxy's lock back */
  WR_M4_LOCK_FREE,
};

/* `at_us` is the monotonic instant at which the call went out; `which` an
 * index into methods or reports. Events of trouble repeat as long as it lasts,
 * with the instant at which it began; those of its end come once. */
struct wr_m4_sink {
  void *user;
  void (*sample)(void *user, size_t which, size_t output, double value,
                 int64_t at_us);
  void (*latency)(void *user, size_t which, int64_t took_us, int64_t at_us);
  void (*health)(void *user); /* every interval_ms: read up, faults, seq */
  void (*event)(void *user, enum wr_m4_event event, size_t which,
                int64_t since_us, const char *why);
};

struct wr_m4_life {
  struct wr_rpc_session *session; /* opened; batch: methods, at least 1 */
  struct wr_rpc_guard *guard;     /* of the proxy; lives at one share it */
  int64_t interval_ms;            /* of the health */
  uint32_t (*random)(void);
  struct wr_m4_sink sink;
  struct wr_m4_method *methods[WR_M4_METHODS];
  size_t methods_count;
  struct wr_m4_report *reports[WR_M4_REPORTS];
  size_t reports_count;
  bool parked; /* only the health is told: down */
  /* For the sink to read: */
  bool up;
  int64_t faults[WR_FAULTS];
  /* For who serves it: */
  int64_t next_us;
  /* The life's: */
  enum { WR_M4_RESTS, WR_M4_ASKS, WR_M4_PROBES, WR_M4_TELLS } doing;
  struct wr_rpc_call *calls; /* one; persistent: one per method */
  size_t which[WR_M4_METHODS], asked;
  size_t first; /* the method a turn begins with */
  bool turn, turn_answered;
  bool extra;        /* a turn off schedule, to probe */
  bool crashed;      /* in this turn, for sure */
  int64_t turn_us;   /* when its first call went out */
  int64_t judged_us; /* when the last one ended */
  unsigned misses;   /* turns in a row that nobody answered */
  int64_t down_us;   /* since when */
  bool said_down, said_lock;
  int64_t lock_us;
  int64_t probe_us;  /* of a suspect proxy, between turns; 0: not */
  char why[256];     /* the first miss of the turn */
  char why_cut[256]; /* the last early end, should it be a crash */
  size_t telling;
  uint64_t version;                   /* of the label on its way */
  const struct wr_m4_report *accused; /* told for the first time, and then? */
  struct wr_rpc_arg arg;
  struct wr_bytes text;
  struct wr_sample_clock health;
  pthread_mutex_t lock; /* of the reports' states */
};

/* 0 or -ENOMEM; wr_m4_close() undoes it and accepts a life that was not opened
 * or is all zero. */
int wr_m4_open(struct wr_m4_life *l);
void wr_m4_close(struct wr_m4_life *l);
/* The first turn is at first_us; the schedule goes on from there. */
void wr_m4_start(struct wr_m4_life *l, int64_t first_us, int64_t now_us);
void wr_m4_step(struct wr_m4_life *l, int64_t now_us);
/* A label for the reports of this source, see label_report.h. True: step soon.
 */
bool wr_m4_offer(struct wr_m4_life *l, const char *source, const char *label,
                 double score, int64_t window, int64_t interval_ms,
                 int64_t now_us);

#endif
