#include "glue/instance.h"

#include "collectd/core/utils/common/common.h"
#include "lib/base/text.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* In the order of values() below. */
static const char *const placeholders[] = {"%{host}", "%{plugin}",
                                           "%{plugin_instance}", "%{type}",
                                           "%{type_instance}"};

/* Index of the placeholder that `text` begins with, or their number. */
static size_t placeholder_at(const char *text) {
  size_t i = 0;
  while (i < STATIC_ARRAY_SIZE(placeholders) &&
         strncmp(text, placeholders[i], strlen(placeholders[i])) != 0)
    i++;
  return i;
}

const char *wr_instance_fault(const char *text) {
  for (const char *at = text; (at = strstr(at, "%{")) != NULL; at++)
    if (placeholder_at(at) == STATIC_ARRAY_SIZE(placeholders))
      return "a text in which %{host}, %{plugin}, %{plugin_instance}, %{type} "
             "and %{type_instance} stand for those of the series";
  return NULL;
}

void wr_instance_expand(const char *text, const value_list_t *vl, char *out,
                        size_t size) {
  const char *const values[] = {vl->host, vl->plugin, vl->plugin_instance,
                                vl->type, vl->type_instance};
  char *to = out, *end = out + size - 1;
  while (*text != '\0' && to < end) {
    size_t i = placeholder_at(text);
    if (i == STATIC_ARRAY_SIZE(placeholders)) {
      *to++ = *text++;
      continue;
    }
    size_t len = strnlen(values[i], (size_t)(end - to));
    memcpy(to, values[i], len);
    to += len;
    text += strlen(placeholders[i]);
  }
  *to = '\0';
  for (to = out; *to != '\0'; to++)
    if (*to == '/')
      *to = '_';
}

void wr_text_part(const char *text, char *out, size_t max) {
  size_t len = strlen(text);
  bool cut = len >= max;
  if (cut)
    len = wr_text_cut(text, max - sizeof(ELLIPSIS));
  memcpy(out, text, len);
  memcpy(out + len, cut ? ELLIPSIS : "", cut ? sizeof(ELLIPSIS) : 1);
  for (; *out != '\0'; out++)
    if ((unsigned char)*out < ' ' || *out == 0x7f)
      *out = ' ';
}
