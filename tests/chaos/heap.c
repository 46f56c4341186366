/* What a process has on its heap, to the byte: stands before the C library's
 * allocator (LD_PRELOAD) and adds up the sizes of the blocks that were not
 * given back. Pages say less: one that was touched once is kept, and which are
 * depends on which threads met. HEAP_COUNT names a file of 8 bytes where the
 * sum can be read at any time; children are not counted. For glibc. */
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static _Atomic int64_t before; /* until there is a file */
static _Atomic int64_t *sum = &before;

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("HEAP_COUNT");
  int fd = name != NULL ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd < 0 || ftruncate(fd, sizeof(*sum)) != 0)
    abort();
  void *shared =
      mmap(NULL, sizeof(*sum), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (shared == MAP_FAILED)
    abort();
  sum = shared; /* no thread yet */
  atomic_store(sum, before);
  unsetenv("LD_PRELOAD");
}

static void *counted(void *block) {
  atomic_fetch_add_explicit(sum, (int64_t)malloc_usable_size(block),
                            memory_order_relaxed);
  return block;
}

static void gone(void *block) {
  atomic_fetch_sub_explicit(sum, (int64_t)malloc_usable_size(block),
                            memory_order_relaxed);
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) {
  return counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size) {
  int64_t had = (int64_t)malloc_usable_size(block);
  void *now = __libc_realloc(block, size);
  if (now != NULL || size == 0) {
    atomic_fetch_sub_explicit(sum, had, memory_order_relaxed);
    counted(now);
  }
  return now;
}

void *memalign(size_t alignment, size_t size) {
  return counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  void *got = memalign(alignment, size);
  if (got == NULL)
    return 12; /* ENOMEM */
  *block = got;
  return 0;
}

void free(void *block) {
  gone(block);
  __libc_free(block);
}
