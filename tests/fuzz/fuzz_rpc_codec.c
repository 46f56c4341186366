/* Any bytes into the decoder: what it accepts, it must read and print whole;
 * what it read as a reply must be what the bytes say. */
#include "lib/rpc/codec.h"
#include "tests/fuzz/fuzz.h"

static void read_deep(const struct wr_rpc_value *v, unsigned depth) {
  double number;
  check(depth <= WR_RPC_DEPTH);
  wr_rpc_number(v, &number);
  if (v->kind != WR_RPC_ARRAY)
    return;
  for (uint32_t i = 0; i < v->count; i++) {
    struct wr_rpc_value e;
    check(wr_rpc_element(v, i, &e) == 0);
    read_deep(&e, depth + 1);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  /* In memory of exactly this size, so that one byte too many is seen. */
  uint8_t *copy = malloc(len > 0 ? len : 1);
  if (copy == NULL)
    return 0;
  memcpy(copy, data, len);
  size_t size = 0;
  char text[64];
  struct wr_rpc_reply reply;
  if (wr_rpc_scan(copy, len, &size) == 0) {
    const uint8_t *at = copy;
    struct wr_rpc_value v;
    check(size > 0 && size <= len && size <= WR_RPC_REPLY_MAX);
    check(wr_rpc_read(&at, copy + size, &v) == 0 && at == copy + size);
    read_deep(&v, 0);
    wr_rpc_print(&v, text, sizeof(text));
    check(strlen(text) < sizeof(text));
    wr_rpc_print_error(&v, text, sizeof(text));
    for (size_t n = 0; n < size; n++) { /* no prefix is taken for the whole */
      size_t part;
      check(wr_rpc_scan(copy, n, &part) != 0);
    }
  }
  if (wr_rpc_decode_reply(copy, len, &reply, &size) == 0) {
    read_deep(&reply.result, 1);
    wr_rpc_print_error(&reply.error, text, sizeof(text));
  }
  free(copy);
  return 0;
}
