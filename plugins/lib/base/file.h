/* file: files and directories with the rights that we mean.
 *
 * The umask belongs to the process, and another plugin may change it: what
 * open() and mkdir() make may be readable by nobody or writable by everybody.
 * Threads: any, at the same time. */
#ifndef WR_FILE_H
#define WR_FILE_H

#include <sys/types.h>

/* openat() with O_CREAT and O_CLOEXEC; the file has exactly `mode` afterwards,
 * if it is ours, also where it was there before. A descriptor or -errno. */
int wr_file_create(int dir, const char *path, int flags, mode_t mode);
/* mkdir() with exactly this mode: 0, -EEXIST or another -errno. */
int wr_file_mkdir(const char *path, mode_t mode);
/* All of it, however many calls that takes; a signal does not end it. 0 or
 * -errno: then an unknown part has been written. */
int wr_file_write(int fd, const char *data, size_t len);

/* A new descriptor, or what else the call that made it returned: above those of
 * standard input, output and errors, which another plugin may have closed, and
 * to which it may print. Around every call that makes one which is written to.
 * -1 with errno: there is none. */
int wr_file_lift(int fd);

/* Standard input, output and errors that are closed become /dev/null. Else the
 * next socket or file would take their place, and what others print there by
 * habit would go to a peer or to the disk. Before there are threads:
 * in the init callback, because collectd loads a plugin with its directory
 * open. 0 or -errno. */
int wr_file_keep_standard(void);

#endif
