/* One keeper thread for all things, one publisher thread for each. */
#define _GNU_SOURCE /* pthread_tryjoin_np() */
#include "cloud.h"

#include "collectd/core/utils/common/common.h"
#include "glue/thread.h"

#define COMMIT_MS 500 /* between two commits, with Durability "power" */
/* StoreAfter; with the commit it is less than the second that a power cut may
 * cost. */
#define HOLD_MS 750
#define TICK_MS 5000 /* of the keeper without work */
#define JOIN_MS 2000
#define JOIN_AGAIN_MS 5
#define CREDENTIALS_MS                                                         \
  5000                /* between two looks at a file that is not there         \
                       */
#define FREE_RATE 0.9 /* a free account has 1 request a second */
/* Half a second of the fastest feed that collectd was seen to deliver. */
#define ACCEPTED_MAX 32768

static struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  bool running, stop, work;
} keeper = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms) {
  struct timespec until = wr_clock_in(ms);
  pthread_cond_timedwait(cond, lock, &until);
}

void cloud_keeper_wake(void) {
  pthread_mutex_lock(&keeper.lock);
  keeper.work = true;
  pthread_cond_signal(&keeper.wake);
  pthread_mutex_unlock(&keeper.lock);
}

/* --- the keeper: spools to disk --- */

/* Values that the cloud takes at once need not touch the disk. While it does
 * not answer they are stored as soon as may be. */
static int64_t hold_ms(struct thing *t) {
  pthread_mutex_lock(&t->lock);
  bool answers = t->stats.state == WR_LINK_OK && t->stats.requests > 0;
  pthread_mutex_unlock(&t->lock);
  int64_t usual = t->durability == 0 ? HOLD_MS : 0;
  return !answers ? 0 : t->hold_ms >= 0 ? t->hold_ms : usual;
}

/* Returns when it wants to be done again, in ms of the clock. */
static int64_t keep(struct thing *t) {
  cloud_age_labels(t);
  bool was_in_memory = t->seen.in_memory;
  int64_t committed = t->seen.committed, due_ms, now_ms = wr_clock_ms();
  int64_t hold = hold_ms(t), free_ms = t->stored_ms + COMMIT_MS;
  bool early = t->durability == 0 && hold == 0 && now_ms < free_ms;
  bool work = wr_spool_keep(t->spool, now_ms, cloud_wall_us(),
                            early ? COMMIT_MS : hold, &due_ms) > 0;
  cloud_tell_spool(t);
  if (early && due_ms != INT64_MAX)
    due_ms = free_ms;
  if (t->seen.committed != committed)
    t->stored_ms = now_ms;
  if (hold > 0)
    cloud_tell_pace(t, now_ms, t->seen.committed - committed);
  if (!work && t->seen.in_memory == was_in_memory)
    return due_ms;
  pthread_mutex_lock(&t->lock);
  t->news = true;
  if (!t->resting)
    pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
  return due_ms;
}

static void *keeper_main(void *arg) {
  (void)arg;
  int64_t due_ms = INT64_MAX;
  pthread_mutex_lock(&keeper.lock);
  for (bool stop = false; !stop;) {
    int64_t wait = TICK_MS, now_ms = wr_clock_ms();
    if (due_ms - now_ms < wait)
      wait = due_ms - now_ms;
    if (!keeper.work && !keeper.stop && wait > 0)
      wait_ms(&keeper.wake, &keeper.lock, wait);
    stop = keeper.stop;
    keeper.work = false;
    pthread_mutex_unlock(&keeper.lock);
    due_ms = INT64_MAX;
    for (struct thing *t = cloud_things(); t != NULL; t = t->next) {
      int64_t due = keep(t);
      due_ms = due < due_ms ? due : due_ms;
    }
    pthread_mutex_lock(&keeper.lock);
  }
  pthread_mutex_unlock(&keeper.lock);
  return NULL;
}

/* --- the publisher: spool to cloud --- */

static int cloud_send(void *arg, const struct wr_http_request *request,
                      struct wr_http_reply *reply) {
  return wr_http_perform(arg, request, reply);
}

int cloud_flush(cdtime_t timeout, const char *identifier, user_data_t *ud) {
  (void)timeout;
  (void)identifier;
  struct thing *t = ud->data;
  pthread_mutex_lock(&t->lock);
  t->flush = true;
  pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
  return 0;
}

/* --- start and end --- */

