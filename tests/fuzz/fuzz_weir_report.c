/* The M4's parser of label reports: any bytes in, no byte read too far, the
 * label always ends, and what is accepted is a finite number. */
#include "firmware/libraries/WeirFlow/src/weir_report.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct weir_report report;
  int rc = weir_report_parse((const char *)data, size, &report);
  if (memchr(report.label, '\0', sizeof(report.label)) == NULL)
    abort();
  if (rc == 0 && (report.label[0] == '\0' || !isfinite(report.value)))
    abort();
  if (rc != 0 && (report.label[0] != '\0' || report.has_value))
    abort();
  return 0;
}
