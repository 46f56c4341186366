/* The vectors without CUnit, for the emulated Cortex-M4. With MUST_FAIL one
 * of them is wrong on purpose: the way back to the shell is tested too. */
#include "tests/firmware/expect.h"

#include "tests/firmware/vectors.h"

int main(void) {
#define ONE(test) RUN(test);
  FIRMWARE_VECTORS(ONE)
#ifdef MUST_FAIL
  EXPECT(flow_lpm(&(struct flow_meter){.pulses_per_litre = 450}, 1, 1) > 1e9f);
#endif
  printf("%d checks, %d bad\n", expect_count, expect_bad);
  return expect_bad > 0 || expect_count == 0;
}
