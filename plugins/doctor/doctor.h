/* doctor: what the checks of weir-doctor share.
 *
 * A check walks a path step by step, reports every step as it is done, and
 * ends with one verdict and, when something is to be done, one remedy. Exit
 * status: 0 healthy, 1 broken, 2 usage. With --json one object is printed at
 * the end instead. One thread. */
#ifndef WEIR_DOCTOR_H
#define WEIR_DOCTOR_H

#include "lib/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOCTOR_HEALTHY = 0, DOCTOR_BROKEN = 1, DOCTOR_USAGE = 2 };

struct doctor {
  bool json;
  struct wr_bytes steps; /* JSON of the steps so far */
};

/* Reports a step: a short name and what was seen. */
void doctor_step(struct doctor *d, bool ok, const char *step,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Ends the walk; returns the exit status. `remedy` may be NULL. */
int doctor_end(struct doctor *d, bool healthy, const char *verdict,
               const char *remedy);

/* Says what is wrong with the command line; returns DOCTOR_USAGE. */
int doctor_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

int64_t doctor_clock_us(void); /* monotonic */
void doctor_sleep_ms(int64_t ms);
uint32_t doctor_random(void);

/* The checks: argv holds what follows the check's name. */
int doctor_m4(struct doctor *d, int argc, char **argv);
int doctor_inference(struct doctor *d, int argc, char **argv);
int doctor_cloud(struct doctor *d, int argc, char **argv);
int doctor_rejected(struct doctor *d, const char *path);
int doctor_call(struct doctor *d, int argc, char **argv);

#endif
