/* samples: from a good answer to samples; results' alone. */
#ifndef WR_M4_SAMPLES_H
#define WR_M4_SAMPLES_H

#include "lib/m4/life.h"

/* The method has answered: hands on what it gave, or says that it is nothing
 * that can be used. */
void wr_m4_sampled(struct wr_m4_life *l, size_t which,
                   const struct wr_rpc_call *call);
/* Says that the method gives no sample, since bad_us. */
void wr_m4_method_fails(struct wr_m4_life *l, size_t which, const char *why);
/* Keeps the first of several instants. */
void wr_m4_began(int64_t *since_us, int64_t at_us);

#endif
