/* How a call ended, in words and as a counter. */
#include "lib/rpc/call.h"

#include "lib/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
  enum wr_rpc_fault fault;
  const char *words;
} outcomes[] = {
    [WR_RPC_OK] = {WR_FAULT_NONE, "the M4 answers"},
    [WR_RPC_REMOTE] = {WR_FAULT_REMOTE, "the M4 answered with an error"},
    [WR_RPC_UNROUTED] = {WR_FAULT_REMOTE,
                         "the router answers but knows nobody for this method "
                         "(does the sketch on the other side run, and provide "
                         "it?)"},
    [WR_RPC_SILENT] = {WR_FAULT_TIMEOUT,
                       "the proxy works but the M4 is silent (no reply within "
                       "1 s)"},
    [WR_RPC_CRASHED] = {WR_FAULT_PROTOCOL,
                        "the proxy crashed on this call (is the method bound "
                        "on the M4?)"},
    [WR_RPC_CLOSED] = {WR_FAULT_PROTOCOL,
                       "the connection was closed before an answer came"},
    [WR_RPC_REFUSED] = {WR_FAULT_REFUSED,
                        "nothing listens there (the proxy is restarting or "
                        "not running)"},
    [WR_RPC_UNREACHABLE] = {WR_FAULT_REFUSED, "there is no way to connect"},
    [WR_RPC_UNRESOLVED] = {WR_FAULT_REFUSED, "the host name does not resolve"},
    [WR_RPC_STALE] = {WR_FAULT_STALE,
                      "only late replies to earlier calls came"},
    [WR_RPC_PROTOCOL] = {WR_FAULT_PROTOCOL,
                         "what came back is not MessagePack-RPC"},
    [WR_RPC_TIMEOUT] = {WR_FAULT_TIMEOUT, "no answer came within the timeout"},
    [WR_RPC_BUSY] = {WR_FAULT_TIMEOUT,
                     "another process kept the proxy locked for the whole "
                     "timeout"},
    [WR_RPC_UNSENDABLE] = {WR_FAULT_PROTOCOL,
                           "the request is longer than the M4 can take"},
    [WR_RPC_WITHHELD] = {WR_FAULT_PROTOCOL,
                         "not called, because calls crashed the proxy"},
    [WR_RPC_CANCELLED] = {WR_FAULT_NONE, "the call was cancelled"},
};

enum wr_rpc_fault wr_rpc_fault_of(enum wr_rpc_outcome outcome) {
  return outcomes[outcome].fault;
}

const char *wr_rpc_fault_name(enum wr_rpc_fault fault) {
  static const char *const names[] = {"timeout", "refused", "protocol",
                                      "stale",   "remote",  "none"};
  return names[fault];
}

void wr_rpc_explain(const struct wr_rpc_call *call, char *buf, size_t size) {
  char more[128] = "";
  if (call->outcome == WR_RPC_REMOTE || call->outcome == WR_RPC_UNROUTED)
    wr_rpc_print_error(&call->result, more, sizeof(more));
  else if (call->outcome == WR_RPC_UNREACHABLE && call->error != 0)
    snprintf(more, sizeof(more), "%s", wr_text_error(-call->error));
  snprintf(buf, size, "%s%s%s", outcomes[call->outcome].words,
           more[0] != '\0' ? ": " : "", more);
}
