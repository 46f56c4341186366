/* report: what a check saw, its verdict and its remedy, for people or as JSON.
 *
 * Below the checks and main(); calls neither. A check walks a path step by
 * step, reports every step as it is done, and ends with one verdict and, when
 * something is to be done, one remedy. Several checks in a row are announced
 * by doctor_begin() and closed by doctor_sum().
 * People see every line at once. With `json` one object is printed at the end,
 * valid whatever happened: also for faults of the command line, and without
 * memory; steps beyond DOCTOR_STEPS_MAX bytes are left out and counted.
 * Texts come from peers, files and the command line: what could move a cursor
 * or is not UTF-8 is replaced before it reaches a terminal.
 * Exit status: 0 healthy, 1 broken, 2 usage. One thread. */
#ifndef WEIR_DOCTOR_REPORT_H
#define WEIR_DOCTOR_REPORT_H

#include "lib/base/bytes.h"

#include <stdbool.h>

enum { DOCTOR_HEALTHY = 0, DOCTOR_BROKEN = 1, DOCTOR_USAGE = 2 };

#define DOCTOR_STEPS_MAX (4u << 20) /* bytes of JSON */

struct doctor {
  bool json;
  struct wr_bytes steps; /* JSON of the steps since doctor_begin() */
  unsigned left_out;     /* steps that found no room */
  bool many;             /* doctor_begin() was called */
  char title[300];       /* of the check under way */
  const char *name;      /* of the verdict to come; NULL: none */
  struct wr_bytes first; /* JSON of the steps before the first check */
  struct wr_bytes ended; /* JSON of the checks that ended */
  unsigned checks, broken;
};

void doctor_init(struct doctor *d);
void doctor_free(struct doctor *d);

/* One of several checks begins; `title` says what it looks at. */
void doctor_begin(struct doctor *d, const char *title);

/* Reports a step: a short name and what was seen. */
void doctor_step(struct doctor *d, bool ok, const char *step,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Ends the walk; returns the exit status. `remedy` may be NULL. */
int doctor_end(struct doctor *d, bool healthy, const char *verdict,
               const char *remedy);

/* Says what is wrong with the command line; returns DOCTOR_USAGE. */
int doctor_usage(struct doctor *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* After the last of several checks; returns the exit status of all. */
int doctor_sum(struct doctor *d);

/* Copies text, cut at size, with everything replaced by '?' that is not
 * printable: control characters, also those of Unicode, and what is not
 * UTF-8. Line ends become spaces. Returns out. */
const char *doctor_plain(const char *text, char *out, size_t size);

#endif
