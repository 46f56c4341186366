/* Orders, one per line: from the control socket, --do and --at. */
#include "tests/sim/m4sim.h"

#include <stdlib.h>
#include <string.h>

struct args {
  const char *word[4]; /* after the order's name; "" where none */
  const char *rest;    /* the line after the order's name */
};

static int bad(char *answer, size_t len, const char *what) {
  snprintf(answer, len, "error: %s", what);
  return -1;
}

static bool number(const char *text, double max, double *out) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0) || value > max)
    return false;
  *out = value;
  return true;
}

static bool count(const char *text, unsigned *out) {
  double value = 1;
  if (text[0] != '\0' && !number(text, 1e6, &value))
    return false;
  *out = (unsigned)value;
  return true;
}

static bool on_off(const char *text, bool *out) {
  *out = strcmp(text, "off") != 0;
  return !*out || text[0] == '\0' || strcmp(text, "on") == 0;
}

/* "P [MS]": with probability P; "next [N]": the next N */
static bool chance(const struct args *a, double *p, unsigned *next) {
  if (strcmp(a->word[0], "next") == 0)
    return count(a->word[1], next);
  return number(a->word[0], 1, p);
}

static int do_late(struct ms_sim *sim, const struct args *a, char *answer,
                   size_t len) {
  struct ms_quirks *q = &sim->quirks;
  const char *ms = a->word[strcmp(a->word[0], "next") == 0 ? 2 : 1];
  double late_ms = (double)q->late_ms;
  if ((ms[0] != '\0' && !number(ms, 1e6, &late_ms)) ||
      !chance(a, &q->late_p, &q->late_next))
    return bad(answer, len, "late P [MS] | late next [N [MS]]");
  q->late_ms = (int64_t)late_ms;
  return 0;
}

static int do_cross(struct ms_sim *sim, const struct args *a, char *answer,
                    size_t len) {
  return number(a->word[0], 1, &sim->quirks.cross_p)
             ? 0
             : bad(answer, len, "cross P");
}

static size_t from_hex(const char *hex, uint8_t *out, size_t room) {
  size_t n = 0;
  for (; hex[0] != '\0' && hex[1] != '\0' && n < room; hex += 2) {
    char pair[3] = {hex[0], hex[1], '\0'}, *end;
    out[n++] = (uint8_t)strtoul(pair, &end, 16);
    if (*end != '\0')
      return 0;
  }
  return hex[0] == '\0' ? n : 0;
}

static int do_garbage(struct ms_sim *sim, const struct args *a, char *answer,
                      size_t len) {
  struct ms_quirks *q = &sim->quirks;
  const char *hex = a->word[strcmp(a->word[0], "next") == 0 ? 2 : 1];
  uint8_t bytes[sizeof(q->garbage)];
  size_t n = hex[0] ? from_hex(hex, bytes, sizeof(bytes)) : 0;
  if ((hex[0] && n == 0) || !chance(a, &q->garbage_p, &q->garbage_next))
    return bad(answer, len, "garbage P [HEX] | garbage next [N [HEX]]");
  if (n > 0) {
    memcpy(q->garbage, bytes, n);
    q->garbage_len = n;
  }
  return 0;
}

static int do_mute(struct ms_sim *sim, const struct args *a, char *answer,
                   size_t len) {
  double ms;
  if (number(a->word[0], 1e9, &ms)) {
    sim->quirks.mute_until_ms = sim->now_ms + (int64_t)ms;
    return 0;
  }
  sim->quirks.mute_until_ms = 0;
  return on_off(a->word[0], &sim->quirks.mute)
             ? 0
             : bad(answer, len, "mute on | mute off | mute MS");
}

static int do_split(struct ms_sim *sim, const struct args *a, char *answer,
                    size_t len) {
  if (strcmp(a->word[0], "next") == 0)
    return count(a->word[1], &sim->quirks.split_next)
               ? 0
               : bad(answer, len, "split next [N]");
  return on_off(a->word[0], &sim->quirks.split)
             ? 0
             : bad(answer, len, "split on | split off | split next [N]");
}

static int do_unrouted(struct ms_sim *sim, const struct args *a, char *answer,
                       size_t len) {
  return on_off(a->word[0], &sim->quirks.unrouted)
             ? 0
             : bad(answer, len, "unrouted on | unrouted off");
}

static int do_restart(struct ms_sim *sim, const struct args *a, char *answer,
                      size_t len) {
  double ms = (double)sim->opt.outage_ms;
  if (strcmp(a->word[0], "m4") == 0) {
    ms_m4_restart(&sim->m4);
    ms_record_event(sim, "restart", "m4");
    return 0;
  }
  if (strcmp(a->word[0], "proxy") != 0 ||
      (a->word[1][0] != '\0' && !number(a->word[1], 1e9, &ms)))
    return bad(answer, len, "restart m4 | restart proxy [MS]");
  ms_server_crash(sim, NULL, (int64_t)ms);
  return 0;
}

