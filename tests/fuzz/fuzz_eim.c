/* Whatever a client sends: no crash, every reply one line of sane JSON, and
 * the same replies no matter how the bytes are cut into reads. */

#include "model/eim.h"
#include "tests/fuzz/fuzz.h"

struct transcript {
  size_t length;
  char text[1 << 20];
};

static int record(void *context, const char *text, size_t length) {
  struct transcript *to = context;
  if (length == 0 || length != strlen(text) || text[length - 1] != '\n' ||
      text[0] != '{' || strstr(text, "nan") != NULL)
    abort();
  if (to->length + length > sizeof(to->text))
    return -1;
  memcpy(to->text + to->length, text, length);
  to->length += length;
  return 0;
}

static int64_t still(void) { return 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct transcript whole, pieces;
  static struct eim eim;
  whole.length = pieces.length = 0;
  eim_init(&eim, record, NULL, &whole, still);
  eim_feed(&eim, (const char *)data, size);
  eim_free(&eim);
  eim_init(&eim, record, NULL, &pieces, still);
  for (size_t i = 0; i < size; i++)
    eim_feed(&eim, (const char *)data + i, 1);
  eim_free(&eim);
  if (whole.length != pieces.length ||
      memcmp(whole.text, pieces.text, whole.length) != 0)
    abort();
  return 0;
}
