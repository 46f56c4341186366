#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"
#include "glue/options.h"

struct fb_target *fb_targets;

static const char *const severities[] = {"failure", "warning", "okay", NULL};
static const char *const litres[] = {"auto",   "off",  "second",
                                     "minute", "hour", NULL};

#define TEXT(name, field) WR_OPTION(name, WR_STRING, struct fb_options, field)
#define RANGE(name, kind, field, min, max)                                     \
  WR_OPTION_RANGE(name, kind, struct fb_options, field, min, max)

static const struct wr_option options[] = {
    TEXT("Instance", instance),
    RANGE("Learn", WR_SECONDS, learn_ms, 40, 604800),
    RANGE("Band", WR_NUMBER, band, 0.1, 50),
    RANGE("DayBand", WR_NUMBER, day_band, 0.5, 50),
    RANGE("Follow", WR_NUMBER, follow, 0.01, 1000),
    RANGE("Spread", WR_NUMBER, spread, 1.5, 1000),
    RANGE("Hold", WR_SECONDS, hold_ms, 1, 86400),
    RANGE("Nominal", WR_NUMBER, nominal, 1e-9, 1e9),
    RANGE("Low", WR_NUMBER, low, 1e-9, 1e9),
    RANGE("High", WR_NUMBER, high, 1e-9, 1e9),
    RANGE("Constant", WR_NUMBER, constant, 1e-9, 1e9),
    TEXT("Setpoint", setpoint),
    WR_OPTION_WORD("Litres", struct fb_options, litres, litres),
    WR_OPTION_WORD("Severity", struct fb_options, severity, severities),
    TEXT("StateFile", state_file),
    RANGE("SaveInterval", WR_SECONDS, save_ms, 1, 86400),
    RANGE("StaleAfter", WR_SECONDS, stale_ms, 1, 604800),
    RANGE("ForgetAfter", WR_SECONDS, forget_ms, 60, 315360000),
    RANGE("Interval", WR_SECONDS, interval_ms, 0.1, 86400),
    RANGE("MaxSeries", WR_INTEGER, series_max, 1, 1000000)};

/* What is not here and not given is that of WR_BASELINE_RULES. */
static const struct fb_options defaults = {.severity = 1,
                                           .save_ms = 300000,
                                           .stale_ms = 120000,
                                           .forget_ms = 2592000000,
                                           .series_max = 16384};

static int fault(const char *name, const char *value, const char *allowed) {
  return wr_option_fault(FB_WHERE, name, value, allowed);
}

static int check_names(const struct fb_options *o) {
  const char *wrong =
      o->instance != NULL ? wr_instance_fault(o->instance) : NULL;
  if (wrong != NULL)
    return fault("Instance", o->instance, wrong);
  const char *slash = o->setpoint != NULL ? strchr(o->setpoint, '/') : NULL;
  if (o->setpoint != NULL &&
      (slash == NULL || slash == o->setpoint || slash[1] == '\0' ||
       strchr(slash + 1, '/') != NULL))
    return fault("Setpoint", o->setpoint,
                 "plugin-instance/type-instance, as m4_rpc-pump/flow-setpoint");
  return 0;
}

static int check_limits(const struct fb_options *o) {
  if (o->low == 0 || o->high == 0 || o->low < o->high)
    return 0;
  ERROR(FB_WHERE ": Low and High are not allowed: Low must be below High.");
  return -1;
}

/* A file has one owner. */
static int check_file(const struct fb_options *o) {
  const char *wrong = NULL;
  if (o->state_file != NULL && o->state_file[0] != '/')
    wrong = "an absolute path";
  for (const struct fb_target *t = fb_targets; t != NULL; t = t->next)
    if (o->state_file == NULL ? t->o.state_file == NULL
                              : t->o.state_file != NULL &&
                                    strcmp(o->state_file, t->o.state_file) == 0)
      wrong = "a file of its own for each target";
  return wrong == NULL
             ? 0
             : fault("StateFile",
                     o->state_file != NULL ? o->state_file : "(the default)",
                     wrong);
}

/* Every option is above 0 where it was given. */
static void set(double *rule, double option) {
  if (option > 0)
    *rule = option;
}

static void make_rules(struct fb_target *t) {
  static const double per_second[] = {[FB_AUTO] = 1.0 / 60,
                                      [FB_OFF] = 0,
                                      [FB_SECOND] = 1,
                                      [FB_MINUTE] = 1.0 / 60,
                                      [FB_HOUR] = 1.0 / 3600};
  const struct fb_options *o = &t->o;
  struct wr_baseline_rules r = WR_BASELINE_RULES;
  set(&r.learn_s, (double)o->learn_ms / 1e3);
  set(&r.hold_s, (double)o->hold_ms / 1e3);
  set(&r.band, o->band / 100);
  set(&r.follow, o->follow / 100);
  set(&r.day_band, o->day_band / 100);
  set(&r.spread, o->spread);
  r.low = o->low > 0 ? o->low : 0.75 * o->nominal;
  r.high = o->high > 0 ? o->high : 1.25 * o->nominal;
  r.per_second = 0;
  t->rules[0] = r;
  r.per_second = per_second[o->litres];
  t->rules[1] = r;
}

static struct wr_trouble *trouble(struct fb_target *t, size_t i) {
  struct wr_trouble *const all[] = {&t->crowd, &t->kind, &t->twice, &t->disk};
  return i < STATIC_ARRAY_SIZE(all) ? all[i] : NULL;
}

struct fb_target *fb_target_create(const oconfig_item_t *ci) {
  struct fb_target *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  t->o = defaults;
  pthread_mutex_init(&t->lock, NULL);
  for (size_t i = 0; trouble(t, i) != NULL; i++)
    pthread_mutex_init(&trouble(t, i)->lock, NULL);
  if (wr_options_read(FB_WHERE, ci, options, STATIC_ARRAY_SIZE(options),
                      &t->o) == 0 &&
      check_names(&t->o) == 0 && check_limits(&t->o) == 0 &&
      check_file(&t->o) == 0) {
    make_rules(t);
    t->series = wr_table_create((size_t)t->o.series_max, fb_series_free);
    t->setpoints = wr_table_create((size_t)t->o.series_max, free);
    if (t->series != NULL && t->setpoints != NULL) {
      t->next = fb_targets;
      fb_targets = t;
      return t;
    }
  }
  fb_target_destroy(t);
  return NULL;
}

void fb_target_destroy(struct fb_target *t) {
  if (t == NULL)
    return;
  for (struct fb_target **at = &fb_targets; *at != NULL; at = &(*at)->next)
    if (*at == t) {
      *at = t->next;
      break;
    }
  wr_table_destroy(t->series);
  wr_table_destroy(t->setpoints);
  free(t->o.instance);
  free(t->o.setpoint);
  free(t->o.state_file);
  for (size_t i = 0; trouble(t, i) != NULL; i++)
    pthread_mutex_destroy(&trouble(t, i)->lock);
  pthread_mutex_destroy(&t->lock);
  free(t);
}
