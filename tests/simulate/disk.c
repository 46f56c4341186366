/* A disk in memory, as a VFS of SQLite. Each write remembers what it replaced
 * until the file is synced: at a power cut the writes since then are undone,
 * the newest first, but for a random number of the oldest. */
#include "sim.h"

#include <errno.h>
#include <sqlite3.h>

#define FILES 32
#define SHM_REGIONS 64
#define HANDLES 8

struct undo {
  sqlite3_int64 at;
  size_t len, size_before;
  uint8_t *old;
};

struct handle;

struct file {
  char name[256];
  bool exists;
  uint8_t *data;
  size_t size, room;
  struct undo *undos;
  size_t undo_count, undo_room;
  void *shm[SHM_REGIONS];
  int mappers;
  struct handle *handles[HANDLES]; /* open ones, NULL: none */
  int openers;                     /* of files.c */
  bool deleted;                    /* no longer found, but still open */
};

struct handle {
  sqlite3_file base;
  struct file *file;
  bool transient; /* deleted when closed */
  bool mapped;
  int level;                  /* of d_lock() */
  unsigned shared, exclusive; /* of d_shm_lock(), a bit for each lock */
};

static struct file files[FILES];
static enum disk_state state;
static int fail_every;
static bool frozen;

static void *must(void *p) {
  if (p == NULL)
    abort();
  return p;
}

void disk_set(enum disk_state s, int every) {
  state = s;
  fail_every = every;
}

bool disk_is_good(void) { return state == DISK_GOOD; }

void disk_freeze(bool on) { frozen = on; }

/* May this call change the disk? */
static int allowed(bool grows) {
  if (frozen)
    return SQLITE_IOERR;
  if (state == DISK_READ_ONLY)
    return SQLITE_READONLY;
  if (state == DISK_FULL && grows)
    return SQLITE_FULL;
  if (state == DISK_BROKEN && sim_one_in(fail_every))
    return SQLITE_IOERR_WRITE;
  return SQLITE_OK;
}

static void forget(struct file *f, size_t keep) {
  while (f->undo_count > keep)
    free(f->undos[--f->undo_count].old);
}

static void remember(struct file *f, sqlite3_int64 at, size_t len) {
  if (f->undo_count == f->undo_room) {
    f->undo_room = f->undo_room * 2 + 16;
    f->undos = must(realloc(f->undos, f->undo_room * sizeof(*f->undos)));
  }
  size_t there = (size_t)at >= f->size        ? 0
                 : f->size - (size_t)at < len ? f->size - (size_t)at
                                              : len;
  uint8_t *old = must(malloc(there + 1));
  if (there > 0)
    memcpy(old, f->data + at, there);
  f->undos[f->undo_count++] = (struct undo){at, there, f->size, old};
}

static void undo_last(struct file *f) {
  struct undo *u = f->undos + --f->undo_count;
  memcpy(f->data + u->at, u->old, u->len);
  f->size = u->size_before;
  free(u->old);
}

void disk_power_cut(void) {
  for (struct file *f = files; f < files + FILES; f++) {
    size_t keep = (size_t)sim_below((int64_t)f->undo_count + 1);
    while (f->undo_count > keep)
      undo_last(f);
    forget(f, 0);
  }
}

static void wipe_file(struct file *f) {
  forget(f, 0);
  free(f->undos);
  free(f->data);
  for (int i = 0; i < SHM_REGIONS; i++)
    free(f->shm[i]);
  memset(f, 0, sizeof(*f));
}

void disk_wipe(void) {
  for (struct file *f = files; f < files + FILES; f++)
    wipe_file(f);
}

struct file *disk_find(const char *name, bool make) {
  struct file *spare = NULL;
  for (struct file *f = files; f < files + FILES; f++)
    if (f->exists && !f->deleted && strcmp(f->name, name) == 0)
      return f;
    else if (!f->exists && spare == NULL)
      spare = f;
  if (!make)
    return NULL;
  if (spare == NULL)
    sim_fail("the simulated disk has no room for %s", name);
  memset(spare, 0, sizeof(*spare));
  spare->exists = true;
  snprintf(spare->name, sizeof(spare->name), "%s", name);
  return spare;
}

