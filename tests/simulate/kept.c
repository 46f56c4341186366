/* The oracle of what is kept: every value on its way to the cloud. Each check
 * names the promise. Rows of a property are kept in the order of their arrival.
 */
#include "sim.h"

#include <errno.h>

/* A writer that hung lets values come so long after others. */
#define BEHIND_US (1000 * SIM_S)

struct row {
  int64_t true_us; /* of the sample */
  int64_t fits_us; /* what its stamp means by another clock, see clocks.c */
  struct wr_value value;
  bool state, committed, lost, delivered;
  size_t loose;    /* delivered, but it may have been another equal one before
                    * this; 0: not */
  int64_t sure_us; /* the service has it for good, and said so; 0: not yet */
  bool alone;      /* was sent alone, in vain: it may be stepped over */
  bool stepped_clock; /* stamped while the clock was wrong */
  bool
      aside; /* the disk failed: it lies elsewhere, or what is older does; or
              * it came at once with others, and is sorted by stamps: order.h */
};

struct stream {
  struct row *rows;
  size_t count, room;
  size_t safe;      /* rows before it are committed or lost */
  size_t first;     /* rows before it are delivered or lost */
  int64_t last_old; /* the newest row delivered with a stamp; -1: none */
};

static struct {
  struct stream stream[SIM_PROPERTIES];
  int64_t last_request_us;
  int64_t flaky_us;  /* the service answered this and that; 0: never */
  int64_t excuse_us; /* what was delivered may have been forgotten */
  /* rows of the request under way */
  struct {
    int property;
    size_t row;
  } taken[WR_BATCH_MAX];
  size_t taken_count;
  /* what happened */
  long rows, lost, recorded, twice, bare, requests, kills;
} o;

void kept_init(void) {
  o.last_request_us = o.excuse_us = -SIM_EPOCH_US;
  for (int i = 0; i < SIM_PROPERTIES; i++)
    o.stream[i].last_old = -1;
}

void kept_free(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    free(o.stream[i].rows);
}

/* --- values ----------------------------------------------------------------
 */

/* Somebody's oldest accepted sample is dropped: which one is not told. */
static void give_way(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    for (size_t k = o.stream[i].safe; k < o.stream[i].count; k++)
      o.stream[i].rows[k].lost = true;
}

/* What was delivered may wait all the same, when the reply was lost. */
bool kept_has_plain_stamps(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    for (size_t k = 0; k < o.stream[i].count; k++)
      if (o.stream[i].rows[k].stepped_clock)
        return false;
  return sim.wall_off_us == 0;
}

void kept_row(const struct wr_row *row, int64_t true_us, int status) {
  struct stream *s = o.stream + row->property;
  if (status == -ENOMEM)
    return;
  if (status == -ENOSPC)
    give_way();
  if (s->count == s->room) {
    s->room = s->room * 2 + 1024;
    s->rows = realloc(s->rows, s->room * sizeof(*s->rows));
    if (s->rows == NULL)
      abort();
  }
  s->rows[s->count++] = (struct row){
      .true_us = true_us,
      .fits_us = clocks_youngest(true_us, row->time_us),
      .value = row->value,
      .state = row->state,
      .stepped_clock = row->time_us != true_us,
      .aside = !disk_is_good() || memory_is_short() || queue_drains()};
  o.rows++;
  sim_trace("row %d %.9f %s of %.6f, stamped %+.6f, clock %+.6f", row->property,
            row->value.number, row->value.text,
            (double)(true_us - SIM_EPOCH_US) / 1e6,
            (double)(row->time_us - true_us) / 1e6,
            (double)(row->clock_us - SIM_EPOCH_US) / 1e6);
}

void kept_committed(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    for (struct stream *s = o.stream + i; s->safe < s->count; s->safe++) {
      s->rows[s->safe].committed = true;
      sim_trace("committed %d %.9f", i, s->rows[s->safe].value.number);
    }
}

void kept_killed(void) {
  o.kills++;
  kept_excuse();
  for (int i = 0; i < SIM_PROPERTIES; i++)
    for (struct stream *s = o.stream + i; s->safe < s->count; s->safe++) {
      s->rows[s->safe].lost = true;
      o.lost++;
    }
}

static bool same(const struct wr_value *a, const struct wr_value *b) {
  return a->kind == b->kind &&
         (a->kind == WR_VALUE_TEXT ? strcmp(a->text, b->text) == 0
                                   : a->number == b->number);
}

static void advance(struct stream *s) {
  while (s->first < s->count &&
         (s->rows[s->first].delivered || s->rows[s->first].lost))
    s->first++;
}

/* How far a stamp is from a row's. */
static int64_t distance(const struct row *r, int64_t stamp_us) {
  int64_t us = llabs(r->true_us - stamp_us);
  int64_t other_us = llabs(r->fits_us - stamp_us);
  return us < other_us ? us : other_us;
}

/* The row that a stamped value is: the nearest of its kind in time; of two as
 * near the one that was not yet delivered. */
