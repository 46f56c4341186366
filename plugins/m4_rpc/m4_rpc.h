/* m4_rpc: what the plugin and its configuration share. */
#ifndef WR_M4_H
#define WR_M4_H

#include "glue/report.h"
#include "lib/m4/loop.h"

#define M4_PLUGIN "m4_rpc"
#define M4_WHERE M4_PLUGIN " plugin"
#define M4_OUTPUTS_MAX 16 /* numbers of one result */
#define M4_REPORTS_MAX 8

struct output {
  char *type, *instance;
  bool derive;
};

/* The options of <Method>; `loop` is what the thread works with. */
struct method {
  char *name, *type, *instance;
  int64_t interval_ms; /* 0: not given */
  bool compensate;
  double scale;
  int64_t seq_index;
  int64_t indices[M4_OUTPUTS_MAX];
  struct output outputs[M4_OUTPUTS_MAX];
  size_t outputs_count;
  struct wr_trouble trouble;
};

struct report {
  char *method;
  bool on_change, call;
  int64_t heartbeat_ms;
  struct wr_trouble trouble;
};

struct m4 {
  char *name, *address, *lock_directory;
  int mode;
  int64_t interval_ms, timeout_ms; /* 0: not given */
  struct method methods[WR_M4_METHODS];
  struct report reports[M4_REPORTS_MAX];
  struct wr_m4_method loop_methods[WR_M4_METHODS];
  struct wr_m4_report loop_reports[M4_REPORTS_MAX];
  struct wr_m4_loop loop;
  struct wr_rpc_guard guard; /* of the first block at this address */
  struct wr_trouble trouble;
  pthread_t thread;
  bool running;
  struct m4 *next;
};

/* The blocks in the order of the file. */
extern struct m4 *m4_all;

/* The config callback: adds to m4_all, or logs one sentence and returns -1. */
int m4_config(oconfig_item_t *ci);
/* Whether every Type exists and has one value; with the fault logged. Only the
 * init callback can tell: types.db is read after the configuration. */
int m4_check_types(struct m4 *m4);
/* Frees a block whose thread has ended. */
void m4_free(struct m4 *m4);

#endif
