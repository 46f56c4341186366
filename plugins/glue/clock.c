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

void wr_clock_cond_init(pthread_cond_t *cond) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &attributes);
  pthread_condattr_destroy(&attributes);
}

struct timespec wr_clock_in(int64_t ms) {
  int64_t at_us = wr_clock_us() + ms * 1000;
  return (struct timespec){.tv_sec = (time_t)(at_us / 1000000),
                           .tv_nsec = (long)(at_us % 1000000) * 1000};
}
