/* capture: windows kept as files, to train the next model with.
 *
 * One file is one window in Edge Impulse's data acquisition format, JSON and
 * unsigned. Its uploader takes the text in front of the first dot of the name
 * for the label: <label>.<source>.<time>.weir.json, with -2, -3 ... behind the
 * time where there is one already. Only such names in the directory are ours;
 * nothing else there is ever touched. At the ceiling of files or bytes the
 * oldest file goes, before the new one is written. Files of an earlier run
 * count; a file appears whole or not at all. Threads: none of its own; one
 * owner. Blocks on the disk. */
#ifndef WR_CAPTURE_H
#define WR_CAPTURE_H

#include "lib/base/bytes.h"

#include <stdint.h>

struct wr_capture;

/* 0 and *out; -errno of making or reading the directory, -ENOMEM. Missing
 * directories are made (0750), but not their parents. max_files 0 is as 1. */
int wr_capture_open(const char *dir, size_t max_files, uint64_t max_bytes,
                    struct wr_capture **out);
void wr_capture_close(struct wr_capture *c); /* accepts NULL */

/* What a file holds. */
struct wr_sample {
  const char *device;  /* where it comes from: host and source */
  const char *label;   /* of the window */
  const char *sensors; /* the axes' names, each with its NUL */
  int64_t interval_us;
  int64_t end_us; /* time stamp of the newest sample */
  size_t axes;
  const double *values; /* samples x axes, interleaved */
  size_t count;
};
/* Appends the document; 0 or what wr_bytes_append() returns. */
int wr_sample_put(struct wr_bytes *b, const struct wr_sample *s);

/* Writes one file. 0, -errno of the write (nothing is left behind), -EFBIG for
 * one that is larger than max_bytes. */
int wr_capture_write(struct wr_capture *c, const struct wr_sample *s);

size_t wr_capture_files(const struct wr_capture *c);
uint64_t wr_capture_bytes(const struct wr_capture *c);

#endif
