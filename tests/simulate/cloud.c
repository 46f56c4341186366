/* The service, and what may stand between it and the agent. */
#include "sim.h"

#include "lib/base/json.h"

#include <errno.h>
#include <math.h>
#include <time.h>

#define TOKEN_S 300

static const char *const names[SIM_PROPERTIES] = {
    "flow_rate", "classification", "flow_rate_2", "classification_2"};
static const char *const ids[SIM_PROPERTIES] = {
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
    "44444444-4444-4444-8444-444444444444"};

static bool taken; /* the values of this request */

static void body(struct wr_http_reply *r, const char *type, const char *text) {
  wr_bytes_reset(&r->body);
  if (wr_bytes_text(&r->body, text) != 0)
    abort();
  snprintf(r->content_type, sizeof(r->content_type), "%s", type);
}

static void date(struct wr_http_reply *r) {
  time_t now = (time_t)((SIM_EPOCH_US + sim.now_us) / 1000000);
  struct tm tm;
  gmtime_r(&now, &tm);
  strftime(r->watched, sizeof(r->watched), "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static int reply(struct wr_http_reply *r, int status, const char *text) {
  r->status = status;
  date(r);
  body(r, "application/json", text);
  return 0;
}

/* Not the service's own words: HTML, plain text, or nothing. */
static int foreign(struct wr_http_reply *r, int status) {
  static const char *const texts[] = {"<html><body>Please log in</body></html>",
                                      "", "upstream error",
                                      "{\"error\":\"gateway\"}"};
  size_t which = (size_t)sim_below(4);
  if (status == 200) /* an empty one is the service's own "taken" */
    which = 0;
  r->status = status;
  body(r,
       which == 0   ? "text/html"
       : which == 3 ? "application/json"
                    : "",
       texts[which]);
  if (status == 429 || status == 503)
    r->retry_after_ms = sim.cloud.retry_after_ms;
  return 0;
}

static int broken(struct wr_http_reply *r, int error, int64_t took_us,
                  const char *why) {
  r->status = 0;
  snprintf(r->error, sizeof(r->error), "%s", why);
  sim.cloud.busy_us = took_us;
  return error;
}

/* --- what the service takes ------------------------------------------------
 */

static int64_t time_of(const char *text) {
  struct tm tm = {0};
  double second = 0;
  if (sscanf(text, "%d-%d-%dT%d:%d:%lfZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
             &tm.tm_hour, &tm.tm_min, &second) != 6)
    sim_fail("a time stamp that is none: %s", text);
  tm.tm_year -= 1900;
  tm.tm_mon--;
  return (int64_t)timegm(&tm) * 1000000 + (int64_t)(second * 1e6 + 0.5);
}

static bool is_number(int property) { return property % 2 == 0; }

static struct wr_value value_of(int property, const struct wr_json *object) {
  struct wr_value v = {.kind = is_number(property) ? WR_VALUE_NUMBER
                                                   : WR_VALUE_TEXT};
  const char *text = NULL;
  bool ok = is_number(property)
                ? wr_json_double(object, "value", &v.number) == 0
                : wr_json_string(object, "value", &text) == 0;
  if (!ok)
    sim_fail("a value of the wrong type for %s", names[property]);
  if (text != NULL)
    snprintf(v.text, sizeof(v.text), "%s", text);
  return v;
}

static void take_value(int property, const struct wr_json *object,
                       int64_t stamp_us) {
  struct wr_value v = value_of(property, object);
  int64_t day = (SIM_EPOCH_US + sim.now_us) / 86400000000LL;
  sim.cloud.records = day == sim.cloud.day ? sim.cloud.records + 1 : 1;
  sim.cloud.day = day;
  kept_budget(sim.cloud.records);
  kept_recorded(property, &v, stamp_us);
  /* What a batch ends with is taken for what is so now, too: choice.h. */
  snprintf(sim.cloud.shown[property], sizeof(sim.cloud.shown[property]), "%s",
           v.text);
  if (!is_number(property))
    seen_shown(property / 2, v.text);
}

static int property_of(const char *const *list, const char *text, size_t len) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    if (strlen(list[i]) == len && strncmp(list[i], text, len) == 0)
      return i;
  sim_fail("a property that nobody has: %.*s", (int)len, text);
}

