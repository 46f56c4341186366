#include "lib/net/http_proxy.h"

#include "lib/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first of up to four names that says something; a copy. */
static int find(char **to, const char *const names[4],
                char *(*get)(const char *name)) {
  for (int i = 0; i < 4 && names[i] != NULL; i++) {
    const char *value = get(names[i]);
    if (value == NULL || value[0] == '\0')
      continue;
    *to = strdup(value);
    return *to != NULL ? 0 : -ENOMEM;
  }
  return 0;
}

bool wr_http_proxy_is_tls(const char *url) {
  char scheme[] = "https://";
  size_t len = sizeof(scheme) - 1;
  if (strlen(url) < len)
    return false;
  memcpy(scheme, url, len);
  return wr_text_same(scheme, "https://");
}

int wr_http_proxy_find(struct wr_http_proxy *p, const char *url,
                       char *(*get)(const char *name)) {
  static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY",
                                      NULL};
  static const char *const secure[] = {"https_proxy", "HTTPS_PROXY",
                                       "all_proxy", "ALL_PROXY"};
  static const char *const except[4] = {"no_proxy", "NO_PROXY"};
  *p = (struct wr_http_proxy){0};
  if (find(&p->url, wr_http_proxy_is_tls(url) ? secure : plain, get) == 0 &&
      find(&p->except, except, get) == 0)
    return 0;
  wr_http_proxy_free(p);
  return -ENOMEM;
}

void wr_http_proxy_free(struct wr_http_proxy *p) {
  free(p->url);
  free(p->except);
  *p = (struct wr_http_proxy){0};
}