static int do_crash(struct ms_sim *sim, const struct args *a, char *answer,
                    size_t len) {
  double ms = (double)sim->opt.outage_ms;
  if (a->word[0][0] != '\0' && !number(a->word[0], 1e9, &ms))
    return bad(answer, len, "crash [MS]");
  ms_server_crash(sim, "ordered", (int64_t)ms);
  return 0;
}

static int do_stale(struct ms_sim *sim, const struct args *a, char *answer,
                    size_t len) {
  struct ms_out out = {.len = 0};
  unsigned n;
  double flow = 99.5;
  if (!count(a->word[0], &n) ||
      (a->word[1][0] != '\0' && !number(a->word[1], 1e6, &flow)))
    return bad(answer, len, "stale [N [FLOW]]");
  for (unsigned i = 0; i < n; i++) {
    out.len = 0;
    ms_put_array(&out, 4);
    ms_put_uint(&out, 1);
    ms_put_uint(&out, ms_rng_next(&sim->rng) & UINT32_MAX);
    ms_put_nil(&out);
    ms_put_float(&out, (float)flow);
    ms_server_inject(sim, out.data, out.len);
  }
  return 0;
}

static int do_error(struct ms_sim *sim, const struct args *a, char *answer,
                    size_t len) {
  return count(a->word[0], &sim->quirks.error_next)
             ? 0
             : bad(answer, len, "error [N]");
}

static int do_event(struct ms_sim *sim, const struct args *a, char *answer,
                    size_t len) {
  char why[160];
  if (sim->scenario.replay != NULL)
    return bad(answer, len, "a replay takes no events");
  if (ms_plant_event(&sim->m4.plant, a->rest, why, sizeof(why)) == 0)
    return 0;
  return bad(answer, len, why);
}

static int do_quit(struct ms_sim *sim, const struct args *a, char *answer,
                   size_t len) {
  (void)a, (void)answer, (void)len;
  sim->quit = true;
  return 0;
}

static int do_status(struct ms_sim *sim, const struct args *a, char *answer,
                     size_t len) {
  (void)a;
  const struct ms_counters *c = &sim->count;
  snprintf(answer, len,
           "{\"connections\":%llu,\"calls\":%llu,\"notifications\":%llu,"
           "\"answered\":%llu,\"late\":%llu,\"stale\":%llu,\"timeouts\":%llu,"
           "\"dropped\":%llu,\"crashes\":%llu,\"classifications\":%llu,"
           "\"second\":%lld,\"seq\":%u,\"ended\":%s,"
           "\"output\":\"%s\"}",
           (unsigned long long)c->connections, (unsigned long long)c->calls,
           (unsigned long long)c->notifications,
           (unsigned long long)c->answered, (unsigned long long)c->late,
           (unsigned long long)c->stale, (unsigned long long)c->timeouts,
           (unsigned long long)c->dropped, (unsigned long long)c->crashes,
           (unsigned long long)c->classifications,
           (long long)(sim->m4.has_second ? sim->m4.second.n : -1), sim->m4.seq,
           sim->m4.ended ? "true" : "false", ms_m4_level(&sim->m4));
  return 0;
}

static const struct {
  const char *name;
  int (*run)(struct ms_sim *, const struct args *, char *, size_t);
} orders[] = {
    {"late", do_late},         {"cross", do_cross}, {"garbage", do_garbage},
    {"mute", do_mute},         {"split", do_split}, {"restart", do_restart},
    {"crash", do_crash},       {"stale", do_stale}, {"error", do_error},
    {"unrouted", do_unrouted}, {"event", do_event}, {"quit", do_quit},
    {"status", do_status},
};

int ms_control(struct ms_sim *sim, const char *line, char *answer,
               size_t answerlen) {
  char copy[512], *save;
  struct args a = {{"", "", "", ""}, ""};
  if (snprintf(copy, sizeof(copy), "%s", line) >= (int)sizeof(copy))
    return bad(answer, answerlen, "the line is longer than 511 characters");
  copy[strcspn(copy, "\r\n")] = '\0';
  const char *name = strtok_r(copy, " \t", &save);
  if (name == NULL)
    return bad(answer, answerlen, "an empty line");
  a.rest = strstr(line, name) + strlen(name);
  for (size_t i = 0; i < 4; i++) {
    const char *word = strtok_r(NULL, " \t", &save);
    if (word == NULL)
      break;
    a.word[i] = word;
  }
  for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
    if (strcmp(name, orders[i].name) == 0) {
      snprintf(answer, answerlen, "ok");
      return orders[i].run(sim, &a, answer, answerlen);
    }
  return bad(answer, answerlen,
             "no such order; there are: late cross garbage mute split "
             "restart crash stale error unrouted event quit status");
}