static void take_many(const struct wr_json *document) {
  const struct wr_json *list = wr_json_get(document, "properties");
  for (const struct wr_json *v = wr_json_next(list, NULL); v != NULL;
       v = wr_json_next(list, v)) {
    const char *name = "";
    wr_json_string(v, "property", &name);
    take_value(property_of(names, name, strlen(name)), v, 0);
  }
}

static void take_batch(int property, const struct wr_json *list) {
  for (const struct wr_json *v = wr_json_next(list, NULL); v != NULL;
       v = wr_json_next(list, v)) {
    const char *stamp = NULL;
    if (wr_json_string(v, "timestamp", &stamp) != 0)
      sim_fail("a batch without time stamps");
    take_value(property, v, time_of(stamp));
  }
}

static void take(const struct wr_http_request *q) {
  struct wr_json *document;
  const char *one = strstr(q->url, "/properties/");
  if (wr_json_parse(q->body, q->body_len, 1 << 20, &document) != 0)
    sim_fail("a body that is no JSON: %.*s", (int)q->body_len, q->body);
  if (one == NULL)
    take_many(document);
  else {
    one += strlen("/properties/");
    int property = property_of(ids, one, strcspn(one, "/"));
    if (strstr(one, "/publish_batch") != NULL)
      take_batch(property, document);
    else
      take_value(property, document, 0);
  }
  wr_json_free(document);
}

/* What was not taken: did it go alone? */
static void note_refused(const struct wr_http_request *q) {
  struct wr_json *list;
  const char *one = strstr(q->url, "/properties/"), *stamp = NULL;
  if (one == NULL || strstr(one, "/publish_batch") == NULL ||
      wr_json_parse(q->body, q->body_len, 1 << 20, &list) != 0)
    return;
  one += strlen("/properties/");
  int property = property_of(ids, one, strcspn(one, "/"));
  const struct wr_json *v = wr_json_next(list, NULL);
  if (wr_json_next(list, v) == NULL &&
      wr_json_string(v, "timestamp", &stamp) == 0) {
    struct wr_value value = value_of(property, v);
    kept_refused(property, &value, time_of(stamp));
  }
  wr_json_free(list);
}

/* --- requests --------------------------------------------------------------
 */

static int give_token(struct wr_http_reply *r) {
  char text[128];
  sim.cloud.token_until_us = sim.now_us + TOKEN_S * SIM_S;
  snprintf(text, sizeof(text),
           "{\"access_token\":\"t%lld\",\"expires_in\":%d,"
           "\"token_type\":\"Bearer\"}",
           (long long)sim.cloud.token_until_us, TOKEN_S);
  return reply(r, 200, text);
}

static bool authorised(const struct wr_http_request *q) {
  char want[64];
  snprintf(want, sizeof(want), "Authorization: Bearer t%lld",
           (long long)sim.cloud.token_until_us);
  for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
    if (strcmp(*h, want) == 0)
      return sim.now_us < sim.cloud.token_until_us;
  return false;
}

static int give_properties(struct wr_http_reply *r) {
  char text[1024] = "[";
  for (int i = 0; i < SIM_PROPERTIES; i++) {
    size_t len = strlen(text);
    snprintf(text + len, sizeof(text) - len,
             "%s{\"id\":\"%s\",\"name\":\"p\",\"variable_name\":\"%s\","
             "\"type\":\"%s\"}",
             i > 0 ? "," : "", ids[i], names[i],
             is_number(i) ? "FLOAT" : "CHARSTRING");
  }
  strcat(text, "]");
  return reply(r, 200, text);
}

/* `deaf`: what is taken, is; but nobody hears so. */
static int serve(const struct wr_http_request *q, struct wr_http_reply *r,
                 bool deaf) {
  bool token = strstr(q->url, "/clients/token") != NULL;
  kept_request(token);
  if (token)
    return give_token(r);
  if (!authorised(q))
    return foreign(r, 401);
  if (strcmp(q->method, "GET") == 0)
    return give_properties(r);
  take(q);
  taken = true;
  if (deaf)
    return broken(r, -ETIMEDOUT, 10 * SIM_S, "timed out");
  return reply(r, 200, "");
}

