/* view: what is seen of one loop over time, and its lines on a screen.
 *
 * view_take() takes a look into the histories; view_draw() writes a whole
 * screen of at most VIEW_COLUMNS columns, view_plain() one line for each loop
 * and look. Times are seconds of the wall clock, given by the caller. Ceilings:
 * VIEW_LOOPS loops, VIEW_CELLS looks back, VIEW_CHANGES changes. */
#ifndef WEIR_DOCTOR_VIEW_H
#define WEIR_DOCTOR_VIEW_H

#include "doctor/look.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define VIEW_COLUMNS 80
#define VIEW_LOOPS 16
#define VIEW_CELLS 50
#define VIEW_CHANGES 5
#define VIEW_LABEL 64

struct view_loop {
  char name[128]; /* the M4's; of edge_impulse and flow_baseline, too */
  double flow[VIEW_CELLS];
  char style[VIEW_CELLS][8]; /* of the state at that look */
  size_t cells;
  char label[VIEW_LABEL]; /* "": none */
};

struct view {
  struct view_loop loops[VIEW_LOOPS];
  size_t loops_count, loops_left_out;
  struct {
    time_t at;
    char text[220];
  } changes[VIEW_CHANGES];
  size_t changes_count;
  const char *socket;
  bool colour;
};

void view_take(struct view *v, const struct doctor_look *look, time_t now);
void view_draw(const struct view *v, const struct doctor_look *look, time_t now,
               FILE *out);
void view_plain(const struct view *v, const struct doctor_look *look,
                time_t now, FILE *out);

#endif
