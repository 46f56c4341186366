/* The list of the blocks: the only place that makes and frees one. */
#include "block.h"

#include <stdlib.h>

static struct m4 *all;

struct m4 *m4_first(void) {
  return all;
}

struct m4 *m4_new(char *name) {
  struct m4 *m4 = calloc(1, sizeof(*m4));
  if (m4 == NULL) {
    free(name);
    return NULL;
  }
  m4->name = name;
  m4->trouble = (struct wr_trouble)WR_TROUBLE_INIT;
  m4->guard = (struct wr_rpc_guard)WR_RPC_GUARD_INIT;
  return m4;
}

struct method *m4_add_method(struct m4 *m4, char *name) {
  struct method *m = calloc(1, sizeof(*m));
  if (m == NULL) {
    free(name);
    return NULL;
  }
  m->name = name;
  m->trouble = (struct wr_trouble)WR_TROUBLE_INIT;
  m->rpc = (struct wr_m4_method){
      .name = name, .scale = 1, .seq_index = -1, .indices = m->indices};
  m4->loop.methods[m4->loop.methods_count++] = &m->rpc;
  return m;
}

struct report *m4_add_report(struct m4 *m4, char *name) {
  struct report *r = calloc(1, sizeof(*r));
  if (r == NULL) {
    free(name);
    return NULL;
  }
  r->method = name;
  r->trouble = (struct wr_trouble)WR_TROUBLE_INIT;
  r->rpc = (struct wr_m4_report){
      .method = name,
      .state = {.on_change = true,
                .heartbeat_ms = 60000,
                .backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
  m4->loop.reports[m4->loop.reports_count++] = &r->rpc;
  return r;
}

struct method *m4_method(const struct m4 *m4, size_t which) {
  return (struct method *)m4->loop.methods[which];
}

struct report *m4_report(const struct m4 *m4, size_t which) {
  return (struct report *)m4->loop.reports[which];
}

void m4_append(struct m4 *m4) {
  struct m4 **end = &all;
  while (*end != NULL)
    end = &(*end)->next;
  *end = m4;
}

static void free_method(struct method *m) {
  for (size_t i = 0; i < m->rpc.indices_count; i++) {
    free(m->outputs[i].type);
    free(m->outputs[i].instance);
  }
  free(m->name);
  free(m->type);
  free(m->instance);
  free(m);
}

void m4_free(struct m4 *m4) {
  wr_m4_close(&m4->loop);
  for (size_t i = 0; i < m4->loop.methods_count; i++)
    free_method(m4_method(m4, i));
  for (size_t i = 0; i < m4->loop.reports_count; i++) {
    free(m4_report(m4, i)->method);
    free(m4_report(m4, i));
  }
  free(m4->name);
  free(m4->address);
  free(m4->lock_directory);
  free(m4);
}

void m4_free_all(void) {
  while (all != NULL) {
    struct m4 *next = all->next;
    m4_free(all);
    all = next;
  }
}
