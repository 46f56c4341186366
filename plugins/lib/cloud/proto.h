/* proto: the Arduino Cloud REST API as text: paths and bodies out,
 * replies in. Pure; every reply is hostile until it passed here.
 *
 * Source: the service's OpenAPI description (the 2026-04 client release brought
 * `publish` of several properties and `publish_batch`). The writing functions
 * append to `out` and return 0 or what wr_bytes_append() returns. */
#ifndef WR_CLOUD_PROTO_H
#define WR_CLOUD_PROTO_H

#include "lib/base/bytes.h"
#include "lib/spool/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WR_CLOUD_URL "https://api2.arduino.cc"
/* Names the API, not the host in use: it is the same for every URL. */
#define WR_CLOUD_AUDIENCE "https://api2.arduino.cc/iot"
#define WR_CLOUD_NAME_MAX 64
#define WR_CLOUD_ID_MAX 64

/* What a property of the cloud takes; from its type name, 132 of them. */
enum wr_cloud_type {
  WR_CLOUD_UNKNOWN, /* not asked yet */
  WR_CLOUD_NUMBER,
  WR_CLOUD_INTEGER,
  WR_CLOUD_BOOL,
  WR_CLOUD_TEXT,
  WR_CLOUD_OTHER, /* colours, places, schedules: nothing we can send */
};
enum wr_cloud_type wr_cloud_type_of(const char *type_name);
/* A number goes into an integer (rounded) and a boolean (not 0). UNKNOWN takes
 * everything as it is. */
bool wr_cloud_fits(enum wr_value_kind kind, enum wr_cloud_type type);

/* True for 1..64 letters, digits, '-' and '_': safe in a path. */
bool wr_cloud_id_ok(const char *id);
/* True for a variable name: ^[a-zA-Z_][a-zA-Z0-9_]*$, up to 64 long. */
bool wr_cloud_name_ok(const char *name);

/* --- requests --- */

enum wr_cloud_endpoint {
  WR_CLOUD_TOKEN,
  WR_CLOUD_PROPERTIES,
  WR_CLOUD_PUBLISH_MANY, /* the current values, by variable name */
  WR_CLOUD_PUBLISH_ONE,
  WR_CLOUD_PUBLISH_BATCH, /* old values of one property, with time stamps */
};
/* `base` without a slash at the end; thing and property as needed. */
int wr_cloud_url(struct wr_bytes *out, const char *base,
                 enum wr_cloud_endpoint endpoint, const char *thing,
                 const char *property);

/* Form body of a token request; `space` NULL: no organization. */
int wr_cloud_token_body(struct wr_bytes *out, const char *client_id,
                        const char *client_secret, const char *space);

struct wr_cloud_item {
  const char *name; /* variable name; PUBLISH_MANY only */
  enum wr_cloud_type type;
  int64_t time_us; /* PUBLISH_BATCH only */
  const struct wr_value *value;
};
int wr_cloud_publish_body(struct wr_bytes *out, enum wr_cloud_endpoint endpoint,
                          const struct wr_cloud_item *items, size_t count);
/* "2026-01-01T00:00:00.123456Z"; -ERANGE outside the years 1970 to 9999. */
int wr_cloud_time(char *out, size_t size, int64_t time_us);

/* --- replies --- */

/* 0, -EBADMSG (not a token reply: no JSON, a token that is empty or holds what
 * a header must not) or -ENOMEM. A token of any length is appended to `token`,
 * as far as its ceiling goes. Lifetime in ms, 60 s when the reply has none. */
int wr_cloud_read_token(const char *text, size_t len, struct wr_bytes *token,
                        int64_t *lifetime_ms);

struct wr_cloud_property {
  char id[WR_CLOUD_ID_MAX + 1];
  char name[WR_CLOUD_NAME_MAX + 1]; /* variable_name */
  char type_name[40];
  enum wr_cloud_type type;
};
typedef void (*wr_cloud_property_fn)(const struct wr_cloud_property *p,
                                     void *arg);
/* Calls `each` for every well-formed property; -EBADMSG when it is no list. */
int wr_cloud_read_properties(const char *text, size_t len,
                             wr_cloud_property_fn each, void *arg);

/* The service's reason, as one printable line: `detail` of a goa error,
 * `error_description` of a token error, or plain text; "" when none. */
void wr_cloud_read_error(const char *text, size_t len, char *out, size_t size);

#endif
