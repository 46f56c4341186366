/* What the fuzz targets share: each is a program of its own, so that all of it
 * is static. */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool holds) {
  if (!holds)
    abort();
}

/* A folder of ours, in memory where that can be had, and a file in it that a
 * target reads. */
struct fuzz_file {
  char folder[64], path[96];
};

/* Everything in the folder, whatever was made beside the file. */
static inline void fuzz_file_clean(const struct fuzz_file *f) {
  DIR *all = opendir(f->folder);
  check(all != NULL);
  for (struct dirent *e; (e = readdir(all)) != NULL;)
    if (e->d_name[0] != '.')
      check(unlinkat(dirfd(all), e->d_name, 0) == 0);
  closedir(all);
}

/* The folder is made at the first call: true. leave() is called at the end; it
 * cleans and removes the folder. */
static inline bool fuzz_file_begin(struct fuzz_file *f, const char *name,
                                   void (*leave)(void)) {
  if (f->folder[0] != '\0')
    return false;
  strcpy(f->folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/weir-fuzz-XXXXXX"
                                                  : "/tmp/weir-fuzz-XXXXXX");
  check(mkdtemp(f->folder) != NULL);
  snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, name);
  atexit(leave);
  return true;
}

static inline void fuzz_file_leave(const struct fuzz_file *f) {
  fuzz_file_clean(f);
  rmdir(f->folder);
}

#endif
