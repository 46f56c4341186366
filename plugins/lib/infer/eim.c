/* The `.eim` program listens on a socket whose path it is given, accepts one
 * connection and ends when that is closed. The path lies in a directory only
 * we can enter; both are removed as soon as the connection stands, so nothing
 * is left behind however either of us ends. */
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/infer/inference.h"
#include "lib/net/child.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_RETRY_MS 5
#define GRACE_MS 300 /* to end by itself once the connection is closed */

struct eim {
  struct wr_inference base;
  struct wr_eim_options o;
  char *path;
  struct wr_child child;
  int socket;
  int stop;  /* eventfd, readable from wr_inference_stop() on */
  int timer; /* the deadline of the exchange under way */
  struct wr_scratch dir;
  struct stat program; /* the file as it was started */
  int64_t id;
  struct wr_bytes request, reply;
  struct wr_ei_scan scan;
  char line[160]; /* what the program printed last */
  size_t line_len;
  bool line_ended;
};

static int fail(struct eim *e, int error, const char *text) {
  snprintf(e->base.error, sizeof(e->base.error), "%s", text);
  return error;
}

static int fail_ended(struct eim *e, const char *what) {
  e->line[e->line_len] = '\0';
  snprintf(e->base.error, sizeof(e->base.error), "%s%s%s%s", what,
           e->line[0] != '\0' ? "; it printed last: \"" : "", e->line,
           e->line[0] != '\0' ? "\"" : "");
  return -ECONNREFUSED;
}

static void take_char(struct eim *e, char c) {
  if (c == '\n') {
    e->line[e->line_len] = '\0';
    if (e->o.log != NULL && e->line_len > 0 && !e->line_ended)
      e->o.log(e->o.log_arg, e->line);
    e->line_ended = true;
    return;
  }
  if (e->line_ended)
    e->line_len = 0;
  e->line_ended = false;
  if (e->line_len + 1 < sizeof(e->line))
    e->line[e->line_len++] = (unsigned char)c < ' ' ? ' ' : c;
}

/* Whether there was some. */
static bool drain_output(struct eim *e) {
  char text[1024];
  if (e->child.out < 0)
    return false;
  /* One bite at a time: a program that never stops printing must not keep us
   * from the answer. */
  ssize_t n = read(e->child.out, text, sizeof(text));
  for (ssize_t i = 0; i < n; i++)
    take_char(e, text[i]);
  if (n == 0) { /* it closed its output; poll() would return for ever */
    close(e->child.out);
    e->child.out = -1;
  }
  return n > 0;
}

static void end_child(struct eim *e, int grace_ms) {
  if (e->socket >= 0)
    close(e->socket);
  e->socket = -1;
  wr_child_end(&e->child, grace_ms);
  wr_scratch_remove(&e->dir, "s");
}

static void set_deadline(struct eim *e, int64_t ms) {
  struct itimerspec t = {
      .it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};
  (void)timerfd_settime(e->timer, 0, &t, NULL);
}

/* Waits for `events` on the socket, at most slice_ms (-1: until the deadline).
 * 1: they are there; 0: not yet, but look again, because the slice passed or
 * the program printed something; -ECANCELED or -ETIMEDOUT. */
static int wait_for(struct eim *e, short events, int slice_ms) {
  enum { SOCKET, STOP, TIMER, OUTPUT, FDS };
  struct pollfd p[FDS] = {[SOCKET] = {.fd = e->socket, .events = events},
                          [STOP] = {.fd = e->stop, .events = POLLIN},
                          [TIMER] = {.fd = e->timer, .events = POLLIN},
                          [OUTPUT] = {.fd = e->child.out, .events = POLLIN}};
  if (poll(p, FDS, slice_ms) < 0 && errno != EINTR)
    return fail(e, -errno, "poll() failed");
  if (p[STOP].revents != 0)
    return fail(e, -ECANCELED, "stopped");
  if (p[OUTPUT].revents != 0)
    (void)drain_output(e);
  if (p[SOCKET].revents != 0)
    return 1;
  if (p[TIMER].revents != 0)
    return fail(e, -ETIMEDOUT, "no answer in time");
  return 0;
}

