#define _GNU_SOURCE /* dladdr */
#include "glue/transport.h"

#include "collectd/core/daemon/collectd.h"

#include "collectd/core/daemon/plugin.h"

#include "lib/net/http.h"

#include <dlfcn.h>
#include <limits.h>

#define MODULE "weir_http.so"

/* The path of the module; it lies where this plugin does. */
static int path_of(char *out, size_t size) {
  Dl_info self;
  if (dladdr((void *)path_of, &self) == 0)
    return -1;
  const char *slash = strrchr(self.dli_fname, '/');
  int folder = slash != NULL ? (int)(slash - self.dli_fname) + 1 : 0;
  int len = snprintf(out, size, "%.*s" MODULE, folder, self.dli_fname);
  return len > 0 && (size_t)len < size ? 0 : -1;
}

int wr_transport_load(const char *where) {
  char path[PATH_MAX];
  if (wr_http_provided())
    return 0;
  void *module =
      path_of(path, sizeof(path)) == 0 ? dlopen(path, RTLD_NOW) : NULL;
  const struct wr_http_calls *calls =
      module != NULL ? dlsym(module, "wr_http_curl") : NULL;
  if (calls == NULL) {
    const char *why = dlerror();
    ERROR("%s: HTTP cannot be had: %s. " MODULE " has to lie beside the "
          "plugins, and libcurl has to be installed.",
          where, why != NULL ? why : "the plugin does not know its own place");
    return -1;
  }
  if (strcmp(calls->version, WEIR_VERSION) != 0) {
    ERROR("%s: %s is of Weir %s, this plugin of Weir %s; install both from "
          "one.",
          where, path, calls->version, WEIR_VERSION);
    return -1;
  }
  wr_http_provide(calls);
  return 0; /* for good: the daemon unloads nothing either */
}
