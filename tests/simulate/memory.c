/* The allocator of the shipped code (linked with --wrap) and of SQLite. Knows
 * what they hold, so that nothing is left when the agent has ended. */
#include "sim.h"

#include <malloc.h>
#include <sqlite3.h>

#undef malloc
#undef calloc
#undef realloc
#undef free

#define PLACES (1 << 16) /* more than are ever held at a time */

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *p);

static int every;
static bool working;
static long failed;

/* What is held, hashed by its address; NULL: free. */
static void *held[PLACES];
static size_t count;
static int64_t bytes, most;

void memory_short(int n) { every = n; }

void memory_working(bool on) { working = on; }

bool memory_is_short(void) { return every > 0; }

int64_t memory_held(void) { return bytes; }

void memory_report(FILE *f) {
  fprintf(f, ", %ld allocations refused, %ld KiB held", failed,
          (long)(most / 1024));
}

static size_t place_of(const void *p) {
  return (size_t)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15ull >> 48) % PLACES;
}

static void *hold(void *p) {
  if (p == NULL)
    return NULL;
  if (++count > PLACES / 2)
    sim_fail("ceilings: %zu allocations", count);
  size_t i = place_of(p);
  while (held[i] != NULL)
    i = (i + 1) % PLACES;
  held[i] = p;
  bytes += (int64_t)malloc_usable_size(p);
  most = bytes > most ? bytes : most;
  return p;
}

/* What stands behind it moves up, as far as it may. */
static void close_gap(size_t gap) {
  for (size_t i = (gap + 1) % PLACES; held[i] != NULL; i = (i + 1) % PLACES) {
    size_t from_home = (i - place_of(held[i])) % PLACES;
    if (from_home < (i - gap) % PLACES)
      continue;
    held[gap] = held[i];
    held[i] = NULL;
    gap = i;
  }
}

/* What the C library allocated is not known here. */
static void let_go(void *p) {
  size_t i = place_of(p);
  while (held[i] != NULL && held[i] != p)
    i = (i + 1) % PLACES;
  if (p == NULL || held[i] == NULL)
    return;
  held[i] = NULL;
  count--;
  bytes -= (int64_t)malloc_usable_size(p);
  close_gap(i);
}

static bool fails(void) {
  bool is = working && sim_one_in(every);
  failed += is;
  return is;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : hold(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size) {
  return fails() ? NULL : hold(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size) {
  if (fails())
    return NULL;
  let_go(old);
  return hold(__real_realloc(old, size));
}

char *__wrap_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = __wrap_malloc(size);
  if (copy != NULL)
    memcpy(copy, text, size);
  return copy;
}

void __wrap_free(void *p) {
  let_go(p);
  __real_free(p);
}

/* --- for SQLite -----------------------------------------------------------
 */

static void *s_malloc(int size) { return __wrap_malloc((size_t)size); }

static void *s_realloc(void *old, int size) {
  return __wrap_realloc(old, (size_t)size);
}

static int s_size(void *p) { return (int)malloc_usable_size(p); }

static int s_round(int size) { return (size + 7) & ~7; }

static int s_init(void *arg) {
  (void)arg;
  return SQLITE_OK;
}

static void s_shutdown(void *arg) { (void)arg; }

void memory_register(void) {
  static const sqlite3_mem_methods methods = {
      s_malloc, __wrap_free, s_realloc,  s_size,
      s_round,  s_init,      s_shutdown, NULL};
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
    sim_fail("SQLite runs already");
}
