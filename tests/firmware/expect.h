/* EXPECT() for the programs without CUnit: prints what does not hold. */
#ifndef WEIR_TESTS_FIRMWARE_EXPECT_H
#define WEIR_TESTS_FIRMWARE_EXPECT_H

#include <stdio.h>

static int expect_bad, expect_count;

#define EXPECT(condition)                                                      \
  do {                                                                         \
    expect_count++;                                                            \
    if (!(condition)) {                                                        \
      expect_bad++;                                                            \
      printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);         \
    }                                                                          \
  } while (0)

/* Each test on a line of its own, for whoever counts them. */
#define RUN(test)                                                              \
  do {                                                                         \
    int before = expect_bad;                                                   \
    test();                                                                    \
    printf("%s %s\n", expect_bad > before ? "FAILED" : "ok", #test);           \
  } while (0)

#endif
