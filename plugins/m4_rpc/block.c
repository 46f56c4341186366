/* The list of the blocks: the only place that makes and frees one. */
#include "block.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024 /* a power of 2 */

static struct m4 *all, *last;
static struct m4 *bucket[BUCKETS];
static size_t count;

struct m4 *m4_first(void) {
  return all;
}

size_t m4_count(void) { return count; }

/* FNV-1a */
static struct m4 **bucket_of(const char *name) {
  uint32_t hash = 2166136261u;
  for (; *name != '\0'; name++)
    hash = (hash ^ (uint8_t)*name) * 16777619u;
  return &bucket[hash % BUCKETS];
}

struct m4 *m4_find(const char *name) {
  struct m4 *m4 = *bucket_of(name);
  while (m4 != NULL && strcmp(m4->name, name) != 0)
    m4 = m4->same_hash;
  return m4;
}

struct m4 *m4_new(char *name) {
  struct m4 *m4 = calloc(1, sizeof(*m4));
  if (m4 == NULL) {
    free(name);
    return NULL;
  }
  m4->name = name;
  m4->trouble = (struct wr_trouble)WR_TROUBLE_INIT;
  m4->lock_trouble = (struct wr_trouble)WR_TROUBLE_INIT;
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
  m4->board.life.methods[m4->board.life.methods_count++] = &m->rpc;
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
  r->rpc =
      (struct wr_m4_report){.method = name,
                            .state = {.on_change = true,
                                      .heartbeat_ms = WR_LABEL_HEARTBEAT_MS,
                                      .backoff = WR_LABEL_BACKOFF}};
  m4->board.life.reports[m4->board.life.reports_count++] = &r->rpc;
  return r;
}

struct method *m4_method(const struct m4 *m4, size_t which) {
  return (struct method *)m4->board.life.methods[which];
}

struct report *m4_report(const struct m4 *m4, size_t which) {
  return (struct report *)m4->board.life.reports[which];
}

void m4_append(struct m4 *m4) {
  struct m4 **at = bucket_of(m4->name);
  *(all == NULL ? &all : &last->next) = m4;
  last = m4;
  m4->same_hash = *at;
  *at = m4;
  count++;
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
  for (size_t i = 0; i < m4->board.life.methods_count; i++)
    free_method(m4_method(m4, i));
  for (size_t i = 0; i < m4->board.life.reports_count; i++) {
    free(m4_report(m4, i)->method);
    free(m4_report(m4, i)->meta);
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
  memset(bucket, 0, sizeof(bucket));
  count = 0;
}
