#include "lib/rpc/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum state { WAITING, ASKED, ANSWERED };

struct question {
  struct question *next;
  void *who; /* NULL: nobody any more */
  enum state state;
  struct wr_rpc_address address;
  struct wr_rpc_peers peers;
};

struct wr_rpc_resolver {
  pthread_mutex_t lock;
  unsigned users; /* the owner and the threads */
  unsigned threads, most;
  int fd;
  struct question *first; /* in the order of asking */
};

struct wr_rpc_resolver *wr_rpc_resolver_new(unsigned threads) {
  struct wr_rpc_resolver *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return NULL;
  r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (r->fd < 0) {
    free(r);
    return NULL;
  }
  pthread_mutex_init(&r->lock, NULL);
  r->users = 1;
  r->most = threads;
  return r;
}

/* Whoever leaves last cleans up. */
static void leave(struct wr_rpc_resolver *r) {
  bool last = --r->users == 0;
  pthread_mutex_unlock(&r->lock);
  if (!last)
    return;
  pthread_mutex_destroy(&r->lock);
  close(r->fd);
  free(r);
}

static void drop(struct wr_rpc_resolver *r, struct question *q) {
  struct question **at = &r->first;
  while (*at != q)
    at = &(*at)->next;
  *at = q->next;
  free(q);
}

static struct question *find(const struct wr_rpc_resolver *r, const void *who,
                             enum state state) {
  struct question *q = r->first;
  while (q != NULL && !(q->state == state && (who == NULL || q->who == who)))
    q = q->next;
  return q;
}

/* With the lock held: readable only while an answer waits. */
static void calm(struct wr_rpc_resolver *r) {
  eventfd_t ignored;
  if (find(r, NULL, ANSWERED) == NULL)
    eventfd_read(r->fd, &ignored);
}

void wr_rpc_resolver_free(struct wr_rpc_resolver *r) {
  if (r == NULL)
    return;
  pthread_mutex_lock(&r->lock);
  struct question *next;
  for (struct question *q = r->first; q != NULL; q = next) {
    next = q->next;
    q->who = NULL;
    if (q->state != ASKED) /* those the threads free */
      drop(r, q);
  }
  leave(r);
}

int wr_rpc_resolver_fd(const struct wr_rpc_resolver *r) { return r->fd; }

/* With the lock held before and after. */
static void answer(struct wr_rpc_resolver *r, struct question *q) {
  q->state = ASKED;
  pthread_mutex_unlock(&r->lock);
  wr_rpc_address_ask(&q->address, &q->peers);
  pthread_mutex_lock(&r->lock);
  q->state = ANSWERED;
  if (q->who == NULL)
    drop(r, q);
  else
    eventfd_write(r->fd, 1);
}

static void *thread_main(void *arg) {
  struct wr_rpc_resolver *r = arg;
  struct question *q;
  pthread_mutex_lock(&r->lock);
  while ((q = find(r, NULL, WAITING)) != NULL)
    answer(r, q);
  r->threads--;
  leave(r);
  return NULL;
}

/* With the lock held. Signals belong to the program's own threads. */
static int start_thread(struct wr_rpc_resolver *r) {
  pthread_t thread;
  pthread_attr_t attr;
  sigset_t every, old;
  sigfillset(&every);
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &every, &old);
  int status = pthread_create(&thread, &attr, thread_main, r);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
  r->threads += status == 0;
  r->users += status == 0;
  return -status;
}

static bool is_open(const struct wr_rpc_resolver *r, const void *who) {
  const struct question *q = r->first;
  while (q != NULL && q->who != who)
    q = q->next;
  return q != NULL;
}

/* With the lock held. */
static int put_question(struct wr_rpc_resolver *r, struct question *q) {
  struct question **end = &r->first;
  while (*end != NULL)
    end = &(*end)->next;
  *end = q;
  int status = r->threads < r->most ? start_thread(r) : 0;
  if (r->threads > 0)
    return 0; /* one that runs will come to it */
  drop(r, q);
  return status;
}

int wr_rpc_resolver_ask(struct wr_rpc_resolver *r,
                        const struct wr_rpc_address *address, void *who) {
  struct question *q = calloc(1, sizeof(*q));
  if (q == NULL)
    return -ENOMEM;
  q->who = who;
  q->address = *address;
  pthread_mutex_lock(&r->lock);
  int status = 0;
  if (is_open(r, who))
    free(q);
  else
    status = put_question(r, q);
  pthread_mutex_unlock(&r->lock);
  return status;
}

void wr_rpc_resolver_forget(struct wr_rpc_resolver *r, const void *who) {
  pthread_mutex_lock(&r->lock);
  struct question *next;
  for (struct question *q = r->first; q != NULL; q = next) {
    next = q->next;
    if (q->who != who)
      continue;
    q->who = NULL;
    if (q->state != ASKED)
      drop(r, q);
  }
  calm(r);
  pthread_mutex_unlock(&r->lock);
}

void *wr_rpc_resolver_take(struct wr_rpc_resolver *r,
                           struct wr_rpc_peers *out) {
  void *who = NULL;
  pthread_mutex_lock(&r->lock);
  struct question *q = find(r, NULL, ANSWERED);
  if (q != NULL) {
    who = q->who;
    *out = q->peers;
    drop(r, q);
  }
  calm(r);
  pthread_mutex_unlock(&r->lock);
  return who;
}
