#include "lib/flow/baseline_impl.h"

#include "tests/unit/unit.h"

/* A loop may be judged by its days after six hours at a point that is not next
 * to nothing beside its largest level. */
static void test_mature(void) {
  static const struct {
    float seen_s, reference, origin;
    bool learned, mature;
  } cases[] = {
      {21600, 1.01f, 1, true, true},
      {21599, 1.01f, 1, true, false},
      {21600, 1, 1, true, false}, /* 5 % of the largest, to the point */
      {21600, 1.01f, 0, true, false},
      {21600, 1.01f, 1, false, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_baseline b = {.learned = cases[i].learned};
    b.points.scale = 20;
    b.points.at[0].seen_s = cases[i].seen_s;
    b.points.at[0].reference = cases[i].reference;
    b.points.at[0].origin = cases[i].origin;
    CU_ASSERT_EQUAL(wr_baseline_mature(&b), cases[i].mature);
  }
}

UNIT_MAIN("baseline_view", UNIT(test_mature))
