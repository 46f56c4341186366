#include "lib/m4/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wr_m4_gate *wr_m4_gate_find(struct wr_m4_gate **list, const char *key,
                                   const char *lock_directory) {
  for (struct wr_m4_gate *g = *list; g != NULL; g = g->next)
    if (strcmp(g->key, key) == 0)
      return g;
  struct wr_m4_gate *g = calloc(1, sizeof(*g));
  if (g == NULL)
    return NULL;
  snprintf(g->key, sizeof(g->key), "%s", key);
  g->lock_directory = lock_directory;
  g->lock.fd = -1;
  g->next = *list;
  *list = g;
  return g;
}

void wr_m4_gates_free(struct wr_m4_gate **list) {
  while (*list != NULL) {
    struct wr_m4_gate *g = *list;
    *list = g->next;
    wr_rpc_lock_close(&g->lock);
    free(g);
  }
}

static bool is_here(const struct wr_m4_gate *g, const struct wr_m4_visitor *v) {
  const struct wr_m4_visitor *one = g->first;
  while (one != NULL && one != v)
    one = one->behind;
  return one != NULL;
}

enum wr_m4_entry wr_m4_gate_enter(struct wr_m4_gate *g, struct wr_m4_visitor *v,
                                  int64_t patience_us, int64_t now_us) {
  if (!is_here(g, v)) {
    v->behind = NULL;
    *(g->first == NULL ? &g->first : &g->last->behind) = v;
    g->last = v;
  }
  if (g->first != v)
    return WR_M4_LINE;
  int status = wr_rpc_lock_try(&g->lock, g->key, g->lock_directory);
  g->lock_error = status == -EWOULDBLOCK ? 0 : status;
  if (g->until_us == 0)
    g->until_us = now_us + (g->gave_up ? 0 : patience_us);
  if (status == -EWOULDBLOCK && now_us < g->until_us)
    return WR_M4_LATER;
  g->gave_up = status == -EWOULDBLOCK;
  return g->gave_up ? WR_M4_IN_FREE : WR_M4_IN;
}

struct wr_m4_visitor *wr_m4_gate_leave(struct wr_m4_gate *g,
                                       struct wr_m4_visitor *v) {
  if (!is_here(g, v))
    return NULL;
  struct wr_m4_visitor **at = &g->first, *before = NULL;
  while (*at != v) {
    before = *at;
    at = &before->behind;
  }
  *at = v->behind;
  if (g->last == v)
    g->last = before;
  if (before != NULL)
    return NULL;
  wr_rpc_lock_close(&g->lock);
  g->until_us = 0;
  return g->first;
}
