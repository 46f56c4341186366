/* weir-doctor watch: a live view in the terminal, over collectd's unixsock.
 *
 * On a terminal the screen is drawn anew at each look, elsewhere (a pipe, a
 * log, TERM=dumb) a line is printed for each loop. NO_COLOR is honoured. */
#include "doctor/agent.h"
#include "doctor/checks.h"
#include "doctor/tools.h"
#include "doctor/verdicts.h"
#include "doctor/view.h"

#include "lib/base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USUAL_SOCKET "/var/run/collectd-unixsock"

struct watch {
  const char *socket;
  double interval_s;
  long count; /* of looks; 0: without end */
};

/* From the agent's configuration, where it can be read. */
static void find_socket(struct watch *w, char *out, size_t size) {
  struct doctor_agent a;
  snprintf(out, size, "%s", USUAL_SOCKET);
  if (doctor_agent_look(&a, "", NULL) == 0)
    for (size_t i = 0; i < a.conf.top.children_count; i++) {
      const struct conf_item *k = &a.conf.top.children[i];
      const char *path =
          conf_is(k, "Plugin", "unixsock") ? conf_get(k, "SocketFile") : NULL;
      if (path != NULL)
        snprintf(out, size, "%s", path);
    }
  conf_free(&a.conf);
  w->socket = out;
}

static bool on_terminal(void) {
  const char *term = getenv("TERM");
  return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

static bool has_colour(void) {
  const char *no = getenv("NO_COLOR");
  return no == NULL || no[0] == '\0';
}

static int watch(struct doctor *d, const struct watch *w) {
  static struct doctor_look look;
  static struct view v;
  bool terminal = on_terminal();
  v.socket = w->socket;
  v.colour = terminal && has_colour();
  for (long n = 0; w->count == 0 || n < w->count; n++) {
    int status = doctor_look(&look, w->socket);
    time_t now = time(NULL);
    if (status != 0 && n == 0) {
      doctor_step(d, false, "unixsock", "%s", look.fault);
      return doctor_conclude(d, DOCTOR_NO_UNIXSOCK);
    }
    if (status == 0)
      view_take(&v, &look, now);
    if (terminal)
      fputs("\033[H\033[J", stdout);
    (terminal ? view_draw : view_plain)(&v, &look, now, stdout);
    if (fflush(stdout) != 0)
      return DOCTOR_BROKEN; /* nobody looks any more */
    if (w->count == 0 || n + 1 < w->count)
      doctor_sleep_ms((int64_t)(w->interval_s * 1000));
  }
  return DOCTOR_HEALTHY;
}

int doctor_watch(struct doctor *d, int argc, char **argv) {
  struct watch w = {.interval_s = 1};
  double count = 0;
  char found[512];
  for (int i = 0; i < argc; i++) {
    bool more = i + 1 < argc;
    if (strcmp(argv[i], "--interval") == 0 && more &&
        wr_number_read(argv[i + 1], &w.interval_s) == 0 &&
        w.interval_s >= 0.1 && w.interval_s <= 3600)
      i++;
    else if (strcmp(argv[i], "--count") == 0 && more &&
             wr_number_read(argv[i + 1], &count) == 0 && count >= 1 &&
             count <= 1e9)
      i++;
    else if (argv[i][0] == '-' || w.socket != NULL)
      return doctor_usage(d, "watch does not take \"%s\"", argv[i]);
    else
      w.socket = argv[i];
  }
  w.count = (long)count;
  if (d->json)
    return doctor_usage(d, "watch is for people: it has no --json");
  if (w.socket == NULL)
    find_socket(&w, found, sizeof(found));
  return watch(d, &w);
}
