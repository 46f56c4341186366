/* weir-datalog.ino on stubs: one number per line and second, nothing else. */
#include "tests/firmware/expect.h"

#include "firmware/weir-datalog/weir-datalog.ino"

#include <stdlib.h>

static void test_one_number_per_second() {
  uint64_t next_us = 0;
  setup();
  while (stub::the().now_us < 10500000) {
    uint64_t now_us = stub::the().now_us;
    for (; next_us <= now_us; next_us += 13333) {
      stub::the().now_us = next_us;
      stub::edge(SENSOR_PIN);
    }
    stub::the().now_us = now_us;
    loop();
  }
  EXPECT(stub::the().pulled_up[SENSOR_PIN]);
  EXPECT(Serial.baud == 115200);
  EXPECT(Serial.lines.size() == 10);
  for (const std::string &line : Serial.lines) {
    char *end;
    double flow = strtod(line.c_str(), &end);
    EXPECT(*end == '\0' && flow > 9.8 && flow < 10.2);
  }
}

int main() {
  RUN(test_one_number_per_second);
  printf("%d checks, %d bad\n", expect_count, expect_bad);
  return expect_bad > 0 || expect_count == 0;
}
