/* What an operator says, as a notification: with the stock unixsock plugin
 *   PUTNOTIF severity=okay time=N plugin=flow_baseline plugin_instance=pump
 *   type=command message=confirm
 * Everybody who may write to that socket may do so; what came over the network
 * may not. */
#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"
#include "glue/command.h"
#include "lib/base/text.h"

static struct wr_trouble from_network = WR_TROUBLE_INIT;

struct order {
  const notification_t *n;
  enum fb_command command;
  struct fb_target *target;
  size_t found;
};

static enum fb_command command_of(const char *word) {
  return wr_text_same(word, "reset")     ? FB_RESET
         : wr_text_same(word, "confirm") ? FB_CONFIRM
         : wr_text_same(word, "forget")  ? FB_FORGET
                                         : FB_NONE;
}

static void obey(void *series, void *arg) {
  struct fb_series *s = series;
  struct order *o = arg;
  if (strcmp(s->instance, o->n->plugin_instance) != 0 ||
      (o->n->host[0] != '\0' && strcmp(s->host, o->n->host) != 0))
    return;
  o->found++;
  s->done = (uint8_t)o->command;
  if (o->command == FB_FORGET)
    fb_series_forget(o->target, s);
  else if (o->command == FB_RESET)
    wr_baseline_reset(&s->b);
  else if (s->unknown || !wr_baseline_confirm(&s->b))
    s->done = FB_TOO_EARLY;
  s->out_ms = 0; /* the next sample shows it */
  fb_series_queue(o->target, s, 0);
}

int fb_command(const notification_t *n, user_data_t *unused) {
  (void)unused;
  if (strcmp(n->plugin, FB_PLUGIN) != 0 || strcmp(n->type, "command") != 0)
    return 0;
  struct order o = {.n = n, .command = command_of(n->message)};
  if (wr_command_refused(n, FB_WHERE, &from_network))
    return 0;
  if (o.command == FB_NONE) {
    WARNING(FB_WHERE ": the command \"%.64s\" is not allowed: \"reset\", "
                     "\"confirm\" or \"forget\".",
            n->message);
    return 0;
  }
  for (struct fb_target *t = fb_targets; t != NULL; t = t->next) {
    o.target = t;
    pthread_mutex_lock(&t->lock);
    wr_table_each(t->series, obey, &o);
    pthread_mutex_unlock(&t->lock);
  }
  if (o.found == 0)
    WARNING(FB_WHERE ": there is no " FB_PLUGIN "-%s%s%s%s to %s.",
            n->plugin_instance, n->host[0] != '\0' ? " of host \"" : "",
            n->host, n->host[0] != '\0' ? "\"" : "", n->message);
  else
    fb_worker_wake();
  return 0;
}
