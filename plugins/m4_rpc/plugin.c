/* m4_rpc: readings from an Arduino board's M4 core, labels back to it.
 *
 *   <M4 "pump">        one board, one peer
 *     <Method "...">   a function on the M4, called on an absolute schedule
 *     <Report "...">   a function on the M4 that is told the newest label
 *
 * What happens between the instants is lib/m4. One thread drives all blocks
 * (lib/m4/driver.h); no collectd thread may wait for a board. Hence there is no
 * read callback: its schedule would drift with the calls, and a failure would
 * stretch it up to a day. The thread dispatches what it reads.
 * Labels arrive in a write callback, which finds the block by the hash of its
 * name, copies the label and wakes the thread. */
#include "block.h"
#include "tell.h"

#include "glue/clock.h"
#include "glue/thread.h"
#include "lib/base/file.h"

#include "collectd/core/utils/common/common.h"

#include <dirent.h>
#include <sys/resource.h>

#define RESERVE 32 /* descriptors left to everybody else */
#define SHARED 16  /* at least, for boards that connect per call */

static struct wr_m4_driver *driver;
static pthread_t thread;
static bool running;

/* --- labels --- */

/* The number beside a text: a score, or how far off the baseline. */
static double number_of(const value_list_t *vl) {
  static const char *const names[] = {":score", ":deviation"};
  char key[2 * DATA_MAX_NAME_LEN];
  size_t len = strlen(vl->plugin);
  double number = NAN;
  memcpy(key, vl->plugin, len);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(names); i++) {
    strcpy(key + len, names[i]);
    if (meta_data_get_double(vl->meta, key, &number) == 0)
      break;
  }
  return number;
}

/* Offers what stands under one key, to all reports of the block that tell it.
 */
static void offer(struct m4 *m4, const char *meta, const value_list_t *vl) {
  char *label = NULL;
  if (meta_data_get_string(vl->meta, meta, &label) != 0)
    return;
  wr_m4_driver_offer(driver, &m4->board, meta, label, number_of(vl),
                     wr_us_from_cdtime(vl->time),
                     (int64_t)CDTIME_T_TO_MS(vl->interval));
  sfree(label);
}

/* Whether an earlier report of the block has the same key. */
static bool offered(const struct m4 *m4, size_t which) {
  for (size_t i = 0; i < which; i++)
    if (strcmp(m4_report(m4, i)->meta, m4_report(m4, which)->meta) == 0)
      return true;
  return false;
}

/* Labels of other hosts, as an agent that collects from many sees them, are
 * none of this board's business; nor are keys that another plugin has put. */
static int on_write(const data_set_t *ds, const value_list_t *vl,
                    user_data_t *ud) {
  (void)ds;
  (void)ud;
  if (vl->meta == NULL || strcmp(vl->host, hostname_g) != 0)
    return 0;
  struct m4 *m4 = m4_find(vl->plugin_instance);
  for (size_t i = 0; m4 != NULL && i < m4->board.life.reports_count; i++) {
    const char *meta = m4_report(m4, i)->meta;
    size_t len = strlen(vl->plugin);
    if (strncmp(meta, vl->plugin, len) == 0 && meta[len] == ':' &&
        !offered(m4, i))
      offer(m4, meta, vl);
  }
  return 0;
}

/* --- start --- */

/* What this process may still open. */
static size_t descriptors_left(struct rlimit *limit) {
  size_t open = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (dir != NULL && readdir(dir) != NULL)
    open++;
  if (dir != NULL)
    closedir(dir);
  if (getrlimit(RLIMIT_NOFILE, limit) != 0)
    limit->rlim_cur = 1024;
  return limit->rlim_cur > open + RESERVE ? limit->rlim_cur - open - RESERVE
                                          : 0;
}

/* A block in Mode persistent holds one for ever, the others share some. Those
 * beyond are parked: they say that they are down, and the rest runs. */
static size_t fit(void) {
  struct rlimit limit = {0};
  size_t left = descriptors_left(&limit), held = 0, missing = 0;
  const char *first = NULL;
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next) {
    size_t wants = m4->mode == WR_RPC_PERSISTENT;
    m4->board.life.parked = held + wants + SHARED > left && wants > 0;
    if (m4->board.life.parked && missing++ == 0)
      first = m4->name;
    held += m4->board.life.parked ? 0 : wants;
  }
  if (missing > 0)
    ERROR(M4_WHERE
          ": %zu descriptors are missing: %zu of %zu <M4> blocks, from \"%s\" "
          "on, are not called until the limit of open files (%lu) is raised "
          "(LimitNOFILE of the service).",
          missing, missing, m4_count(), first, (unsigned long)limit.rlim_cur);
  return left > SHARED ? left : SHARED;
}

static int add(struct m4 *m4) {
  struct wr_m4_board *b = &m4->board;
  b->mode = (enum wr_rpc_mode)m4->mode;
  b->timeout_ms = m4->timeout_ms;
  b->lock_directory = m4->lock_directory;
  b->life.interval_ms = m4->interval_ms;
  b->life.sink = m4_sink(m4);
  return wr_m4_driver_add(driver, b);
}

static void *driver_main(void *arg) {
  wr_m4_driver_run(arg);
  return NULL;
}

static int start(void) {
  const struct wr_m4_world world = {wr_clock_us, wr_clock_random,
                                    m4_lock_fault};
  driver = wr_m4_driver_new(&world, fit());
  int status = driver != NULL ? 0 : -ENOMEM;
  for (struct m4 *m4 = m4_first(); m4 != NULL && status == 0; m4 = m4->next)
    status = add(m4);
  if (status == 0)
    status = wr_thread_start(&thread, driver_main, driver, M4_PLUGIN);
  running = status == 0;
  if (status != 0)
    ERROR(M4_WHERE ": nothing can be started: %s.",
          STRERROR(status < 0 ? -status : status));
  return status;
}

static int on_init(void) {
  (void)wr_file_keep_standard();
  if (driver != NULL || m4_first() == NULL)
    return 0;
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next)
    if (m4_check_types(m4) != 0)
      return -1;
  if (start() != 0)
    return -1;
  for (struct m4 *m4 = m4_first(); m4 != NULL; m4 = m4->next)
    if (m4->board.life.reports_count > 0)
      return plugin_register_write(M4_PLUGIN, on_write, NULL);
  return 0;
}

/* The write threads have ended before. */
static int on_shutdown(void) {
  if (running) {
    wr_m4_driver_stop(driver);
    pthread_join(thread, NULL);
  }
  running = false;
  wr_m4_driver_free(driver);
  driver = NULL;
  m4_free_all();
  return 0;
}

void module_register(void) {
  m4_note_interval();
  plugin_register_complex_config(M4_PLUGIN, m4_config);
  plugin_register_init(M4_PLUGIN, on_init);
  plugin_register_shutdown(M4_PLUGIN, on_shutdown);
}
