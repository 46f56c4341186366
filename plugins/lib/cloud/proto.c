#include "lib/cloud/proto.h"

#include "lib/base/json.h"
#include "lib/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define REPLY_MAX (4u << 20)
#define DEFAULT_LIFETIME_MS 60000

/* --- types and names --- */

static bool in_list(const char *name, const char *const *list) {
  for (; *list != NULL; list++)
    if (strcmp(name, *list) == 0)
      return true;
  return false;
}

/* The voice assistants' kinds come under three names: HOME_SWITCH,
 * SMART_HOME_SWITCH and GOOGLE_HOME_SWITCH are one. */
static const char *without_brand(const char *name) {
  static const char *const brands[] = {"HOME_", "SMART_HOME_", "GOOGLE_HOME_"};
  for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++)
    if (strncmp(name, brands[i], strlen(brands[i])) == 0)
      return name + strlen(brands[i]);
  return "";
}

enum wr_cloud_type wr_cloud_type_of(const char *type_name) {
  static const char *const integers[] = {"INT", "COUNT", NULL};
  static const char *const home_bools[] = {
      "LIGHT", "SWITCH", "CONTACT_SENSOR", "MOTION_SENSOR", "SMART_PLUG", NULL};
  static const char *const home_others[] = {"COLORED_LIGHT", "DIMMED_LIGHT",
                                            "TELEVISION", NULL};
  static const char *const others[] = {"COLOR_HSB",
                                       "COLOR_RGB",
                                       "LOCATION",
                                       "SCHEDULE",
                                       "GENERIC_COMPLEX_PROPERTY",
                                       NULL};
  const char *home = without_brand(type_name);
  if (in_list(type_name, others) || in_list(home, home_others))
    return WR_CLOUD_OTHER;
  if (strcmp(type_name, "CHARSTRING") == 0)
    return WR_CLOUD_TEXT;
  if (strcmp(type_name, "STATUS") == 0 || in_list(home, home_bools))
    return WR_CLOUD_BOOL;
  return in_list(type_name, integers) ? WR_CLOUD_INTEGER : WR_CLOUD_NUMBER;
}

bool wr_cloud_fits(enum wr_value_kind kind, enum wr_cloud_type type) {
  if (type == WR_CLOUD_UNKNOWN)
    return true;
  if (type == WR_CLOUD_OTHER)
    return false;
  return (kind == WR_VALUE_TEXT) == (type == WR_CLOUD_TEXT);
}

static bool made_of(const char *text, size_t max, const char *extra) {
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i++)
    if (!wr_text_is_alnum(text[i]) && strchr(extra, text[i]) == NULL)
      return false;
  return len > 0 && len <= max;
}

bool wr_cloud_id_ok(const char *id) {
  return made_of(id, WR_CLOUD_ID_MAX, "-_");
}

bool wr_cloud_name_ok(const char *name) {
  return made_of(name, WR_CLOUD_NAME_MAX, "_") && !wr_text_is_digit(name[0]);
}

/* --- requests --- */

int wr_cloud_url(struct wr_bytes *out, const char *base,
                 enum wr_cloud_endpoint endpoint, const char *thing,
                 const char *property) {
  switch (endpoint) {
  case WR_CLOUD_TOKEN:
    return wr_bytes_printf(out, "%s/iot/v1/clients/token", base);
  case WR_CLOUD_PROPERTIES:
    return wr_bytes_printf(out, "%s/iot/v2/things/%s/properties", base, thing);
  case WR_CLOUD_PUBLISH_MANY:
    return wr_bytes_printf(out, "%s/iot/v2/things/%s/publish", base, thing);
  case WR_CLOUD_PUBLISH_ONE:
    return wr_bytes_printf(out, "%s/iot/v2/things/%s/properties/%s/publish",
                           base, thing, property);
  case WR_CLOUD_PUBLISH_BATCH:
    return wr_bytes_printf(out,
                           "%s/iot/v2/things/%s/properties/%s/publish_batch",
                           base, thing, property);
  }
  return -EINVAL;
}

