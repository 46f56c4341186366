/* ei_proto: what Edge Impulse's runner and its `.eim` programs say. Pure.
 *
 * One JSON for two transports: HTTP (GET /api/info, POST /api/features) and
 * the `.eim` program's unix socket, where bare objects follow each other, with
 * a newline and a NUL byte between them. Threads: none of its own. */
#ifndef WR_EI_PROTO_H
#define WR_EI_PROTO_H

#include "lib/base/bytes.h"
#include "lib/infer/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WR_EI_REPLY_MAX 1048576 /* bytes of one reply */
#define WR_EI_TEXT 160
/* Stands for "no sample" in front of a history shorter than the window, where a
 * model says (least_samples) that it knows such: no flow is that. */
#define WR_EI_NO_SAMPLE (-1000.0)

struct wr_model {
  size_t features; /* samples x axes */
  size_t axes;
  size_t least; /* samples that do for a first answer; 0: not given */
  int64_t interval_us;
  bool has_anomaly;
  double anomaly_threshold; /* NaN: not given */
  int64_t version;          /* deploy_version; -1: not given */
  char name[WR_EI_TEXT];    /* of the project */
  struct wr_labels labels;  /* none: the model only knows anomalies */
};

struct wr_answer {
  double scores[WR_LABELS_MAX]; /* in the model's order of labels, 0..1 */
  double anomaly;               /* NaN: not computed */
};

/* Each appends one request; 0 or what wr_bytes_append() returns. */
int wr_ei_put_hello(struct wr_bytes *b, int64_t id);
int wr_ei_put_classify(struct wr_bytes *b, const double *features, size_t count,
                       int64_t id);
int wr_ei_put_features(struct wr_bytes *b, const double *features,
                       size_t count); /* for HTTP */

/* Reads the reply to hello (`id` as asked) or /api/info (`id` < 0). 0, -EBADMSG
 * (not this protocol), -EREMOTEIO (success is false), -ENOTSUP (a model that
 * does not classify a series of numbers), -ENOMEM; with a phrase in fault,
 * WR_EI_TEXT bytes. On 0 the labels belong to the caller: wr_model_free(). */
int wr_ei_read_model(const char *text, size_t len, int64_t id,
                     struct wr_model *out, char *fault);
/* Whether all that is known of them is the same; a model may be built anew
 * under the same version. */
bool wr_model_same(const struct wr_model *a, const struct wr_model *b);
void wr_model_free(struct wr_model *m);

/* Reads the reply to classify (`id` as asked) or /api/features (`id` < 0). A
 * reply without one of the model's labels or with a score outside 0..1 is
 * -EBADMSG: the model behind is another one. Errors as above. */
int wr_ei_read_answer(const char *text, size_t len, int64_t id,
                      const struct wr_model *model, struct wr_answer *out,
                      char *fault);

/* Finds objects in a stream. Start with {0} and call again when more has
 * arrived; `data` is always the whole buffer. Text in front of an object is
 * skipped. 1: *begin and *end (behind the last byte) hold one object, and the
 * scanner is ready for what follows once the caller has cut it off; 0: not yet.
 */
struct wr_ei_scan {
  size_t at, begin;
  int depth;
  bool in_string, escaped;
};
int wr_ei_scan(struct wr_ei_scan *s, const char *data, size_t len,
               size_t *begin, size_t *end);

#endif
