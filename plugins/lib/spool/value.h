/* value: one value on its way to a cloud property. */
#ifndef WR_CLOUD_VALUE_H
#define WR_CLOUD_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#define WR_CLOCK_UNKNOWN INT64_MIN
#define WR_TEXT_MAX 127 /* bytes of a text value, without the NUL */

enum wr_value_kind { WR_VALUE_NUMBER, WR_VALUE_BOOL, WR_VALUE_TEXT };

struct wr_value {
  enum wr_value_kind kind;
  double number;              /* NUMBER: finite; BOOL: 0 or 1 */
  char text[WR_TEXT_MAX + 1]; /* TEXT only */
};

/* A value of a property of the configuration, by its index there. */
struct wr_row {
  int property;
  int64_t time_us; /* the sample's own time stamp, since the epoch */
  int64_t seq;     /* order of arrival; given by the spool */
  /* The wall clock minus the monotonic one when it arrived: tells later whether
   * the clock was set meanwhile. WR_CLOCK_UNKNOWN: of an earlier boot. */
  int64_t clock_us;
  bool state; /* a change of state: never thinned, budget or not */
  struct wr_value value;
};

#endif
