/* One answer, read as it is told value by value: at one a second and board it
 * is what the agent reads most, and a tree of it would be built to look five
 * numbers up. As in a tree, the last of two equal keys counts. */
#include "lib/infer/ei_impl.h"

#include "lib/base/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum field { OTHER, SUCCESS, ERROR, ID, RESULT, SCORES, ANOMALY };
enum score { MISSING, NUMBER, NONE /* null */ };

struct reading {
  const struct wr_model *model;
  struct wr_answer *out;
  enum field field; /* of the reply, whose value comes next */
  enum field part;  /* of its "result" */
  size_t label;     /* whose score comes next; labels.count: of none */
  bool object;      /* the reply is one */
  bool said, success, same_id, result;
  char id[24]; /* as asked */
  char reason[WR_EI_TEXT];
  unsigned char scores[WR_LABELS_MAX]; /* enum score */
};

/* A label with a NUL in it is known with U+FFFD there (json.h). */
static bool is_key(const struct wr_json_event *e, const char *name) {
  for (size_t i = 0; i < e->len; i++) {
    size_t len = e->text[i] == '\0' ? 3 : 1;
    if (strncmp(name, len == 3 ? "\xef\xbf\xbd" : e->text + i, len) != 0)
      return false;
    name += len;
  }
  return *name == '\0';
}

/* Mostly it is the one behind the label before, where the search begins. */
static size_t find_label(const struct reading *r,
                         const struct wr_json_event *e) {
  const struct wr_labels *labels = &r->model->labels;
  for (size_t i = 0; i < labels->count; i++) {
    size_t at = (r->label + i) % labels->count;
    if (is_key(e, labels->at[at].name))
      return at;
  }
  return labels->count;
}

static void forget_scores(struct reading *r) {
  memset(r->scores, MISSING, r->model->labels.count);
  r->label = r->model->labels.count;
}

static void forget_reason(struct reading *r) {
  snprintf(r->reason, sizeof(r->reason), "no reason given");
}

static void reply_key(struct reading *r, const struct wr_json_event *e) {
  static const char *const names[] = {[SUCCESS] = "success",
                                      [ERROR] = "error",
                                      [ID] = "id",
                                      [RESULT] = "result"};
  enum field f = RESULT;
  while (f > OTHER && !is_key(e, names[f]))
    f--;
  r->field = f;
  r->part = OTHER;
  if (f == SUCCESS)
    r->said = r->success = false;
  else if (f == ERROR)
    forget_reason(r);
  else if (f == ID)
    r->same_id = false;
  else if (f == RESULT) {
    r->result = true;
    r->out->anomaly = NAN;
    forget_scores(r);
  }
}

static void reply_value(struct reading *r, const struct wr_json_event *e) {
  if (r->field == SUCCESS && e->kind == WR_JSON_BOOL) {
    r->said = true;
    r->success = e->truth;
  } else if (r->field == ERROR && e->kind == WR_JSON_STRING)
    snprintf(r->reason, sizeof(r->reason), "%.*s", (int)e->len, e->text);
  else if (r->field == ID && e->kind == WR_JSON_NUMBER)
    r->same_id = strcmp(e->text, r->id) == 0;
}

static void result_key(struct reading *r, const struct wr_json_event *e) {
  r->part = is_key(e, "classification") ? SCORES
            : is_key(e, "anomaly")      ? ANOMALY
                                        : OTHER;
  if (r->part == SCORES)
    forget_scores(r);
  else if (r->part == ANOMALY)
    r->out->anomaly = NAN;
}

static void score(struct reading *r, const struct wr_json_event *e) {
  enum score s = MISSING;
  if (r->label >= r->model->labels.count)
    return;
  if (e->kind == WR_JSON_NULL)
    s = NONE;
  else if (e->kind == WR_JSON_NUMBER &&
           wr_number_read(e->text, r->out->scores + r->label) == 0)
    s = NUMBER;
  r->scores[r->label] = (unsigned char)s;
}

static void inside_result(struct reading *r, const struct wr_json_event *e) {
  if (e->depth == 2 && e->kind == WR_JSON_KEY)
    result_key(r, e);
  else if (e->depth == 2 && r->part == ANOMALY && e->kind == WR_JSON_NUMBER)
    (void)wr_number_read(e->text, &r->out->anomaly);
  else if (e->depth == 3 && r->part == SCORES && e->kind == WR_JSON_KEY)
    r->label = find_label(r, e);
  else if (e->depth == 3 && r->part == SCORES)
    score(r, e);
}

static int on_event(void *context, const struct wr_json_event *e) {
  struct reading *r = context;
  if (e->kind == WR_JSON_END)
    return 0;
  if (e->depth == 0)
    r->object = e->kind == WR_JSON_OBJECT;
  else if (e->depth == 1 && e->kind == WR_JSON_KEY)
    reply_key(r, e);
  else if (e->depth == 1)
    reply_value(r, e);
  else if (r->field == RESULT)
    inside_result(r, e);
  return 0;
}

static int read_all(struct reading *r, const char *text, size_t len,
                    char *fault) {
  struct wr_json_reader reader;
  wr_json_reader_init(&reader, len, on_event, r);
  int status =
      len > WR_EI_REPLY_MAX ? -E2BIG : wr_json_reader_push(&reader, text, len);
  if (status == 0)
    status = wr_json_reader_end(&reader);
  wr_json_reader_free(&reader);
  if (status == -ENOMEM)
    return wr_ei_fault(fault, status, "no memory for the reply");
  if (status != 0 || !r->object)
    return wr_ei_fault(fault, -EBADMSG, "the reply is not a JSON object");
  return 0;
}

static int check_scores(struct reading *r, char *fault) {
  for (size_t i = 0; i < r->model->labels.count; i++) {
    double *s = r->out->scores + i;
    if (r->scores[i] == NONE)
      return wr_ei_fault(fault, -EREMOTEIO,
                         "it says null for a score: it could not compute it "
                         "from these values");
    if (r->scores[i] == MISSING)
      return wr_ei_fault(fault, -EBADMSG,
                         "the reply lacks the score of a label");
    if (*s < -0.001 || *s > 1.001)
      return wr_ei_fault(fault, -EBADMSG, "a score is outside 0 to 1");
    *s = fmin(fmax(*s, 0.0), 1.0);
  }
  return 0;
}

int wr_ei_read_answer(const char *text, size_t len, int64_t id,
                      const struct wr_model *model, struct wr_answer *out,
                      char *fault) {
  struct reading r = {
      .model = model, .out = out, .said = id < 0, .success = true};
  snprintf(r.id, sizeof(r.id), "%lld", (long long)id);
  forget_reason(&r);
  int status = read_all(&r, text, len, fault);
  if (status != 0)
    return status;
  if (!r.said && id >= 0)
    return wr_ei_fault(fault, -EBADMSG, "the reply has no \"success\"");
  if (r.said && !r.success)
    return wr_ei_refused(fault, r.reason);
  if (id >= 0 && !r.same_id)
    return wr_ei_fault(fault, -EBADMSG, "the reply belongs to another request");
  if (!r.result)
    return wr_ei_fault(fault, -EBADMSG, "the reply has no \"result\"");
  /* 1000 stands for "could not be computed", and so does null. */
  if (out->anomaly >= 1000.0)
    out->anomaly = NAN;
  return check_scores(&r, fault);
}
