/* weir-doctor cloud: credentials, token, and the properties of the Thing. */
#include "doctor/checks.h"
#include "doctor/tools.h"
#include "doctor/verdicts.h"

#include "lib/cloud/credentials.h"
#include "lib/cloud/link.h"
#include "lib/net/http_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define REPLY_MAX (1u << 20)

struct walk {
  struct doctor *d;
  const struct doctor_cloud_options *o;
  struct wr_credentials who;
  struct wr_link link;
  bool found[DOCTOR_PROPERTIES], misfit;
};

/* -- the way there ----------------------------------------------------------
 */

/* The words of curl and of its TLS library, OpenSSL or GnuTLS. */
static bool says(const struct walk *w, const char *words) {
  return strstr(w->link.reply.error, words) != NULL;
}

static bool is_about_time(const struct walk *w) {
  return says(w, "expired") || says(w, "not yet valid") ||
         says(w, "expiration date") || says(w, "activation date");
}

/* From what wr_http_perform() returned: no HTTP reply came. */
static enum doctor_verdict of_transport(const struct walk *w, int error) {
  switch (error) {
  case -EHOSTUNREACH:
    return says(w, "proxy") ? DOCTOR_CLOUD_PROXY : DOCTOR_CLOUD_DNS;
  case -ECONNREFUSED:
    return DOCTOR_CLOUD_REFUSED;
  case -ETIMEDOUT:
    return DOCTOR_CLOUD_TIMEOUT;
  case -EPROTO:
    return is_about_time(w) ? DOCTOR_CLOUD_CLOCK : DOCTOR_CLOUD_TLS;
  default:
    return DOCTOR_CLOUD_BROKEN;
  }
}

static enum doctor_verdict not_a_success(struct walk *w, const char *step,
                                         int error) {
  char text[300];
  time_t now = time(NULL);
  doctor_step(w->d, false, step, "%s",
              wr_link_reason(&w->link, error, text, sizeof(text)));
  if (error == 0)
    return DOCTOR_CLOUD_WELL; /* for the caller to judge by the status */
  enum doctor_verdict v = of_transport(w, error);
  struct tm tm;
  if (v == DOCTOR_CLOUD_CLOCK && gmtime_r(&now, &tm) != NULL &&
      strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm) > 0)
    doctor_step(w->d, false, "clock", "this machine thinks that it is %s",
                text);
  return v;
}

/* -- token ------------------------------------------------------------------
 */

static enum doctor_verdict get_token(struct walk *w) {
  int64_t now_ms = doctor_clock_us() / 1000;
  int error = wr_link_request_token(&w->link), code = w->link.reply.status;
  if (wr_http_classify(error, &w->link.reply) != WR_OK) {
    enum doctor_verdict v = not_a_success(w, "token", error);
    return v != DOCTOR_CLOUD_WELL                      ? v
           : code == 429                               ? DOCTOR_TOKEN_LIMIT
           : code >= 500                               ? DOCTOR_TOKEN_DOWN
           : code == 400 || code == 401 || code == 403 ? DOCTOR_TOKEN_REFUSED
                                                       : DOCTOR_NO_CLOUD;
  }
  if (wr_oauth_take(&w->link.oauth, now_ms, &w->link.reply) != 0) {
    doctor_step(w->d, false, "token", "the reply holds no token");
    return DOCTOR_NO_CLOUD;
  }
  doctor_step(w->d, true, "token", "accepted, for %lld s",
              (long long)((w->link.oauth.expires_ms - now_ms) / 1000));
  return DOCTOR_CLOUD_WELL;
}

/* -- properties -------------------------------------------------------------
 */

static bool is_property(const struct walk *w,
                        const struct doctor_property *want,
                        const struct wr_cloud_property *p) {
  const char *id = want->id != NULL
                       ? want->id
                       : wr_credentials_variable(&w->who, want->name);
  return id != NULL ? strcmp(id, p->id) == 0 : strcmp(want->name, p->name) == 0;
}

