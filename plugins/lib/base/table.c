/* Chained buckets find an entry; a list through all entries, oldest use first,
 * says which one to forget. */
#include "lib/base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
  struct entry *chain;
  struct entry *older, *newer;
  uint64_t hash;
  int64_t used_ms;
  void *value;
  size_t len;
  char key[];
};

struct wr_table {
  struct entry **buckets;
  size_t mask;
  size_t count, max;
  struct entry *oldest, *newest;
  void (*release)(void *value);
};

/* FNV-1a over 8 bytes at a time would be quicker; keys are 40 bytes. */
static uint64_t hash_of(const char *key, size_t len) {
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < len; i++)
    h = (h ^ (unsigned char)key[i]) * 1099511628211u;
  return h ^ (h >> 32);
}

struct wr_table *wr_table_create(size_t max, void (*release)(void *value)) {
  struct wr_table *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return NULL;
  size_t buckets = 16;
  while (buckets < max && buckets < 65536)
    buckets *= 2;
  t->buckets = calloc(buckets, sizeof(*t->buckets));
  if (t->buckets == NULL) {
    free(t);
    return NULL;
  }
  t->mask = buckets - 1;
  t->max = max;
  t->release = release;
  return t;
}

static void unlink_use(struct wr_table *t, struct entry *e) {
  *(e->older != NULL ? &e->older->newer : &t->oldest) = e->newer;
  *(e->newer != NULL ? &e->newer->older : &t->newest) = e->older;
}

static void append_use(struct wr_table *t, struct entry *e, int64_t now_ms) {
  e->used_ms = now_ms;
  e->newer = NULL;
  e->older = t->newest;
  *(t->newest != NULL ? &t->newest->newer : &t->oldest) = e;
  t->newest = e;
}

static void drop(struct wr_table *t, struct entry *e) {
  struct entry **link = &t->buckets[e->hash & t->mask];
  while (*link != e)
    link = &(*link)->chain;
  *link = e->chain;
  unlink_use(t, e);
  t->count--;
  if (t->release != NULL)
    t->release(e->value);
  free(e);
}

void wr_table_clear(struct wr_table *t) {
  while (t->oldest != NULL)
    drop(t, t->oldest);
}

void wr_table_destroy(struct wr_table *t) {
  if (t == NULL)
    return;
  wr_table_clear(t);
  free(t->buckets);
  free(t);
}

size_t wr_table_count(const struct wr_table *t) { return t->count; }

static struct entry *find(const struct wr_table *t, const char *key,
                          size_t len) {
  uint64_t hash = hash_of(key, len);
  struct entry *e = t->buckets[hash & t->mask];
  while (e != NULL &&
         (e->hash != hash || e->len != len || memcmp(e->key, key, len) != 0))
    e = e->chain;
  return e;
}

void *wr_table_get(struct wr_table *t, const char *key, size_t len,
                   int64_t now_ms) {
  struct entry *e = find(t, key, len);
  if (e == NULL)
    return NULL;
  unlink_use(t, e);
  append_use(t, e, now_ms);
  return e->value;
}

bool wr_table_remove(struct wr_table *t, const char *key, size_t len) {
  struct entry *e = find(t, key, len);
  if (e != NULL)
    drop(t, e);
  return e != NULL;
}

int wr_table_put(struct wr_table *t, const char *key, size_t len, void *value,
                 int64_t now_ms, bool *dropped) {
  struct entry *e = calloc(1, sizeof(*e) + len);
  *dropped = false;
  if (e == NULL)
    return -ENOMEM;
  if (t->count >= t->max) {
    drop(t, t->oldest);
    *dropped = true;
  }
  memcpy(e->key, key, len);
  e->len = len;
  e->hash = hash_of(key, len);
  e->value = value;
  e->chain = t->buckets[e->hash & t->mask];
  t->buckets[e->hash & t->mask] = e;
  append_use(t, e, now_ms);
  t->count++;
  return 0;
}

size_t wr_table_expire(struct wr_table *t, int64_t before_ms) {
  size_t gone = 0;
  while (t->oldest != NULL && t->oldest->used_ms < before_ms) {
    drop(t, t->oldest);
    gone++;
  }
  return gone;
}

void wr_table_each(struct wr_table *t, void (*visit)(void *value, void *arg),
                   void *arg) {
  for (struct entry *e = t->oldest; e != NULL; e = e->newer)
    visit(e->value, arg);
}
