/* instance: names made from those of a series, and texts cut for people.
 *
 * In a name %{host}, %{plugin}, %{plugin_instance}, %{type} and
 * %{type_instance} stand for those of the series, as in collectd's own targets.
 * Threads: any. */
#ifndef WR_INSTANCE_H
#define WR_INSTANCE_H

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

/* NULL, or what is allowed, where `text` has another placeholder. */
const char *wr_instance_fault(const char *text);
/* The name of this series, cut to `size`; a slash becomes an underscore, as
 * collectd does. */
void wr_instance_expand(const char *text, const value_list_t *vl, char *out,
                        size_t size);

/* Copies at most max - 1 bytes; what is longer is cut between two characters
 * and ends in an ellipsis. Control characters become blanks: the text is part
 * of one line in somebody's log or mail. max at least 8. */
void wr_text_part(const char *text, char *out, size_t max);

#endif
