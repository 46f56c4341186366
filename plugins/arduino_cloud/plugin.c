/* write_arduino_cloud: sends values to the properties of an Arduino Cloud
 * thing. The write callback applies the publish policy and hands the value to
 * the thing's spool, in memory. One keeper thread makes the spools of all
 * things safe; one publisher thread per thing talks to the cloud. The parts
 * are in cloud/. */
#include "cloud.h"

#include "glue/thread.h"
#include "lib/base/file.h"

/* Before the write threads run, so that every value finds an open spool. */
static int plugin_init(void) {
  static bool begun;
  (void)wr_file_keep_standard();
  if (begun || cloud_things() == NULL)
    return 0;
  begun = true;
  cloud_forget_environment();
  sigset_t before;
  wr_thread_shield(&before);
  int status = cloud_start();
  wr_thread_unshield(&before);
  return status;
}

static int plugin_shutdown(void) {
  sigset_t before;
  wr_thread_shield(&before);
  cloud_stop();
  wr_thread_unshield(&before);
  return 0;
}

static void register_thing(struct thing *t) {
  char name[DATA_MAX_NAME_LEN];
  snprintf(name, sizeof(name), CLOUD_PLUGIN "/%s", t->name);
  user_data_t ud = {.data = t};
  plugin_register_complex_read(CLOUD_PLUGIN, name, cloud_health, 0, &ud);
  plugin_register_flush(name, cloud_flush, &ud);
  plugin_register_write(name, cloud_write, &ud);
}

/* collectd calls this for every <Plugin> block of ours. */
static int plugin_config(oconfig_item_t *ci) {
  struct thing *last = NULL;
  for (struct thing *t = cloud_things(); t != NULL; t = t->next)
    last = t;
  int status = cloud_config(ci);
  if (status != 0)
    return status;
  for (struct thing *t = last != NULL ? last->next : cloud_things(); t != NULL;
       t = t->next)
    register_thing(t);
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(CLOUD_PLUGIN, plugin_config);
  plugin_register_init(CLOUD_PLUGIN, plugin_init);
  plugin_register_shutdown(CLOUD_PLUGIN, plugin_shutdown);
}
