/* tools: the clock, sleep and chance of a program that runs once. */
#ifndef WEIR_DOCTOR_TOOLS_H
#define WEIR_DOCTOR_TOOLS_H

#include <stdint.h>

int64_t doctor_clock_us(void); /* monotonic */
void doctor_sleep_ms(int64_t ms);
uint32_t doctor_random(void);

#endif
