#include "lib/infer/ei_impl.h"

#include "lib/base/json.h"
#include "lib/base/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Texts of the newest numbers, each with a comma in front. A sensor that counts
 * pulses says the same few again and again. */
#define KEPT 8

struct kept {
  uint64_t bits;
  size_t len; /* 0: none yet */
  char text[1 + WR_NUMBER_MAX];
};

/* Nine digits are what a model's float32 can hold. */
static void write_number(struct kept *k, double value, uint64_t bits) {
  k->text[0] = ',';
  wr_number_write_nine(k->text + 1, value);
  if (!isfinite(value))
    strcpy(k->text + 1, "null");
  k->bits = bits;
  k->len = strlen(k->text);
}

static int put_numbers(struct wr_bytes *b, const double *values, size_t count) {
  struct kept kept[KEPT] = {{0}};
  int status = wr_bytes_text(b, "[");
  for (size_t i = 0, next = 0; status == 0 && i < count; i++) {
    uint64_t bits;
    memcpy(&bits, values + i, sizeof(bits));
    size_t at = 0;
    while (at < KEPT && (kept[at].bits != bits || kept[at].len == 0))
      at++;
    if (at == KEPT) {
      at = next++ % KEPT;
      write_number(kept + at, values[i], bits);
    }
    size_t first = i == 0; /* no comma */
    status = wr_bytes_append(b, kept[at].text + first, kept[at].len - first);
  }
  return status != 0 ? status : wr_bytes_text(b, "]");
}

/* The last member, and the end. */
static int put_id(struct wr_bytes *b, int64_t id) {
  char text[32];
  snprintf(text, sizeof(text), ",\"id\":%lld}\n", (long long)id);
  return wr_bytes_text(b, text);
}

int wr_ei_put_hello(struct wr_bytes *b, int64_t id) {
  return wr_bytes_printf(b, "{\"hello\":1,\"id\":%lld}\n", (long long)id);
}

int wr_ei_put_classify(struct wr_bytes *b, const double *features, size_t count,
                       int64_t id) {
  int status = wr_bytes_text(b, "{\"classify\":");
  if (status == 0)
    status = put_numbers(b, features, count);
  return status != 0 ? status : put_id(b, id);
}

int wr_ei_put_features(struct wr_bytes *b, const double *features,
                       size_t count) {
  int status = wr_bytes_text(b, "{\"features\":");
  if (status == 0)
    status = put_numbers(b, features, count);
  return status != 0 ? status : wr_bytes_text(b, "}");
}

void wr_ei_line(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from);
  for (; *to != '\0'; to++)
    if ((unsigned char)*to < ' ' || *to == 0x7f)
      *to = ' ';
}

int wr_ei_fault(char *fault, int status, const char *text) {
  snprintf(fault, WR_EI_TEXT, "%s", text);
  return status;
}

int wr_ei_refused(char *fault, const char *reason) {
  int used = snprintf(fault, WR_EI_TEXT, "the model says: ");
  wr_ei_line(fault + used, WR_EI_TEXT - (size_t)used, reason);
  return -EREMOTEIO;
}

/* The envelope: an object, our id, success. `id` < 0: HTTP, without an id, and
 * with `success` only where it is false. */
static int open_reply(const char *text, size_t len, int64_t id,
                      struct wr_json **doc, char *fault) {
  *doc = NULL;
  int status = wr_json_parse(text, len, WR_EI_REPLY_MAX, doc);
  if (status == -ENOMEM)
    return wr_ei_fault(fault, status, "no memory for the reply");
  if (status != 0 || wr_json_kind(*doc) != WR_JSON_OBJECT)
    return wr_ei_fault(fault, -EBADMSG, "the reply is not a JSON object");
  int64_t echoed = -1;
  bool success = true;
  const char *error = "no reason given";
  if (wr_json_bool(*doc, "success", &success) != 0 && id >= 0)
    return wr_ei_fault(fault, -EBADMSG, "the reply has no \"success\"");
  if (!success) {
    (void)wr_json_string(*doc, "error", &error);
    return wr_ei_refused(fault, error);
  }
  if (id >= 0 && (wr_json_int(*doc, "id", &echoed) != 0 || echoed != id))
    return wr_ei_fault(fault, -EBADMSG, "the reply belongs to another request");
  return 0;
}

static int read_labels(const struct wr_json *parameters,
                       struct wr_labels *labels) {
  const struct wr_json *list = wr_json_get(parameters, "labels");
  if (list == NULL)
    return 0;
  if (wr_json_kind(list) != WR_JSON_ARRAY)
    return -EBADMSG;
  const struct wr_json *v = NULL;
  while ((v = wr_json_next(list, v)) != NULL) {
    if (wr_json_kind(v) != WR_JSON_STRING)
      return -EBADMSG;
    int index = wr_labels_add(labels, wr_json_text(v), NULL);
    if (index < 0)
      return index == -ENOMEM ? index : -EBADMSG;
  }
  return 0;
}

static double anomaly_threshold(const struct wr_json *parameters) {
  const struct wr_json *list = wr_json_get(parameters, "thresholds");
  double value = NAN;
  const struct wr_json *v = NULL;
  while ((v = wr_json_next(list, v)) != NULL)
    (void)wr_json_double(v, "min_anomaly_score", &value);
  return value;
}

