/* publish_policy: which samples are worth a record in the cloud. Pure.
 *
 * Per property (struct wr_policy), with intervals in monotonic ms:
 *   numbers  published when min_ms has passed since the last one and the value
 *            has moved by dead_band or more (0: every sample), and at the
 *            latest after max_ms (heartbeat; 0: none)
 *   states   (texts and booleans) every change, at once, whatever min_ms and
 *            the budget say; the heartbeat as above
 * Several samples of one state with one time stamp, as a classifier's one per
 * label, count once, because they repeat the same value. The order is that of
 * arrival. But threads may overtake each other: a state sample is dropped whose
 * stamp is older by less than late_us than that of one which arrived less than
 * a quarter of late_us before. Later than that, the clock was set back.
 *
 * Per Thing (struct wr_budget): records a day, as the plan of the cloud counts
 * them. One twentieth is kept for states, and the backlog gets half at most, so
 * that new numbers always have a part. From half of it on the spacing of
 * new numbers is stretched so that the rest lasts until
 * midnight UTC; it never passes WR_BUDGET_SPACING_MS, so that the spool keeps
 * what the cloud will get tomorrow.
 * Threads: none of its own. */
#ifndef WR_PUBLISH_POLICY_H
#define WR_PUBLISH_POLICY_H

#include "lib/spool/spool.h"

struct wr_policy {
  /* the configuration */
  double dead_band;
  int64_t min_ms;
  int64_t max_ms;
  /* the state; zero at start */
  bool seen;
  int64_t sent_ms;
  int64_t newest_us, newest_ms; /* stamp and arrival of the newest */
  struct wr_value sent;
};

enum wr_worth {
  WR_SKIP,   /* not worth a record, or not a number */
  WR_SAMPLE, /* publish; may be thinned out later */
  WR_CHANGE, /* publish: the state changed */
};

/* Decides, and takes the value as published unless it says WR_SKIP. `min_ms`
 * is the stretched interval of the budget, 0 for none. */
enum wr_worth wr_policy_decide(struct wr_policy *p, const struct wr_value *v,
                               int64_t now_ms, int64_t time_us, int64_t late_us,
                               int64_t min_ms);

/* This value is published without being asked for: it counts as the last one.
 */
void wr_policy_take(struct wr_policy *p, const struct wr_value *v,
                    int64_t now_ms);

struct wr_budget {
  int64_t daily; /* 0: unlimited */
  struct wr_spent spent;
};

/* Starts a new day when wall_us says so. A clock that was set back by less than
 * a day does not refill the budget. */
void wr_budget_roll(struct wr_budget *b, int64_t wall_us);
void wr_budget_spend(struct wr_budget *b, int64_t records, bool old);
/* Smallest spacing of the records of one of `streams` number properties, in
 * ms; 0: as configured. `backlog`: old values are waiting as well. */
#define WR_BUDGET_SPACING_MS 60000
int64_t wr_budget_spacing_ms(const struct wr_budget *b, int64_t wall_us,
                             int streams, bool backlog);
/* How many records of numbers may still go today, and how many of the backlog;
 * INT64_MAX: no limit. */
int64_t wr_budget_left(const struct wr_budget *b);
int64_t wr_budget_left_old(const struct wr_budget *b);

#endif
