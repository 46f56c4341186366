#include "lib/base/bytes.h"

#include "lib/base/number.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct wr_bytes *b, size_t more) {
  if (more > b->max - b->len)
    return -ENOSPC;
  size_t need = b->len + more + 1;
  if (need <= b->cap)
    return 0;
  size_t cap = b->cap < 64 ? 64 : b->cap;
  while (cap < need)
    cap *= 2;
  if (cap > b->max + 1)
    cap = b->max + 1;
  char *data = realloc(b->data, cap);
  if (data == NULL)
    return -ENOMEM;
  b->data = data;
  b->cap = cap;
  return 0;
}

int wr_bytes_append(struct wr_bytes *b, const void *data, size_t len) {
  int status = reserve(b, len);
  if (status != 0)
    return status;
  if (len > 0)
    memcpy(b->data + b->len, data, len);
  b->len += len;
  b->data[b->len] = '\0';
  return 0;
}

int wr_bytes_text(struct wr_bytes *b, const char *text) {
  return wr_bytes_append(b, text, strlen(text));
}

int wr_bytes_printf(struct wr_bytes *b, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  int len = wr_number_vprint(NULL, 0, format, ap);
  va_end(ap);
  if (len < 0)
    return -EINVAL;
  int status = reserve(b, (size_t)len);
  if (status != 0)
    return status;
  va_start(ap, format);
  wr_number_vprint(b->data + b->len, (size_t)len + 1, format, ap);
  va_end(ap);
  b->len += (size_t)len;
  return 0;
}

void wr_bytes_reset(struct wr_bytes *b) {
  b->len = 0;
  if (b->data != NULL)
    b->data[0] = '\0';
}

void wr_bytes_free(struct wr_bytes *b) {
  free(b->data);
  b->data = NULL;
  b->len = 0;
  b->cap = 0;
}

void wr_bytes_wipe(struct wr_bytes *b) {
  if (b->data != NULL)
    explicit_bzero(b->data, b->cap);
  wr_bytes_free(b);
}