static int put_form(struct wr_bytes *out, const char *name, const char *value) {
  int status = wr_bytes_text(out, name);
  for (const char *p = value; status == 0 && *p != '\0'; p++)
    if (wr_text_is_alnum(*p) || strchr("-._~", *p) != NULL)
      status = wr_bytes_append(out, p, 1);
    else
      status = wr_bytes_printf(out, "%%%02X", (unsigned char)*p);
  return status;
}

int wr_cloud_token_body(struct wr_bytes *out, const char *client_id,
                        const char *client_secret, const char *space) {
  int status = put_form(out, "grant_type=", "client_credentials");
  if (status == 0)
    status = put_form(out, "&client_id=", client_id);
  if (status == 0)
    status = put_form(out, "&client_secret=", client_secret);
  if (status == 0)
    status = put_form(out, "&audience=", WR_CLOUD_AUDIENCE);
  if (status == 0 && space != NULL)
    status = put_form(out, "&organization_id=", space);
  return status;
}

static int put_value(struct wr_bytes *out, const struct wr_cloud_item *item) {
  const struct wr_value *v = item->value;
  if (v->kind == WR_VALUE_TEXT)
    return wr_json_put_string(out, v->text);
  if (!isfinite(v->number))
    return -EINVAL; /* null would erase the property */
  if (item->type == WR_CLOUD_BOOL ||
      (v->kind == WR_VALUE_BOOL && item->type == WR_CLOUD_UNKNOWN))
    return wr_bytes_text(out, v->number != 0.0 ? "true" : "false");
  if (item->type == WR_CLOUD_INTEGER)
    return wr_bytes_printf(out, "%.0f", nearbyint(v->number));
  return wr_json_put_double(out, v->number);
}

/* On 32 bits the Makefile asks for it: 2038 is not far. */
_Static_assert(sizeof(time_t) == sizeof(int64_t), "time_t needs 64 bits");

int wr_cloud_time(char *out, size_t size, int64_t time_us) {
  time_t seconds = (time_t)(time_us / 1000000);
  struct tm tm;
  if (time_us < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099)
    return -ERANGE;
  char date[32];
  strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(out, size, "%s.%06dZ", date, (int)(time_us % 1000000));
  return 0;
}

static int put_item(struct wr_bytes *out, enum wr_cloud_endpoint endpoint,
                    const struct wr_cloud_item *item) {
  int status = 0;
  char time_text[64];
  if (endpoint == WR_CLOUD_PUBLISH_MANY) {
    status = wr_bytes_text(out, "{\"property\":");
    if (status == 0)
      status = wr_json_put_string(out, item->name);
    if (status == 0)
      status = wr_bytes_text(out, ",\"value\":");
  } else if (endpoint == WR_CLOUD_PUBLISH_BATCH) {
    status = wr_cloud_time(time_text, sizeof(time_text), item->time_us);
    if (status == 0)
      status =
          wr_bytes_printf(out, "{\"timestamp\":\"%s\",\"value\":", time_text);
  } else
    status = wr_bytes_text(out, "{\"value\":");
  if (status == 0)
    status = put_value(out, item);
  return status == 0 ? wr_bytes_text(out, "}") : status;
}

int wr_cloud_publish_body(struct wr_bytes *out, enum wr_cloud_endpoint endpoint,
                          const struct wr_cloud_item *items, size_t count) {
  if (endpoint == WR_CLOUD_PUBLISH_ONE)
    return put_item(out, endpoint, items);
  bool many = endpoint == WR_CLOUD_PUBLISH_MANY;
  int status =
      wr_bytes_text(out, many ? "{\"to_device\":false,\"properties\":[" : "[");
  for (size_t i = 0; status == 0 && i < count; i++) {
    if (i > 0)
      status = wr_bytes_text(out, ",");
    if (status == 0)
      status = put_item(out, endpoint, items + i);
  }
  return status == 0 ? wr_bytes_text(out, many ? "]}" : "]") : status;
}

/* --- replies --- */

