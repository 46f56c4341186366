#include "glue/clock.h"

#include <sys/random.h>

int64_t wr_clock_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t wr_clock_ms(void) { return wr_clock_us() / 1000; }

uint32_t wr_clock_random(void) {
  uint32_t value = 0;
  /* Up to 256 bytes come whole; before the pool is ready the clock will do. */
  if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
    value = (uint32_t)wr_clock_us() * 2654435761u;
  return value;
}