static void on_property(const struct wr_cloud_property *p, void *arg) {
  struct walk *w = arg;
  bool fits = true;
  for (size_t i = 0; i < w->o->count; i++) {
    const struct doctor_property *want = &w->o->properties[i];
    if (!is_property(w, want, p))
      continue;
    w->found[i] = true;
    fits = wr_cloud_fits(want->text ? WR_VALUE_TEXT : WR_VALUE_NUMBER, p->type);
    if (!fits)
      doctor_step(w->d, false, "type",
                  "the property %s has the type %s but must take %s", p->name,
                  p->type_name,
                  want->text ? "a text, CHARSTRING"
                             : "a number, as FLOAT or FLOW_RATE");
    w->misfit |= !fits;
  }
  doctor_step(w->d, fits, "property", "%s, %s, %s", p->name, p->type_name,
              p->id);
}

static enum doctor_verdict of_properties(struct walk *w) {
  bool all = true;
  for (size_t i = 0; i < w->o->count; i++) {
    if (!w->found[i])
      doctor_step(w->d, false, "property",
                  "the Thing has no property for %s, which takes %s",
                  w->o->properties[i].name,
                  w->o->properties[i].text ? "a text" : "a number");
    all = all && w->found[i];
  }
  return w->misfit ? DOCTOR_PROPERTY_TYPE
         : all     ? DOCTOR_CLOUD_WELL
                   : DOCTOR_PROPERTY_MISSING;
}

static enum doctor_verdict read_properties(struct walk *w) {
  int error = wr_link_address(&w->link, WR_CLOUD_PROPERTIES, NULL);
  if (error == 0)
    error = wr_link_perform(&w->link, "GET");
  int code = w->link.reply.status;
  if (wr_http_classify(error, &w->link.reply) != WR_OK) {
    enum doctor_verdict v = not_a_success(w, "thing", error);
    return v != DOCTOR_CLOUD_WELL       ? v
           : code == 429                ? DOCTOR_THING_LIMIT
           : code >= 500                ? DOCTOR_THING_DOWN
           : code == 401 || code == 403 ? DOCTOR_THING_FORBIDDEN
           : code == 404 || code == 400 ? DOCTOR_THING_UNKNOWN
                                        : DOCTOR_NO_CLOUD;
  }
  if (wr_cloud_read_properties(w->link.reply.body.data, w->link.reply.body.len,
                               on_property, w) != 0) {
    doctor_step(w->d, false, "thing", "the reply is no list of properties");
    return DOCTOR_NO_CLOUD;
  }
  return of_properties(w);
}

/* -- what is read here ------------------------------------------------------
 */

static enum doctor_verdict look_at_file(struct walk *w, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0 && errno != EACCES) {
    doctor_step(w->d, false, "secrets", "%s is not there", path);
    return DOCTOR_SECRETS_MISSING;
  }
  if (access(path, R_OK) != 0) {
    doctor_step(w->d, false, "secrets", "%s may not be read by this user",
                path);
    return DOCTOR_SECRETS_FORBIDDEN;
  }
  if (wr_credentials_file(&w->who, path) == 0)
    return DOCTOR_CLOUD_WELL;
  doctor_step(w->d, false, "secrets", "%s", w->who.fault);
  return (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0
             ? DOCTOR_SECRETS_OPEN
             : DOCTOR_SECRETS_INCOMPLETE;
}

static enum doctor_verdict read_secrets(struct walk *w) {
  const char *file = w->o->env;
  enum doctor_verdict v = DOCTOR_CLOUD_WELL;
  if (file != NULL)
    v = look_at_file(w, file);
  else if (wr_credentials_environment(&w->who, getenv) != 0)
    v = DOCTOR_SECRETS_INCOMPLETE;
  if (v != DOCTOR_CLOUD_WELL)
    return v;
  if (wr_credentials_check(&w->who, file != NULL ? file : "environment") != 0) {
    doctor_step(w->d, false, "secrets", "%s", w->who.fault);
    return DOCTOR_SECRETS_INCOMPLETE;
  }
  doctor_step(w->d, true, "secrets", "complete, from %s",
              file != NULL ? file : "the environment");
  return DOCTOR_CLOUD_WELL;
}

static enum doctor_verdict look_at_ca(struct walk *w) {
  const char *path = w->o->ca_cert;
  if (path == NULL || access(path, R_OK) == 0)
    return DOCTOR_CLOUD_WELL;
  doctor_step(w->d, false, "CACert", "%s cannot be read", path);
  return DOCTOR_CA_MISSING;
}

