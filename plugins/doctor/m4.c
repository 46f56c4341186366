/* weir-doctor m4 and call: from the name to the plausibility of the value.
 *
 * Only the methods that the user or the configuration named are called: an
 * m4-proxy dies for 2 s of one that is not bound. */
#include "doctor/board.h"
#include "doctor/checks.h"
#include "doctor/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum doctor_verdict walk(struct doctor_line *l,
                                const struct doctor_m4_options *o) {
  enum doctor_verdict v = doctor_line_find(l), worth;
  if (v == DOCTOR_ANSWERS)
    v = doctor_line_knock(l);
  if (v == DOCTOR_ANSWERS && o->drain && !l->persistent) {
    doctor_line_drain(l);
    l->stale = 0;
  }
  for (size_t i = 0; v == DOCTOR_ANSWERS && i < o->count; i++) {
    worth = doctor_values(l, &o->methods[i]);
    v = worth == DOCTOR_PLAUSIBLE && i + 1 < o->count ? DOCTOR_ANSWERS : worth;
  }
  if (l->stale > 0 &&
      (v == DOCTOR_ANSWERS || v == DOCTOR_PLAUSIBLE || v == DOCTOR_ZERO)) {
    doctor_step(l->d, false, "stale", "%u replies to earlier calls came first",
                l->stale);
    return DOCTOR_STALE;
  }
  return v;
}

/* On the board itself Linux knows more: a proxy that is not there may be one
 * that was never installed, and a silent M4 may be a silent M7. */
static enum doctor_verdict ask_board(struct doctor_line *l,
                                     enum doctor_verdict v) {
  struct doctor_board b;
  if ((v != DOCTOR_REFUSED && v != DOCTOR_SILENT) || !doctor_is_local(&l->peer))
    return v;
  doctor_board_read(&b, l->root);
  enum doctor_verdict board = doctor_board_judge(&b);
  if (board == DOCTOR_NO_BOARD)
    return v;
  doctor_board_tell(l->d, &b);
  return board == DOCTOR_BOARD_WELL ? v : board;
}

int doctor_m4_walk(struct doctor *d, const struct doctor_m4_options *o) {
  struct doctor_line l;
  int status = doctor_line_open(&l, d, o->address, o->persistent, o->root);
  if (status != 0)
    return status;
  status = doctor_conclude(d, ask_board(&l, walk(&l, o)));
  doctor_line_close(&l);
  return status;
}

/* Prints what came; the exit status. */
static int say_answer(struct doctor_line *l, const char *method) {
  char text[1100];
  if (l->answer.error.kind != WR_RPC_NIL)
    return doctor_conclude(l->d, doctor_remote(l, method));
  wr_rpc_print(&l->answer.result, text, sizeof(text));
  doctor_step(l->d, true, "call", "%s: %s", method, text);
  return doctor_end(l->d, true, text, NULL);
}

int doctor_call(struct doctor *d, int argc, char **argv) {
  bool persistent = argc > 0 && strcmp(argv[0], "--persistent") == 0;
  argc -= persistent;
  argv += persistent;
  if (argc < 2 || argc > 3)
    return doctor_usage(d, "call takes ADDRESS METHOD [ARGUMENT]");
  struct doctor_line l;
  int status = doctor_line_open(&l, d, argv[0], persistent, "");
  if (status != 0)
    return status;
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT};
  if (argc == 3) {
    char *end;
    errno = 0;
    arg.text = argv[2];
    arg.i = strtoll(argv[2], &end, 10);
    if (*argv[2] != '\0' && *end == '\0' && errno == 0)
      arg.kind = WR_ARG_INT;
  }
  enum doctor_verdict v = doctor_line_find(&l);
  if (v == DOCTOR_ANSWERS)
    v = doctor_line_call(&l, argv[1], argc == 3 ? &arg : NULL);
  status =
      v == DOCTOR_ANSWERS ? say_answer(&l, argv[1]) : doctor_conclude(d, v);
  doctor_line_close(&l);
  return status;
}
