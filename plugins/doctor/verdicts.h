/* verdicts: every way a check can end, with the remedy that mends it.
 *
 * One name, one verdict, one remedy. The names are a contract (--json gives
 * them as "name"); weir-doctor(1) lists them all, and each has a test that
 * makes the fault and reads the name. */
#ifndef WEIR_DOCTOR_VERDICTS_H
#define WEIR_DOCTOR_VERDICTS_H

#include "doctor/report.h"

enum doctor_verdict {
  /* who listens there */
  DOCTOR_NAME_UNKNOWN,
  DOCTOR_NAME_SILENT,
  DOCTOR_NO_ROUTE,
  DOCTOR_REFUSED,
  DOCTOR_DROPPED,
  DOCTOR_BACKLOG,
  DOCTOR_HALF_OPEN,
  DOCTOR_HANGS,
  DOCTOR_WEB,
  DOCTOR_TLS,
  DOCTOR_OTHER,
  DOCTOR_CLOSES,
  DOCTOR_RESETS,
  DOCTOR_KEEPS_OPEN,
  DOCTOR_LOCKED,
  DOCTOR_WENT_AWAY,
  /* the call */
  DOCTOR_CRASHES,
  DOCTOR_SILENT,
  DOCTOR_SLOW,
  DOCTOR_STALE,
  DOCTOR_GARBLED,
  DOCTOR_UNBOUND,
  DOCTOR_ARITY,
  DOCTOR_REMOTE,
  DOCTOR_LONG_TEXT,
  DOCTOR_UNSENDABLE,
  /* a socket, a router */
  DOCTOR_SOCKET_MISSING,
  DOCTOR_SOCKET_DEAD,
  DOCTOR_SOCKET_FORBIDDEN,
  DOCTOR_SOCKET_FILE,
  DOCTOR_ROUTER_SILENT,
  DOCTOR_MCU_SILENT,
  DOCTOR_UNREGISTERED,
  DOCTOR_CLOSED,
  /* values */
  DOCTOR_IMPLAUSIBLE,
  DOCTOR_INFINITE,
  DOCTOR_NAN_STAYS,
  DOCTOR_NO_NUMBER,
  DOCTOR_LIBRARY,
  DOCTOR_ZERO,
  DOCTOR_PLAUSIBLE,
  DOCTOR_ANSWERS,
  /* the board itself */
  DOCTOR_NO_BOARD,
  DOCTOR_NO_DRIVER,
  DOCTOR_M7_SILENT,
  DOCTOR_M7_MISMATCH,
  DOCTOR_NO_UNIT,
  DOCTOR_PROXY_DOWN,
  DOCTOR_M4_CRASHED,
  DOCTOR_M4_FULL,
  DOCTOR_BOARD_WELL,
  DOCTOR_VERDICTS
};

/* Ends the walk with it; returns the exit status. */
int doctor_conclude(struct doctor *d, enum doctor_verdict v);
/* Prints one line each: name, a tab, the verdict. */
void doctor_list(void);

#endif
