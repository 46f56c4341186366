/* A thousand M4s behind a thousand proxies, and one driver in front of them:
 * what a board costs in CPU, memory, descriptors and threads, and how late the
 * calls go out against the schedule.
 *
 * BENCH_BOARDS (1000), BENCH_SECONDS (20).
 * `m4_boards serve N [FILE]` is only the boards: prints N ports, answers
 * flow_rate with 12.5 as an m4-proxy does, notes in FILE when which port was
 * called (us), and ends with its parent. */
#define _GNU_SOURCE /* accept4() */
#include "tests/bench/cost.h"
#include "tests/bench/rpc_server.h"

#include "lib/m4/driver.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#define LISTENS (1u << 31)

static void die(const char *what) {
  fprintf(stderr, "m4_boards: %s: %s\n", what, strerror(errno));
  exit(1);
}

static size_t number_of(const char *name, size_t otherwise) {
  const char *given = getenv(name);
  return given != NULL && atol(given) > 0 ? (size_t)atol(given) : otherwise;
}

/* --- the boards --- */

static FILE *arrivals; /* NULL: not noted */

static uint16_t listen_somewhere(int epoll_fd) {
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(in);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct epoll_event e = {.events = EPOLLIN,
                          .data.u64 = (uint64_t)fd | LISTENS};
  if (fd < 0 || bind(fd, (struct sockaddr *)&in, len) != 0 ||
      listen(fd, 8) != 0 ||
      getsockname(fd, (struct sockaddr *)&in, &len) != 0 ||
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0)
    die("listen");
  return ntohs(in.sin_port);
}

static void answer(int fd) {
  uint8_t request[300], reply[64] = {0x94, 0x01, 0xce};
  ssize_t n = recv(fd, request, sizeof(request), 0);
  if (n < 0 && errno == EAGAIN)
    return;
  if (n > 7 && request[0] == 0x94 && request[2] == 0xce) {
    memcpy(reply + 3, request + 3, 4);
    memcpy(reply + 7, "\xc0\xca\x41\x48\x00\x00", 6);
    if (send(fd, reply, 13, MSG_NOSIGNAL) < 0)
      n = 0;
  }
  close(fd);
}

static void note_arrival(int fd) {
  struct sockaddr_in in;
  socklen_t len = sizeof(in);
  if (arrivals != NULL && getsockname(fd, (struct sockaddr *)&in, &len) == 0)
    fprintf(arrivals, "%u %lld\n", ntohs(in.sin_port),
            (long long)bench_clock());
}

static void serve(size_t count) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  for (size_t i = 0; i < count; i++)
    printf("%u\n", listen_somewhere(epoll_fd));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[64];
    int n = epoll_wait(epoll_fd, events, 64, -1);
    for (int i = 0; i < n; i++) {
      int fd = (int)(events[i].data.u64 & ~(uint64_t)LISTENS);
      if (!(events[i].data.u64 & LISTENS)) {
        answer(fd);
        continue;
      }
      fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
      struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)fd};
      if (fd < 0)
        continue;
      note_arrival(fd);
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
    }
  }
}

static pid_t start_boards(size_t count, FILE **ports) {
  int out[2];
  if (pipe(out) != 0)
    die("pipe");
  pid_t pid = fork();
  if (pid < 0)
    die("fork");
  if (pid == 0) {
    dup2(out[1], 1);
    close(out[0]);
    serve(count);
  }
  close(out[1]);
  *ports = fdopen(out[0], "r");
  return pid;
}

/* --- the measurement --- */

static struct {
  struct wr_m4_driver *driver;
  int64_t *at_us; /* lateness, at last */
  size_t count, wanted, missed, most_open;
  int64_t until_us;
} seen;

struct bench_board {
  struct wr_m4_board b;
  struct wr_m4_method m;
};

static size_t entries(const char *path) {
  size_t n = 0;
  DIR *dir = opendir(path);
  while (dir != NULL && readdir(dir) != NULL)
    n++;
  if (dir != NULL)
    closedir(dir);
  return n > 2 ? n - 2 : 0;
}

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  struct bench_board *own = user;
  (void)which, (void)output, (void)value;
  int64_t interval_us = own->m.interval_ms * 1000;
  if (seen.count < seen.wanted) /* next_us is an instant of the schedule */
    seen.at_us[seen.count++] =
        interval_us - 1 - (own->m.clock.next_us - at_us - 1) % interval_us;
  if (seen.count % 1000 == 0) {
    size_t open = entries("/proc/self/fd");
    seen.most_open = open > seen.most_open ? open : seen.most_open;
  }
  if (at_us >= seen.until_us)
    wr_m4_driver_stop(seen.driver);
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)user, (void)which, (void)took_us, (void)at_us;
}

