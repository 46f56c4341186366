/* checks: the ways that weir-doctor walks.
 *
 * Each takes what follows its name on the command line and returns the exit
 * status; it ends in doctor_end() or doctor_usage(), once. */
#ifndef WEIR_DOCTOR_CHECKS_H
#define WEIR_DOCTOR_CHECKS_H

#include "doctor/report.h"

int doctor_m4(struct doctor *d, int argc, char **argv);
int doctor_inference(struct doctor *d, int argc, char **argv);
int doctor_cloud(struct doctor *d, int argc, char **argv);
int doctor_rejected(struct doctor *d, const char *path);
int doctor_call(struct doctor *d, int argc, char **argv);

#endif
