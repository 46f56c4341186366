/* options: configuration blocks read from a table.
 *
 * One table row is one option: its name, what it may be, where it goes. Every
 * fault ends in one ERROR sentence that names the block, the option, the value
 * and what is allowed, and in a non-zero return, on which collectd refuses to
 * start. Unknown options and options given twice are faults.
 *
 *   static const struct wr_option m4_options[] = {
 *       WR_OPTION("Address", WR_STRING, struct m4, address),
 *       WR_OPTION_RANGE("Timeout", WR_SECONDS, struct m4, timeout_ms, 0.1, 60),
 *       WR_OPTION_BLOCK("Method", read_method)};
 *
 * Threads: the configuration is read by collectd's main thread alone. */
#ifndef WR_OPTIONS_H
#define WR_OPTIONS_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/configfile.h"
#include "collectd/core/daemon/plugin.h"

enum wr_kind {
  WR_STRING,  /* char *: heap copy, freed by the owner of the target */
  WR_INTEGER, /* int64_t, min..max */
  WR_NUMBER,  /* double, min..max */
  WR_SECONDS, /* int64_t milliseconds; written in seconds, min..max seconds */
  WR_BOOLEAN, /* bool: true or false */
  WR_WORD,    /* int: index into words (upper and lower case alike) */
  WR_BLOCK,   /* a function reads it: blocks, repeatable or odd options */
};

struct wr_option {
  const char *name;
  enum wr_kind kind;
  size_t offset; /* of the field in the target */
  double min, max;
  const char *const *words; /* NULL-terminated */
  /* `where` is the text in front of messages: "m4_rpc plugin: <M4 "pump">". */
  int (*read)(const char *where, const oconfig_item_t *ci, void *target);
};

#define WR_OPTION(name_, kind_, type_, field_)                                 \
  {                                                                            \
    .name = (name_), .kind = (kind_), .offset = offsetof(type_, field_),       \
    .min = -HUGE_VAL, .max = HUGE_VAL                                          \
  }
#define WR_OPTION_RANGE(name_, kind_, type_, field_, min_, max_)               \
  {                                                                            \
    .name = (name_), .kind = (kind_), .offset = offsetof(type_, field_),       \
    .min = (min_), .max = (max_)                                               \
  }
#define WR_OPTION_WORD(name_, type_, field_, words_)                           \
  {                                                                            \
    .name = (name_), .kind = WR_WORD, .offset = offsetof(type_, field_),       \
    .words = (words_)                                                          \
  }
#define WR_OPTION_BLOCK(name_, read_)                                          \
  { .name = (name_), .kind = WR_BLOCK, .read = (read_) }

/* Reads the children of `ci` into `target`. 0, or -1 with the fault logged. A
 * string replaced by an option must be heap memory or NULL. */
int wr_options_read(const char *where, const oconfig_item_t *ci,
                    const struct wr_option *table, size_t rows, void *target);

/* The one string argument of a block, as in <M4 "pump">; NULL when it is
 * missing, empty or not a string, with the fault logged. Lives as long as ci.
 */
const char *wr_option_name(const char *where, const oconfig_item_t *ci);

/* Checks `count` numeric arguments, each within min..max, into out[]. */
int wr_option_numbers(const char *where, const oconfig_item_t *ci, double *out,
                      size_t count, double min, double max);

/* Logs `<where>: <name> "<value>" is not allowed: <allowed>.`; returns -1. */
int wr_option_fault(const char *where, const char *name, const char *value,
                    const char *allowed);

#endif