static size_t find_stamped(const struct stream *s, const struct wr_value *v,
                           int64_t stamp_us) {
  size_t best = s->count;
  int64_t best_us = SIM_STAMP_US;
  for (size_t i = s->count; i-- > 0;) {
    const struct row *r = s->rows + i;
    int64_t away_us = distance(r, stamp_us) + (r->delivered ? SIM_S : 0);
    if (r->true_us < stamp_us - SIM_STAMP_US - BEHIND_US)
      break;
    if (same(&r->value, v) && away_us <= best_us) {
      best = i;
      best_us = away_us;
    }
  }
  return best;
}

/* --- how often -------------------------------------------------------------
 */

void kept_excuse(void) { o.excuse_us = sim.now_us; }

static bool is_last_shown(const struct stream *s, size_t i) {
  while (++i < s->count)
    if (s->rows[i].sure_us != 0)
      return false;
  return true;
}

/* What the service has answered for never goes again, unless what is known of
 * that was lost; a label goes with others, so that a batch ends with it. */
static void check_twice(int property, size_t i) {
  const struct row *r = o.stream[property].rows + i;
  bool label = r->value.kind == WR_VALUE_TEXT;
  if (r->sure_us == 0 || o.excuse_us >= r->sure_us - SIM_FORGET_US ||
      (label && is_last_shown(o.stream + property, i)))
    return;
  sim_fail("at most once more for each request without an answer: value %zu of "
           "property %d, %g %s, was taken %.0f s ago and comes again",
           i, property, r->value.number, r->value.text,
           (double)(sim.now_us - r->sure_us) / 1e6);
}

static void note_taken(int property, size_t i) {
  if (o.taken_count == WR_BATCH_MAX)
    sim_fail("ceilings: more than %d values in a request", WR_BATCH_MAX);
  o.taken[o.taken_count].property = property;
  o.taken[o.taken_count++].row = i;
}

void kept_answered(bool ok) {
  for (size_t k = 0; ok && k < o.taken_count; k++)
    o.stream[o.taken[k].property].rows[o.taken[k].row].sure_us = sim.now_us;
  o.taken_count = 0;
}

/* --- what the service takes ------------------------------------------------
 */

/* May an old row go without its stamp? Where it can have none, or where the
 * service was seen to lack the call for ten minutes: sending.h. */
static bool may_be_bare(const struct row *r) {
  return r->stepped_clock || r->aside ||
         (o.flaky_us != 0 &&
          sim.now_us - o.flaky_us < 2 * WR_ABSENT_MS * SIM_MS);
}

/* One of the rows before `end` that are such a value was delivered; nobody can
 * tell which, so it is the first that lacks it. If none does, one that has it
 * from what could also be a later one gives that on. */
static bool credit(struct stream *s, const struct wr_value *v, size_t end) {
  struct row *other = NULL;
  for (size_t k = s->first; k < end; k++) {
    struct row *r = s->rows + k;
    if (r->delivered || r->lost || !same(&r->value, v))
      continue;
    r->delivered = true;
    r->loose = end;
    return true;
  }
  for (size_t k = 0; k < end; k++) {
    struct row *r = s->rows + k;
    if (r->loose > (other != NULL ? other->loose : end) && same(&r->value, v))
      other = r;
  }
  if (other == NULL)
    return false;
  size_t later = other->loose;
  other->loose = end;
  return credit(s, v, later);
}

static void stamped(int property, const struct wr_value *v, int64_t stamp_us) {
  struct stream *s = o.stream + property;
  size_t i = find_stamped(s, v, stamp_us);
  if (i == s->count)
    sim_fail("right time stamps: %s %g %s with a stamp %.1f s ago was never "
             "so",
             property % 2 == 0 ? "flow" : "label", v->number, v->text,
             (double)(SIM_EPOCH_US + sim.now_us - stamp_us) / 1e6);
  struct row *r = s->rows + i;
  check_twice(property, i);
  note_taken(property, i);
  if (r->delivered) {
    size_t end = r->loose;
    r->loose = 0;
    /* So it was another one that went without a stamp. */
    o.twice += end == 0 || !credit(s, v, end);
    return;
  }
  if ((int64_t)i < s->last_old && !r->alone && !r->aside &&
      !s->rows[s->last_old].aside)
    sim_fail(
        "order: value %zu of property %d (%.0f s old) comes after value "
        "%lld (%.0f s old)",
        i, property, (double)(SIM_EPOCH_US + sim.now_us - r->true_us) / 1e6,
        (long long)s->last_old,
        (double)(SIM_EPOCH_US + sim.now_us - s->rows[s->last_old].true_us) /
            1e6);
  /* A batch ends with what is so now, whatever still waits before it. */
  if ((int64_t)i > s->last_old && i + 1 < s->safe)
    s->last_old = (int64_t)i;
  r->delivered = true;
}

void kept_refused(int property, const struct wr_value *v, int64_t stamp_us) {
  struct stream *s = o.stream + property;
  size_t i = find_stamped(s, v, stamp_us);
  sim_trace("not taken, alone: %d %.9f %s", property, v->number, v->text);
  if (i < s->count)
    s->rows[i].alone = true;
}

