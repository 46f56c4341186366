/* weir-doctor cloud: credentials, token, and the properties of the Thing. */
#include "doctor/checks.h"

#include "lib/cloud/credentials.h"
#include "lib/cloud/proto.h"
#include "lib/net/http.h"

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
  const char *base;
  struct wr_http *http;
  struct wr_http_reply reply;
  struct wr_bytes token;
  bool found[EXPECTED];
  char fault[256]; /* of the properties; "": none */
};

/* The service's own words, or what went wrong on the way there. */
static const char *reason(const struct walk *w, int error, char *buffer,
                          size_t size) {
  if (error != 0) {
    snprintf(buffer, size, "%s", w->reply.error);
    return buffer;
  }
  int used = snprintf(buffer, size, "HTTP status %d", w->reply.status);
  char text[200] = "";
  if (w->reply.body.data != NULL)
    wr_cloud_read_error(w->reply.body.data, w->reply.body.len, text,
                        sizeof(text));
  if (text[0] != '\0' && (size_t)used < size)
    snprintf(buffer + used, size - (size_t)used, ": %s", text);
  return buffer;
}

static int send_request(struct walk *w, enum wr_cloud_endpoint endpoint,
                        const struct wr_bytes *body, const char *type) {
  struct wr_bytes url = WR_BYTES_INIT(2048);
  struct wr_bytes bearer = WR_BYTES_INIT(w->token.max + 64);
  char space[WR_CREDENTIAL_MAX + 32] = "";
  const char *headers[4] = {0};
  size_t count = 0;
  int status = wr_cloud_url(&url, w->base, endpoint, w->who.thing_id, NULL);
  if (type != NULL)
    headers[count++] = type;
  if (w->who.space_id[0] != '\0') {
    snprintf(space, sizeof(space), "X-Organization: %s", w->who.space_id);
    headers[count++] = space;
  }
  if (status == 0 && w->token.len > 0) {
    status =
        wr_bytes_printf(&bearer, "Authorization: Bearer %s", w->token.data);
    headers[count++] = bearer.data;
  }
  if (status == 0)
    status = wr_http_perform(
        w->http,
        &(struct wr_http_request){.method = body != NULL ? "POST" : "GET",
                                  .url = url.data,
                                  .headers = headers,
                                  .body = body != NULL ? body->data : NULL,
                                  .body_len = body != NULL ? body->len : 0},
        &w->reply);
  wr_bytes_free(&url);
  wr_bytes_wipe(&bearer);
  return status;
}

static int end_of_token(struct walk *w, int error) {
  char text[300];
  doctor_step(w->d, false, "token", "%s", reason(w, error, text, sizeof(text)));
  if (error != 0)
    return doctor_end(
        w->d, false, "the service cannot be reached",
        "check the board's clock, DNS, firewall and proxy; a "
        "certificate fault with a right clock means that somebody "
        "sits in between");
  if (w->reply.status == 429 || w->reply.status >= 500)
    return doctor_end(w->d, false, "the service does not answer now",
                      "wait a minute; the plugin retries by itself");
  return doctor_end(w->d, false, "the service refuses the credentials",
                    "make a new API key (Arduino Cloud, Space settings, API "
                    "keys) and check CLIENT_ID, CLIENT_SECRET and SPACE_ID");
}

static int get_token(struct walk *w) {
  struct wr_bytes form = WR_BYTES_INIT(4096);
  int64_t lifetime_ms = 0;
  const char *space = w->who.space_id[0] != '\0' ? w->who.space_id : NULL;
  int error =
      wr_cloud_token_body(&form, w->who.client_id, w->who.client_secret, space);
  if (error == 0)
    error = send_request(w, WR_CLOUD_TOKEN, &form,
                         "Content-Type: application/x-www-form-urlencoded");
  wr_bytes_wipe(&form);
  if (wr_http_classify(error, &w->reply) != WR_OK)
    return end_of_token(w, error);
  if (wr_cloud_read_token(w->reply.body.data, w->reply.body.len, &w->token,
                          &lifetime_ms) != 0) {
    doctor_step(w->d, false, "token", "the reply holds no token");
    return doctor_end(w->d, false, "this is not the Arduino Cloud",
                      "check --url and what sits between");
  }
  doctor_step(w->d, true, "token", "accepted, for %lld s",
              (long long)(lifetime_ms / 1000));
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
  int error = send_request(w, WR_CLOUD_PROPERTIES, NULL, NULL);
  if (wr_http_classify(error, &w->reply) != WR_OK) {
    doctor_step(w->d, false, "thing", "%s",
                reason(w, error, text, sizeof(text)));
    return doctor_end(w->d, false, "the Thing cannot be read",
                      "check THING_ID, and that the API key belongs to the "
                      "same space as the Thing (SPACE_ID)");
  }
  if (wr_cloud_read_properties(w->reply.body.data, w->reply.body.len,
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

static int walk_path(struct walk *w, const char *file) {
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
  status = get_token(w);
  return status != 0 ? status : read_properties(w);
}

int doctor_cloud(struct doctor *d, int argc, char **argv) {
  struct walk w = {
      .d = d, .base = WR_CLOUD_URL, .token = WR_BYTES_INIT(1u << 16)};
  const char *file = NULL, *ca_cert = NULL, *spool = NULL;
  for (int i = 0; i < argc; i += 2) {
    const char **value = strcmp(argv[i], "--env") == 0        ? &file
                         : strcmp(argv[i], "--url") == 0      ? &w.base
                         : strcmp(argv[i], "--ca-cert") == 0  ? &ca_cert
                         : strcmp(argv[i], "--rejected") == 0 ? &spool
                                                              : NULL;
    if (value == NULL || i + 1 == argc)
      return doctor_usage(d, "cloud does not take \"%s\"", argv[i]);
    *value = argv[i + 1];
  }
  if (spool != NULL)
    return doctor_rejected(d, spool);
  const char *fault = wr_http_url_fault(w.base, true);
  if (fault != NULL)
    return doctor_usage(d, "--url \"%s\" is not allowed: %s", w.base, fault);
  curl_global_init(CURL_GLOBAL_ALL);
  w.http = wr_http_create(&(struct wr_http_options){.user_agent = "weir-doctor",
                                                    .timeout_ms = TIMEOUT_MS,
                                                    .max_body = REPLY_MAX,
                                                    .use_proxy = true,
                                                    .ca_cert = ca_cert});
  int status = w.http != NULL ? walk_path(&w, file)
                              : doctor_usage(d, "there is no memory left");
  wr_http_destroy(w.http);
  wr_http_reply_free(&w.reply);
  wr_bytes_wipe(&w.token);
  wr_credentials_wipe(&w.who);
  curl_global_cleanup();
  return status;
}
