#include "lib/cloud/words.h"

#include "lib/base/json.h"

#include <string.h>

#define WORDS_MAX (64u << 10)

/* Has the object one of these members, as text? */
static bool has_text(const struct wr_json *doc, const char *const *keys) {
  const char *text = NULL;
  for (; *keys != NULL; keys++)
    if (wr_json_string(doc, *keys, &text) == 0)
      return true;
  return false;
}

bool wr_words_own(const char *text, size_t len, int status) {
  static const char *const keys[] = {"detail", "code", NULL};
  struct wr_json *doc = NULL;
  int64_t said = status;
  if (text == NULL || wr_json_parse(text, len, WORDS_MAX, &doc) != 0)
    return false;
  wr_json_int(doc, "status", &said);
  bool own = has_text(doc, keys) && said == status;
  wr_json_free(doc);
  return own;
}

bool wr_words_own_token(const char *text, size_t len) {
  static const char *const keys[] = {"error", "error_description", "detail",
                                     "code", NULL};
  struct wr_json *doc = NULL;
  if (text == NULL || wr_json_parse(text, len, WORDS_MAX, &doc) != 0)
    return false;
  bool own = has_text(doc, keys);
  wr_json_free(doc);
  return own;
}

bool wr_words_no_endpoint(const char *text, size_t len) {
  static const char words[] = "404 page not found";
  return text != NULL && len >= sizeof(words) - 1 &&
         memcmp(text, words, sizeof(words) - 1) == 0;
}

bool wr_words_foreign(const char *text, size_t len) {
  struct wr_json *doc = NULL;
  if (text == NULL || len == 0)
    return false;
  bool foreign = wr_json_parse(text, len, 4u << 20, &doc) != 0;
  wr_json_free(doc);
  return foreign;
}
