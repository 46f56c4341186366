/* publisher_impl: what the two files of the publisher share.
 *
 *   publisher.c       requests and their outcome, token, names, the step
 *   publisher_send.c  which values go next, sending them, refusals of them */
#ifndef WR_PUBLISHER_IMPL_H
#define WR_PUBLISHER_IMPL_H

#include "lib/cloud/publisher.h"

#define WR_PUBLISHER_MANY_MAX 64 /* properties in one request */

void wr_publisher_fault(struct wr_publisher *p, enum wr_publisher_state state,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The reason as the cloud or curl puts it, of a reply that is no success. */
const char *wr_publisher_reason(struct wr_publisher *p, int error, char *out,
                                size_t size);

/* Sets p->url and empties p->body. */
int wr_publisher_address(struct wr_publisher *p,
                         enum wr_cloud_endpoint endpoint, const char *property);
/* Sends what p->url and p->body say; `form`: the token's request. */
int wr_publisher_perform(struct wr_publisher *p, const char *method, bool form);
/* What every request but the token's has in common; true: all is said. */
bool wr_publisher_handled(struct wr_publisher *p, const struct wr_moment *t,
                          int error);

/* Fill p->rows and return the number of rows. Live ones: states first. Old
 * ones: of the property that has waited longest; the newest is left out while
 * it still is to be shown live. */
int wr_publisher_collect_live(struct wr_publisher *p,
                              const struct wr_moment *t);
int wr_publisher_collect_old(struct wr_publisher *p, const struct wr_moment *t);
/* Send the rows collected, or the first of them. */
void wr_publisher_send_live(struct wr_publisher *p, const struct wr_moment *t,
                            int count);
void wr_publisher_send_old(struct wr_publisher *p, const struct wr_moment *t,
                           int count);

#endif
