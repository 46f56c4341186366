/* weir-doctor cloud --rejected, --resend, --to-0.1: what the cloud refused for
 * good, and why; once more; and the way back to an older version. */
#include "doctor/checks.h"
#include "doctor/verdicts.h"

#include "lib/base/number.h"
#include "lib/cloud/proto.h"
#include "lib/spool/spool.h"

#include <stdio.h>
#include <string.h>

struct tally {
  struct doctor *d;
  unsigned count;
};

static void on_rejected(const struct wr_rejected *r, void *arg) {
  struct tally *t = arg;
  char at[40] = "?", value[WR_TEXT_MAX + 1];
  wr_cloud_time(at, sizeof(at), r->time_us);
  if (r->value.kind == WR_VALUE_TEXT)
    snprintf(value, sizeof(value), "%s", r->value.text);
  else
    wr_number_print(value, sizeof(value), "%g", r->value.number);
  doctor_step(t->d, false, "rejected", "%s %s = %s: %s", at, r->property, value,
              r->reason);
  t->count++;
}

int doctor_rejected(struct doctor *d, const char *path) {
  struct tally t = {.d = d};
  char fault[256] = "";
  if (wr_spool_read_rejected(path, on_rejected, &t, fault, sizeof(fault)) !=
      0) {
    doctor_step(d, false, "spool", "%s: %s", path, fault);
    return doctor_conclude(d, DOCTOR_SPOOL_UNREADABLE);
  }
  return doctor_conclude(d, t.count == 0 ? DOCTOR_REJECTED_NONE
                                         : DOCTOR_REJECTED_SOME);
}

int doctor_resend(struct doctor *d, const char *path) {
  char fault[256] = "";
  int64_t marked = 0;
  if (wr_spool_resend_rejected(path, &marked, fault, sizeof(fault)) != 0) {
    doctor_step(d, false, "spool", "%s: %s", path, fault);
    return doctor_conclude(d, DOCTOR_SPOOL_UNCHANGED);
  }
  doctor_step(d, true, "resend", "%lld values", (long long)marked);
  return doctor_conclude(d, DOCTOR_RESENT);
}

int doctor_older_spool(struct doctor *d, const char *path) {
  char fault[256] = "";
  if (wr_spool_convert(path, 1, fault, sizeof(fault)) != 0) {
    doctor_step(d, false, "spool", "%s: %s", path, fault);
    return doctor_conclude(d, DOCTOR_SPOOL_UNCHANGED);
  }
  return doctor_conclude(d, DOCTOR_SPOOL_OLDER);
}
