#include "doctor/line.h"

#include "doctor/tools.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DIAL_MS 3000    /* two lost packets */
#define CALL_MS 2500    /* an m4-proxy ends after 1.0 s */
#define KNOCK_MS 1200   /* an m4-proxy ends at once */
#define RESTART_MS 3000 /* a crashed proxy is back within 2 s */
#define AT_ONCE_MS 500  /* far below the second a silent M4 takes */
#define LOCK_MS 5000
#define LATE_ROUNDS 3   /* a late reply is waited for so many seconds */
#define DRAIN_ROUNDS 64 /* replies that one drain takes out */

int doctor_line_open(struct doctor_line *l, struct doctor *d,
                     const char *address, bool persistent, const char *root) {
  const char *why = NULL;
  *l = (struct doctor_line){.d = d, .text = address, .root = root};
  l->probe.fd = l->lock.fd = -1;
  if (strstr(address, "://") != NULL)
    return doctor_usage(d, "the address \"%s\" is a URL: give host:port",
                        address);
  if (wr_rpc_address_parse(address, &l->address, &why) != 0)
    return doctor_usage(d, "the address \"%s\" is not one: %s", address, why);
  l->persistent = persistent || l->address.path[0] != '\0';
  return 0;
}

void doctor_line_close(struct doctor_line *l) {
  doctor_hang_up(&l->probe);
  wr_rpc_lock_close(&l->lock);
}

enum doctor_verdict doctor_line_find(struct doctor_line *l) {
  int status = doctor_find(&l->address, &l->peer);
  if (l->address.path[0] != '\0')
    return DOCTOR_ANSWERS;
  if (status == 0)
    doctor_step(l->d, true, "name", "%s resolves", l->text);
  else
    doctor_step(l->d, false, "name", "%s: %s", l->text,
                status == -EAGAIN ? "the look-up gets no answer"
                                  : "the name has no address");
  return status == 0         ? DOCTOR_ANSWERS
         : status == -EAGAIN ? DOCTOR_NAME_SILENT
                             : DOCTOR_NAME_UNKNOWN;
}

/* -- replies ------------------------------------------------------------- */

struct wanted {
  struct doctor_line *l;
  uint32_t msgid;
  unsigned foreign;
  bool found;
};

/* Looks for the reply to msgid among all that came. */
static bool has_reply(const struct doctor_probe *p, void *arg) {
  struct wanted *w = arg;
  size_t at = 0, size = 0;
  w->foreign = 0;
  while (at < p->len) {
    struct wr_rpc_reply reply;
    int status = wr_rpc_decode_reply(p->in + at, p->len - at, &reply, &size);
    if (status != 0 && status != -ENOMSG)
      return status != -EAGAIN; /* no MessagePack: nothing more to wait for */
    at += size;
    if (status == 0 && reply.msgid == w->msgid) {
      w->l->answer = reply;
      w->found = true;
      return true;
    }
    w->foreign += status == 0;
  }
  return w->foreign > 0 && !w->l->persistent; /* a proxy sends one */
}

/* -- a proxy's channel --------------------------------------------------- */

/* One message that the M4 ignores, while the proxy hands over a reply that
 * waits: true when one came. */
static bool drain_once(struct doctor_line *l, struct wanted *w) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  size_t len;
  wr_rpc_encode_drain(message, &len, doctor_random() | 1);
  if (doctor_dial(&l->probe, &l->peer, DIAL_MS) != 0)
    return false;
  if (doctor_say(&l->probe, message, len) == 0)
    doctor_hear(&l->probe, CALL_MS, has_reply, w);
  doctor_hang_up(&l->probe);
  l->stale += w->foreign;
  return w->found || w->foreign > 0;
}

void doctor_line_drain(struct doctor_line *l) {
  unsigned before = l->stale;
  for (int i = 0; i < DRAIN_ROUNDS; i++)
    if (!drain_once(l, &(struct wanted){.l = l}))
      break;
  doctor_step(l->d, true, "drain", "%u stale replies taken out",
              l->stale - before);
}

