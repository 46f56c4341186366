/* Who is it that gave no answer? */
#include "doctor/line.h"

#include "doctor/tools.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DIAL_MS 3000
#define WAIT_MS 1200
#define SHORT_MS 700
#define CRASH_MS 150 /* a panic closes the listening socket within this */

static enum doctor_verdict socket_fault(const struct doctor_line *l,
                                        int error) {
  struct stat st;
  const char *path = l->address.path;
  if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
    doctor_step(l->d, false, "socket", "%s is a %s", path,
                S_ISDIR(st.st_mode) ? "folder" : "file");
    return DOCTOR_SOCKET_FILE;
  }
  doctor_step(l->d, false, "socket", "%s: %s", path, strerror(-error));
  return error == -ENOENT || error == -ENOTDIR ? DOCTOR_SOCKET_MISSING
         : error == -EAGAIN                    ? DOCTOR_BACKLOG
         : error == -ECONNREFUSED              ? DOCTOR_SOCKET_DEAD
         : error == -EPROTOTYPE                ? DOCTOR_SOCKET_KIND
                                               : DOCTOR_SOCKET_FORBIDDEN;
}

enum doctor_verdict doctor_who_refused(const struct doctor_line *l, int error) {
  if (l->address.path[0] != '\0')
    return socket_fault(l, error);
  int waiting = error == -ETIMEDOUT ? doctor_backlog(&l->peer, l->root) : -1;
  if (waiting > 0)
    doctor_step(l->d, false, "connect",
                "no answer; %d connections wait to be accepted", waiting);
  else
    doctor_step(l->d, false, "connect", "%s",
                error == -ETIMEDOUT ? "no answer, not even a refusal"
                                    : strerror(-error));
  if (error == -ETIMEDOUT)
    return waiting > 0 ? DOCTOR_BACKLOG : DOCTOR_DROPPED;
  return error == -ECONNREFUSED ? DOCTOR_REFUSED
         : error == -ECONNRESET ? DOCTOR_RESETS
                                : DOCTOR_NO_ROUTE;
}

enum doctor_verdict doctor_who_spoke(const struct doctor_line *l) {
  const struct doctor_probe *p = &l->probe;
  char text[64], hex[3 * 12 + 1] = "";
  size_t shown = p->len < 12 ? p->len : 12;
  for (size_t i = 0; i < shown; i++)
    snprintf(hex + 3 * i, 4, "%02x ", p->in[i]);
  snprintf(text, sizeof(text), "%.*s", (int)(p->len < 40 ? p->len : 40),
           (const char *)p->in);
  doctor_step(l->d, false, "peer", "it begins with %s(%s)", hex, text);
  switch (doctor_kind_of(p)) {
  case DOCTOR_IS_WEB:
    return DOCTOR_WEB;
  case DOCTOR_IS_TLS:
    return DOCTOR_TLS;
  case DOCTOR_IS_RPC:
    return DOCTOR_GARBLED;
  default:
    return DOCTOR_OTHER;
  }
}

static bool any(const struct doctor_probe *p, void *arg) {
  (void)arg;
  return p->len > 0;
}

/* On the same connection: an m4-proxy reads one message of it and no more, so
 * none of this can do harm. */
enum doctor_verdict doctor_who_waits(struct doctor_line *l, const void *request,
                                     size_t len) {
  struct doctor_probe *p = &l->probe;
  if (len > 0 && doctor_say(p, request, len) == 0)
    doctor_hear(p, WAIT_MS, any, NULL);
  if (p->len > 0 && doctor_kind_of(p) == DOCTOR_IS_RPC) {
    doctor_step(l->d, false, "peer", "it answers a call and stays connected");
    return DOCTOR_KEEPS_OPEN;
  }
  if (p->len == 0 && doctor_say(p, "\r\n\r\n", 4) == 0)
    doctor_hear(p, SHORT_MS, NULL, NULL);
  if (p->len > 0)
    return doctor_who_spoke(l);
  int waiting = doctor_backlog(&l->peer, l->root);
  doctor_step(l->d, false, "peer", "it is connected and says nothing%s",
              waiting > 0 ? "; the connection was never accepted" : "");
  return waiting > 0 ? DOCTOR_HALF_OPEN : DOCTOR_HANGS;
}

/* A proxy that died of the call is gone for 2 s; whoever still takes
 * connections is none, and a TLS hello cannot harm it. Behind a tunnel the
 * proxy is gone just as long, so that it does not hear the hello either. */
enum doctor_verdict doctor_who_closed(struct doctor_line *l) {
  uint8_t note[WR_RPC_REQUEST_MAX];
  struct doctor_probe *p = &l->probe;
  bool was_reset = p->end == DOCTOR_RESET;
  size_t len;
  doctor_hang_up(p);
  doctor_sleep_ms(CRASH_MS);
  wr_rpc_encode(note, &len, WR_RPC_NOTIFY, 0, "weir_doctor", NULL, 0);
  int status = doctor_dial(p, &l->peer, DIAL_MS);
  if (status != 0) {
    doctor_step(l->d, false, "call",
                "the connection ended at once, and then "
                "nobody listened any more");
    return status == -ECONNREFUSED ? DOCTOR_CRASHES
                                   : doctor_who_refused(l, status);
  }
  if (doctor_say(p, note, len) == 0)
    doctor_hear(p, WAIT_MS, NULL, NULL);
  if (p->len > 0)
    return doctor_who_spoke(l);
  doctor_hang_up(p);
  if (doctor_dial(p, &l->peer, DIAL_MS) == 0 &&
      doctor_say(p, doctor_tls_hello, doctor_tls_hello_len) == 0)
    doctor_hear(p, WAIT_MS, any, NULL);
  if (p->len > 0)
    return doctor_who_spoke(l);
  doctor_step(l->d, false, "peer", "it takes a connection and %s it at once",
              was_reset ? "resets" : "ends");
  return was_reset ? DOCTOR_RESETS : DOCTOR_CLOSES;
}
