/* The part of the Arduino core that the sketches use, with a clock that the
 * test moves and pins that it can look at. As in the core of the Portenta X8,
 * a pin number beyond the table is ignored without a word, and
 * attachInterrupt() takes the pull-up away: it builds an mbed::InterruptIn,
 * which begins with PullDefault, on this core none. Only a pinMode() after it
 * brings the pull-up back. */
#ifndef WEIR_TESTS_STUB_ARDUINO_H
#define WEIR_TESTS_STUB_ARDUINO_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include <string>
#include <vector>

typedef uint8_t pin_size_t;
enum PinStatus { LOW = 0, HIGH = 1, CHANGE = 2, FALLING = 3, RISING = 4 };
enum PinMode { INPUT = 0, OUTPUT = 1, INPUT_PULLUP = 2 };
#define LED_BUILTIN (33u)
#define digitalPinToInterrupt(P) (P)

namespace stub {
const pin_size_t PINS = 39;
struct board {
  uint64_t now_us = 0;
  void (*isr)() = nullptr;
  pin_size_t isr_pin = 255;
  PinStatus isr_mode = LOW;
  PinMode mode[PINS] = {};
  bool pulled_up[PINS] = {};
  PinStatus level[PINS] = {};
  bool driven_before_output = false;
};
inline board &the() {
  static board b;
  return b;
}
/* An edge on the sensor's pin, at this moment. */
inline void edge(pin_size_t pin) {
  if (the().isr != nullptr && the().isr_pin == pin)
    the().isr();
}
} // namespace stub

inline unsigned long micros() { return (uint32_t)stub::the().now_us; }
inline unsigned long millis() { return (uint32_t)(stub::the().now_us / 1000); }
inline void delay(unsigned long ms) { stub::the().now_us += ms * 1000; }

inline void pinMode(pin_size_t pin, PinMode mode) {
  if (pin >= stub::PINS)
    return;
  stub::the().mode[pin] = mode;
  stub::the().pulled_up[pin] = mode == INPUT_PULLUP;
}

inline void digitalWrite(pin_size_t pin, PinStatus value) {
  if (pin >= stub::PINS)
    return;
  stub::the().driven_before_output |= stub::the().mode[pin] != OUTPUT;
  stub::the().level[pin] = value;
}

inline void attachInterrupt(pin_size_t pin, void (*isr)(), PinStatus mode) {
  if (pin >= stub::PINS)
    return;
  stub::the().isr = isr;
  stub::the().isr_pin = pin;
  stub::the().isr_mode = mode;
  stub::the().pulled_up[pin] = false;
}

struct SerialStub {
  unsigned long baud = 0;
  std::vector<std::string> lines;
  void begin(unsigned long rate) { baud = rate; }
  void println(double value, int digits) {
    char text[32];
    snprintf(text, sizeof(text), "%.*f", digits, value);
    lines.push_back(text);
  }
};
inline SerialStub &serial_stub() {
  static SerialStub serial;
  return serial;
}
#define Serial serial_stub()

#endif
