/* target_edge_impulse: a filter-chain target that classifies what passes.
 *
 * invoke() runs on collectd's write threads and only copies a sample into the
 * window of its series; a full window goes to the worker of its model, which
 * dispatches the results as new values. Values pass unchanged.
 * edge.h shows the parts. */
#include "edge.h"

#include "collectd/core/daemon/filter_chain.h"
#include "collectd/core/utils/common/common.h"
#include "lib/base/file.h"
#include "lib/net/http.h"

static struct edge_target *targets; /* all there are */

/* What the workers do; no lock is held. */

static void adopt(struct edge_engine *e) {
  for (struct edge_target *t = targets; t != NULL; t = t->next)
    if (t->engine == e)
      edge_target_adopt(t, &e->info);
}

static void answer(struct edge_engine *e, struct wr_job *queued) {
  struct edge_job *job = (struct edge_job *)queued;
  edge_answer(e, job);
  edge_job_free(job);
}

static void drop(struct wr_job *queued) {
  struct edge_job *job = (struct edge_job *)queued;
  job->series->errors[EDGE_DROPPED]++;
  edge_job_free(job);
}

static const struct edge_engine_calls calls = {
    .adopt = adopt, .answer = answer, .drop = drop};

static int edge_create(const oconfig_item_t *ci, void **user_data) {
  struct edge_target *t = edge_target_create(ci, targets, &calls);
  if (t == NULL)
    return -1;
  t->next = targets;
  targets = t;
  *user_data = t;
  return 0;
}

/* Only after a fault in the configuration; never at shutdown. */
static int edge_destroy(void **user_data) {
  struct edge_target *t = *user_data;
  for (struct edge_target **link = &targets; *link != NULL;
       link = &(*link)->next)
    if (*link == t) {
      *link = t->next;
      break;
    }
  edge_target_destroy(t);
  *user_data = NULL;
  return 0;
}

/* Results come through the same chains again, perhaps renamed. */
static bool is_result(const value_list_t *vl) {
  return strcmp(vl->plugin, EDGE_PLUGIN) == 0 ||
         (vl->meta != NULL && (meta_data_exists(vl->meta, EDGE_META_LABEL) ||
                               meta_data_exists(vl->meta, EDGE_META_SOURCE)));
}

static int edge_invoke(const data_set_t *ds, value_list_t *vl,
                       notification_meta_t **meta, void **user_data) {
  (void)meta; /* always NULL in collectd 5.12 */
  struct edge_target *t = *user_data;
  if (is_result(vl))
    return FC_TARGET_CONTINUE;
  if (ds->ds_num != 1 || ds->ds[0].type != DS_TYPE_GAUGE) {
    wr_trouble_begin(&t->kind, wr_clock_ms(), LOG_WARNING,
                     EDGE_WHERE ": %s/%s is not one gauge; it is left out.",
                     vl->plugin, vl->type);
    return FC_TARGET_CONTINUE;
  }
  pthread_mutex_lock(&t->lock);
  bool waits = edge_series_sample(t, vl, vl->values[0].gauge);
  pthread_mutex_unlock(&t->lock);
  if (waits)
    edge_watch_wake();
  return FC_TARGET_CONTINUE;
}

/* Threads, child processes and libcurl start here, behind the daemon's fork and
 * before it has threads of its own. */
static int edge_init(void) {
  (void)wr_file_keep_standard();
  if (wr_http_provided() && wr_http_start() != 0) {
    ERROR(EDGE_WHERE ": libcurl does not start.");
    return -1;
  }
  int status = 0;
  const char *what = "worker";
  for (struct edge_engine *e = edge_engines; e != NULL && status == 0;
       e = e->next)
    status = edge_engine_start(e);
  if (status == 0)
    what = "output", status = edge_tell_start();
  if (status == 0)
    what = "watch", status = edge_watch_start(targets);
  if (status == 0)
    what = "input", status = edge_input_start() != 0 ? -ENOMEM : 0;
  if (status == 0)
    what = "shelf", status = edge_shelf_start(targets) != 0 ? -ENOMEM : 0;
  if (status != 0)
    ERROR(EDGE_WHERE ": the %s does not start: %s", what, STRERROR(-status));
  return status;
}

/* The write threads have ended; nothing comes in any more. */
static int edge_shutdown(void) {
  edge_watch_stop();
  for (struct edge_engine *e = edge_engines; e != NULL; e = e->next)
    edge_engine_stop(e);
  for (struct edge_engine *e = edge_engines; e != NULL; e = e->next)
    edge_engine_join(e);
  edge_tell_stop();
  edge_input_stop();
  while (targets != NULL) {
    struct edge_target *t = targets;
    targets = t->next;
    edge_target_destroy(t);
  }
  while (edge_engines != NULL) {
    struct edge_engine *e = edge_engines;
    edge_engines = e->next;
    edge_engine_destroy(e);
  }
  return 0;
}

void module_register(void) {
  fc_register_target("edge_impulse", (target_proc_t){.create = edge_create,
                                                     .destroy = edge_destroy,
                                                     .invoke = edge_invoke});
  plugin_register_init("target_edge_impulse", edge_init);
  plugin_register_shutdown("target_edge_impulse", edge_shutdown);
}