static void on_health(void *user) { (void)user; }

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  (void)user, (void)which, (void)since_us, (void)event;
  fprintf(stderr, "m4_boards: %s\n", why);
  seen.missed++;
}

static void on_lock_fault(void *user, const char *path, int error) {
  (void)user, (void)path, (void)error;
}

static uint32_t any(void) { return (uint32_t)random(); }

static const int64_t whole[] = {WR_M4_WHOLE};

static void add_board(struct bench_board *own, FILE *ports) {
  char line[32];
  if (fgets(line, sizeof(line), ports) == NULL)
    die("the boards");
  line[strcspn(line, "\n")] = '\0';
  own->m = (struct wr_m4_method){.name = "flow_rate",
                                 .interval_ms = 1000,
                                 .seq_index = -1,
                                 .indices = whole,
                                 .indices_count = 1,
                                 .scale = 1};
  own->b = (struct wr_m4_board){
      .mode = WR_RPC_PROXY,
      .timeout_ms = 1500,
      .life = {.interval_ms = 1000,
               .methods = {&own->m},
               .methods_count = 1,
               .sink = {own, on_sample, on_latency, on_health, on_event}}};
  strcpy(own->b.address.host, "127.0.0.1");
  strcpy(own->b.address.port, line);
  if (wr_m4_driver_add(seen.driver, &own->b) != 0)
    die("add");
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int report(size_t count, double wall_s, double used_s, long grown_kb) {
  qsort(seen.at_us, seen.count, sizeof(*seen.at_us), by_size);
  if (seen.count == 0)
    return 1;
  printf("m4_boards %zu, %zu calls, %zu missed\n", count, seen.count,
         seen.missed);
  printf("m4_boards_cpu %.1f %% of a core, %.0f us a call\n",
         100 * used_s / wall_s, 1e6 * used_s / (double)seen.count);
  printf("m4_boards_memory %.1f kB a board\n",
         (double)grown_kb / (double)count);
  printf("m4_boards_descriptors %zu at most\nm4_boards_threads %zu\n",
         seen.most_open, entries("/proc/self/task"));
  printf("m4_boards_late p50 %lld us  p99 %lld us  max %lld us\n",
         (long long)seen.at_us[seen.count / 2],
         (long long)seen.at_us[seen.count * 99 / 100],
         (long long)seen.at_us[seen.count - 1]);
  return seen.missed > 0;
}

int main(int argc, char **argv) {
  if (argc >= 3 && strcmp(argv[1], "serve") == 0) {
    arrivals = argc > 3 ? fopen(argv[3], "w") : NULL;
    if (arrivals != NULL)
      setvbuf(arrivals, NULL, _IOLBF, 0); /* it is ended by a signal */
    serve((size_t)atol(argv[2]));
  }
  size_t count = number_of("BENCH_BOARDS", 1000);
  size_t seconds = number_of("BENCH_SECONDS", 20);
  const struct wr_m4_world world = {bench_clock, any, on_lock_fault};
  FILE *ports = NULL;
  pid_t pid = start_boards(count, &ports);
  seen.wanted = count * (seconds + 2);
  seen.at_us = calloc(seen.wanted, sizeof(*seen.at_us));
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  long before_kb = private_kb();
  seen.driver = wr_m4_driver_new(&world, limit.rlim_cur - 64);
  struct bench_board *boards = calloc(count, sizeof(*boards));
  if (seen.driver == NULL || boards == NULL || seen.at_us == NULL)
    die("start");
  for (size_t i = 0; i < count; i++)
    add_board(boards + i, ports);
  int64_t start_us = bench_clock();
  double used_s = cpu_s();
  seen.until_us = start_us + (int64_t)seconds * 1000000;
  wr_m4_driver_run(seen.driver);
  used_s = cpu_s() - used_s;
  double wall_s = (double)(bench_clock() - start_us) / 1e6;
  int status = report(count, wall_s, used_s, private_kb() - before_kb);
  wr_m4_driver_free(seen.driver);
  free(boards);
  free(seen.at_us);
  fclose(ports);
  kill(pid, SIGTERM);
  waitpid(pid, NULL, 0);
  return status;
}
