/* ei_impl: what the parts of ei_proto share. */
#ifndef WR_EI_IMPL_H
#define WR_EI_IMPL_H

#include "lib/infer/ei_proto.h"

/* Puts the phrase into fault, WR_EI_TEXT bytes; returns `status`. */
int wr_ei_fault(char *fault, int status, const char *text);
/* "the model says: " and its reason, as one line; returns -EREMOTEIO. */
int wr_ei_refused(char *fault, const char *reason);
/* The peer's text goes into logs: no line breaks, no terminal codes. */
void wr_ei_line(char *to, size_t size, const char *from);

#endif
