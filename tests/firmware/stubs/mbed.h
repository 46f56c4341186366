#ifndef WEIR_TESTS_STUB_MBED_H
#define WEIR_TESTS_STUB_MBED_H

namespace rtos {
struct Mutex {
  int depth = 0;
  bool wrong = false; /* locked twice, or unlocked without a lock */
  void lock() { wrong |= depth++ != 0; }
  void unlock() { wrong |= --depth != 0; }
};
} // namespace rtos

#endif
