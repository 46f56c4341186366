/* Linked into every unit test with --wrap for each of these functions. */
#include "tests/unit/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *at);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);

static atomic_long left; /* allocations until the first that fails */
static atomic_long burst = 1;
static atomic_bool armed, failed;
static atomic_size_t in_use, peak, base;
static void *_Atomic keep; /* not to be given back */
static atomic_bool kept;

bool unit_alloc_arm(long n) {
  bool again = n == 0 || failed;
  failed = false;
  left = n;
  armed = again;
  return again;
}

void unit_alloc_burst(long count) { burst = count; }

void unit_alloc_off(void) { armed = false; }

bool unit_alloc_failed(void) { return failed; }

void unit_alloc_reset_peak(void) { base = peak = in_use; }

size_t unit_alloc_peak(void) { return peak - base; }

static bool fails(void) {
  if (!armed || left-- > 0)
    return false;
  armed = left > -burst - 1;
  failed |= armed;
  return armed;
}

static void *count(void *at) {
  in_use += malloc_usable_size(at);
  if (in_use > peak)
    peak = in_use;
  return at;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t items, size_t size) {
  return fails() ? NULL : count(__real_calloc(items, size));
}

/* While it moves, both blocks exist. */
void *__wrap_realloc(void *old, size_t size) {
  if (fails())
    return NULL;
  size_t before = malloc_usable_size(old);
  void *at = count(__real_realloc(old, size));
  if (at != NULL)
    in_use -= before;
  return at;
}

void unit_alloc_keep_freed(void *at) {
  if (kept)
    __wrap_free(atomic_exchange(&keep, NULL));
  kept = false;
  keep = at;
}

const void *unit_alloc_kept(void) { return kept ? keep : NULL; }

void __wrap_free(void *at) {
  if (at != NULL && at == keep) {
    kept = true;
    return;
  }
  in_use -= malloc_usable_size(at);
  __real_free(at);
}

char *__wrap_strndup(const char *text, size_t max) {
  size_t len = strnlen(text, max);
  char *copy = __wrap_malloc(len + 1);
  if (copy != NULL) {
    memcpy(copy, text, len);
    copy[len] = '\0';
  }
  return copy;
}

char *__wrap_strdup(const char *text) {
  return __wrap_strndup(text, strlen(text));
}

/* libc keeps LOCPATH, cut at its colons, for ever. Its name there has two
 * underlines only where the debug symbols are installed. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void) { return "leak:argz_add_sep"; }
