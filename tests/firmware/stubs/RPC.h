/* RPC of the Portenta X8 core: what a sketch may bind, and when. A handler
 * with any other signature does not compile, which is the point. */
#ifndef WEIR_TESTS_STUB_RPC_H
#define WEIR_TESTS_STUB_RPC_H

#include <stdint.h>

#include <string>
#include <tuple>

namespace clmdep_msgpack {
namespace type {
enum object_type { NIL, BOOLEAN, POSITIVE_INTEGER, FLOAT32, STR, BIN, MAP };
}
struct object {
  type::object_type type;
  struct {
    struct {
      uint32_t size;
      const char *ptr;
    } str;
  } via;
};
} // namespace clmdep_msgpack
#define RPCLIB_MSGPACK clmdep_msgpack

struct RPCStub {
  float (*flow_rate)() = nullptr;
  uint32_t (*flow_pulses)() = nullptr;
  std::tuple<uint32_t, float, uint32_t> (*flow_stat)() = nullptr;
  int (*classification)(RPCLIB_MSGPACK::object) = nullptr;
  int (*baseline)(RPCLIB_MSGPACK::object) = nullptr;
  std::string (*version)() = nullptr;
  int bound = 0;
  bool begun = false, bound_late = false;

  void count(bool known) {
    bound += known;
    bound_late |= begun;
  }
  void bind(const std::string &name, float (*f)()) {
    count(name == "flow_rate");
    flow_rate = f;
  }
  void bind(const std::string &name, uint32_t (*f)()) {
    count(name == "flow_pulses");
    flow_pulses = f;
  }
  void bind(const std::string &name,
            std::tuple<uint32_t, float, uint32_t> (*f)()) {
    count(name == "flow_stat");
    flow_stat = f;
  }
  void bind(const std::string &name, int (*f)(RPCLIB_MSGPACK::object)) {
    count(name == "classification" || name == "baseline");
    (name == "baseline" ? baseline : classification) = f;
  }
  void bind(const std::string &name, std::string (*f)()) {
    count(name == "version");
    version = f;
  }
  int begin() {
    begun = true;
    return 1;
  }
};
inline RPCStub &rpc_stub() {
  static RPCStub rpc;
  return rpc;
}
#define RPC rpc_stub()

#endif
