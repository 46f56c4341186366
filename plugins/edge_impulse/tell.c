/* Notifications on their way out. collectd calls every notification plugin
 * before plugin_dispatch_notification() returns, and one of them may take its
 * time, or never come back: therefore a thread of its own, in front of which
 * the oldest are dropped when too many wait. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/thread.h"

#define WAITING_MAX 256
#define PATIENCE_MS 1000 /* at the end, with a plugin that hangs */

struct told {
  struct told *next;
  notification_t n;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake; /* monotonic */
static struct told *first, **last = &first;
static size_t waiting;
static bool started, stop, ended;
static pthread_t thread;
static struct wr_trouble trouble = WR_TROUBLE_INIT;

static struct told *take(void) {
  struct told *t = first;
  if (t == NULL)
    return NULL;
  first = t->next;
  if (first == NULL)
    last = &first;
  waiting--;
  return t;
}

/* collectd calls it an error to free no meta data. */
static void free_meta(notification_t *n) {
  if (n->meta != NULL)
    plugin_notification_meta_free(n->meta);
}

static void release(struct told *t) {
  if (t == NULL)
    return;
  free_meta(&t->n);
  free(t);
}

void edge_tell(notification_t *n) {
  struct told *t = malloc(sizeof(*t)), *oldest = NULL;
  if (t == NULL) {
    free_meta(n);
    return;
  }
  *t = (struct told){.n = *n};
  pthread_mutex_lock(&lock);
  if (waiting >= WAITING_MAX)
    oldest = take();
  *last = t;
  last = &t->next;
  waiting++;
  pthread_cond_signal(&wake);
  pthread_mutex_unlock(&lock);
  if (oldest != NULL)
    wr_trouble_begin(&trouble, wr_clock_ms(), LOG_WARNING,
                     EDGE_WHERE ": a notification plugin takes too long; of "
                                "more than %d notifications the oldest are "
                                "dropped.",
                     WAITING_MAX);
  release(oldest);
}

static void *teller(void *arg) {
  (void)arg;
  pthread_mutex_lock(&lock);
  while (!stop || first != NULL) { /* at most WAITING_MAX more */
    struct told *t = take();
    if (t == NULL) {
      pthread_cond_wait(&wake, &lock);
      continue;
    }
    pthread_mutex_unlock(&lock);
    wr_thread_notify(&t->n);
    release(t);
    pthread_mutex_lock(&lock);
  }
  ended = true;
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
  return NULL;
}

int edge_tell_start(void) {
  wr_clock_cond_init(&wake);
  stop = ended = false;
  int status = -wr_thread_start(&thread, teller, NULL, "edge_tell");
  started = status == 0;
  return status;
}

void edge_tell_stop(void) {
  if (!started)
    return;
  struct timespec until = wr_clock_in(PATIENCE_MS);
  pthread_mutex_lock(&lock);
  stop = true;
  pthread_cond_broadcast(&wake);
  while (!ended && pthread_cond_timedwait(&wake, &lock, &until) == 0)
    ;
  bool gone = ended;
  pthread_mutex_unlock(&lock);
  if (gone)
    pthread_join(thread, NULL);
  else
    pthread_detach(thread); /* it sits in somebody else's code */
  started = false;
}
