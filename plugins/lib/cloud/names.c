#include "lib/cloud/names.h"

#include <stdio.h>
#include <string.h>

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
  unsigned char seen[WR_NAMES_MAX];
};

static void match(const struct wr_cloud_property *c, void *arg) {
  struct found *f = arg;
  for (int i = 0; i < f->n->count; i++) {
    struct wr_property *mine = f->n->at + i;
    bool same = mine->id != NULL ? strcmp(mine->id, c->id) == 0
                                 : strcmp(mine->name, c->name) == 0;
    if (!same)
      continue;
    f->seen[i] = 1;
    mine->misfit = !wr_cloud_fits(mine->kind, c->type);
    if (memcmp(&mine->cloud, c, sizeof(*c)) != 0) {
      mine->cloud = *c;
      remember(f->n, i);
    }
  }
}

static void judge(struct wr_names *n, const struct wr_moment *t,
                  const struct found *f) {
  n->known = true;
  n->recheck_ms = INT64_MAX;
  n->advice[0] = '\0';
  n->no_many = n->no_batch = false;
  for (int i = 0; i < n->count; i++) {
    struct wr_property *mine = n->at + i;
    mine->missing = !f->seen[i];
    if (!mine->missing && !mine->misfit)
      continue;
    n->recheck_ms = t->now_ms + WR_NAMES_RECHECK_MS;
    if (mine->missing)
      snprintf(n->advice, sizeof(n->advice),
               "the thing has no property \"%s\"; create it or correct the "
               "configuration, its values wait in the spool",
               mine->key);
    else
      snprintf(n->advice, sizeof(n->advice),
               "property \"%s\" is of type %s, which takes no %s", mine->key,
               mine->cloud.type_name,
               mine->kind == WR_VALUE_TEXT ? "text" : "number");
  }
}

static void refused(struct wr_names *n, struct wr_link *l,
                    const struct wr_moment *t) {
  /* A router's words, not the service's: there is no such endpoint. The ids
   * and names of the configuration have to do. */
  if (l->reply.status == 404 && l->reply.body.len > 0 &&
      strstr(l->reply.body.data, "page not found") != NULL) {
    n->known = true;
    n->recheck_ms = t->now_ms + WR_NAMES_RECHECK_MS;
    return;
  }
  wr_link_block(l, t,
                "check THING_ID, and SPACE_ID if the thing is in a space; the "
                "next try is in 15 minutes");
  n->known = false; /* after the pause, ask again what there is */
}

void wr_names_ask(struct wr_names *n, struct wr_link *l,
                  const struct wr_moment *t) {
  int status = wr_link_address(l, WR_CLOUD_PROPERTIES, NULL);
  int error = status == 0 ? wr_link_perform(l, "GET") : status;
  if (wr_link_waits(l, t, error)) {
    n->known &= l->state != WR_LINK_BLOCKED;
    return;
  }
  if (wr_http_classify(error, &l->reply) != WR_OK) {
    refused(n, l, t);
    return;
  }
  struct found f = {.n = n};
  if (l->reply.body.len > 0 &&
      wr_cloud_read_properties(l->reply.body.data, l->reply.body.len, match,
                               &f) == 0) {
    judge(n, t, &f);
    l->state = WR_LINK_OK;
    return;
  }
  wr_backoff_fail(&l->backoff, t->now_ms, t->random, 0);
  wr_link_fault(l, WR_LINK_DOWN, "the list of properties makes no sense");
}