/* -- the walk ---------------------------------------------------------------
 */

static int send_request(void *arg, const struct wr_http_request *request,
                        struct wr_http_reply *reply) {
  return wr_http_perform(arg, request, reply);
}

static enum doctor_verdict ask(struct walk *w, struct wr_http *http) {
  const struct wr_credentials *c = &w->who;
  wr_link_init(&w->link,
               &(struct wr_link_options){
                   .url = w->o->url,
                   .thing_id = c->thing_id,
                   .space_id = c->space_id[0] != '\0' ? c->space_id : NULL,
                   .client_id = c->client_id,
                   .client_secret = c->client_secret,
                   .send = send_request,
                   .send_arg = http});
  enum doctor_verdict v = get_token(w);
  if (v == DOCTOR_CLOUD_WELL)
    v = read_properties(w);
  wr_link_free(&w->link);
  return v;
}

static enum doctor_verdict walk_path(struct walk *w) {
  enum doctor_verdict v = read_secrets(w);
  if (v == DOCTOR_CLOUD_WELL)
    v = look_at_ca(w);
  if (v != DOCTOR_CLOUD_WELL)
    return v;
  struct wr_http_proxy proxy;
  if (wr_http_proxy_find(&proxy, w->o->url, getenv) != 0)
    return DOCTOR_NO_MEMORY;
  struct wr_http *http =
      wr_http_create(&(struct wr_http_options){.user_agent = "weir-doctor",
                                               .timeout_ms = TIMEOUT_MS,
                                               .max_body = REPLY_MAX,
                                               .proxy = proxy.url,
                                               .no_proxy = proxy.except,
                                               .ca_cert = w->o->ca_cert,
                                               .ca_path = w->o->ca_path,
                                               .client_cert = w->o->client_cert,
                                               .client_key = w->o->client_key});
  v = http != NULL ? ask(w, http) : DOCTOR_NO_MEMORY;
  wr_http_destroy(http);
  wr_http_proxy_free(&proxy);
  return v;
}

int doctor_cloud_walk(struct doctor *d, const struct doctor_cloud_options *o) {
  struct walk w = {.d = d, .o = o};
  const char *fault = wr_http_url_fault(o->url, true);
  if (fault != NULL)
    return doctor_usage(d, "--url \"%s\" is not allowed: %s", o->url, fault);
  wr_http_start();
  int status = doctor_conclude(d, walk_path(&w));
  wr_credentials_wipe(&w.who);
  wr_http_end();
  return status;
}

/* Set and not empty. */
static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

int doctor_cloud(struct doctor *d, int argc, char **argv) {
  /* What write_arduino_cloud publishes with its default configuration. */
  struct doctor_cloud_options o = {
      .properties = {{.name = "flow_rate"},
                     {.name = "classification", .text = true}},
      .count = 2,
      .url = variable("CLOUD_URL"),
      .ca_cert = variable("CLOUD_CACERT")};
  const char *spool = NULL, *again = NULL, *older = NULL;
  for (int i = 0; i < argc; i += 2) {
    const char **value = strcmp(argv[i], "--env") == 0        ? &o.env
                         : strcmp(argv[i], "--url") == 0      ? &o.url
                         : strcmp(argv[i], "--ca-cert") == 0  ? &o.ca_cert
                         : strcmp(argv[i], "--rejected") == 0 ? &spool
                         : strcmp(argv[i], "--resend") == 0   ? &again
                         : strcmp(argv[i], "--to-0.1") == 0   ? &older
                                                              : NULL;
    if (value == NULL || i + 1 == argc)
      return doctor_usage(d, "cloud does not take \"%s\"", argv[i]);
    *value = argv[i + 1];
  }
  if (spool != NULL)
    return doctor_rejected(d, spool);
  if (again != NULL)
    return doctor_resend(d, again);
  if (older != NULL)
    return doctor_older_spool(d, older);
  if (o.url == NULL)
    o.url = WR_CLOUD_URL;
  return doctor_cloud_walk(d, &o);
}