/* Another's reply came instead of ours: ours is behind it. */
static enum doctor_verdict after_foreign(struct doctor_line *l,
                                         struct wanted *w) {
  for (int i = 0; i < DRAIN_ROUNDS && drain_once(l, w); i++)
    if (w->found)
      return DOCTOR_ANSWERS;
  return DOCTOR_STALE;
}

/* The proxy gave up after its second. A reply that is still to come would go
 * to whoever calls next: it is waited for and taken out. */
static enum doctor_verdict after_silence(struct doctor_line *l,
                                         struct wanted *w) {
  int64_t sent_us = l->probe.sent_us;
  for (int i = 0; i < LATE_ROUNDS && !w->found; i++)
    drain_once(l, w);
  if (!w->found) {
    doctor_step(l->d, false, "call", "the proxy works but no answer came");
    return DOCTOR_SILENT;
  }
  doctor_step(l->d, false, "call",
              "the answer came after %.1f s, when the proxy had given up",
              (double)(doctor_clock_us() - sent_us) / 1e6);
  return DOCTOR_SLOW;
}

/* -- calls --------------------------------------------------------------- */

/* However long the way is. */
static bool at_once(const struct doctor_probe *p) {
  return p->end_us - p->sent_us - p->way_us < AT_ONCE_MS * 1000;
}

static enum doctor_verdict judge_proxy(struct doctor_line *l,
                                       struct wanted *w) {
  struct doctor_probe *p = &l->probe;
  if (w->found)
    return DOCTOR_ANSWERS;
  if (w->foreign > 0) {
    l->stale += w->foreign;
    return after_foreign(l, w);
  }
  if (p->len > 0)
    return doctor_who_spoke(l);
  if (p->end == DOCTOR_RESET)
    return doctor_who_closed(l);
  if (p->end == DOCTOR_OPEN)
    return doctor_who_waits(l, NULL, 0);
  return at_once(p) ? doctor_who_closed(l) : after_silence(l, w);
}

/* Nothing came from a server that keeps connections: is it the server itself?
 * A router answers this one without its microcontroller. */
static enum doctor_verdict ask_router(struct doctor_line *l) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  struct wanted w = {.l = l, .msgid = doctor_random()};
  size_t len;
  enum doctor_verdict who = doctor_who_waits(l, NULL, 0);
  if (who != DOCTOR_HANGS)
    return who;
  doctor_hang_up(&l->probe);
  wr_rpc_encode(message, &len, WR_RPC_REQUEST, w.msgid, "$/version", NULL, 0);
  if (doctor_dial(&l->probe, &l->peer, DIAL_MS) == 0 &&
      doctor_say(&l->probe, message, len) == 0)
    doctor_hear(&l->probe, KNOCK_MS, has_reply, &w);
  doctor_hang_up(&l->probe);
  doctor_step(l->d, w.found, "server", "%s",
              w.found ? "it answers $/version" : "no answer to $/version");
  return w.found ? DOCTOR_MCU_SILENT : DOCTOR_ROUTER_SILENT;
}

static enum doctor_verdict judge_persistent(struct doctor_line *l,
                                            struct wanted *w) {
  struct doctor_probe *p = &l->probe;
  if (w->found)
    return DOCTOR_ANSWERS;
  if (p->len > 0)
    return doctor_who_spoke(l);
  if (p->end == DOCTOR_RESET)
    return doctor_who_closed(l);
  if (p->end == DOCTOR_OPEN)
    return ask_router(l);
  return at_once(p) ? doctor_who_closed(l) : DOCTOR_CLOSED;
}

static enum doctor_verdict call(struct doctor_line *l, const char *method,
                                const struct wr_rpc_arg *arg) {
  uint8_t message[WR_RPC_REQUEST_MAX];
  struct wanted w = {.l = l, .msgid = doctor_random()};
  size_t len;
  int status = wr_rpc_encode(message, &len, WR_RPC_REQUEST, w.msgid, method,
                             arg, arg != NULL);
  if (status != 0) {
    doctor_step(l->d, false, "call",
                "%s: the request is longer than the M4 "
                "can take",
                method);
    return DOCTOR_UNSENDABLE;
  }
  status = doctor_dial(&l->probe, &l->peer, DIAL_MS);
  if (status == -ECONNREFUSED && !l->persistent) {
    doctor_step(l->d, false, "call", "nobody listens any more");
    return DOCTOR_WENT_AWAY;
  }
  if (status != 0)
    return doctor_who_refused(l, status);
  if (doctor_say(&l->probe, message, len) == 0)
    doctor_hear(&l->probe, CALL_MS, has_reply, &w);
  l->took_ms = (double)(doctor_clock_us() - l->probe.sent_us) / 1000.0;
  enum doctor_verdict v =
      l->persistent ? judge_persistent(l, &w) : judge_proxy(l, &w);
  doctor_hang_up(&l->probe);
  return v;
}

