/* The allocator of the shipped code: linked with --wrap. */
#include "sim.h"

#undef malloc
#undef calloc
#undef realloc

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static int every;
static bool working;
static long failed;

void memory_short(int n) { every = n; }

void memory_working(bool on) { working = on; }

bool memory_is_short(void) { return every > 0; }

void memory_report(FILE *f) { fprintf(f, ", %ld allocations refused", failed); }

static bool fails(void) {
  bool is = working && sim_one_in(every);
  failed += is;
  return is;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
  return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = __wrap_malloc(size);
  if (copy != NULL)
    memcpy(copy, text, size);
  return copy;
}
