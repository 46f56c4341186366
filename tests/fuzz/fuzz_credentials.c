/* The credentials file as hostile bytes: what it holds never shows in a fault,
 * what passes the check is fit for headers and paths, and the ends of lines, a
 * byte order mark and `export` make no difference. */
#define _GNU_SOURCE /* memmem */
#include "lib/cloud/credentials.h"
#include "lib/cloud/proto.h"
#include "tests/fuzz/fuzz.h"

/* A text with a NUL after every field: no field runs into the next. */
static void whole(const struct wr_credentials *c) {
  check(strnlen(c->client_id, sizeof(c->client_id)) <= WR_CREDENTIAL_MAX);
  check(strnlen(c->client_secret, sizeof(c->client_secret)) <=
        WR_CREDENTIAL_MAX);
  check(strnlen(c->thing_id, sizeof(c->thing_id)) <= WR_CREDENTIAL_MAX);
  check(strnlen(c->space_id, sizeof(c->space_id)) <= WR_CREDENTIAL_MAX);
  check(c->variable_count <= WR_CREDENTIAL_VARIABLES);
  check(strnlen(c->fault, sizeof(c->fault)) < sizeof(c->fault));
}

/* Longer values only: a short one may be a word of the sentence. */
static void is_silent(const struct wr_credentials *c) {
  const char *const secrets[] = {c->client_id, c->client_secret, c->thing_id,
                                 c->space_id};
  for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
    check(strlen(secrets[i]) < 12 ||
          strstr("CLIENT_SECRET VARIABLE_ID", secrets[i]) != NULL ||
          strstr(c->fault, secrets[i]) == NULL ||
          strlen(secrets[i]) > sizeof(c->fault));
}

static void fit(struct wr_credentials *c) {
  struct wr_bytes body = WR_BYTES_INIT(8192);
  check(wr_cloud_id_ok(c->thing_id) && c->client_id[0] != '\0');
  check(c->space_id[0] == '\0' || wr_cloud_id_ok(c->space_id));
  check(wr_cloud_token_body(&body, c->client_id, c->client_secret,
                            c->space_id[0] != '\0' ? c->space_id : NULL) == 0);
  check(strpbrk(body.data, "\r\n \t") == NULL);
  for (size_t i = 0; i < c->variable_count; i++)
    check(wr_cloud_id_ok(c->variables[i].id));
  const char *id = wr_credentials_variable(c, "flow_rate");
  check(id == NULL || wr_cloud_id_ok(id));
  wr_bytes_wipe(&body);
}

/* The same file, saved by an editor of another system. */
static void same_elsewhere(const char *text, size_t len, int status,
                           const struct wr_credentials *c) {
  static struct wr_credentials other;
  struct wr_bytes copy = WR_BYTES_INIT(4 * WR_CREDENTIALS_FILE_MAX);
  if (memmem(text, len, "\xef\xbb\xbf", 3) != NULL)
    return;
  check(wr_bytes_append(&copy, "\xef\xbb\xbf", 3) == 0);
  for (size_t i = 0; i < len; i++)
    check(wr_bytes_append(&copy, text[i] == '\n' ? "\r\n" : text + i,
                          text[i] == '\n' ? 2 : 1) == 0);
  memset(&other, 0, sizeof(other));
  check(wr_credentials_parse(&other, copy.data, copy.len) == status);
  check(strcmp(other.fault, c->fault) == 0);
  check(strcmp(other.client_secret, c->client_secret) == 0);
  check(other.variable_count == c->variable_count);
  wr_bytes_wipe(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct wr_credentials c;
  if (size > WR_CREDENTIALS_FILE_MAX)
    return 0;
  char *text = malloc(size > 0 ? size : 1); /* its end is an edge */
  check(text != NULL);
  memcpy(text, data, size);
  memset(&c, 0, sizeof(c));
  int status = wr_credentials_parse(&c, text, size);
  check((status == 0) == (c.fault[0] == '\0'));
  whole(&c);
  same_elsewhere(text, size, status, &c);
  if (status == 0 && wr_credentials_check(&c, "the file") == 0)
    fit(&c);
  is_silent(&c);
  wr_credentials_wipe(&c);
  for (size_t i = 0; i < sizeof(c); i++)
    check(((const char *)&c)[i] == 0);
  free(text);
  return 0;
}
