/* reply: builds one line of JSON in a fixed buffer.
 *
 * The replies of the protocol have a known greatest length, so a text that
 * does not fit is a programming error: it is cut, and `cut` says so. */
#ifndef MODEL_REPLY_H
#define MODEL_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define REPLY_BYTES_MAX 2048

struct reply {
  size_t length;
  bool cut;
  char text[REPLY_BYTES_MAX]; /* NUL-terminated */
};

void reply_add(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void reply_text(struct reply *reply, const char *text);
void reply_add_int(struct reply *reply, int value);

/* The shortest decimal with a point that reads back as the same float. */
void reply_add_float(struct reply *reply, float value);

/* {"error":...,"id":...,"success":false}; without the id if `id` is NULL. */
void reply_error(struct reply *reply, const int *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
