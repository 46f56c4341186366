/* course: what a part of flow does with a signal, written down line by line
 * and compared as a whole. The signals come from whole numbers, and no more
 * digits are written than every C library agrees on.
 *
 * A difference is a change of behaviour: of an alarm, of what is said of it, or
 * of what the shipped network was trained on. Meant, the new lines (on stderr)
 * take the place of the old ones; else it is a fault. */
#ifndef WEIR_TESTS_COURSE_H
#define WEIR_TESTS_COURSE_H

#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char course[32768];

static inline void course_begin(void) { course[0] = '\0'; }

__attribute__((format(printf, 1, 2))) static inline void
course_put(const char *format, ...) {
  size_t used = strlen(course);
  va_list ap;
  va_start(ap, format);
  vsnprintf(course + used, sizeof(course) - used, format, ap);
  va_end(ap);
}

static inline void course_is(const char *want) {
  CU_ASSERT_STRING_EQUAL(course, want);
  if (strcmp(course, want) != 0)
    fprintf(stderr, "%s", course);
}

/* Evenly from -1 to 1, the same in each run. */
static uint32_t course_random = 1;

static inline double course_noise(void) {
  course_random = course_random * 1664525u + 1013904223u;
  return (double)course_random / 2147483648.0 - 1;
}

#endif
