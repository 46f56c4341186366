/* target_flow_baseline: a filter-chain target that compares what passes with
 * what this series usually is.
 *
 * invoke() runs on collectd's write threads: one step of the series, and at
 * times its values. Values pass unchanged. flow_baseline.h shows the parts. */
#include "flow_baseline.h"

#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/utils/common/common.h"

#include "glue/thread.h"
#include "lib/base/file.h"

#define DEFAULT_FILE "flow_baseline.state"

static int fb_create(const oconfig_item_t *ci, void **user_data) {
  struct fb_target *t = fb_target_create(ci);
  *user_data = t;
  return t != NULL ? 0 : -1;
}

/* Only after a fault in the configuration; never at shutdown. */
static int fb_destroy(void **user_data) {
  fb_target_destroy(*user_data);
  *user_data = NULL;
  return 0;
}

/* Results come through the same chains again, perhaps renamed. */
static bool is_result(const value_list_t *vl) {
  return strcmp(vl->plugin, FB_PLUGIN) == 0 ||
         (vl->meta != NULL && meta_data_exists(vl->meta, FB_META_STATE));
}

static int fb_invoke(const data_set_t *ds, value_list_t *vl,
                     notification_meta_t **meta, void **user_data) {
  (void)meta; /* always NULL in collectd 5.12 */
  struct fb_target *t = *user_data;
  struct fb_report report;
  if (is_result(vl))
    return FC_TARGET_CONTINUE;
  if (ds->ds_num != 1 || ds->ds[0].type != DS_TYPE_GAUGE) {
    wr_trouble_begin(&t->kind, wr_clock_ms(), LOG_WARNING,
                     FB_WHERE ": %s/%s is not one gauge; it is left out.",
                     vl->plugin, vl->type);
    return FC_TARGET_CONTINUE;
  }
  pthread_mutex_lock(&t->lock);
  bool show = fb_series_value(t, vl, vl->values[0].gauge, &report);
  bool wake = t->first != NULL;
  pthread_mutex_unlock(&t->lock);
  if (show)
    fb_values(&report);
  if (wake)
    fb_worker_wake();
  return FC_TARGET_CONTINUE;
}

/* The folder that collectd calls its own. */
static int set_file(struct fb_target *t) {
  const char *base = global_option_get("BaseDir");
  size_t size = strlen(base) + sizeof("/" DEFAULT_FILE);
  if (t->o.state_file != NULL)
    return 0;
  t->o.state_file = malloc(size);
  if (t->o.state_file == NULL)
    return -1;
  snprintf(t->o.state_file, size, "%s/%s", base, DEFAULT_FILE);
  return 0;
}

static int fb_init(void) {
  (void)wr_file_keep_standard();
  for (struct fb_target *t = fb_targets; t != NULL; t = t->next) {
    if (t->o.interval_ms == 0)
      t->o.interval_ms = (int64_t)CDTIME_T_TO_MS(interval_g);
    if (set_file(t) != 0)
      return -1;
    fb_store_load(t);
    t->saved_ms = wr_clock_ms();
  }
  int status = fb_worker_start();
  if (status != 0)
    ERROR(FB_WHERE ": the worker does not start: %s", STRERROR(-status));
  return status == 0 ? 0 : -1;
}

static void save(struct fb_target *t) {
  sigset_t before;
  wr_thread_shield(&before);
  fb_store_save(t);
  wr_thread_unshield(&before);
}

/* The write threads have ended; nothing comes in any more. */
static int fb_shutdown(void) {
  fb_worker_stop();
  while (fb_targets != NULL) {
    struct fb_target *t = fb_targets;
    if (t->o.state_file != NULL)
      save(t);
    fb_target_destroy(t);
  }
  return 0;
}

void module_register(void) {
  fc_register_target("flow_baseline", (target_proc_t){.create = fb_create,
                                                      .destroy = fb_destroy,
                                                      .invoke = fb_invoke});
  plugin_register_init("target_flow_baseline", fb_init);
  plugin_register_notification("target_flow_baseline", fb_command, NULL);
  plugin_register_shutdown("target_flow_baseline", fb_shutdown);
}
