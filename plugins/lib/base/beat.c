#include "lib/base/beat.h"

#define NEVER INT64_MIN
/* Multiples of the golden ratio leave no large gap, wherever they end. */
#define GOLDEN 0.6180339887498949

int64_t wr_beat_phase(int64_t every_ms, uint64_t n) {
  double part = (double)(n % 1000000) * GOLDEN;
  return (int64_t)((part - (double)(int64_t)part) * (double)every_ms);
}

void wr_beat_init(struct wr_beat *b, int64_t every_ms, uint64_t n) {
  *b = (struct wr_beat){.every_ms = every_ms,
                        .phase_ms = wr_beat_phase(every_ms, n),
                        .slot = NEVER};
}

bool wr_beat_due(struct wr_beat *b, bool changed, int64_t now_ms) {
  if (b->every_ms == 0)
    return true;
  int64_t slot = (now_ms + b->phase_ms) / b->every_ms;
  bool due = changed || slot != b->slot;
  if (due)
    b->slot = slot;
  return due;
}