/* The rows of a batch; 0: it is none. */
static int rows_of(const struct wr_http_request *q, double *first,
                   double poison, bool *has_poison) {
  struct wr_json *list;
  int rows = 0;
  if (strstr(q->url, "/publish_batch") == NULL ||
      wr_json_parse(q->body, q->body_len, 1 << 20, &list) != 0)
    return 0;
  for (const struct wr_json *v = wr_json_next(list, NULL); v != NULL;
       v = wr_json_next(list, v)) {
    double number = NAN;
    wr_json_double(v, "value", &number);
    if (rows++ == 0)
      *first = number;
    *has_poison |= number == poison;
  }
  wr_json_free(list);
  return rows;
}

/* A value that the service chokes on: it says 500 whenever that is in a batch,
 * alone or with others. */
static bool chokes(const struct wr_http_request *q) {
  double first = NAN;
  bool has = false;
  rows_of(q, &first, sim.cloud.poison, &has);
  if (isnan(sim.cloud.poison) && !isnan(first)) {
    sim.cloud.poison = first;
    sim_trace("cloud: chokes on %.9f", first);
    has = true;
  }
  return has;
}

static bool is_too_much(const struct wr_http_request *q) {
  double first;
  bool has = false;
  return rows_of(q, &first, NAN, &has) > sim.cloud.most;
}

/* Statuses that say nothing about a value, when the service did not say them.
 */
static int odd_status(void) {
  static const int odd[] = {200, 301, 302, 307, 308, 400, 402, 403, 404,
                            405, 407, 408, 409, 410, 411, 413, 415, 418,
                            421, 422, 423, 425, 426, 429, 431, 451, 500,
                            501, 502, 503, 504, 507, 511, 520, 599};
  return odd[sim_below((int64_t)(sizeof(odd) / sizeof(odd[0])))];
}

static int in_mode(enum cloud_mode mode, const struct wr_http_request *q,
                   struct wr_http_reply *r) {
  bool token = strstr(q->url, "/clients/token") != NULL;
  switch (mode) {
  case CLOUD_GOOD:
    return serve(q, r, false);
  case CLOUD_GONE:
    return broken(r, -ECONNREFUSED, 1000, "connection refused");
  case CLOUD_BLACK:
    return broken(r, -ETIMEDOUT, 10 * SIM_S, "timed out");
  case CLOUD_DEAF:
    return serve(q, r, true);
  case CLOUD_STATUS:
    return token || strcmp(q->method, "GET") == 0
               ? serve(q, r, false)
               : foreign(r, sim.cloud.status);
  case CLOUD_PORTAL:
    return foreign(r, sim.cloud.status);
  case CLOUD_POISON:
    return chokes(q) ? reply(r, 500, "{\"detail\":\"internal\"}")
                     : serve(q, r, false);
  case CLOUD_SMALL:
    return is_too_much(q) ? broken(r, -ETIMEDOUT, 10 * SIM_S, "timed out")
                          : serve(q, r, false);
  default:
    sim.cloud.status = odd_status();
    return in_mode((enum cloud_mode)sim_below(CLOUD_FLAKY), q, r);
  }
}

int cloud_send(void *arg, const struct wr_http_request *q,
               struct wr_http_reply *r) {
  (void)arg;
  r->body.max = 1 << 20;
  r->status = 0;
  r->error[0] = r->watched[0] = r->content_type[0] = '\0';
  r->retry_after_ms = 0;
  wr_bytes_reset(&r->body);
  sim.cloud.busy_us = sim_span(20000, 400000);
  taken = false;
  memory_working(false); /* what follows is the world's */
  sim_trace("%s %s %.*s", q->method, strstr(q->url, "/iot/"),
            q->body_len < 400 ? (int)q->body_len : 400,
            q->body != NULL ? q->body : "");
  int error = in_mode(sim.cloud.mode, q, r);
  if (!taken)
    note_refused(q);
  kept_answered(taken && error == 0);
  sim_trace("-> %d %s", r->status, r->error);
  memory_working(true);
  return error;
}
