/* state_file: a small file that is whole or not there.
 *
 * A first line names the kind, the version, the length and a checksum of the
 * rest. Written beside, made durable, then renamed over the old one, which
 * stays as FILE.old: a power cut at any moment leaves one of the two whole.
 * What cannot be read as this is set aside as FILE.corrupt, for people.
 * Ownership: texts belong to the caller. Blocks on the disk. Threads: none of
 * its own; one writer of a path. */
#ifndef WR_STATE_FILE_H
#define WR_STATE_FILE_H

#include "lib/base/bytes.h"

/* 0 or -errno; the old file stays what it was then. The folder must be there.
 * `kind` is one word. */
int wr_state_file_write(const char *path, const char *kind, const char *text,
                        size_t len);
/* Appends the text to `out`, at most out->max. 0; -ENOENT: there is none;
 * -EBADMSG: not whole, not of this kind, or too large; -errno. */
int wr_state_file_read(const char *path, const char *kind,
                       struct wr_bytes *out);
/* FILE becomes FILE.corrupt. 0 or -errno. */
int wr_state_file_set_aside(const char *path);
/* The name of the file before this one, into a buffer. 0 or -ENAMETOOLONG. */
int wr_state_file_old(const char *path, char *out, size_t size);

#endif
