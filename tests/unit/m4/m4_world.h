/* m4_world: one life in a simulated world, for its tests: time, a proxy (or a
 * server that keeps the connection) and an M4, all in one thread and exact to
 * the microsecond. Nothing sleeps; hours pass in milliseconds. */
#ifndef WEIR_TESTS_M4_WORLD_H
#define WEIR_TESTS_M4_WORLD_H

#include "lib/m4/life.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_US 400
#define S 1000000LL
#define START_US (1000000 * S) /* the board has run for eleven days */

enum world_path {
  WORLD_PROXY,  /* as measured: silence ends after 1 s, unbound methods crash
                   it, it is back after 2 s */
  WORLD_TUNNEL, /* the same proxy behind a tunnel, which always accepts */
  WORLD_SERVER  /* keeps the connection */
};

struct world_event {
  enum { NO_EVENT, BYTES, END, REFUSAL } what;
  int64_t at_us;
  uint8_t data[512];
  size_t len;
};

struct world {
  struct wr_m4_life life;
  struct wr_rpc_session session;
  struct wr_rpc_guard guard;
  enum world_path path;
  int64_t now_us;
  /* The other side: */
  const char *body; /* error and result; NULL: nil, 12.5 */
  size_t body_len;
  const char *unbound[4]; /* methods that crash the proxy */
  const char *mute_method, *rubbish_method;
  bool mute, gone, lossy; /* lossy: the server ends after a notification */
  bool stale;     /* calls bring an earlier reply; what drains is cut short */
  bool hang;      /* takes all, answers nothing, ends nothing */
  bool lock_held; /* by another */
  int strays;     /* replies to nobody that come first */
  int64_t away_until_us; /* the proxy is restarting */
  bool connected, is_down;
  struct world_event event;
  /* What was seen: */
  unsigned asked[8], crashes, drains, notified;
  char last_label[128], methods[4096]; /* "a b c " in the order of asking */
  int samples, latencies, healths, healths_up, events[WR_M4_LOCK_FREE + 1];
  int64_t first_down_us; /* of a health */
  int64_t health_us;     /* the last */
  double values[64];
  char why[WR_M4_LOCK_FREE + 1][320];
  int64_t since_us[WR_M4_LOCK_FREE + 1];
  char course[8192]; /* all that happened, a line each: "1000.4 health up" */
};

/* Another line of the course; instants are in ms since the start. */
__attribute__((format(printf, 2, 3))) static inline void
world_say(struct world *w, const char *format, ...) {
  size_t used = strlen(w->course), room = sizeof(w->course) - used;
  va_list ap;
  int n = snprintf(w->course + used, room, "%.1f ",
                   (double)(w->now_us - START_US) / 1000);
  va_start(ap, format);
  if (n > 0 && (size_t)n < room)
    vsnprintf(w->course + used + n, room - (size_t)n, format, ap);
  va_end(ap);
}

static void world_sample(void *user, size_t which, size_t output, double value,
                         int64_t at_us) {
  struct world *w = user;
  world_say(w, "sample %zu.%zu %g of %.1f\n", which, output, value,
            (double)(at_us - START_US) / 1000);
  w->values[w->samples++ % 64] = value;
}

static void world_latency(void *user, size_t which, int64_t took_us,
                          int64_t at_us) {
  (void)which, (void)took_us, (void)at_us;
  ((struct world *)user)->latencies++;
}

static void world_health(void *user) {
  struct world *w = user;
  w->healths++;
  w->health_us = w->now_us;
  w->healths_up += w->life.up;
  const int64_t *f = w->life.faults;
  world_say(w, "health %s %d %d %d %d %d\n", w->life.up ? "up" : "down",
            (int)f[WR_FAULT_TIMEOUT], (int)f[WR_FAULT_REFUSED],
            (int)f[WR_FAULT_PROTOCOL], (int)f[WR_FAULT_STALE],
            (int)f[WR_FAULT_REMOTE]);
  if (!w->life.up && w->first_down_us == 0 && w->healths > 1)
    w->first_down_us = w->now_us;
}

static void world_event(void *user, enum wr_m4_event event, size_t which,
                        int64_t since_us, const char *why) {
  static const char *const names[] = {
      "DOWN",         "UP",           "METHOD_FAILS", "METHOD_WORKS",
      "REPORT_FAILS", "REPORT_WORKS", "LOCK_HELD",    "LOCK_FREE"};
  struct world *w = user;
  world_say(w, "%s %zu since %.1f %.20s\n", names[event], which,
            since_us == 0 ? 0 : (double)(since_us - START_US) / 1000, why);
  w->events[event]++;
  w->since_us[event] = since_us;
  if (event == WR_M4_DOWN && w->is_down)
    return; /* the log keeps the first words */
  w->is_down = event == WR_M4_DOWN || (event != WR_M4_UP && w->is_down);
  snprintf(w->why[event], sizeof(w->why[event]), "%s", why);
}

