/* Addresses and URLs, which come from a file that a person writes. What is
 * taken is whole; what is refused is refused in words. */
#include "lib/rpc/address.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/transport.h"

#include <curl/curl.h>
#include <strings.h>

/* Printed and read again it is the same. */
static void same_again(const struct wr_rpc_address *a) {
  struct wr_rpc_address b;
  const char *why = NULL;
  char text[400];
  if (a->path[0] != '\0')
    snprintf(text, sizeof(text), "unix:%s", a->path);
  else
    snprintf(text, sizeof(text), "[%s]:%s", a->host, a->port);
  if (strchr(a->host, ']') != NULL)
    return;
  check(wr_rpc_address_parse(text, &b, &why) == 0);
  check(strcmp(a->path, b.path) == 0 && strcmp(a->host, b.host) == 0 &&
        strcmp(a->port, b.port) == 0);
}

static void read_address(const char *text) {
  struct wr_rpc_address a;
  struct wr_rpc_peers peers;
  const char *why = NULL;
  char key[WR_RPC_KEY_MAX];
  if (wr_rpc_address_parse(text, &a, &why) != 0) {
    check(why != NULL && why[0] != '\0');
    return;
  }
  int port = atoi(a.port);
  check(a.path[0] == '/' || a.host[0] != '\0');
  check(port >= 1 && port <= 65535);
  check(strpbrk(a.host, " \t\r\n/") == NULL);
  same_again(&a);
  if (wr_rpc_address_known(&a, &peers)) {
    check(peers.count > 0 && peers.count <= WR_RPC_PEERS);
    wr_rpc_peers_key(&peers, key, sizeof(key));
    check(key[0] != '\0' && memchr(key, '\0', sizeof(key)) != NULL);
  }
}

/* Plain http leaves this machine in no spelling of a host. */
static void read_url(const char *text) {
  const char *fault = wr_http_url_fault(text, true);
  check(fault == NULL || fault[0] != '\0');
  check(fault != NULL || wr_http_url_fault(text, false) == NULL);
  if (fault != NULL)
    return;
  CURLU *u = curl_url();
  char *scheme = NULL, *host = NULL;
  check(curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK);
  check(curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
  check(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
  check(strcmp(scheme, "https") == 0 || strncmp(host, "127.", 4) == 0 ||
        strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0);
  curl_free(scheme);
  curl_free(host);
  curl_url_cleanup(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  check(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  read_address(text);
  read_url(text);
  free(text);
  return 0;
}
