/* alloc.h: makes the allocations of our own code fail, one by one.
 *
 *   for (long n = 0; unit_alloc_arm(n); n++)
 *     status = parse(...); // the n-th allocation in here fails
 *
 * ends after the first round in which nothing had to fail. What libraries
 * allocate inside themselves does not count; what they ask us for does. */
#ifndef WEIR_TESTS_ALLOC_H
#define WEIR_TESTS_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Lets the n-th allocation from here fail, once; false, and nothing fails,
 * when the round before had less than n of them. */
bool unit_alloc_arm(long n);
/* So many in a row fail from the n-th on; 1 until this is called. */
void unit_alloc_burst(long count);
/* From here none fails: what belongs to the test, not to what it tests. */
void unit_alloc_off(void);
/* Whether the one of this round has failed. */
bool unit_alloc_failed(void);

/* free() leaves this block alone until the next call, so that one can look at
 * what was left in it; NULL ends it. */
void unit_alloc_keep_freed(void *at);
/* The block, once it was freed; else NULL. */
const void *unit_alloc_kept(void);

/* The most memory in use at a time since the last reset, in bytes. */
void unit_alloc_reset_peak(void);
size_t unit_alloc_peak(void);

#endif