#define FILE_OF(h) (((struct handle *)(h))->file)

static int d_shm_unmap(sqlite3_file *h, int gone);

static bool is_open(const struct file *f) {
  if (f->openers > 0)
    return true;
  for (int i = 0; i < HANDLES; i++)
    if (f->handles[i] != NULL)
      return true;
  return false;
}

static int d_close(sqlite3_file *h) {
  struct file *f = FILE_OF(h);
  d_shm_unmap(h, 0);
  for (int i = 0; i < HANDLES; i++)
    if (f->handles[i] == (struct handle *)h)
      f->handles[i] = NULL;
  if (!is_open(f) && (((struct handle *)h)->transient || f->deleted))
    wipe_file(f);
  return SQLITE_OK;
}

/* How many bytes there are. */
static size_t get(const struct file *f, void *out, size_t len, int64_t at) {
  size_t there = (size_t)at >= f->size ? 0 : f->size - (size_t)at;
  if (there > len)
    there = len;
  if (there > 0)
    memcpy(out, f->data + at, there);
  return there;
}

static int d_read(sqlite3_file *h, void *out, int len, sqlite3_int64 at) {
  size_t there = get(FILE_OF(h), out, (size_t)len, at);
  memset((uint8_t *)out + there, 0, (size_t)len - there);
  return there == (size_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int put(struct file *f, const void *data, size_t len, int64_t at) {
  size_t end = (size_t)at + len;
  int code = allowed(end > f->size);
  if (code != SQLITE_OK)
    return code;
  remember(f, at, len);
  if (end > f->room) {
    f->room = end * 2;
    f->data = must(realloc(f->data, f->room));
  }
  if ((size_t)at > f->size)
    memset(f->data + f->size, 0, (size_t)at - f->size);
  memcpy(f->data + at, data, len);
  if (end > f->size)
    f->size = end;
  return SQLITE_OK;
}

static int d_write(sqlite3_file *h, const void *data, int len,
                   sqlite3_int64 at) {
  return put(FILE_OF(h), data, (size_t)len, at);
}

static int cut(struct file *f, int64_t size) {
  int code = allowed(false);
  if (code != SQLITE_OK || (size_t)size >= f->size)
    return code;
  remember(f, size, f->size - (size_t)size);
  f->size = (size_t)size;
  return SQLITE_OK;
}

static int d_truncate(sqlite3_file *h, sqlite3_int64 size) {
  return cut(FILE_OF(h), size);
}

static int sync_file(struct file *f) {
  int code = allowed(false);
  if (code == SQLITE_OK)
    forget(f, 0);
  return code;
}

static int d_sync(sqlite3_file *h, int flags) {
  (void)flags;
  return sync_file(FILE_OF(h));
}

static int d_size(sqlite3_file *h, sqlite3_int64 *size) {
  *size = (sqlite3_int64)FILE_OF(h)->size;
  return SQLITE_OK;
}

/* The highest level that another handle of the file has. */
static int others_level(const struct handle *h) {
  int level = SQLITE_LOCK_NONE;
  for (int i = 0; i < HANDLES; i++) {
    const struct handle *o = h->file->handles[i];
    if (o != NULL && o != h && o->level > level)
      level = o->level;
  }
  return level;
}

static int d_lock(sqlite3_file *f, int level) {
  struct handle *h = (struct handle *)f;
  int others = others_level(h);
  bool free_to = level == SQLITE_LOCK_SHARED     ? others < SQLITE_LOCK_PENDING
                 : level == SQLITE_LOCK_RESERVED ? others < SQLITE_LOCK_RESERVED
                                                 : others == SQLITE_LOCK_NONE;
  if (h->level >= level)
    return SQLITE_OK;
  if (!free_to)
    return SQLITE_BUSY;
  h->level = level;
  return SQLITE_OK;
}

static int d_unlock(sqlite3_file *f, int level) {
  struct handle *h = (struct handle *)f;
  if (level < h->level)
    h->level = level;
  return SQLITE_OK;
}

static int d_reserved(sqlite3_file *h, int *out) {
  *out = others_level((struct handle *)h) >= SQLITE_LOCK_RESERVED;
  return SQLITE_OK;
}

static int d_control(sqlite3_file *h, int op, void *arg) {
  (void)h, (void)op, (void)arg;
  return SQLITE_NOTFOUND;
}

static int d_sector(sqlite3_file *h) {
  (void)h;
  return 4096;
}

static int d_device(sqlite3_file *h) {
  (void)h;
  return 0;
}

static int d_shm_map(sqlite3_file *h, int page, int size, int extend,
                     void volatile **out) {
  struct file *f = FILE_OF(h);
  if (page >= SHM_REGIONS)
    return SQLITE_IOERR_SHMMAP;
  f->mappers += !((struct handle *)h)->mapped;
  ((struct handle *)h)->mapped = true;
  if (f->shm[page] == NULL && extend)
    f->shm[page] = must(calloc(1, (size_t)size));
  *out = f->shm[page];
  return SQLITE_OK;
}

static int d_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
  struct handle *h = (struct handle *)f;
  unsigned bits = ((1u << n) - 1) << offset, held = 0;
  for (int i = 0; i < HANDLES; i++) {
    const struct handle *o = h->file->handles[i];
    if (o != NULL && o != h)
      held |= o->exclusive | (flags & SQLITE_SHM_EXCLUSIVE ? o->shared : 0);
  }
  if (flags & SQLITE_SHM_UNLOCK) {
    h->shared &= ~bits;
    h->exclusive &= ~bits;
  } else if (held & bits)
    return SQLITE_BUSY;
  else if (flags & SQLITE_SHM_EXCLUSIVE)
    h->exclusive |= bits;
  else
    h->shared |= bits;
  return SQLITE_OK;
}

static void d_shm_barrier(sqlite3_file *h) { (void)h; }

static int d_shm_unmap(sqlite3_file *h, int gone) {
  struct handle *handle = (struct handle *)h;
  struct file *f = handle->file;
  (void)gone;
  if (handle->mapped && --f->mappers == 0)
    for (int i = 0; i < SHM_REGIONS; i++) {
      free(f->shm[i]);
      f->shm[i] = NULL;
    }
  handle->mapped = false;
  handle->shared = handle->exclusive = 0;
  return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    2,        d_close,   d_read,     d_write,       d_truncate,  d_sync,
    d_size,   d_lock,    d_unlock,   d_reserved,    d_control,   d_sector,
    d_device, d_shm_map, d_shm_lock, d_shm_barrier, d_shm_unmap, NULL,
    NULL};

static int d_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *h,
                  int flags, int *out) {
  (void)vfs;
  static unsigned serial;
  char made[32];
  struct handle *handle = (struct handle *)h;
  memset(handle, 0, sizeof(*handle));
  snprintf(made, sizeof(made), "transient-%u", serial);
  serial += name == NULL;
  bool there = name != NULL && disk_find(name, false) != NULL;
  bool writes = (flags & (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) != 0;
  if (!there && (!(flags & SQLITE_OPEN_CREATE) || frozen ||
                 state == DISK_READ_ONLY || state == DISK_FULL))
    return SQLITE_CANTOPEN;
  if (there && writes && state == DISK_READ_ONLY) {
    flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) |
            SQLITE_OPEN_READONLY;
  }
  handle->file = disk_find(name != NULL ? name : made, true);
  handle->transient = name == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE);
  int place = 0;
  while (place < HANDLES && handle->file->handles[place] != NULL)
    place++;
  if (place == HANDLES)
    sim_fail("%s is open %d times", name, HANDLES);
  handle->file->handles[place] = handle;
  handle->base.pMethods = &methods;
  if (out != NULL)
    *out = flags;
  return SQLITE_OK;
}

