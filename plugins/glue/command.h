/* command: what an operator says to a plugin as a notification, as collectd's
 * unixsock and exec take them. Threads: any. */
#ifndef WR_COMMAND_H
#define WR_COMMAND_H

#include "glue/report.h"

/* Whether it is to be refused, because collectd's network plugin brought it:
 * whoever may send values is no operator, and what he says could silence an
 * alarm. Says so in one sentence that begins with `where`, and, as any trouble,
 * not again for each of many. */
bool wr_command_refused(const notification_t *n, const char *where,
                        struct wr_trouble *trouble);

#endif
