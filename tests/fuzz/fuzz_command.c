/* What operators may say to a running collectd (shelve, reset, forget): any
 * bytes in the fields of a notification. Nothing but the exact commands does
 * anything, and a time stays within its bound. */
#include "plugins/edge_impulse/shelf.c"
#include "plugins/flow_baseline/command.c"
#include "tests/fuzz/fuzz.h"

static int warnings, shelved, woken, queued;
static bool from_afar; /* it came over the network */
static struct edge_series pump = {.instance = (char *)"pump",
                                  .host = (char *)"host"};
static struct edge_engine engine;
static struct edge_target edge = {.engine = &engine};
struct fb_target *fb_targets;

/* --- collectd and the other files of the plugins --- */

void plugin_log(int level, const char *format, ...) {
  (void)level, (void)format;
  warnings++;
}

int plugin_register_notification(const char *name, plugin_notification_cb cb,
                                 user_data_t const *ud) {
  (void)name, (void)ud;
  check(cb == on_notification);
  return 0;
}

size_t edge_series_list(struct edge_target *t, struct edge_series ***all) {
  (void)t;
  *all = malloc(sizeof(**all));
  check(*all != NULL);
  (*all)[0] = &pump;
  return 1;
}

void edge_series_release(void *series) { check(series == &pump); }

void edge_state_shelve(struct edge_series *s, int64_t ms, const char *why,
                       int64_t now_ms) {
  (void)s, (void)now_ms;
  check(ms >= 0 && ms <= MOST_S * INT64_C(1000));
  check(strlen(why) < NOTIF_MAX_MSG_LEN && why[0] != ' ');
  shelved++;
}

bool wr_command_refused(const notification_t *n, const char *where,
                        struct wr_trouble *trouble) {
  (void)n, (void)where, (void)trouble;
  warnings += from_afar;
  return from_afar;
}

void edge_watch_wake(void) {}
int64_t wr_clock_ms(void) { return 1; }
void fb_worker_wake(void) { woken++; }
void fb_series_forget(struct fb_target *t, struct fb_series *s) {
  check(t == fb_targets && s->done == FB_FORGET);
}
void fb_series_queue(struct fb_target *t, struct fb_series *s,
                     unsigned events) {
  (void)t, (void)events;
  check(s->done >= FB_RESET && s->done <= FB_TOO_EARLY);
  queued++;
}

/* --- */

static void field(char *to, size_t most, const uint8_t **data, size_t *size) {
  size_t n = 0;
  for (; *size > 0 && **data != '\n'; (*data)++, (*size)--)
    if (n + 1 < most && **data != '\0')
      to[n++] = (char)**data;
  to[n] = '\0';
  if (*size > 0)
    (*data)++, (*size)--;
}

static void begin(void) {
  static struct fb_target baseline;
  static char room[sizeof(struct fb_series) + 8];
  if (fb_targets != NULL)
    return;
  struct fb_series *s = (struct fb_series *)room;
  s->host = "host";
  s->instance = "pump";
  pthread_mutex_init(&engine.judging, NULL);
  pthread_mutex_init(&baseline.lock, NULL);
  baseline.series = wr_table_create(4, NULL);
  check(baseline.series != NULL);
  bool dropped;
  check(wr_table_put(baseline.series, "pump", 4, s, 1, &dropped) == 0);
  check(edge_shelf_start(&edge) == 0);
  fb_targets = &baseline;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  notification_t n = {.severity = NOTIF_OKAY};
  begin();
  from_afar = size > 0 && *data == '!';
  data += from_afar;
  size -= from_afar;
  field(n.plugin, sizeof(n.plugin), &data, &size);
  field(n.type, sizeof(n.type), &data, &size);
  field(n.host, sizeof(n.host), &data, &size);
  field(n.plugin_instance, sizeof(n.plugin_instance), &data, &size);
  field(n.message, sizeof(n.message), &data, &size);
  warnings = shelved = queued = woken = 0;
  check(on_notification(&n, NULL) == 0 && fb_command(&n, NULL) == 0);
  bool to_edge =
      strcmp(n.plugin, EDGE_PLUGIN) == 0 && strcmp(n.type, "shelve") == 0;
  bool to_baseline =
      strcmp(n.plugin, FB_PLUGIN) == 0 && strcmp(n.type, "command") == 0;
  /* Each command is obeyed or answered with one line. */
  check(warnings + shelved + woken == (to_edge || to_baseline));
  check(!from_afar || shelved + woken + queued == 0);
  check(shelved == 0 || to_edge);
  check(queued == 0 || to_baseline);
  return 0;
}
