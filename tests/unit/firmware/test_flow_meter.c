/* The firmware's arithmetic on the host; the same vectors run on an emulated
 * Cortex-M4 in tests/firmware/check. */
#include "tests/unit/unit.h"

#define EXPECT(condition) CU_ASSERT_TRUE(condition)
#include "tests/firmware/vectors.h"

#define ONE(name) UNIT(name),
UNIT_MAIN("flow_meter", FIRMWARE_VECTORS(ONE))
