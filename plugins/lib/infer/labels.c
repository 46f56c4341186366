#include "lib/infer/labels.h"

#include "lib/base/text.h"

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

/* Length of a letter outside ASCII, 0 when it is none: no C1 control. */
static size_t sequence(const char *s, size_t left) {
  bool control = s[0] == '\xc2' && (unsigned char)s[1] < 0xa0;
  return control ? 0 : wr_text_utf8(s, left);
}

/* Copies what is safe; false when the name does not fit. */
static bool simplify(const char *name, char *id, size_t size) {
  const char *s = name;
  size_t used = 0;
  while (*s != '\0') {
    size_t len = sequence(s, strlen(s));
    bool safe =
        len > 1 || (len == 1 && (wr_text_is_alnum(*s) || strchr("._-", *s)));
    size_t add = safe ? len : 1;
    if (used + add >= size)
      break;
    memcpy(id + used, safe ? s : "_", add);
    used += add;
    s += len == 0 ? 1 : len;
  }
  id[used] = '\0';
  return *s == '\0';
}

static bool is_reserved(const char *id, const char *const *reserved) {
  for (size_t i = 0; reserved != NULL && reserved[i] != NULL; i++)
    if (wr_text_same(reserved[i], id))
      return true;
  return false;
}

static bool taken(const struct wr_labels *l, const char *id,
                  const char *const *reserved) {
  for (size_t i = 0; i < l->count; i++)
    if (wr_text_same(l->at[i].id, id))
      return true;
  return is_reserved(id, reserved);
}

/* A name that is an identifier as it is spelled; so it will have it. */
static bool is_spelled(const char *name, const char *const *reserved) {
  char id[WR_LABEL_ID];
  return simplify(name, id, sizeof(id)) && strcmp(name, id) == 0 &&
         !is_reserved(name, reserved);
}

static void hash_in(const struct wr_labels *l, const char *name,
                    const char *const *reserved, char *id) {
  char stem[WR_LABEL_ID - 9];
  (void)simplify(name, stem, sizeof(stem));
  for (uint32_t seed = 0;; seed++) {
    snprintf(id, WR_LABEL_ID, "%s_%08x", stem, hash_of(name, seed));
    if (!taken(l, id, reserved))
      return;
  }
}

/* The new label's identifier; another one that had it by being simplified
 * gives it up. */
static void identify(struct wr_labels *l, const char *name,
                     const char *const *reserved, char *id) {
  bool spelled = is_spelled(name, reserved);
  if (!simplify(name, id, WR_LABEL_ID) ||
      (!spelled && taken(l, id, reserved))) {
    hash_in(l, name, reserved, id);
    return;
  }
  for (size_t i = 0; spelled && i < l->count; i++)
    if (strcmp(l->at[i].id, id) == 0) {
      char other[WR_LABEL_ID];
      hash_in(l, l->at[i].name, reserved, other);
      memcpy(l->at[i].id, other, sizeof(other));
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