/* The lock of the proxy at the first address, as the agent takes it. */
static int take_lock(struct doctor_line *l) {
  char key[WR_RPC_KEY_MAX];
  struct wr_rpc_peers peers = {.count = 1};
  int64_t until_us = doctor_clock_us() + LOCK_MS * 1000;
  peers.at[0] = l->peer.at[0];
  peers.len[0] = l->peer.len[0];
  wr_rpc_peers_key(&peers, key, sizeof(key));
  int status = wr_rpc_lock_try(&l->lock, key, NULL);
  while (status == -EWOULDBLOCK && doctor_clock_us() < until_us) {
    doctor_sleep_ms(5);
    status = wr_rpc_lock_try(&l->lock, key, NULL);
  }
  return status;
}

static enum doctor_verdict locked(struct doctor_line *l) {
  if (l->persistent || take_lock(l) != -EWOULDBLOCK)
    return DOCTOR_ANSWERS; /* also where no file can be made */
  doctor_step(l->d, false, "lock", "%s is held", l->lock.path);
  return DOCTOR_LOCKED;
}

enum doctor_verdict doctor_line_call(struct doctor_line *l, const char *method,
                                     const struct wr_rpc_arg *arg) {
  enum doctor_verdict v = locked(l);
  if (v != DOCTOR_ANSWERS)
    return v;
  v = call(l, method, arg);
  wr_rpc_lock_give(&l->lock);
  return v;
}

/* -- is somebody there? -------------------------------------------------- */

/* A proxy that restarts gets the time for it. */
static int dial_patiently(struct doctor_line *l) {
  int64_t until_us = doctor_clock_us() + RESTART_MS * 1000;
  for (;;) {
    int status = doctor_dial(&l->probe, &l->peer, DIAL_MS);
    if (status != -ECONNREFUSED || l->address.path[0] != '\0' ||
        doctor_clock_us() > until_us)
      return status;
    doctor_sleep_ms(500);
  }
}

/* A notification: an m4-proxy ends the connection and no more, bound or not. A
 * connection without a message it would keep for ever. */
static enum doctor_verdict knock(struct doctor_line *l) {
  uint8_t note[WR_RPC_REQUEST_MAX], request[WR_RPC_REQUEST_MAX];
  size_t note_len, len;
  wr_rpc_encode(note, &note_len, WR_RPC_NOTIFY, 0, "weir_doctor", NULL, 0);
  wr_rpc_encode(request, &len, WR_RPC_REQUEST, doctor_random(), "weir_doctor",
                NULL, 0);
  int status = dial_patiently(l);
  if (status != 0)
    return doctor_who_refused(l, status);
  if (l->persistent)
    return DOCTOR_ANSWERS;
  if (doctor_say(&l->probe, note, note_len) == 0)
    doctor_hear(&l->probe, KNOCK_MS, NULL, NULL);
  if (l->probe.len > 0)
    return doctor_who_spoke(l);
  if (l->probe.end == DOCTOR_RESET)
    return doctor_who_closed(l);
  return l->probe.end == DOCTOR_EOF ? DOCTOR_ANSWERS
                                    : doctor_who_waits(l, request, len);
}

enum doctor_verdict doctor_line_knock(struct doctor_line *l) {
  enum doctor_verdict v = locked(l);
  if (v != DOCTOR_ANSWERS)
    return v;
  v = knock(l);
  doctor_hang_up(&l->probe);
  wr_rpc_lock_give(&l->lock);
  if (v == DOCTOR_ANSWERS)
    doctor_step(l->d, true, "connect", "somebody listens at %s", l->text);
  return v;
}
