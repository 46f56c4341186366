/* fault_vfs: a VFS for SQLite that fails on command.
 *
 * Every call that changes the disk (write, truncate, sync, open to write,
 * delete) is counted in fault_vfs.calls; the call with the number fail_at, and
 * with `stays` every later one too, returns `code` instead of being done. */
#ifndef WEIR_TESTS_FAULT_VFS_H
#define WEIR_TESTS_FAULT_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
  long calls;
  long fail_at; /* 0: never */
  bool stays;
  int code;
  long syncs;      /* calls of fsync() */
  bool fail_reads; /* every one of them */
  bool read_only;  /* what is opened to write is opened to read, as by SQLite */
  bool no_shm;     /* no memory can be shared beside the file */
  sqlite3_vfs *real;
} fault_vfs;

struct fault_file {
  sqlite3_file base;
  sqlite3_file *real; /* behind this struct, in the same memory */
};

static bool fault_now(void) {
  long n = ++fault_vfs.calls;
  return fault_vfs.fail_at > 0 &&
         (n == fault_vfs.fail_at || (fault_vfs.stays && n > fault_vfs.fail_at));
}

#define REAL(f) (((struct fault_file *)(f))->real)

static int ff_close(sqlite3_file *f) {
  return REAL(f)->pMethods->xClose(REAL(f));
}
static int ff_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) {
  return fault_vfs.fail_reads ? SQLITE_IOERR_READ
                              : REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}
static int ff_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
  return fault_now() ? fault_vfs.code
                     : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}
static int ff_truncate(sqlite3_file *f, sqlite3_int64 size) {
  return fault_now() ? fault_vfs.code
                     : REAL(f)->pMethods->xTruncate(REAL(f), size);
}
static int ff_sync(sqlite3_file *f, int flags) {
  fault_vfs.syncs++;
  return fault_now() ? fault_vfs.code
                     : REAL(f)->pMethods->xSync(REAL(f), flags);
}
static int ff_size(sqlite3_file *f, sqlite3_int64 *size) {
  return REAL(f)->pMethods->xFileSize(REAL(f), size);
}
static int ff_lock(sqlite3_file *f, int level) {
  return REAL(f)->pMethods->xLock(REAL(f), level);
}
static int ff_unlock(sqlite3_file *f, int level) {
  return REAL(f)->pMethods->xUnlock(REAL(f), level);
}
static int ff_reserved(sqlite3_file *f, int *out) {
  return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}
static int ff_control(sqlite3_file *f, int op, void *arg) {
  return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int ff_sector(sqlite3_file *f) {
  return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static int ff_device(sqlite3_file *f) {
  return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}
static int ff_shm_map(sqlite3_file *f, int page, int size, int extend,
                      void volatile **out) {
  return fault_vfs.no_shm
             ? SQLITE_IOERR_SHMMAP
             : REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}
static int ff_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
  return REAL(f)->pMethods->xShmLock(REAL(f), offset, n, flags);
}
static void ff_shm_barrier(sqlite3_file *f) {
  REAL(f)->pMethods->xShmBarrier(REAL(f));
}
static int ff_shm_unmap(sqlite3_file *f, int gone) {
  return REAL(f)->pMethods->xShmUnmap(REAL(f), gone);
}

static const sqlite3_io_methods ff_methods = {
    2,         ff_close,   ff_read,     ff_write,       ff_truncate,  ff_sync,
    ff_size,   ff_lock,    ff_unlock,   ff_reserved,    ff_control,   ff_sector,
    ff_device, ff_shm_map, ff_shm_lock, ff_shm_barrier, ff_shm_unmap, NULL,
    NULL};

static int ff_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f,
                   int flags, int *out) {
  (void)vfs;
  struct fault_file *file = (struct fault_file *)f;
  memset(file, 0, sizeof(*file));
  if ((flags & SQLITE_OPEN_READONLY) == 0 && fault_now())
    return SQLITE_CANTOPEN;
  if (fault_vfs.read_only && (flags & SQLITE_OPEN_MAIN_DB) != 0)
    flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
  file->real = (sqlite3_file *)(file + 1);
  int code =
      fault_vfs.real->xOpen(fault_vfs.real, name, file->real, flags, out);
  if (file->real->pMethods != NULL)
    file->base.pMethods = &ff_methods;
  return code;
}

static int ff_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  return fault_now() ? SQLITE_IOERR_DELETE
                     : fault_vfs.real->xDelete(fault_vfs.real, name, sync);
}

static inline const char *fault_vfs_register(void) {
  static sqlite3_vfs vfs;
  fault_vfs.real = sqlite3_vfs_find(NULL);
  vfs = *fault_vfs.real;
  vfs.zName = "fault";
  vfs.pNext = NULL;
  vfs.szOsFile = (int)sizeof(struct fault_file) + fault_vfs.real->szOsFile;
  vfs.xOpen = ff_open;
  vfs.xDelete = ff_delete;
  sqlite3_vfs_register(&vfs, 0);
  return vfs.zName;
}

#endif