static int send_request(struct eim *e) {
  size_t sent = 0;
  while (sent < e->request.len) {
    ssize_t n = send(e->socket, e->request.data + sent, e->request.len - sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
      sent += (size_t)n;
    else if (errno == EAGAIN) {
      int status = wait_for(e, POLLOUT, -1);
      if (status < 0)
        return status;
    } else if (errno != EINTR)
      return fail_ended(e, "the program ended");
  }
  return 0;
}

/* More bytes of the answer. */
static int receive(struct eim *e) {
  char data[4096];
  int status = wait_for(e, POLLIN, -1);
  if (status <= 0)
    return status;
  ssize_t n = recv(e->socket, data, sizeof(data), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  if (n <= 0) {
    (void)drain_output(e); /* its last words */
    return fail_ended(e, "the program ended");
  }
  return wr_bytes_append(&e->reply, data, (size_t)n) == 0
             ? 0
             : fail(e, -EPROTO, "an answer of more than 2 MiB");
}

/* Sends the request and waits for one object: text in e->reply, at *begin. */
static int exchange(struct eim *e, size_t *begin, size_t *end) {
  wr_bytes_reset(&e->reply);
  e->scan = (struct wr_ei_scan){0};
  int status = send_request(e);
  while (status == 0 &&
         !wr_ei_scan(&e->scan, e->reply.data, e->reply.len, begin, end))
    status = receive(e);
  return status;
}

static bool has_ended(const struct eim *e) {
  struct pollfd p = {.fd = e->child.pidfd, .events = POLLIN};
  return e->child.pidfd >= 0 && poll(&p, 1, 0) == 1;
}

static int connect_child(struct eim *e, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
  for (;;) {
    int fd = wr_file_lift(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0)
      return fail(e, -ECONNREFUSED, "no socket can be made");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
      e->socket = fd;
      return 0;
    }
    close(fd);
    int status = wait_for(e, 0, CONNECT_RETRY_MS);
    if (status < 0)
      return status;
    if (has_ended(e) && !drain_output(e)) /* with its last words read */
      return fail_ended(e, "the program ended before it listened");
  }
}

/* Why exec() refuses it, and what to do. */
static const char *start_fault(const char *path, int error) {
  struct stat st;
  bool there = stat(path, &st) == 0;
  switch (error) {
  case EAGAIN: /* RLIMIT_NPROC, or pids.max of its control group */
    return "no more processes are allowed; look at TasksMax and ulimit -u";
  case ENOENT:
    return there ? "its loader is not here; it is built for another system"
                 : "there is no such file";
  case EACCES:
    if (there && !S_ISREG(st.st_mode))
      return "it is not a file";
    return there && (st.st_mode & 0111) == 0
               ? "it is not executable; chmod +x it"
               : "it may not be executed here; look at the rights of its "
                 "directories and for noexec";
  case ENOEXEC:
    return "it is no program for this machine; it is built for another "
           "processor, or no .eim file";
  default:
    return wr_text_error(error);
  }
}

static int start(struct eim *e) {
  char path[WR_SCRATCH_MAX + 2], fault[200];
  if (wr_scratch_make(&e->dir, &e->o.places, fault, sizeof(fault)) != 0) {
    snprintf(e->base.error, sizeof(e->base.error),
             "no directory for its socket can be made (%s)", fault);
    return -ECONNREFUSED;
  }
  snprintf(path, sizeof(path), "%s/s", e->dir.path);
  e->line_len = 0;
  int status = wr_child_start(&e->child, e->path, path);
  if (status != 0) {
    snprintf(e->base.error, sizeof(e->base.error), "it cannot be started: %s",
             start_fault(e->path, -status));
    return -ECONNREFUSED;
  }
  if (stat(e->path, &e->program) != 0)
    e->program.st_ino = 0;
  set_deadline(e, e->o.start_timeout_ms);
  status = connect_child(e, path);
  wr_scratch_remove(&e->dir, "s");
  return status;
}

/* After any error the stream may be out of step: the child has to go. */
static int finish(struct eim *e, int status, const char *fault) {
  if (status == 0)
    return 0;
  if (status == -EBADMSG || status == -ENOTSUP || status == -EREMOTEIO)
    fail(e, status, fault);
  else if (status == -ENOMEM)
    fail(e, status, "no memory for the request or the reply");
  if (status != -EREMOTEIO) /* a refusal is well-formed; the child stays */
    end_child(e, 0);
  return status == -EBADMSG ? -EPROTO : status;
}

static int describe(struct wr_inference *i, struct wr_model *out) {
  struct eim *e = (struct eim *)i;
  char fault[WR_EI_TEXT] = "";
  size_t begin = 0, end = 0;
  end_child(e, 0); /* a program says hello once in its life */
  int status = start(e);
  wr_bytes_reset(&e->request);
  if (status == 0)
    status = wr_ei_put_hello(&e->request, ++e->id);
  if (status == 0)
    status = exchange(e, &begin, &end); /* within the time of its start */
  if (status == 0)
    status =
        wr_ei_read_model(e->reply.data + begin, end - begin, e->id, out, fault);
  if (status == -EREMOTEIO)
    end_child(e, 0);
  return finish(e, status, fault);
}

/* A program runs on when its file is replaced. While there is none, or while it
 * is being written, the old one is better than none. */
static bool is_replaced(const struct eim *e) {
  struct stat now;
  return stat(e->path, &now) == 0 && (now.st_mode & 0111) != 0 &&
         (now.st_ino != e->program.st_ino || now.st_dev != e->program.st_dev ||
          now.st_size != e->program.st_size ||
          now.st_mtim.tv_sec != e->program.st_mtim.tv_sec ||
          now.st_mtim.tv_nsec != e->program.st_mtim.tv_nsec);
}

static int classify(struct wr_inference *i, const struct wr_model *model,
                    const double *features, struct wr_answer *out,
                    bool *changed) {
  struct eim *e = (struct eim *)i;
  char fault[WR_EI_TEXT] = "";
  size_t begin = 0, end = 0;
  *changed = is_replaced(e);
  if (e->socket < 0)
    return fail(e, -ECONNREFUSED, "the program does not run");
  wr_bytes_reset(&e->request);
  int status =
      wr_ei_put_classify(&e->request, features, model->features, ++e->id);
  set_deadline(e, e->o.timeout_ms);
  if (status == 0)
    status = exchange(e, &begin, &end);
  if (status == 0)
    status = wr_ei_read_answer(e->reply.data + begin, end - begin, e->id, model,
                               out, fault);
  return finish(e, status, fault);
}

static void stop(struct wr_inference *i) {
  uint64_t one = 1;
  (void)!write(((struct eim *)i)->stop, &one, sizeof(one));
}

static void destroy(struct wr_inference *i) {
  struct eim *e = (struct eim *)i;
  end_child(e, GRACE_MS);
  if (e->stop >= 0)
    close(e->stop);
  if (e->timer >= 0)
    close(e->timer);
  wr_bytes_free(&e->request);
  wr_bytes_free(&e->reply);
  free(e->path);
  free(e);
}

struct wr_inference *wr_inference_eim(const struct wr_eim_options *options) {
  static const struct wr_inference_ops ops = {describe, classify, stop,
                                              destroy};
  struct eim *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  e->base.ops = &ops;
  e->o = *options;
  e->child = (struct wr_child)WR_CHILD_INIT;
  e->dir = (struct wr_scratch)WR_SCRATCH_INIT;
  e->socket = -1;
  e->request.max = e->reply.max = WR_EI_REPLY_MAX * 2;
  e->path = strdup(options->path);
  e->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  e->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (e->path == NULL || e->stop < 0 || e->timer < 0) {
    destroy(&e->base);
    return NULL;
  }
  return &e->base;
}
