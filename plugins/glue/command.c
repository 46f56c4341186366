#include "glue/command.h"

#include "glue/clock.h"
#include "glue/instance.h"

#define PART 64

bool wr_command_refused(const notification_t *n, const char *where,
                        struct wr_trouble *trouble) {
  char host[PART], instance[PART];
  bool by_network = false;
  for (const notification_meta_t *m = n->meta; m != NULL; m = m->next)
    by_network = by_network || strcmp(m->name, "network:received") == 0;
  if (!by_network)
    return false;
  wr_text_part(n->host, host, sizeof(host));
  wr_text_part(n->plugin_instance, instance, sizeof(instance));
  wr_trouble_begin(trouble, wr_clock_ms(), LOG_WARNING,
                   "%s: a command (%s) for \"%s\" of host \"%s\" came over the "
                   "network and is refused; allowed is this machine's own "
                   "socket.",
                   where, n->type, instance, host);
  return true;
}
