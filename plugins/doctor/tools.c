/* The clock, sleep and chance. */
#include "doctor/tools.h"

#include <sys/random.h>
#include <time.h>

int64_t doctor_clock_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void doctor_sleep_ms(int64_t ms) {
  nanosleep(
      &(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
      NULL);
}

uint32_t doctor_random(void) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof(value), 0) != sizeof(value))
    value = (uint32_t)doctor_clock_us();
  return value;
}
