/* transport.h: a test that speaks HTTP, or reads what did, has libcurl linked
 * to it. Include it once. */
#ifndef WEIR_TESTS_TRANSPORT_H
#define WEIR_TESTS_TRANSPORT_H

#include "lib/net/http.h"

__attribute__((constructor)) static void provide_curl(void) {
  wr_http_provide(&wr_http_curl);
}

#endif
