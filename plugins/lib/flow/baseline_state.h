/* baseline_state: a series' memory as one line of text, and back. Pure.
 *
 * Numbers with blanks between them, in the order of one list of fields, which
 * serves both ways; the first is WR_BASELINE_STATE_VERSION. Every number comes
 * back as the very same one. What is read is checked: whatever the text, the
 * series is usable afterwards, or refused.
 * Threads: none of its own. */
#ifndef WR_BASELINE_STATE_H
#define WR_BASELINE_STATE_H

#include "lib/base/bytes.h"
#include "lib/flow/baseline.h"

#define WR_BASELINE_STATE_VERSION 1
#define WR_BASELINE_STATE_MAX 8192 /* bytes of a line, more than it needs */

/* Appends the text. 0 or what wr_bytes_append() returns. */
int wr_baseline_put(struct wr_bytes *out, const struct wr_baseline *b);
/* 0, -ENOTSUP for another version, -EBADMSG; *b changes only with 0. Its next
 * sample comes after a gap. */
int wr_baseline_get(const char *text, struct wr_baseline *b);

#endif
