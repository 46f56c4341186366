/* bounds: what the oracle holds the code to, in the constants of the headers,
 * which are those of the man pages (tests/check-bounds); and the few options of
 * the agent that are not constants there. Included by sim.h. */
#ifndef WEIR_TESTS_SIM_BOUNDS_H
#define WEIR_TESTS_SIM_BOUNDS_H

#define SIM_HOLD_MS 150000 /* as the sketches have it */
#define SIM_SPOOL_BYTES (16 << 20)
#define SIM_DAILY 100000 /* DailyRecords */
#define SIM_BATCH 200
#define SIM_KEEPER_US (5 * SIM_S) /* its tick, arduino_cloud/threads.c */
#define SIM_HOLD_VALUES_MS 750    /* there, too */
#define SIM_ACCEPTED 32768
#define SIM_QUIET_US (2 * 3600 * SIM_S) /* at the end of a run */

/* --- the bounds: sums of what the headers and man pages state ------------- */

/* From a fault to the output when all else is healthy: the samples of a first
 * window, those that elect a label, and a turn of the M4. */
#define SIM_ALARM_US                                                           \
  ((FLOW_LEAST + WR_SHIPPED_OF) * FLOW_INTERVAL_MS * SIM_MS + 2 * SIM_S)
/* The output may say "well" so long after the last well state: the report's
 * age limit (label_report.h), then the sketch's hold. */
#define SIM_WELL_US ((WR_LABEL_AGE_MS + SIM_HOLD_MS) * SIM_MS + SIM_S)
/* What a state is shown as, beyond its age; a look every second. */
#define SIM_STALE_US                                                           \
  (wr_standing_stale_ms(0, FLOW_LEAST, 1, FLOW_INTERVAL_MS * SIM_MS) *         \
       SIM_MS +                                                                \
   SIM_S)
#define SIM_HEALTH_US (WR_STANDING_HEALTH_MS * SIM_MS + SIM_S)
/* From the last fault's end to states: calls that rest while others may have
 * crashed the proxy (guard.h), then the first state. */
#define SIM_HEAL_US                                                            \
  (WR_GUARD_WINDOW_MS * SIM_MS + SIM_STALE_US +                                \
   WR_LABEL_HEARTBEAT_MS * SIM_MS + 30 * SIM_S)
/* From a well state to the output, at the latest: a report that fails waits for
 * its back-off, one that is not heard for the next beat (label_report.h). */
#define SIM_OUTPUT_US ((2 * WR_LABEL_HEARTBEAT_MS + 30000) * SIM_MS)
/* A label that nobody renews, until the cloud shows "unknown" when the way is
 * open: its age limit, the keeper, and a turn of each kind of request. */
#define SIM_CLOUD_AGE_US                                                       \
  (WR_ARRIVAL_LEAST_MS * SIM_MS + SIM_KEEPER_US + 10 * SIM_S)
/* From the end of a fault to what is so now in the cloud: the longest wait
 * that a service may ask for (pace.h), the longest of our own, and the time
 * that a value is tried one by one (sending.h). */
#define SIM_SHOWN_US                                                           \
  ((WR_PACE_ASKED_MAX_MS + WR_SINGLE_MS) * SIM_MS + 30 * SIM_S)
/* A value that would go is not held up by one that does not: halving a batch
 * down to it, each time with a wait of its own (pace.h), then WR_STEP_AFTER_MS
 * and a minute one by one. */
#define SIM_HELD_US                                                            \
  ((10 * 2 * WR_PACE_BRISK_MS + WR_STEP_AFTER_MS + 2 * WR_SINGLE_MS) *         \
       SIM_MS +                                                                \
   WR_STEP_BACK_MS * SIM_MS)
#define SIM_STAMP_US (WR_CLOCK_SLACK_US + 2 * SIM_S) /* choice.h */
/* What a disk that failed holds is put right within this: spool.h. */
#define SIM_FORGET_US (70 * SIM_S)
/* From the end of the last fault until all that waits has arrived: besides what
 * SIM_SHOWN_US takes, one value that was stepped over, and names and calls that
 * the service was taken to lack (sending.h); then the rows, in batches that
 * begin small. */
#define SIM_DRAINED_US                                                         \
  (SIM_SHOWN_US + (WR_STEP_BACK_MS + WR_ABSENT_MS) * SIM_MS + 600 * SIM_S)
/* What the agent may hold of memory: what the spool keeps when the disk fails
 * (memory_bytes), SQLite's cache of the disk and as much again for a spool that
 * moves, the rows of a batch, and a quarter of a MiB for all else. */
#define SIM_HELD_BYTES                                                         \
  ((1 << 20) + 2 * (512 << 10) +                                               \
   (WR_BATCH_MAX + WR_SKIPS_MAX) * (int64_t)sizeof(struct wr_row) +            \
   (256 << 10))

#endif
