/* unit.h: the main() that every CUnit test file shares.
 *
 *   static void test_empty(void) { CU_ASSERT_EQUAL(...); }
 *   UNIT_MAIN("spool", UNIT(test_empty), UNIT(test_full))
 *
 * Exit status 0 only when every assertion held and at least one test ran. */
#ifndef WEIR_TESTS_UNIT_H
#define WEIR_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <dirent.h>
#include <locale.h>
#include <stdlib.h>

struct unit_case {
  const char *name;
  CU_TestFunc run;
};

#define UNIT(fn)                                                               \
  { #fn, fn }

/* The locale of the whole process, as another plugin may set it. "C" again
 * before the test ends: CUnit prints numbers, too. */
static inline void unit_set_locale(const char *name) {
  const char *made = getenv("WEIR_LOCALES");
  if (made != NULL)
    setenv("LOCPATH", made, 1);
  if (setlocale(LC_ALL, name) == NULL)
    CU_FAIL_FATAL("no such locale: run `make unit`, which makes it");
}

/* How many descriptors the process has open; to compare, since the look itself
 * counts as well. */
static inline int unit_open_files(void) {
  int count = 0;
  DIR *dir = opendir("/proc/self/fd");
  CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
  while (readdir(dir) != NULL)
    count++;
  closedir(dir);
  return count;
}

static inline int unit_main(const char *suite_name,
                            const struct unit_case *cases, size_t count) {
  if (CU_initialize_registry() != CUE_SUCCESS)
    return 1;
  CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
  for (size_t i = 0; suite != NULL && i < count; i++)
    if (CU_add_test(suite, cases[i].name, cases[i].run) == NULL)
      suite = NULL;
  if (suite == NULL)
    return 1;
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  int bad =
      CU_get_number_of_failures() > 0 || CU_get_number_of_tests_run() == 0;
  CU_cleanup_registry();
  return bad;
}

#define UNIT_MAIN(suite, ...)                                                  \
  int main(void) {                                                             \
    const struct unit_case cases[] = {__VA_ARGS__};                            \
    return unit_main(suite, cases, sizeof(cases) / sizeof(cases[0]));          \
  }

#endif
