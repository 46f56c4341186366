/* What a call of lib/rpc costs, beside the floor: bare system calls to the
 * same server, in turns within one run. CPU is that of this process, user and
 * system. The server is tests/sim/m4sim; without it nothing is measured.
 *
 * BENCH_CALLS: our calls in each mode (default 100000 in proxy mode, 200000 in
 * persistent mode: a million); the floor makes a quarter of them. */
#include "tests/bench/cost.h"
#include "tests/bench/rpc_server.h"

#include <arpa/inet.h>
#include <errno.h>

#define TURNS 20

struct cost {
  double wall_s, cpu_s;
  long calls;
};

static void die(const char *what) {
  fprintf(stderr, "rpc_calls: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int dial(const struct server *s) {
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)atoi(s->address.port))};
  inet_pton(AF_INET, s->address.host, &in.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
    die("connect");
  return fd;
}

static const char request[] = "\x94\x00\xce\x00\x00\x00\x07\xa9"
                              "flow_rate\x90";

static void ask(int fd) {
  char reply[256];
  if (send(fd, request, sizeof(request) - 1, 0) < 0 ||
      recv(fd, reply, sizeof(reply), 0) <= 0)
    die("send and recv");
}

static void floor_proxy(const struct server *s, long n) {
  for (; n > 0; n--) {
    int fd = dial(s);
    ask(fd);
    close(fd);
  }
}

static int floor_fd = -1;

static void floor_persistent(const struct server *s, long n) {
  if (floor_fd < 0)
    floor_fd = dial(s);
  for (; n > 0; n--)
    ask(floor_fd);
}

static struct wr_rpc_client *client;

static void ours(const struct server *s, long n) {
  (void)s;
  for (; n > 0; n--) {
    struct wr_rpc_call call;
    call.method = "flow_rate";
    call.args = NULL;
    call.args_count = 0;
    wr_rpc_call(client, &call, 1);
    if (call.outcome != WR_RPC_OK) {
      char why[200];
      wr_rpc_explain(&call, why, sizeof(why));
      fprintf(stderr, "rpc_calls: %s\n", why);
      exit(1);
    }
  }
}

static void turn(struct cost *c, void (*run)(const struct server *, long),
                 const struct server *s, long n) {
  double cpu = cpu_s();
  int64_t start_us = bench_clock();
  run(s, n);
  c->wall_s += (double)(bench_clock() - start_us) / 1e6;
  c->cpu_s += cpu_s() - cpu;
  c->calls += n;
}

static void print(const char *mode, const char *who, const struct cost *c) {
  printf("rpc_%s_%s_calls %.0f 1/s\n", mode, who, (double)c->calls / c->wall_s);
  printf("rpc_%s_%s_cpu %.2f us\n", mode, who,
         c->cpu_s / (double)c->calls * 1e6);
}

/* Returns the growth of the private memory in kB after the first turn. */
static long compare(enum wr_rpc_mode mode, long calls, double aim) {
  bool proxy = mode == WR_RPC_PROXY;
  const char *name = proxy ? "proxy" : "persistent";
  struct server s = server_start(!proxy);
  struct wr_rpc_options o = {.mode = mode,
                             .address = s.address,
                             .timeout_ms = 5000,
                             .random = (uint32_t)bench_clock(),
                             .env = {bench_clock, -1}};
  struct cost bare = {0}, us = {0};
  client = wr_rpc_client_new(&o);
  ours(&s, 100); /* warm up */
  long before_kb = private_kb();
  for (int i = 0; i < TURNS; i++) {
    turn(&bare, proxy ? floor_proxy : floor_persistent, &s, calls / TURNS / 4);
    turn(&us, ours, &s, calls / TURNS);
  }
  long growth_kb = private_kb() - before_kb;
  wr_rpc_client_free(client);
  server_stop(&s);
  print(name, "floor", &bare);
  print(name, "client", &us);
  printf("rpc_%s_cpu_ratio %.3f x (aim: at most %.2f)\n", name,
         us.cpu_s / (double)us.calls / (bare.cpu_s / (double)bare.calls), aim);
  return growth_kb;
}

int main(void) {
  const char *given = getenv("BENCH_CALLS");
  long calls = given != NULL ? atol(given) : 0;
  long growth_kb = compare(WR_RPC_PROXY, calls > 0 ? calls : 100000, 1.15) +
                   compare(WR_RPC_PERSISTENT, calls > 0 ? calls : 200000, 1.25);
  printf("rpc_calls_memory_growth %ld kB (aim: 0)\n", growth_kb);
  return growth_kb > 0;
}
