/* The level-and-deviation rule that the network is measured against. */
#include <math.h>

#include "model/rule.h"
#include "tests/unit/unit.h"

static enum flow_class at(float level, float swing) {
  float window[WR_SHAPE_SAMPLES];
  for (int i = 0; i < WR_SHAPE_SAMPLES; i++)
    window[i] = level + (i % 2 ? swing : -swing);
  return rule_classify(window);
}

static void test_bands(void) {
  CU_ASSERT_EQUAL(at(0, 0), FLOW_ANOMALOUS);
  CU_ASSERT_EQUAL(at(3.99f, 0), FLOW_ANOMALOUS);
  CU_ASSERT_EQUAL(at(4, 0), FLOW_LOW);
  CU_ASSERT_EQUAL(at(7.49f, 0), FLOW_LOW);
  CU_ASSERT_EQUAL(at(7.5f, 0), FLOW_NORMAL);
  CU_ASSERT_EQUAL(at(12.5f, 0), FLOW_HIGH);
  CU_ASSERT_EQUAL(at(20, 0), FLOW_HIGH);
  CU_ASSERT_EQUAL(at(20.1f, 0), FLOW_ANOMALOUS);
  CU_ASSERT_EQUAL(at(NAN, 0), FLOW_ANOMALOUS);
}

static void test_deviation(void) {
  float limit = rule_limits.deviation_abs + rule_limits.deviation_rel * 10;
  CU_ASSERT(limit > 0.1f && limit < 4.0f);
  CU_ASSERT_EQUAL(at(10, limit * 0.98f), FLOW_NORMAL);
  CU_ASSERT_EQUAL(at(10, limit * 1.02f), FLOW_ANOMALOUS);
}

UNIT_MAIN("rule", UNIT(test_bands), UNIT(test_deviation))