static uint32_t world_random(void) { return UINT32_MAX / 2; }

static const int64_t world_whole[] = {WR_M4_WHOLE};

static inline struct wr_m4_method world_method(const char *name) {
  return (struct wr_m4_method){.name = name,
                               .interval_ms = 1000,
                               .seq_index = -1,
                               .indices = world_whole,
                               .indices_count = 1,
                               .scale = 1};
}

static inline struct wr_m4_report world_report(const char *name) {
  return (struct wr_m4_report){
      .method = name,
      .state = {.on_change = true,
                .heartbeat_ms = 60000,
                .max_age_ms = 86400000,
                .backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
}

static inline void world_open(struct world *w, enum world_path path) {
  bool keeps = path == WORLD_SERVER;
  w->path = path;
  w->now_us = START_US;
  w->life.session = &w->session;
  w->life.guard = &w->guard;
  w->life.interval_ms = 1000;
  w->life.random = world_random;
  w->life.sink = (struct wr_m4_sink){w, world_sample, world_latency,
                                     world_health, world_event};
  if (wr_rpc_session_open(&w->session, keeps ? WR_RPC_PERSISTENT : WR_RPC_PROXY,
                          1500, 7, 8) != 0 ||
      wr_m4_open(&w->life) != 0)
    abort();
  wr_m4_start(&w->life, w->now_us, w->now_us);
}

static inline void world_close(struct world *w) {
  wr_m4_close(&w->life);
  wr_m4_close(&w->life); /* harmless */
  wr_rpc_session_close(&w->session);
}

/* --- the other side --- */

static inline void world_then(struct world *w, int what, int64_t after_us) {
  w->event.what = what;
  w->event.at_us = w->now_us + after_us;
}

static inline bool world_is_unbound(const struct world *w, const char *name) {
  for (int i = 0; i < 4; i++)
    if (w->unbound[i] != NULL && strcmp(w->unbound[i], name) == 0)
      return true;
  return false;
}

static inline void world_reply(struct world *w, uint32_t msgid) {
  uint8_t head[] = {0x94,
                    1,
                    0xce,
                    (uint8_t)(msgid >> 24),
                    (uint8_t)(msgid >> 16),
                    (uint8_t)(msgid >> 8),
                    (uint8_t)msgid};
  const char *body = w->body != NULL ? w->body : "\xc0\xca\x41\x48\x00\x00";
  size_t len = w->body != NULL ? w->body_len : 6;
  memcpy(w->event.data + w->event.len, head, sizeof(head));
  memcpy(w->event.data + w->event.len + sizeof(head), body, len);
  w->event.len += sizeof(head) + len;
}

static inline void world_note(struct world *w, const char *name) {
  size_t used = strlen(w->methods);
  snprintf(w->methods + used, sizeof(w->methods) - used, "%s ", name);
}

/* The one text that a call takes. */
static inline void world_text(const struct wr_rpc_value *params,
                              char out[128]) {
  struct wr_rpc_value text;
  if (wr_rpc_element(params, 0, &text) == 0 && text.len < 128) {
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
  }
}

/* One message reaches whoever is there. */
static inline void world_hear(struct world *w, const uint8_t *data,
                              size_t len) {
  const uint8_t *at = data;
  struct wr_rpc_value message, method, params, msgid = {.u = 0};
  char name[64];
  if (wr_rpc_read(&at, data + len, &message) != 0)
    abort();
  if (w->hang)
    return;
  if (message.count == 5) {
    world_say(w, "-> nobody\n");
    w->drains++;
    if (w->strays > 0) {
      w->strays--;
      world_reply(w, 1);
      world_then(w, BYTES, LATENCY_US);
    } else
      world_then(w, END, w->stale ? 3000 : S);
    return;
  }
  wr_rpc_element(&message, message.count - 2, &method);
  wr_rpc_element(&message, message.count - 1, &params);
  snprintf(name, sizeof(name), "%.*s", (int)method.len, method.data);
  world_note(w, name);
  if (message.count == 3) {
    w->notified++;
    world_text(&params, w->last_label);
    world_say(w, "-> %s %s\n", name, w->last_label);
    world_then(w, w->path == WORLD_SERVER && !w->lossy ? NO_EVENT : END,
               LATENCY_US);
    return;
  }
  char text[128] = "";
  if (params.count > 1)
    abort();
  if (params.count > 0)
    world_text(&params, text);
  world_say(w, "-> %s%s%s\n", name, params.count > 0 ? " " : "", text);
  wr_rpc_element(&message, 1, &msgid);
  if (world_is_unbound(w, name)) {
    w->crashes++;
    w->away_until_us = w->now_us + 2 * S;
    world_then(w, END, 3000);
  } else if (w->mute || (w->mute_method && strcmp(w->mute_method, name) == 0)) {
    if (w->path != WORLD_SERVER)
      world_then(w, END, S + 500);
  } else {
    for (; w->strays > 0 && w->path == WORLD_SERVER; w->strays--)
      world_reply(w, 1);
    world_reply(w, (uint32_t)msgid.u - w->stale);
    if (w->rubbish_method && strcmp(w->rubbish_method, name) == 0)
      w->event.data[0] = 0xc1; /* no message begins so */
    world_then(w, BYTES, LATENCY_US);
  }
}

static inline void world_hear_all(struct world *w) {
  const uint8_t *at = w->session.out, *end = at + w->session.out_len;
  w->event = (struct world_event){.what = NO_EVENT};
  while (at < end) {
    size_t size = 0;
    if (wr_rpc_scan(at, (size_t)(end - at), &size) != 0)
      abort();
    world_hear(w, at, size);
    at += size;
  }
}

static inline void world_connect(struct world *w) {
  bool away = w->gone || w->now_us < w->away_until_us;
  w->connected = false;
  w->event = (struct world_event){.what = NO_EVENT};
  if (away)
    world_say(w, w->path == WORLD_TUNNEL ? "cut\n" : "refused\n");
  if (away && w->path != WORLD_TUNNEL) {
    wr_rpc_connected(&w->session, -ECONNREFUSED, w->now_us);
    return;
  }
  w->connected = true;
  if (away)
    world_then(w, END, LATENCY_US);
  else
    world_hear_all(w);
  wr_rpc_connected(&w->session, 0, w->now_us);
}

static inline void world_serve(struct world *w) {
  static const struct wr_rpc_peers here = {.count = 1};
  struct wr_rpc_session *s = &w->session;
  while (s->wish != WR_WISH_NOTHING) {
    enum wr_rpc_wish wish = s->wish;
    s->wish = WR_WISH_NOTHING;
    if (wish == WR_WISH_ADDRESS)
      wr_rpc_found(s, &here, w->now_us);
    else if (wish == WR_WISH_LOCK)
      wr_rpc_locked(s, !w->lock_held, w->now_us);
    else if (wish == WR_WISH_CONNECT)
      world_connect(w);
    else if (wish == WR_WISH_SEND) {
      world_hear_all(w);
      wr_rpc_connected(s, 0, w->now_us);
    } else
      w->connected = false;
  }
}

static inline void world_happen(struct world *w) {
  struct world_event e = w->event;
  w->event = (struct world_event){.what = NO_EVENT};
  if (!w->connected)
    return;
  if (e.what == BYTES)
    wr_rpc_bytes(&w->session, e.data, e.len, w->now_us);
  if (w->session.wish == WR_WISH_CONNECT)
    return; /* the old connection is given up */
  if (e.what == END || (e.what == BYTES && w->path != WORLD_SERVER)) {
    bool busy = w->session.op != WR_OP_NONE;
    w->connected = false;
    if (busy || w->path == WORLD_SERVER)
      wr_rpc_ended(&w->session, 0, w->now_us);
  }
}

static inline void world_turn(struct world *w) {
  wr_rpc_tick(&w->session, w->now_us);
  enum wr_rpc_op before;
  do {
    world_serve(w);
    before = w->session.op;
    wr_m4_step(&w->life, w->now_us);
  } while (before == WR_OP_NONE && w->session.op != WR_OP_NONE);
  world_serve(w);
}

/* Lets so much time pass. */
static inline void world_run(struct world *w, int64_t us) {
  int64_t until_us = w->now_us + us;
  for (;;) {
    world_turn(w);
    int64_t at_us = w->life.next_us;
    bool event = w->event.what != NO_EVENT && w->event.at_us <= at_us;
    if (event)
      at_us = w->event.at_us;
    if (at_us >= until_us)
      break;
    if (at_us > w->now_us)
      w->now_us = at_us;
    if (event)
      world_happen(w);
  }
  w->now_us = until_us;
}

static inline void world_offer_of(struct world *w, const char *source,
                                  const char *label) {
  static int64_t window;
  if (wr_m4_offer(&w->life, source, label, 0.875, ++window, 1000, w->now_us))
    world_turn(w);
}

static inline void world_offer(struct world *w, const char *label) {
  world_offer_of(w, NULL, label);
}

#endif