/* RFC 6750 allows less; what matters is that no byte ends the header. */
static bool header_safe(const char *token) {
  for (const char *p = token; *p != '\0'; p++)
    if (*p <= ' ' || *p > '~')
      return false;
  return token[0] != '\0';
}

int wr_cloud_read_token(const char *text, size_t len, struct wr_bytes *token,
                        int64_t *lifetime_ms) {
  struct wr_json *doc = NULL;
  int status = wr_json_parse(text, len, REPLY_MAX, &doc);
  if (status != 0)
    return status == -ENOMEM ? status : -EBADMSG;
  const char *found = NULL;
  double seconds = 0;
  if (wr_json_string(doc, "access_token", &found) != 0 || !header_safe(found))
    status = -EBADMSG;
  else
    status = wr_bytes_text(token, found);
  *lifetime_ms = DEFAULT_LIFETIME_MS;
  if (wr_json_double(doc, "expires_in", &seconds) == 0 && seconds > 0 &&
      seconds < 366.0 * 86400.0)
    *lifetime_ms = (int64_t)(seconds * 1000.0);
  wr_json_free(doc);
  return status == -ENOSPC ? -EBADMSG : status;
}

static bool read_property(const struct wr_json *object,
                          struct wr_cloud_property *p) {
  const char *id = NULL, *name = NULL, *type = NULL;
  if (wr_json_string(object, "id", &id) != 0 || !wr_cloud_id_ok(id) ||
      wr_json_string(object, "type", &type) != 0)
    return false;
  /* Old things have no variable_name; their name serves as one. */
  if (wr_json_string(object, "variable_name", &name) != 0 &&
      wr_json_string(object, "name", &name) != 0)
    return false;
  if (!wr_cloud_name_ok(name))
    return false;
  memset(p, 0, sizeof(*p));
  snprintf(p->id, sizeof(p->id), "%s", id);
  snprintf(p->name, sizeof(p->name), "%s", name);
  snprintf(p->type_name, sizeof(p->type_name), "%s", type);
  for (char *c = p->type_name; *c != '\0'; c++)
    if (!wr_text_is_alnum(*c) && *c != '_')
      *c = '?'; /* it ends up in a log line */
  p->type = wr_cloud_type_of(type);
  return true;
}

int wr_cloud_read_properties(const char *text, size_t len,
                             wr_cloud_property_fn each, void *arg) {
  struct wr_json *doc = NULL;
  int status = wr_json_parse(text, len, REPLY_MAX, &doc);
  if (status != 0)
    return status == -ENOMEM ? status : -EBADMSG;
  if (wr_json_kind(doc) != WR_JSON_ARRAY) {
    wr_json_free(doc);
    return -EBADMSG;
  }
  const struct wr_json *v = NULL;
  while ((v = wr_json_next(doc, v)) != NULL) {
    struct wr_cloud_property p;
    if (read_property(v, &p))
      each(&p, arg);
  }
  wr_json_free(doc);
  return 0;
}

static void put_line(char *out, size_t size, const char *text, size_t len) {
  size_t used = 0;
  for (size_t i = 0; i < len && used + 1 < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= ' ' && c <= '~')
      out[used++] = (char)c;
    else if (used > 0 && out[used - 1] != ' ')
      out[used++] = ' ';
  }
  while (used > 0 && out[used - 1] == ' ')
    used--;
  out[used] = '\0';
}

void wr_cloud_read_error(const char *text, size_t len, char *out, size_t size) {
  static const char *const keys[] = {"detail", "error_description", "message",
                                     "error"};
  out[0] = '\0';
  if (text == NULL)
    return;
  struct wr_json *doc = NULL;
  if (wr_json_parse(text, len, REPLY_MAX, &doc) != 0) {
    if (memchr(text, '<', len) == NULL) /* an HTML page helps nobody */
      put_line(out, size, text, len);
    return;
  }
  const char *found = NULL;
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
    if (wr_json_string(doc, keys[i], &found) == 0) {
      put_line(out, size, found, strlen(found));
      break;
    }
  wr_json_free(doc);
}
