/* block: one <M4> of the configuration, from its creation to its end.
 *
 * block.c owns the list of the blocks, makes and frees them; config.c fills
 * them from the file; plugin.c lets them run. Threads: the list changes only
 * while the configuration is read and in shutdown. */
#ifndef WR_M4_BLOCK_H
#define WR_M4_BLOCK_H

#include "glue/report.h"
#include "lib/m4/driver.h"

#define M4_PLUGIN "m4_rpc"
#define M4_WHERE M4_PLUGIN " plugin"
#define M4_META "edge_impulse:label" /* what a report tells by default */
#define M4_OUTPUTS_MAX 16            /* numbers of one result */

struct output {
  char *type, *instance;
  bool derive;
};

struct counter {
  int64_t told;
};

struct method {
  struct wr_m4_method rpc; /* first: the life hands it back */
  char *name, *type, *instance;
  int64_t indices[M4_OUTPUTS_MAX];
  struct output outputs[M4_OUTPUTS_MAX];
  struct counter skipped;
  struct wr_trouble trouble;
};

struct report {
  struct wr_m4_report rpc; /* first */
  char *method, *meta;
  struct wr_trouble trouble;
};

struct m4 {
  char *name, *address, *lock_directory;
  int mode;
  int64_t interval_ms, timeout_ms; /* 0: not given */
  struct wr_m4_board board;        /* its life holds methods and reports */
  struct wr_trouble trouble, lock_trouble;
  struct counter faults[WR_FAULTS];
  int64_t counts_every; /* so many healths */
  unsigned healths;
  struct m4 *next, *same_hash;
};

/* The blocks in the order of the file; NULL: none. */
struct m4 *m4_first(void);
size_t m4_count(void);
/* The block of this name, by hash; NULL: none. Any thread, once all are there.
 */
struct m4 *m4_find(const char *name);

/* Each returns NULL without memory, and then frees `name`; the name belongs to
 * what is returned. m4_new() is in no list yet; the others belong to the m4. */
struct m4 *m4_new(char *name);
struct method *m4_add_method(struct m4 *m4, char *name);
struct report *m4_add_report(struct m4 *m4, char *name);
struct method *m4_method(const struct m4 *m4, size_t which);
struct report *m4_report(const struct m4 *m4, size_t which);

/* Adds a block to the list, which owns it from then on. */
void m4_append(struct m4 *m4);
/* Frees a block that is in no list. */
void m4_free(struct m4 *m4);
void m4_free_all(void);

/* --- config.c --- */

/* In module_register(): keeps the Interval of <LoadPlugin>. */
void m4_note_interval(void);
/* The config callback: adds blocks, or logs one sentence and returns -1. */
int m4_config(oconfig_item_t *ci);
/* Whether every Type exists and has one value; with the fault logged. Only the
 * init callback can tell: types.db is read after the configuration. */
int m4_check_types(struct m4 *m4);

#endif
