#include "lib/cloud/names.h"

#include "lib/base/text.h"
#include "lib/cloud/words.h"

#include <stdio.h>
#include <string.h>

static const struct wr_pace_rule unanswered = {20, WR_NAMES_RECHECK_MS};

static void recall(struct wr_names *n, int i) {
  struct wr_memo memo;
  struct wr_cloud_property *c = &n->at[i].cloud;
  if (!wr_spool_recall(n->spool, i, &memo)) {
    n->known = false;
    return;
  }
  snprintf(c->id, sizeof(c->id), "%s", memo.id);
  snprintf(c->name, sizeof(c->name), "%s", memo.name);
  snprintf(c->type_name, sizeof(c->type_name), "%s", memo.type);
  c->type = wr_cloud_type_of(c->type_name);
}

static void remember(struct wr_names *n, int i) {
  struct wr_memo memo = {"", "", ""};
  const struct wr_cloud_property *c = &n->at[i].cloud;
  snprintf(memo.id, sizeof(memo.id), "%s", c->id);
  snprintf(memo.name, sizeof(memo.name), "%s", c->name);
  snprintf(memo.type, sizeof(memo.type), "%s", c->type_name);
  wr_spool_remember(n->spool, i, &memo);
}

void wr_names_init(struct wr_names *n, struct wr_property *at, int count,
                   struct wr_spool *spool) {
  /* Cached names are checked when there is time. */
  *n = (struct wr_names){
      .at = at, .count = count, .spool = spool, .known = true};
  for (int i = 0; i < count; i++)
    recall(n, i);
}

const char *wr_property_name(const struct wr_property *q) {
  return q->cloud.name[0] != '\0' ? q->cloud.name : q->name;
}

const char *wr_property_id(const struct wr_property *q) {
  return q->cloud.id[0] != '\0' ? q->cloud.id : q->id;
}

/* --- the list --- */

struct found {
  struct wr_names *n;
  bool seen[WR_NAMES_MAX];
};

/* It is another one, or may take what it did not: nothing that was learned
 * about it holds any longer. */
static void renew(struct wr_names *n, int i,
                  const struct wr_cloud_property *c) {
  struct wr_property *q = n->at + i;
  q->cloud = *c;
  q->skip_count = q->fails = q->live_fails = 0;
  q->hidden_seq = 0;
  q->refused = false;
  wr_pace_ok(&q->pace);
  remember(n, i);
  wr_spool_again(n->spool, i);
}

static void match(const struct wr_cloud_property *c, void *arg) {
  struct found *f = arg;
  for (int i = 0; i < f->n->count; i++) {
    struct wr_property *mine = f->n->at + i;
    bool same = mine->id != NULL ? wr_text_same(mine->id, c->id)
                                 : strcmp(mine->name, c->name) == 0;
    if (!same)
      continue;
    f->seen[i] = true;
    mine->misfit = !wr_cloud_fits(mine->kind, c->type);
    if (memcmp(&mine->cloud, c, sizeof(*c)) != 0)
      renew(f->n, i, c);
  }
}

static void advise(struct wr_names *n, const struct wr_property *q) {
  size_t used = strlen(n->advice);
  char *at = n->advice + used;
  size_t room = sizeof(n->advice) - used;
  const char *join = used > 0 ? "; " : "";
  if (q->missing)
    snprintf(at, room,
             "%sthe thing has no property \"%s\"; create it or correct the "
             "configuration, its values wait in the spool",
             join, q->key);
  else
    snprintf(at, room, "%sproperty \"%s\" is of type %s, which takes no %s",
             join, q->key, q->cloud.type_name,
             q->kind == WR_VALUE_TEXT ? "text" : "number");
}

static void judge(struct wr_names *n, const struct wr_moment *t,
                  const struct found *f) {
  n->known = true;
  n->failed = n->unserved = false;
  wr_pace_ok(&n->pace);
  n->answers++;
  n->recheck_ms = INT64_MAX;
  n->advice[0] = '\0';
  for (int i = 0; i < n->count; i++) {
    struct wr_property *mine = n->at + i;
    mine->missing = !f->seen[i];
    if (!mine->missing && !mine->misfit)
      continue;
    n->recheck_ms = t->now_ms + WR_NAMES_RECHECK_MS;
    advise(n, mine);
  }
}

/* 404. In the words of the service's router: there is no such endpoint, and the
 * ids and names of the configuration have to do. In its own words: no such
 * thing. Else somebody on the way speaks. */
static void absent(struct wr_names *n, struct wr_link *l,
                   const struct wr_moment *t) {
  if (wr_words_no_endpoint(l->reply.body.data, l->reply.body.len)) {
    n->known = n->unserved = true;
    return;
  }
  wr_link_block(l, t,
                "check THING_ID, and SPACE_ID if the thing is in a space");
}

bool wr_names_due(const struct wr_names *n, int64_t now_ms) {
  bool open = !n->known && (!n->failed || wr_pace_wait(&n->pace, now_ms) == 0);
  return open || now_ms >= n->recheck_ms;
}

void wr_names_doubt(struct wr_names *n) {
  n->known = false;
  n->failed = false;
}

void wr_names_ask(struct wr_names *n, struct wr_link *l,
                  const struct wr_moment *t) {
  int status = wr_link_address(l, WR_CLOUD_PROPERTIES, NULL);
  int error = status == 0 ? wr_link_perform(l, "GET") : status;
  struct found f = {.n = n};
  n->failed = true;
  wr_pace_fail(&n->pace, t->now_ms, t->random, &unanswered, 0);
  n->recheck_ms = t->now_ms + WR_NAMES_RECHECK_MS;
  switch (wr_link_judge(l, t, false, error)) {
  case WR_OUTCOME_DONE:
    break;
  case WR_OUTCOME_WAIT:
    return;
  case WR_OUTCOME_ABSENT:
    absent(n, l, t);
    return;
  case WR_OUTCOME_REFUSED:
    wr_link_block(l, t, "check THING_ID");
    return;
  }
  if (l->reply.body.data != NULL &&
      wr_cloud_read_properties(l->reply.body.data, l->reply.body.len, match,
                               &f) == 0) {
    judge(n, t, &f);
  } else
    wr_link_garbled(l, t, "the list of properties makes no sense");
}
