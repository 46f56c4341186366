#include "lib/m4/label_report.h"
#include "lib/base/json.h"

#include <math.h>
#include <string.h>

static int64_t max_age_ms(const struct wr_label_report *r,
                          int64_t interval_ms) {
  if (r->max_age_ms > 0)
    return r->max_age_ms;
  return 3 * interval_ms > WR_LABEL_AGE_MS ? 3 * interval_ms : WR_LABEL_AGE_MS;
}

void wr_label_report_start(struct wr_label_report *r, int64_t now_ms) {
  r->expires_ms = now_ms + max_age_ms(r, 0);
}

bool wr_label_report_offer(struct wr_label_report *r, const char *label,
                           double score, int64_t window, int64_t interval_ms,
                           int64_t now_ms) {
  size_t len = strlen(label);
  if (len == 0 || len >= WR_LABEL_MAX)
    return false;
  bool due =
      strcmp(r->label, label) != 0 || (!r->on_change && r->window != window);
  r->window = window;
  r->score = score;
  r->expires_ms = now_ms + max_age_ms(r, interval_ms);
  memcpy(r->label, label, len + 1);
  if (due)
    r->version++;
  return due;
}

/* With `expires_ms` at INT64_MAX it is told once, then at each heartbeat. */
static void expire(struct wr_label_report *r) {
  r->expires_ms = INT64_MAX;
  r->score = 0;
  if (strcmp(r->label, WR_LABEL_UNKNOWN) != 0)
    r->version++;
  strcpy(r->label, WR_LABEL_UNKNOWN);
}

int64_t wr_label_report_wait(struct wr_label_report *r, int64_t now_ms) {
  if (r->expires_ms != 0 && now_ms >= r->expires_ms)
    expire(r);
  int64_t age = r->expires_ms == 0 || r->expires_ms == INT64_MAX
                    ? INT64_MAX
                    : r->expires_ms - now_ms;
  if (r->label[0] == '\0')
    return age;
  int64_t wait = age;
  if (r->version != r->sent)
    wait = 0;
  else if (r->heartbeat_ms > 0 && r->sent_ms + r->heartbeat_ms - now_ms < wait)
    wait = r->sent_ms + r->heartbeat_ms - now_ms;
  int64_t hold = wr_backoff_wait(&r->backoff, now_ms);
  return wait < hold ? hold : wait;
}

void wr_label_report_done(struct wr_label_report *r, uint64_t version, bool ok,
                          int64_t now_ms, uint32_t random, int64_t rest_ms) {
  if (!ok) {
    wr_backoff_fail(&r->backoff, now_ms, random, rest_ms);
    return;
  }
  wr_backoff_ok(&r->backoff);
  r->sent = version;
  r->sent_ms = now_ms;
}

void wr_label_report_lost(struct wr_label_report *r, int64_t now_ms,
                          uint32_t random) {
  wr_backoff_fail(&r->backoff, now_ms, random, 0);
  r->sent = r->version - 1;
}

int wr_label_report_write(struct wr_bytes *out, const char *label,
                          double score) {
  int status = wr_bytes_text(out, "{\"label\":");
  if (status == 0)
    status = wr_json_put_string(out, label);
  if (status == 0)
    status = wr_bytes_text(out, ",\"value\":");
  if (status == 0)
    status = wr_json_put_double(out, isfinite(score) ? score : 0.0);
  if (status == 0)
    status = wr_bytes_text(out, "}");
  return status;
}
