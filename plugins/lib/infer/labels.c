#include "lib/infer/labels.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int wr_labels_find(const struct wr_labels *l, const char *name) {
  for (size_t i = 0; i < l->count; i++)
    if (strcmp(l->at[i].name, name) == 0)
      return (int)i;
  return -ENOENT;
}

static uint32_t hash_of(const char *text, uint32_t seed) {
  uint32_t h = 2166136261u ^ seed;
  for (; *text != '\0'; text++)
    h = (h ^ (unsigned char)*text) * 16777619u;
  return h;
}

/* Length of a multi-byte UTF-8 sequence, 0 when it is none. */
static size_t sequence(const unsigned char *s) {
  size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4)
    return 0;
  for (size_t i = 1; i < len; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  /* C1 controls, overlong forms, surrogates, beyond the last code point */
  if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
      (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
      (s[0] == 0xf4 && s[1] > 0x8f))
    return 0;
  return len;
}

/* Copies what is safe; false when the name does not fit. */
static bool simplify(const char *name, char *id, size_t size) {
  const unsigned char *s = (const unsigned char *)name;
  size_t used = 0;
  while (*s != '\0') {
    size_t len = *s < 0x80 ? 1 : sequence(s);
    bool safe = len > 1 || (len == 1 && (isalnum(*s) || strchr("._-", *s)));
    size_t add = safe ? len : 1;
    if (used + add >= size)
      break;
    memcpy(id + used, safe ? (const char *)s : "_", add);
    used += add;
    s += len == 0 ? 1 : len;
  }
  id[used] = '\0';
  return *s == '\0';
}

static bool taken(const struct wr_labels *l, const char *id,
                  const char *const *reserved) {
  for (size_t i = 0; i < l->count; i++)
    if (strcasecmp(l->at[i].id, id) == 0)
      return true;
  for (size_t i = 0; reserved != NULL && reserved[i] != NULL; i++)
    if (strcasecmp(reserved[i], id) == 0)
      return true;
  return false;
}

static void identify(const struct wr_labels *l, const char *name,
                     const char *const *reserved, char *id) {
  if (simplify(name, id, WR_LABEL_ID) && !taken(l, id, reserved))
    return;
  char stem[WR_LABEL_ID - 9];
  (void)simplify(name, stem, sizeof(stem));
  for (uint32_t seed = 0;; seed++) {
    snprintf(id, WR_LABEL_ID, "%s_%08x", stem, hash_of(name, seed));
    if (!taken(l, id, reserved))
      return;
  }
}

int wr_labels_add(struct wr_labels *l, const char *name,
                  const char *const *reserved) {
  int index = wr_labels_find(l, name);
  if (index >= 0)
    return index;
  if (name[0] == '\0' || strlen(name) >= WR_LABEL_LEN)
    return -EINVAL;
  if (l->count >= WR_LABELS_MAX)
    return -ENOSPC;
  struct wr_label *more = realloc(l->at, (l->count + 1) * sizeof(*more));
  if (more == NULL)
    return -ENOMEM;
  l->at = more;
  char *copy = strdup(name);
  if (copy == NULL)
    return -ENOMEM;
  identify(l, name, reserved, more[l->count].id);
  more[l->count].name = copy;
  return (int)l->count++;
}

void wr_labels_free(struct wr_labels *l) {
  for (size_t i = 0; i < l->count; i++)
    free(l->at[i].name);
  free(l->at);
  *l = (struct wr_labels){0};
}