/* Milliseconds as a fraction: a model at 62.5 Hz has an interval of 16 ms. */
static int64_t interval_of(const struct wr_json *parameters) {
  double interval_ms = 0, frequency = 0;
  if (wr_json_double(parameters, "interval_ms", &interval_ms) != 0 ||
      interval_ms <= 0) {
    if (wr_json_double(parameters, "frequency", &frequency) != 0 ||
        frequency <= 0)
      return 0;
    interval_ms = 1000.0 / frequency;
  }
  return interval_ms <= 86400000.0 ? llround(interval_ms * 1000.0) : 0;
}

/* What it is instead of what we can use, with what to do. */
static int refuse_kind(const struct wr_json *p, const char *type, char *fault) {
  int64_t width = 0, height = 0;
  (void)wr_json_int(p, "image_input_width", &width);
  (void)wr_json_int(p, "image_input_height", &height);
  if (width <= 0 && strcmp(type, "classification") == 0)
    return 0;
  char kind[40], images[80] = "";
  wr_ei_line(kind, sizeof(kind), type);
  if (width > 0)
    snprintf(images, sizeof(images), " for images of %lld x %lld pixels",
             (long long)width, (long long)height);
  snprintf(fault, WR_EI_TEXT,
           "it is a model of the kind \"%s\"%s; use one that classifies a time "
           "series",
           kind, images);
  return -ENOTSUP;
}

static int read_parameters(const struct wr_json *p, struct wr_model *m,
                           char *fault) {
  int64_t features, axes = 1, anomaly = 0, least = 0;
  if (wr_json_int(p, "input_features_count", &features) != 0)
    return wr_ei_fault(fault, -EBADMSG, "\"input_features_count\" is missing");
  (void)wr_json_int(p, "axis_count", &axes);
  (void)wr_json_int(p, "has_anomaly", &anomaly);
  (void)wr_json_int(p, "least_samples", &least);
  m->interval_us = interval_of(p);
  const char *type = "classification";
  (void)wr_json_string(p, "model_type", &type);
  int status = refuse_kind(p, type, fault);
  if (status != 0)
    return status;
  if (axes < 1 || axes > 16 || features < axes || features > 65536 ||
      features % axes != 0 || m->interval_us <= 0)
    return wr_ei_fault(fault, -ENOTSUP,
                       "not a model of a time series with up to 16 axes and "
                       "65536 values");
  m->features = (size_t)features;
  m->axes = (size_t)axes;
  m->least = least >= 1 && least <= features / axes ? (size_t)least : 0;
  m->has_anomaly = anomaly != 0;
  m->anomaly_threshold = anomaly_threshold(p);
  status = read_labels(p, &m->labels);
  if (status != 0)
    return wr_ei_fault(fault, status,
                       "\"labels\" is not a list of up to 256 "
                       "names of up to 255 bytes");
  return m->labels.count == 0 && !m->has_anomaly
             ? wr_ei_fault(fault, -ENOTSUP, "the model has no labels")
             : 0;
}

int wr_ei_read_model(const char *text, size_t len, int64_t id,
                     struct wr_model *out, char *fault) {
  *out = (struct wr_model){.version = -1, .anomaly_threshold = NAN};
  struct wr_json *doc = NULL;
  int status = open_reply(text, len, id, &doc, fault);
  if (status == 0) {
    const struct wr_json *p =
        wr_json_get(doc, id < 0 ? "modelParameters" : "model_parameters");
    const struct wr_json *project = wr_json_get(doc, "project");
    const char *name = "";
    (void)wr_json_string(project, "name", &name);
    (void)wr_json_int(project, "deploy_version", &out->version);
    wr_ei_line(out->name, sizeof(out->name), name);
    status = read_parameters(p, out, fault);
  }
  wr_json_free(doc);
  if (status != 0)
    wr_model_free(out);
  return status;
}

bool wr_model_same(const struct wr_model *a, const struct wr_model *b) {
  bool same_threshold = isnan(a->anomaly_threshold)
                            ? isnan(b->anomaly_threshold)
                            : a->anomaly_threshold == b->anomaly_threshold;
  if (a->features != b->features || a->axes != b->axes ||
      a->least != b->least || a->interval_us != b->interval_us ||
      a->version != b->version || a->has_anomaly != b->has_anomaly ||
      !same_threshold || strcmp(a->name, b->name) != 0 ||
      a->labels.count != b->labels.count)
    return false;
  for (size_t i = 0; i < a->labels.count; i++)
    if (strcmp(a->labels.at[i].name, b->labels.at[i].name) != 0)
      return false;
  return true;
}

void wr_model_free(struct wr_model *m) {
  wr_labels_free(&m->labels);
  *m = (struct wr_model){0};
}

int wr_ei_scan(struct wr_ei_scan *s, const char *data, size_t len,
               size_t *begin, size_t *end) {
  for (; s->at < len; s->at++) {
    char c = data[s->at];
    if (s->escaped)
      s->escaped = false;
    else if (s->in_string) {
      s->escaped = c == '\\';
      s->in_string = c != '"';
    } else if (c == '"')
      s->in_string = s->depth > 0; /* quotes in a banner mean nothing */
    else if (c == '{' && s->depth++ == 0)
      s->begin = s->at;
    else if (c == '}' && s->depth > 0 && --s->depth == 0) {
      *begin = s->begin;
      *end = s->at + 1;
      *s = (struct wr_ei_scan){0};
      return 1;
    }
  }
  return 0;
}
