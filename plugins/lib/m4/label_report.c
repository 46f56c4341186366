#include "lib/m4/label_report.h"
#include "lib/base/json.h"

#include <math.h>
#include <string.h>

bool wr_label_report_offer(struct wr_label_report *r, const char *label,
                           double score, int64_t time_us) {
  size_t len = strlen(label);
  if (len == 0 || len >= WR_LABEL_MAX || time_us < r->time_us)
    return false;
  bool changed = strcmp(r->label, label) != 0;
  bool newer = time_us > r->time_us;
  r->time_us = time_us;
  r->score = score;
  memcpy(r->label, label, len + 1);
  bool due = changed || (newer && !r->on_change);
  if (due)
    r->version++;
  return due;
}

int64_t wr_label_report_wait(const struct wr_label_report *r, int64_t now_ms) {
  if (r->label[0] == '\0')
    return INT64_MAX;
  int64_t wait = INT64_MAX;
  if (r->version != r->sent)
    wait = 0;
  else if (r->heartbeat_ms > 0)
    wait = r->sent_ms + r->heartbeat_ms - now_ms;
  int64_t hold = wr_backoff_wait(&r->backoff, now_ms);
  if (wait < hold)
    wait = hold;
  return wait;
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