/* Shown as what is so now: the newest row that was safe. An older one goes
 * without a stamp only where it can have none. */
static void live(int property, const struct wr_value *v) {
  struct stream *s = o.stream + property;
  size_t i = s->count;
  while (i > 0 && !same(&s->rows[i - 1].value, v))
    i--;
  if (i == 0)
    sim_fail("no invented value: property %d never was %g %s", property,
             v->number, v->text);
  struct row *r = s->rows + --i;
  int64_t age_us = SIM_EPOCH_US + sim.now_us - r->true_us;
  bool newest = i + 1 >= s->safe, old = age_us > WR_LIVE_AGE_US + SIM_S;
  if (!newest && old && !may_be_bare(r))
    sim_fail("what is shown is so now: property %d shows what was so %.0f s "
             "ago",
             property, (double)age_us / 1e6);
  o.bare += !newest && old;
  if (v->kind == WR_VALUE_NUMBER)
    check_twice(property, i);
  if (may_be_bare(r)) {
    o.twice += !credit(s, v, s->count);
    return;
  }
  o.twice += r->delivered;
  /* One that is old is recorded once more, with its time. */
  r->delivered |= !newest || age_us <= WR_LIVE_AGE_US + SIM_MS;
  if (age_us < WR_LIVE_AGE_US - SIM_S)
    note_taken(property, i);
}

void kept_recorded(int property, const struct wr_value *v, int64_t stamp_us) {
  o.recorded++;
  sim_trace("recorded %d %.9f %s %s", property, v->number, v->text,
            stamp_us == 0 ? "live" : "stamped");
  if (stamp_us == 0)
    live(property, v);
  else
    stamped(property, v, stamp_us);
  advance(o.stream + property);
}

/* --- the account -----------------------------------------------------------
 */

void kept_request(bool token) {
  o.requests++;
  if (!token && sim.now_us - o.last_request_us < SIM_S)
    sim_fail("rate: two requests within %.3f s",
             (double)(sim.now_us - o.last_request_us) / 1e6);
  if (!token)
    o.last_request_us = sim.now_us;
}

void kept_budget(int64_t records) {
  if (records > SIM_DAILY)
    sim_fail("budget: %lld records today", (long long)records);
}

void kept_rejected(int64_t count) {
  if (count > 0)
    sim_fail("no value is given up: the service has refused none, but %lld "
             "are rejected",
             (long long)count);
}

/* All that is older than the bound, once the way has been open for so long. */
static void check_arrived(int property) {
  struct stream *s = o.stream + property;
  advance(s);
  for (size_t k = s->first; k < s->count; k++) {
    const struct row *r = s->rows + k;
    int64_t age_us = SIM_EPOCH_US + sim.now_us - r->true_us;
    if (age_us <= SIM_DRAINED_US)
      return;
    if (!r->delivered && !r->lost && r->committed)
      sim_fail("every committed value arrives: property %d, %g %s, %.0f s "
               "old, does not",
               property, r->value.number, r->value.text, (double)age_us / 1e6);
  }
}

void kept_final(void) {
  for (int i = 0; i < SIM_PROPERTIES; i++)
    check_arrived(i);
}

/* A value that would go does not wait for one that does not. */
static void check_held_up(int property) {
  struct stream *s = o.stream + property;
  for (size_t k = s->first; k < s->safe; k++) {
    const struct row *r = s->rows + k;
    int64_t age_us = SIM_EPOCH_US + sim.now_us - r->true_us;
    if (age_us < SIM_HELD_US)
      return;
    if (!r->delivered && !r->lost && r->committed &&
        r->value.number != sim.cloud.poison)
      sim_fail(
          "no value holds up others: property %d, %g %s is %.0f s old, the "
          "service chokes on %g alone",
          property, r->value.number, r->value.text, (double)age_us / 1e6,
          sim.cloud.poison);
  }
}

void kept_second(void) {
  if (sim.cloud.mode == CLOUD_FLAKY)
    o.flaky_us = sim.now_us;
  if (!disk_is_good() || memory_is_short())
    kept_excuse();
  for (int i = 0; i < SIM_PROPERTIES; i++)
    if (sim.agent.up && faults_calm(SIM_ALL) >= SIM_DRAINED_US)
      check_arrived(i);
  int others = SIM_ALL & ~(SIM_CLOUD | SIM_M4 | SIM_MODEL);
  if ((sim.cloud.mode != CLOUD_POISON && sim.cloud.mode != CLOUD_SMALL) ||
      !sim.agent.up || faults_calm(others) < 2 * SIM_HELD_US ||
      faults_for(SIM_CLOUD) < 2 * SIM_HELD_US)
    return;
  for (int i = 0; i < SIM_PROPERTIES; i++)
    check_held_up(i);
}

void kept_report(FILE *f) {
  fprintf(f,
          ", %ld rows, %ld lost uncommitted in %ld kills, %ld recorded, %ld "
          "twice, %ld without stamp, %ld requests",
          o.rows, o.lost, o.kills, o.recorded, o.twice, o.bare, o.requests);
}
