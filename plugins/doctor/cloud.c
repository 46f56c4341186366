/* weir-doctor cloud: credentials, token, and the properties of the Thing. */
#include "doctor/checks.h"
#include "doctor/tools.h"

#include "lib/cloud/credentials.h"
#include "lib/cloud/link.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 15000
#define REPLY_MAX (1u << 20)

/* What write_arduino_cloud publishes with its default configuration. */
static const struct {
  const char *name;
  enum wr_value_kind kind;
  const char *takes;
} expected[] = {
    {"flow_rate", WR_VALUE_NUMBER, "a number, as FLOAT or FLOW_RATE"},
    {"classification", WR_VALUE_TEXT, "a text, CHARSTRING"},
};
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

struct walk {
  struct doctor *d;
  struct wr_credentials who;
  struct wr_link link;
  bool found[EXPECTED];
  char fault[256]; /* of the properties; "": none */
};

static int end_of_token(struct walk *w, int error) {
  char text[300];
  doctor_step(w->d, false, "token", "%s",
              wr_link_reason(&w->link, error, text, sizeof(text)));
  if (error != 0)
    return doctor_end(
        w->d, false, "the service cannot be reached",
        "check the board's clock, DNS, firewall and proxy; a "
        "certificate fault with a right clock means that somebody "
        "sits in between");
  if (w->link.reply.status == 429 || w->link.reply.status >= 500)
    return doctor_end(w->d, false, "the service does not answer now",
                      "wait a minute; the plugin retries by itself");
  return doctor_end(w->d, false, "the service refuses the credentials",
                    "make a new API key (Arduino Cloud, Space settings, API "
                    "keys) and check CLIENT_ID, CLIENT_SECRET and SPACE_ID");
}

static int get_token(struct walk *w) {
  int64_t now_ms = doctor_clock_us() / 1000;
  int error = wr_link_request_token(&w->link);
  if (wr_http_classify(error, &w->link.reply) != WR_OK)
    return end_of_token(w, error);
  if (wr_oauth_reply(&w->link.oauth, now_ms, doctor_random(), error,
                     &w->link.reply) != 0) {
    doctor_step(w->d, false, "token", "the reply holds no token");
    return doctor_end(w->d, false, "this is not the Arduino Cloud",
                      "check --url and what sits between");
  }
  doctor_step(w->d, true, "token", "accepted, for %lld s",
              (long long)((w->link.oauth.expires_ms - now_ms) / 1000));
  return 0;
}

static void on_property(const struct wr_cloud_property *p, void *arg) {
  struct walk *w = arg;
  bool ok = true;
  for (size_t i = 0; i < EXPECTED; i++) {
    const char *id = wr_credentials_variable(&w->who, expected[i].name);
    if (id != NULL ? strcmp(id, p->id) != 0
                   : strcmp(expected[i].name, p->name) != 0)
      continue;
    w->found[i] = true;
    ok = wr_cloud_fits(expected[i].kind, p->type);
    if (!ok)
      snprintf(w->fault, sizeof(w->fault),
               "the property %s has the type %s but must take %s", p->name,
               p->type_name, expected[i].takes);
  }
  doctor_step(w->d, ok, "property", "%s, %s, %s", p->name, p->type_name, p->id);
}

