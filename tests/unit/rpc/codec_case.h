/* codec_case: messages as hex digits, for the tests of the codec. */
#ifndef WEIR_TESTS_CODEC_CASE_H
#define WEIR_TESTS_CODEC_CASE_H

#include "lib/rpc/codec.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* Hex digits to bytes, blanks ignored. */
static inline size_t hex(const char *text, uint8_t *out, size_t size) {
  size_t n = 0;
  for (const char *c = text; *c != '\0' && n < size; c++) {
    unsigned byte = 0;
    if (*c == ' ')
      continue;
    if (sscanf(c, "%2x", &byte) != 1)
      break;
    out[n++] = (uint8_t)byte;
    c++;
  }
  return n;
}

static inline int scan(const char *text, size_t *size) {
  uint8_t bytes[64];
  return wr_rpc_scan(bytes, hex(text, bytes, sizeof(bytes)), size);
}

static inline struct wr_rpc_value value_of(const char *text,
                                           uint8_t bytes[64]) {
  size_t len = hex(text, bytes, 64);
  const uint8_t *at = bytes;
  struct wr_rpc_value v = {.kind = WR_RPC_EXT};
  CU_ASSERT_EQUAL_FATAL(wr_rpc_read(&at, bytes + len, &v), 0);
  CU_ASSERT_PTR_EQUAL(at, bytes + len);
  return v;
}

#endif
