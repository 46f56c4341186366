/* votes: what the votes of the last windows make of the state. Pure.
 *
 * A label comes in when `need` of the last `of` votes are for it, the newest
 * two of them in a row: votes that alternate change nothing. That is the delay
 * towards an alarm and between equals ("on"). An alarm is left for anything
 * else only after `release` votes in a row that are no alarm ("off"), or at the
 * first vote after as many quiet windows. The first state of a series comes by
 * the same rule.
 *
 * A release that was too early makes the next one later: an alarm that comes
 * back within WR_VOTES_AGAIN windows doubles `release`, up to eight times, and
 * as many windows without one take that back. So nothing chatters.
 * Delays are counted in windows, never read from a clock. */
#ifndef WR_VOTES_H
#define WR_VOTES_H

#include <stdbool.h>
#include <stdint.h>

#define WR_UNCERTAIN (-1)
#define WR_VOTES_MAX 64
#define WR_VOTES_AGAIN 20
#define WR_VOTES_PATIENCE 3 /* how often `release` may double */

struct wr_votes_rules {
  int need, of; /* 1 <= need <= of <= WR_VOTES_MAX, need > of / 2 */
  int release;  /* 1 .. WR_VOTES_MAX */
};

struct wr_votes {
  int state; /* a label or WR_UNCERTAIN */
  bool alarm;
  int16_t last[WR_VOTES_MAX]; /* a ring */
  int count, next;
  int calm;     /* votes in a row that are no alarm */
  int since;    /* windows since an alarm ended, up to WR_VOTES_AGAIN */
  int patience; /* how often `release` is doubled */
};

void wr_votes_init(struct wr_votes *v);
/* Forgets the votes, keeps the state: what came before a gap is no evidence. */
void wr_votes_gap(struct wr_votes *v);
/* One vote; `alarm`: it is for a label that alarms; `quiet`: for how many
 * windows there has been no cause for one, where that is known better than from
 * votes. The state after it. */
int wr_votes_cast(struct wr_votes *v, const struct wr_votes_rules *rules,
                  int vote, bool alarm, int quiet);
/* The state is now this one, at once and without a vote. */
void wr_votes_set(struct wr_votes *v, int state, bool alarm);

#endif