static int read_properties(struct walk *w) {
  char text[300];
  int error = wr_link_address(&w->link, WR_CLOUD_PROPERTIES, NULL);
  if (error == 0)
    error = wr_link_perform(&w->link, "GET");
  if (wr_http_classify(error, &w->link.reply) != WR_OK) {
    doctor_step(w->d, false, "thing", "%s",
                wr_link_reason(&w->link, error, text, sizeof(text)));
    return doctor_end(w->d, false, "the Thing cannot be read",
                      "check THING_ID, and that the API key belongs to the "
                      "same space as the Thing (SPACE_ID)");
  }
  if (wr_cloud_read_properties(w->link.reply.body.data, w->link.reply.body.len,
                               on_property, w) != 0)
    return doctor_end(w->d, false, "the list of properties is not readable",
                      "check --url and what sits between");
  for (size_t i = 0; i < EXPECTED && w->fault[0] == '\0'; i++)
    if (!w->found[i])
      snprintf(w->fault, sizeof(w->fault),
               "the Thing has no property for %s, which takes %s",
               expected[i].name, expected[i].takes);
  if (w->fault[0] != '\0')
    return doctor_end(w->d, false, w->fault,
                      "mend the variable in Arduino Cloud (a template lies in "
                      "dashboards/arduino-cloud), and its ..._VARIABLE_ID");
  return doctor_end(w->d, true, "the cloud accepts this board", NULL);
}

static int read_secrets(struct walk *w, const char *file) {
  int status = file != NULL ? wr_credentials_file(&w->who, file)
                            : wr_credentials_environment(&w->who, getenv);
  if (status == 0)
    status = wr_credentials_check(&w->who, file != NULL ? file : "environment");
  if (status != 0) {
    doctor_step(w->d, false, "secrets", "%s", w->who.fault);
    return doctor_end(w->d, false, "the credentials are not complete",
                      "--env FILE names the file; docker/.env.example shows "
                      "what belongs in it");
  }
  doctor_step(w->d, true, "secrets", "complete, from %s",
              file != NULL ? file : "the environment");
  return 0;
}

static int send_request(void *arg, const struct wr_http_request *request,
                        struct wr_http_reply *reply) {
  return wr_http_perform(arg, request, reply);
}

static int walk_path(struct walk *w, const char *file, const char *url,
                     struct wr_http *http) {
  const struct wr_credentials *c = &w->who;
  int status = read_secrets(w, file);
  if (status != 0)
    return status;
  wr_link_init(&w->link,
               &(struct wr_link_options){
                   .url = url,
                   .thing_id = c->thing_id,
                   .space_id = c->space_id[0] != '\0' ? c->space_id : NULL,
                   .client_id = c->client_id,
                   .client_secret = c->client_secret,
                   .send = send_request,
                   .send_arg = http});
  status = get_token(w);
  if (status == 0)
    status = read_properties(w);
  wr_link_free(&w->link);
  return status;
}

int doctor_cloud(struct doctor *d, int argc, char **argv) {
  struct walk w = {.d = d};
  const char *file = NULL, *ca_cert = NULL, *spool = NULL, *url = WR_CLOUD_URL;
  for (int i = 0; i < argc; i += 2) {
    const char **value = strcmp(argv[i], "--env") == 0        ? &file
                         : strcmp(argv[i], "--url") == 0      ? &url
                         : strcmp(argv[i], "--ca-cert") == 0  ? &ca_cert
                         : strcmp(argv[i], "--rejected") == 0 ? &spool
                                                              : NULL;
    if (value == NULL || i + 1 == argc)
      return doctor_usage(d, "cloud does not take \"%s\"", argv[i]);
    *value = argv[i + 1];
  }
  if (spool != NULL)
    return doctor_rejected(d, spool);
  const char *fault = wr_http_url_fault(url, true);
  if (fault != NULL)
    return doctor_usage(d, "--url \"%s\" is not allowed: %s", url, fault);
  curl_global_init(CURL_GLOBAL_ALL);
  struct wr_http *http =
      wr_http_create(&(struct wr_http_options){.user_agent = "weir-doctor",
                                               .timeout_ms = TIMEOUT_MS,
                                               .max_body = REPLY_MAX,
                                               .use_proxy = true,
                                               .ca_cert = ca_cert});
  int status = http != NULL ? walk_path(&w, file, url, http)
                            : doctor_usage(d, "there is no memory left");
  wr_http_destroy(http);
  wr_credentials_wipe(&w.who);
  curl_global_cleanup();
  return status;
}
