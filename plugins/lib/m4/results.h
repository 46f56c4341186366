/* results: what the end of a call means for a life; life's alone. */
#ifndef WR_M4_RESULTS_H
#define WR_M4_RESULTS_H

#include "lib/m4/life.h"

/* Digests the calls of the methods `which`; false: the turn is over. */
bool wr_m4_digest(struct wr_m4_life *l, const size_t *which,
                  const struct wr_rpc_call *calls, size_t count,
                  int64_t now_us);
/* The same for the message that no M4 answers. */
bool wr_m4_digest_probe(struct wr_m4_life *l, const struct wr_rpc_call *call,
                        int64_t now_us);
void wr_m4_digest_report(struct wr_m4_life *l, size_t which,
                         const struct wr_rpc_call *call, int64_t now_us);
/* A method that may not be called now: its sample is missing. */
void wr_m4_withhold(struct wr_m4_life *l, size_t which, int64_t now_us);
/* Reports whose connection has ended unheard are due again. */
void wr_m4_doubt(struct wr_m4_life *l, bool all, int64_t now_us);
/* The turn is over: up or down. */
void wr_m4_judge(struct wr_m4_life *l, int64_t now_us);

#endif