static void unlink_file(struct file *f) {
  if (is_open(f))
    f->deleted = true;
  else
    wipe_file(f);
}

static int d_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs, (void)sync;
  int code = allowed(false);
  struct file *f = disk_find(name, false);
  if (code == SQLITE_OK && f != NULL)
    unlink_file(f);
  return code != SQLITE_OK ? SQLITE_IOERR_DELETE
         : f == NULL       ? SQLITE_IOERR_DELETE_NOENT
                           : SQLITE_OK;
}

static int d_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
  (void)vfs;
  struct file *f = disk_find(name, false);
  *out = f != NULL && (flags != SQLITE_ACCESS_READWRITE ||
                       (state != DISK_READ_ONLY && !frozen));
  if (flags == SQLITE_ACCESS_EXISTS && f != NULL && f->size == 0)
    *out = 0; /* as the real one: an empty journal is none */
  return SQLITE_OK;
}

static int d_path(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  (void)vfs;
  snprintf(out, (size_t)size, "%s", name);
  return SQLITE_OK;
}

static int d_random(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs;
  for (int i = 0; i < size; i++)
    out[i] = (char)sim_random();
  return size;
}

static int d_sleep(sqlite3_vfs *vfs, int us) {
  (void)vfs;
  return us;
}

static int d_time(sqlite3_vfs *vfs, sqlite3_int64 *out) {
  (void)vfs;
  *out = (sim_wall_us() + 210866760000000000LL) / 1000; /* Julian day, ms */
  return SQLITE_OK;
}

