/* shelf: an operator who knows keeps notifications back for a while, with an
 * end. The command is a notification, as collectd's unixsock and exec take
 * them:
 *
 *   PUTNOTIF severity=okay time=... plugin=edge_impulse plugin_instance=pump
 *            type=shelve message="30m cleaning the filter"
 *
 * The state itself goes on, everywhere; "0" ends it. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/command.h"

#define SHELVE "shelve"
#define MOST_S (7 * 86400)

static struct edge_target *targets;
static struct wr_trouble network = WR_TROUBLE_INIT;

/* "90s", "30m", "2h" or "0", and what follows. */
static bool read_duration(const char *text, int64_t *ms, const char **why) {
  static const struct {
    char unit;
    int seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
  int64_t number = 0, seconds = 0;
  size_t digits = strspn(text, "0123456789");
  if (digits < 1 || digits > 6)
    return false;
  for (size_t i = 0; i < digits; i++)
    number = number * 10 + (text[i] - '0');
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(units); i++)
    if (text[digits] == units[i].unit) {
      seconds = units[i].seconds;
      digits++;
      break;
    }
  *why = text + digits + strspn(text + digits, " ");
  *ms = number * seconds * 1000;
  return (text[digits] == '\0' || text[digits] == ' ') &&
         number * seconds <= MOST_S && (seconds != 0 || number == 0);
}

static bool is_meant(const struct edge_series *s, const notification_t *n) {
  return (n->host[0] == '\0' || strcmp(n->host, s->host) == 0) &&
         strcmp(n->plugin_instance, s->instance) == 0;
}

static int shelve(const notification_t *n, int64_t ms, const char *why) {
  int found = 0;
  for (struct edge_target *t = targets; t != NULL; t = t->next) {
    struct edge_series **all;
    size_t count = edge_series_list(t, &all);
    for (size_t i = 0; i < count; i++) {
      if (is_meant(all[i], n)) {
        found++;
        pthread_mutex_lock(&t->engine->judging);
        edge_state_shelve(all[i], ms, why, wr_clock_ms());
        pthread_mutex_unlock(&t->engine->judging);
      }
      edge_series_release(all[i]);
    }
    free(all);
  }
  return found;
}

static int on_notification(const notification_t *n, user_data_t *ud) {
  (void)ud;
  int64_t ms;
  const char *why;
  if (strcmp(n->plugin, EDGE_PLUGIN) != 0 || strcmp(n->type, SHELVE) != 0)
    return 0;
  if (wr_command_refused(n, EDGE_WHERE, &network))
    return 0;
  if (!read_duration(n->message, &ms, &why))
    WARNING(EDGE_WHERE ": shelving for \"%s\" is not allowed: a time as 90s, "
                       "30m or 2h, at most 168h, and a reason; 0 ends it.",
            n->message);
  else if (shelve(n, ms, why) == 0)
    WARNING(EDGE_WHERE ": nothing is shelved: there is no series %s-%s.",
            EDGE_PLUGIN, n->plugin_instance);
  edge_watch_wake();
  return 0;
}

int edge_shelf_start(struct edge_target *all) {
  targets = all;
  return plugin_register_notification("target_edge_impulse", on_notification,
                                      NULL);
}
