/* weir-doctor m4: its command line, and whom it asks where that names nobody.
 */
#include "doctor/agent.h"
#include "doctor/checks.h"
#include "lib/rpc/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool in_environment(void) {
  const char *host = getenv("M4_PROXY_HOST"), *port = getenv("M4_PROXY_PORT");
  return (host != NULL && host[0] != '\0') || (port != NULL && port[0] != '\0');
}

/* Where the agent asks; without an agent, where the plugin would by default. */
static void ask_where_the_agent_asks(struct doctor *d, char *address,
                                     size_t size, struct doctor_m4_options *o) {
  static struct doctor_agent a;
  bool persistent = false;
  wr_rpc_address_default(getenv("M4_PROXY_HOST"), getenv("M4_PROXY_PORT"),
                         address, size);
  if (!in_environment() && doctor_agent_look(&a, o->root, NULL) == 0 &&
      doctor_agent_address(&a, &persistent)) {
    o->persistent |= persistent;
    snprintf(address, size, "%s", a.address);
    doctor_step(d, true, "address", "%s, of %s", address, a.config);
  }
  conf_free(&a.conf);
  o->address = address;
}

int doctor_m4(struct doctor *d, int argc, char **argv) {
  char address[512];
  struct doctor_m4_options o = {.root = "", .count = 1};
  o.methods[0].name = "flow_rate";
  for (int i = 0; i < argc; i++) {
    bool more = i + 1 < argc;
    if (strcmp(argv[i], "--drain") == 0)
      o.drain = true;
    else if (strcmp(argv[i], "--persistent") == 0)
      o.persistent = true;
    else if (strcmp(argv[i], "--method") == 0 && more)
      o.methods[0].name = argv[++i];
    else if (strcmp(argv[i], "--type") == 0 && more)
      o.methods[0].type = argv[++i];
    else if (strcmp(argv[i], "--root") == 0 && more)
      o.root = argv[++i];
    else if (argv[i][0] == '-' || o.address != NULL)
      return doctor_usage(d, "m4 does not take \"%s\"", argv[i]);
    else
      o.address = argv[i];
  }
  if (o.address == NULL)
    ask_where_the_agent_asks(d, address, sizeof(address), &o);
  return doctor_m4_walk(d, &o);
}