static int d_last_error(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs, (void)size, (void)out;
  return 0;
}

/* Of all connections: what is opened without a name for it, too. */
void disk_register(void) {
  static sqlite3_vfs vfs = {.iVersion = 2,
                            .szOsFile = sizeof(struct handle),
                            .mxPathname = 255,
                            .zName = "simulated",
                            .xOpen = d_open,
                            .xDelete = d_delete,
                            .xAccess = d_access,
                            .xFullPathname = d_path,
                            .xRandomness = d_random,
                            .xSleep = d_sleep,
                            .xCurrentTimeInt64 = d_time,
                            .xGetLastError = d_last_error};
  sqlite3_vfs_register(&vfs, 1);
}

/* --- the same files for the C library's functions (files.c) ----------------
 */

static int error_of(int code) {
  return code == SQLITE_OK         ? 0
         : code == SQLITE_FULL     ? -ENOSPC
         : code == SQLITE_READONLY ? -EROFS
                                   : -EIO;
}

int disk_open(struct file *f, int by) {
  f->openers += by;
  if (f->deleted && !is_open(f))
    wipe_file(f);
  return 0;
}

int disk_read(struct file *f, void *out, size_t len, int64_t at) {
  return (int)get(f, out, len, at);
}

int disk_write(struct file *f, const void *data, size_t len, int64_t at) {
  return error_of(put(f, data, len, at));
}

int disk_cut(struct file *f, int64_t size) { return error_of(cut(f, size)); }

int disk_sync(struct file *f) { return error_of(sync_file(f)); }

int64_t disk_size(const struct file *f) { return (int64_t)f->size; }

int disk_may_create(void) { return error_of(allowed(true)); }

int disk_remove(const char *name) {
  struct file *f = disk_find(name, false);
  int status = f == NULL ? -ENOENT : error_of(allowed(false));
  if (status == 0)
    unlink_file(f);
  return status;
}

/* At once and for good, as a journal of metadata has it; the data is what it
 * was. */
int disk_rename(const char *from, const char *to) {
  struct file *f = disk_find(from, false), *old = disk_find(to, false);
  int status = f == NULL ? -ENOENT : error_of(allowed(false));
  if (status != 0)
    return status;
  if (old != NULL)
    unlink_file(old);
  snprintf(f->name, sizeof(f->name), "%s", to);
  return 0;
}