/* Names this run of the machine; "" where the kernel does not say. */
static const char *boot_id(void) {
  static char id[64];
  FILE *f =
      id[0] == '\0' ? fopen("/proc/sys/kernel/random/boot_id", "re") : NULL;
  if (f != NULL) {
    if (fgets(id, sizeof(id), f) != NULL)
      id[strcspn(id, "\n")] = '\0';
    fclose(f);
  }
  return id;
}

/* Below BaseDir by its name: the current directory is the process's, and
 * another plugin may have changed it. */
static void spool_path(const struct thing *t, char *out, size_t size) {
  bool relative = t->spool_dir[0] != '/';
  snprintf(out, size, "%s%s%s/%s.db",
           relative ? global_option_get("BaseDir") : "", relative ? "/" : "",
           t->spool_dir, t->name);
}

/* The folder of a file, with the usual rights whatever the umask. */
static bool make_folder(const char *path) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof(folder), "%s", path);
  *strrchr(folder, '/') = '\0';
  if (access(folder, F_OK) == 0)
    return true;
  return check_create_dir(path) == 0 && chmod(folder, 0755) == 0;
}

/* A thousandth of the budget at most, so that a kill costs no more. */
static int64_t spent_ahead(const struct thing *t) {
  bool many = t->daily_records == 0 || t->daily_records > 100000;
  return many ? 100 : t->daily_records / 1000;
}

static int open_spool(struct thing *t) {
  char path[PATH_MAX];
  const char *keys[CLOUD_PROPERTIES_MAX];
  for (int i = 0; i < t->count; i++)
    keys[i] = t->properties[i].key;
  spool_path(t, path, sizeof(path));
  if (!make_folder(path))
    WARNING(CLOUD_WHERE ": <Thing \"%s\">: cannot create the directory "
                        "\"%s\" for the spool.",
            t->name, t->spool_dir);
  t->spool = wr_spool_create(
      &(struct wr_spool_options){.path = path,
                                 .power = t->durability == 0,
                                 .max_bytes = t->spool_mib << 20,
                                 .max_age_us = t->spool_age_ms * 1000,
                                 .memory_bytes = 1 << 20,
                                 .boot = boot_id(),
                                 .spent_ahead = spent_ahead(t),
                                 .max_accepted = ACCEPTED_MAX},
      keys, t->count);
  if (t->spool == NULL)
    return -1;
  wr_spool_open(t->spool, wr_clock_ms());
  cloud_tell_spool(t);
  return 0;
}

/* Things that share a key share what its account may ask for. */
static double rate_of(const struct thing *t) {
  return t->rate > 0 ? t->rate : FREE_RATE / cloud_credentials_sharing(t);
}

static int open_publisher(struct thing *t) {
  t->http = wr_http_create(
      &(struct wr_http_options){.user_agent = "weir/" WEIR_VERSION,
                                .timeout_ms = t->timeout_ms,
                                .max_body = 1 << 20,
                                .watch_header = "Date",
                                .proxy = t->proxy.url,
                                .no_proxy = t->proxy.except,
                                .ca_cert = t->ca_cert,
                                .ca_path = t->ca_path,
                                .client_cert = t->client_cert,
                                .client_key = t->client_key});
  t->published = calloc((size_t)t->count, sizeof(*t->published));
  if (t->http == NULL || t->published == NULL)
    return -1;
  for (int i = 0; i < t->count; i++) {
    const struct property *p = t->properties + i;
    t->published[i] =
        (struct wr_property){.key = p->key,
                             .name = p->id == NULL ? p->key : NULL,
                             .id = p->id,
                             .kind = (enum wr_value_kind)p->kind};
  }
  const struct wr_credentials *c = &t->credentials;
  return wr_publisher_init(
      &t->publisher,
      &(struct wr_publisher_options){
          .link = {.url = t->url,
                   .thing_id = c->thing_id,
                   .space_id = c->space_id[0] != '\0' ? c->space_id : NULL,
                   .client_id = c->client_id,
                   .client_secret = c->client_secret,
                   .send = cloud_send,
                   .send_arg = t->http},
          .rate = rate_of(t),
          .batch = (int)t->batch,
          .daily_records = t->daily_records},
      t->published, t->count, t->spool,
      &(struct wr_moment){.now_ms = wr_clock_ms(), .wall_us = cloud_wall_us()});
}

