/* board: what Linux on a Portenta X8 knows of the way to the M4.
 *
 *   m4-proxy -- /dev/x8h7_ui -- kernel driver -- SPI -- M7 -- M4 -- sketch
 *
 * Only files are read: of the unit and its control group, of the driver, the
 * M7's version as the M7 tells it and as the image has it, the kernel's log. So
 * a made-up tree serves the tests (`root`), and nothing is started or changed.
 * What cannot be read says so and decides nothing. */
#ifndef WEIR_DOCTOR_BOARD_H
#define WEIR_DOCTOR_BOARD_H

#include "doctor/verdicts.h"

#include <stdbool.h>

#define DOCTOR_VERSION_MAX 41

struct doctor_board {
  bool here;    /* this is a Portenta X8, and its files are visible */
  bool unit;    /* m4-proxy.service is installed */
  bool running; /* a process is in its control group, or is called m4_proxy */
  bool driver;  /* /dev/x8h7_ui */
  int m7_error; /* of reading the version; 0: it is in m7 */
  char m7[DOCTOR_VERSION_MAX];    /* what runs on the M7 */
  char image[DOCTOR_VERSION_MAX]; /* what Linux has for it; "": not found */
  bool sketch;                    /* one was uploaded since the start */
  bool crashed;                   /* a remoteproc says so */
  bool log;                       /* the kernel's log could be read */
  unsigned refused;               /* messages that the M7 did not take */
  char last[160];                 /* last line of the log on the driver */
};

void doctor_board_read(struct doctor_board *b, const char *root);
/* One step for each thing that is known. */
void doctor_board_tell(struct doctor *d, const struct doctor_board *b);
/* What is wrong with proxy, kernel or M7, in the order of the data, or
 * DOCTOR_BOARD_WELL. */
enum doctor_verdict doctor_board_judge(const struct doctor_board *b);

#endif
