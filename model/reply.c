#include "model/reply.h"

#include "lib/base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* This program never calls setlocale(). */
static void add_list(struct reply *reply, const char *format, va_list list) {
  size_t room = sizeof(reply->text) - reply->length;
  int length = vsnprintf(reply->text + reply->length, room, format, list);
  reply->cut |= length < 0 || (size_t)length >= room;
  reply->length = strlen(reply->text);
}

void reply_add(struct reply *reply, const char *format, ...) {
  va_list list;
  va_start(list, format);
  add_list(reply, format, list);
  va_end(list);
}

void reply_text(struct reply *reply, const char *text) {
  size_t length = strlen(text), room = sizeof(reply->text) - reply->length;
  reply->cut |= length >= room;
  if (length >= room)
    length = room - 1;
  memcpy(reply->text + reply->length, text, length);
  reply->length += length;
  reply->text[reply->length] = '\0';
}

void reply_add_int(struct reply *reply, int value) {
  char text[WR_NUMBER_MAX];
  reply_text(reply, wr_number_write(text, value));
}

void reply_add_float(struct reply *reply, float value) {
  char text[WR_NUMBER_MAX];
  wr_number_write_float(text, value);
  reply_text(reply, text);
  if (strpbrk(text, ".e") == NULL)
    reply_text(reply, ".0");
}

void reply_error(struct reply *reply, const int *id, const char *format, ...) {
  va_list list;
  reply_add(reply, "{\"error\":\"");
  va_start(list, format);
  add_list(reply, format, list);
  va_end(list);
  reply_add(reply, "\"");
  if (id != NULL)
    reply_add(reply, ",\"id\":%d", *id);
  reply_add(reply, ",\"success\":false}\n");
}
