/* The doctor's reader of collectd's configuration: any bytes in; what is read
 * has keys, and goes no deeper than it may. */

#include "plugins/doctor/conf.c"
#include "plugins/doctor/conf_parse.c"
#include "plugins/doctor/conf_scan.c"
#include "tests/fuzz/fuzz.h"

static void sound(const struct conf_item *i, int depth) {
  if (depth > CONF_DEPTH + 1)
    abort();
  for (size_t v = 0; v < i->values_count; v++)
    if (i->values[v].text == NULL)
      abort();
  for (size_t k = 0; k < i->children_count; k++) {
    if (i->children[k].key == NULL || i->children[k].line == 0)
      abort();
    (void)conf_get(&i->children[k], "Type");
    sound(&i->children[k], depth + 1);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct conf c = {0};
  if (conf_parse(&c, "fuzz", (const char *)data, size, &c.top) == 0)
    sound(&c.top, 0);
  else if (c.fault[0] == '\0')
    abort();
  conf_free(&c);
  return 0;
}