/* With the lock held. False: stopped before they came, or no memory. */
static bool wait_for_credentials(struct thing *t) {
  while (!t->open && !t->stop) {
    pthread_mutex_unlock(&t->lock);
    bool found = cloud_credentials_look(t);
    int status = found ? open_publisher(t) : 0;
    pthread_mutex_lock(&t->lock);
    t->open = found && status == 0;
    if (status != 0) {
      ERROR(CLOUD_WHERE ": <Thing \"%s\">: out of memory.", t->name);
      return false;
    }
    if (!found && !t->stop)
      wait_ms(&t->wake, &t->lock, CREDENTIALS_MS);
  }
  return !t->stop;
}

static void *publisher_main(void *arg) {
  struct thing *t = arg;
  pthread_mutex_lock(&t->lock);
  bool open = wait_for_credentials(t);
  while (open && !t->stop) {
    bool flush = t->flush;
    t->flush = t->news = false;
    for (int i = 0; i < t->count; i++)
      t->published[i].alive =
          wr_age_alive(&t->properties[i].age, wr_clock_ms());
    pthread_mutex_unlock(&t->lock);
    if (flush)
      wr_publisher_hurry(&t->publisher);
    int64_t rejected = t->publisher.stats.rejected;
    int64_t wait = wr_publisher_step(
        &t->publisher, &(struct wr_moment){.now_ms = wr_clock_ms(),
                                           .wall_us = cloud_wall_us(),
                                           .random = wr_clock_random()});
    cloud_tell_publisher(t, rejected);
    pthread_mutex_lock(&t->lock);
    t->stats = t->publisher.stats;
    t->resting = t->publisher.resting;
    if (wait > 0 && !t->stop && !t->flush && (t->resting || !t->news))
      wait_ms(&t->wake, &t->lock, wait);
  }
  pthread_mutex_unlock(&t->lock);
  return NULL;
}

static int thing_start(struct thing *t) {
  if (!t->has_credentials) {
    t->stats.state = WR_LINK_NO_TOKEN;
    snprintf(t->stats.fault, sizeof(t->stats.fault),
             "the CredentialsFile cannot be used");
  }
  t->open = t->has_credentials;
  if (open_spool(t) != 0 || (t->open && open_publisher(t) != 0) ||
      wr_thread_start(&t->thread, publisher_main, t, "cloud publish") != 0) {
    ERROR(CLOUD_WHERE ": <Thing \"%s\">: out of memory or threads.", t->name);
    return -1;
  }
  t->running = true;
  t->start_ms = wr_clock_ms();
  return 0;
}

int cloud_start(void) {
  int status = 0;
  if (keeper.running || cloud_things() == NULL)
    return 0;
  if (wr_http_start() != 0) {
    ERROR(CLOUD_WHERE ": libcurl does not start.");
    return -1;
  }
  wr_clock_cond_init(&keeper.wake);
  for (struct thing *t = cloud_things(); t != NULL && status == 0; t = t->next)
    status = thing_start(t);
  if (status == 0)
    status = wr_thread_start(&keeper.thread, keeper_main, NULL, "cloud keeper");
  keeper.running = status == 0;
  return status;
}

/* False when the thread did not end in time; it is left alone then. By the
 * monotonic clock, which pthread_timedjoin_np() does not take. */
static bool join(pthread_t thread, int64_t until_ms) {
  const struct timespec pause = {.tv_nsec = JOIN_AGAIN_MS * 1000000};
  int status;
  while ((status = pthread_tryjoin_np(thread, NULL)) == EBUSY &&
         wr_clock_ms() < until_ms)
    nanosleep(&pause, NULL);
  return status == 0;
}

static void stop_thing(struct thing *t) {
  pthread_mutex_lock(&t->lock);
  if (t->open)
    wr_http_stop(t->http);
  t->stop = true;
  pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
}

void cloud_stop(void) {
  int64_t until_ms = wr_clock_ms() + JOIN_MS;
  pthread_mutex_lock(&keeper.lock);
  keeper.stop = true;
  if (keeper.running)
    pthread_cond_signal(&keeper.wake);
  pthread_mutex_unlock(&keeper.lock);
  for (struct thing *t = cloud_things(); t != NULL; t = t->next)
    if (t->running)
      stop_thing(t);
  bool kept = !keeper.running || join(keeper.thread, until_ms);
  if (!kept)
    ERROR(CLOUD_WHERE ": the disk does not answer; the newest values may be "
                      "lost.");
  for (struct thing *t = cloud_things(); t != NULL; t = t->next) {
    if (t->running && !join(t->thread, until_ms))
      t->abandoned = true;
    t->abandoned |= !kept;
  }
  cloud_things_free();
}
