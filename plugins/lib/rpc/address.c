#include "lib/rpc/address.h"

#include "lib/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int parse_port(const char *text, struct wr_rpc_address *out) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 5 || text[digits] != '\0')
    return -EINVAL;
  unsigned long port = strtoul(text, NULL, 10);
  if (port < 1 || port > 65535)
    return -EINVAL;
  snprintf(out->port, sizeof(out->port), "%lu", port);
  return 0;
}

static int parse_host(const char *text, size_t len,
                      struct wr_rpc_address *out) {
  if (len == 0 || len >= sizeof(out->host))
    return -EINVAL;
  for (size_t i = 0; i < len; i++)
    if (wr_text_is_space(text[i]) || text[i] == '/')
      return -EINVAL;
  memcpy(out->host, text, len);
  return 0;
}

static int parse_path(const char *text, struct wr_rpc_address *out,
                      const char **why) {
  *why = "a unix socket is an absolute path of at most 107 bytes";
  if (text[0] != '/' || strlen(text) >= sizeof(out->path))
    return -EINVAL;
  memcpy(out->path, text, strlen(text));
  return 0;
}

int wr_rpc_address_parse(const char *text, struct wr_rpc_address *out,
                         const char **why) {
  *out = (struct wr_rpc_address){.port = WR_RPC_PORT};
  if (strncmp(text, "unix:", 5) == 0)
    return parse_path(text + 5, out, why);
  if (strncmp(text, "tcp:", 4) == 0)
    text += 4;
  *why = "the host is missing or malformed";
  const char *port = strrchr(text, ':');
  size_t len = port != NULL ? (size_t)(port - text) : strlen(text);
  if (text[0] == '[') {
    const char *close = strchr(text, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != ':'))
      return -EINVAL;
    port = close[1] == ':' ? close + 1 : NULL;
    len = (size_t)(close - ++text);
  } else if (memchr(text, ':', len) != NULL) {
    *why = "an IPv6 address needs brackets, as [::1]:5001";
    return -EINVAL;
  }
  if (parse_host(text, len, out) != 0)
    return -EINVAL;
  *why = "the port is a number from 1 to 65535";
  return port == NULL ? 0 : parse_port(port + 1, out);
}

void wr_rpc_address_default(const char *host, const char *port, char *buf,
                            size_t size) {
  snprintf(buf, size, "%s:%s",
           host != NULL && host[0] != '\0' ? host : "m4proxy",
           port != NULL && port[0] != '\0' ? port : WR_RPC_PORT);
}

static int look_up(const struct wr_rpc_address *address, int flags,
                   struct wr_rpc_peers *out) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                           .ai_flags = flags | AI_NUMERICSERV};
  struct addrinfo *list = NULL;
  out->count = 0;
  if (getaddrinfo(address->host, address->port, &hints, &list) != 0)
    return -EADDRNOTAVAIL;
  for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
    if (out->count == WR_RPC_PEERS ||
        a->ai_addrlen > sizeof(struct sockaddr_storage))
      continue;
    memcpy(&out->at[out->count], a->ai_addr, a->ai_addrlen);
    out->len[out->count++] = a->ai_addrlen;
  }
  freeaddrinfo(list);
  return out->count > 0 ? 0 : -EADDRNOTAVAIL;
}

bool wr_rpc_address_known(const struct wr_rpc_address *address,
                          struct wr_rpc_peers *out) {
  if (address->path[0] == '\0')
    return look_up(address, AI_NUMERICHOST, out) == 0;
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  memcpy(un.sun_path, address->path, sizeof(un.sun_path));
  memcpy(&out->at[0], &un, sizeof(un));
  out->len[0] = sizeof(un);
  out->count = 1;
  return true;
}

int wr_rpc_address_ask(const struct wr_rpc_address *address,
                       struct wr_rpc_peers *out) {
  return look_up(address, 0, out);
}

/* An address of this host is one that a socket can be bound to. */
static bool is_local(const struct sockaddr_storage *at, socklen_t len) {
  struct sockaddr_storage copy = *at;
  if (at->ss_family == AF_INET)
    ((struct sockaddr_in *)&copy)->sin_port = 0;
  else
    ((struct sockaddr_in6 *)&copy)->sin6_port = 0;
  int fd = socket(at->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool local = fd >= 0 && bind(fd, (struct sockaddr *)&copy, len) == 0;
  if (fd >= 0)
    close(fd);
  return local;
}

void wr_rpc_peers_key(const struct wr_rpc_peers *peers, char *buf,
                      size_t size) {
  const struct sockaddr_storage *at = &peers->at[0];
  char host[INET6_ADDRSTRLEN] = "local";
  if (at->ss_family == AF_UNIX) {
    snprintf(buf, size, "%s", ((const struct sockaddr_un *)at)->sun_path);
    return;
  }
  const struct sockaddr_in *in = (const struct sockaddr_in *)at;
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)at;
  bool v4 = at->ss_family == AF_INET;
  if (!is_local(at, peers->len[0]))
    inet_ntop(at->ss_family,
              v4 ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr,
              host, sizeof(host));
  snprintf(buf, size, "%s:%u", host, ntohs(v4 ? in->sin_port : in6->sin6_port));
}
