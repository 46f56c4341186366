/* values: what an answer is worth. */
#ifndef WEIR_DOCTOR_VALUES_H
#define WEIR_DOCTOR_VALUES_H

#include "doctor/checks.h"
#include "doctor/line.h"

/* Calls the method, again where one value proves nothing, and judges what
 * comes. For a flow in L/min that takes a second or more. */
enum doctor_verdict doctor_values(struct doctor_line *l,
                                  const struct doctor_method *m);

/* What an error of the M4 or of a router means; its words become a step. */
enum doctor_verdict doctor_remote(const struct doctor_line *l,
                                  const char *method);

#endif
