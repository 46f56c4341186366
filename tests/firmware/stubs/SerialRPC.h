/* On the Portenta X8 Serial exists only after this include. */
#include <Arduino.h>
