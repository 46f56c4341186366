#include "lib/base/file.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mode_of(const char *path) {
  struct stat st = {0};
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  return st.st_mode & 0777;
}

static void test_any_umask(void) {
  static const mode_t umasks[] = {0, 022, 0777};
  char base[] = "/tmp/test-file-XXXXXX", dir[64], path[80];
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(base));
  snprintf(dir, sizeof(dir), "%s/d", base);
  snprintf(path, sizeof(path), "%s/f", dir);
  for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
    mode_t before = umask(umasks[i]);
    CU_ASSERT_EQUAL(wr_file_mkdir(dir, 0751), 0);
    CU_ASSERT_EQUAL(wr_file_mkdir(dir, 0755), -EEXIST);
    int fd = wr_file_create(AT_FDCWD, path, O_WRONLY, 0640);
    umask(before);
    CU_ASSERT(fd >= 0);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(mode_of(dir), 0751);
    CU_ASSERT_EQUAL(mode_of(path), 0640);
    close(fd);
    fd = wr_file_create(AT_FDCWD, path, O_WRONLY, 0600);
    CU_ASSERT_EQUAL(mode_of(path), 0600);
    close(fd);
    CU_ASSERT_EQUAL(wr_file_create(AT_FDCWD, path, O_WRONLY | O_EXCL, 0600),
                    -EEXIST);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
  }
  CU_ASSERT_EQUAL(wr_file_create(AT_FDCWD, path, O_WRONLY, 0600), -ENOENT);
  CU_ASSERT_EQUAL(wr_file_mkdir(path, 0700), -ENOENT);
  rmdir(base);
}

UNIT_MAIN("file", UNIT(test_any_umask))
