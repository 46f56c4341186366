/* Who a peer is, from the bytes it sends and from what this machine knows. */
#include "doctor/probe.h"

#include <ctype.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool begins(const struct doctor_probe *p, const char *text) {
  size_t len = strlen(text);
  return p->len >= len && strncasecmp((const char *)p->in, text, len) == 0;
}

enum doctor_kind doctor_kind_of(const struct doctor_probe *p) {
  if (p->len == 0)
    return DOCTOR_IS_NOTHING;
  if (begins(p, "HTTP/") || begins(p, "<!doctype") || begins(p, "<html"))
    return DOCTOR_IS_WEB;
  if ((p->in[0] == 0x15 || p->in[0] == 0x16) && p->len > 1 && p->in[1] == 3)
    return DOCTOR_IS_TLS;
  return (p->in[0] & 0xf0) == 0x90 ? DOCTOR_IS_RPC : DOCTOR_IS_OTHER;
}

/* TLS 1.2, three common suites, no extension. */
const uint8_t doctor_tls_hello[] =
    {
        0x16, 0x03, 0x01, 0x00, 0x31, /* record: handshake, 49 bytes */
        0x01, 0x00, 0x00, 0x2d, 0x03, 0x03, 'w',  'e',  'i',  'r',  '-',
        'd',  'o',  'c',  't',  'o',  'r',  ' ',  'a',  's',  'k',  's',
        ':',  ' ',  'w',  'h',  'o',  ' ',  'i',  's',  ' ',  't',  'h',
        'e',  'r',  'e',  '?',  '!', /* 32 bytes of chance */
        0x00, 0x00, 0x06, 0xc0, 0x2f, 0xc0, 0x2b, 0x00, 0x9c, 0x01, 0x00};
const size_t doctor_tls_hello_len = sizeof(doctor_tls_hello);

static bool same_host(const struct sockaddr *a, const struct sockaddr *b) {
  if (a == NULL || a->sa_family != b->sa_family)
    return false;
  if (a->sa_family == AF_INET)
    return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
           ((const struct sockaddr_in *)b)->sin_addr.s_addr;
  return a->sa_family == AF_INET6 &&
         IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)a)->sin6_addr,
                            &((const struct sockaddr_in6 *)b)->sin6_addr);
}

static bool loopback(const struct sockaddr *a) {
  if (a->sa_family == AF_INET)
    return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
  return a->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

bool doctor_is_local(const struct doctor_peer *peer) {
  struct ifaddrs *all = NULL;
  const struct sockaddr *at = (const struct sockaddr *)&peer->at[0];
  bool local = peer->count > 0 && (loopback(at) || at->sa_family == AF_UNIX);
  if (local || peer->count == 0 || getifaddrs(&all) != 0)
    return local;
  for (struct ifaddrs *i = all; i != NULL && !local; i = i->ifa_next)
    local = same_host(i->ifa_addr, at);
  freeifaddrs(all);
  return local;
}

/* The lines of /proc/net/tcp: "0: 0100007F:1389 00000000:0000 0A tx:rx ...";
 * of a listening socket (0A), rx is the number of connections that wait. */
static int backlog_in(const char *root, const char *file, unsigned port) {
  char path[512], line[512];
  int found = -1;
  snprintf(path, sizeof(path), "%s/proc/net/%s", root, file);
  FILE *f = fopen(path, "re");
  if (f == NULL)
    return -1;
  while (fgets(line, sizeof(line), f) != NULL) {
    unsigned at, state, waiting;
    if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%x", &at,
               &state, &waiting) == 3 &&
        at == port && state == 0x0a && (int)waiting > found)
      found = (int)waiting;
  }
  fclose(f);
  return found;
}

int doctor_backlog(const struct doctor_peer *peer, const char *root) {
  const struct sockaddr_storage *at = &peer->at[0];
  if (!doctor_is_local(peer) || at->ss_family == AF_UNIX)
    return -1;
  unsigned port = ntohs(at->ss_family == AF_INET
                            ? ((const struct sockaddr_in *)at)->sin_port
                            : ((const struct sockaddr_in6 *)at)->sin6_port);
  int v4 = backlog_in(root, "tcp", port), v6 = backlog_in(root, "tcp6", port);
  return v4 > v6 ? v4 : v6;
}
