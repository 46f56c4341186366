/* pace: when to try again while something is wrong.
 *
 * Waits are drawn evenly from half a second up to a ceiling that grows with the
 * age of the trouble: age / patience, at least 2.5 s and at most `cap_ms`. So a
 * short fault is over within seconds of its end, and a long one costs little.
 * What the server asks for (Retry-After) is kept as well, up to 15 minutes, and
 * nobody may hurry past it. Time is monotonic ms. Threads: none of its own. */
#ifndef WR_PACE_H
#define WR_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define WR_PACE_MIN_MS 500
#define WR_PACE_BRISK_MS 2500
#define WR_PACE_ASKED_MAX_MS 900000

/* patience 0: the trouble costs nothing, the ceiling never grows */
struct wr_pace_rule {
  int64_t patience;
  int64_t cap_ms;
};

struct wr_pace {
  bool failing;
  int64_t since_ms;    /* when the trouble began */
  int64_t earliest_ms; /* our own wait */
  int64_t asked_ms;    /* the server's */
};

void wr_pace_fail(struct wr_pace *p, int64_t now_ms, uint32_t random,
                  const struct wr_pace_rule *rule, int64_t asked_ms);
void wr_pace_ok(struct wr_pace *p);
/* Forgets our own wait, not the server's. */
void wr_pace_hurry(struct wr_pace *p);
/* Milliseconds until the next try; 0: now. */
int64_t wr_pace_wait(const struct wr_pace *p, int64_t now_ms);

#endif
