/* flow.eim: the flow classifier as an Edge Impulse model program.
 *
 *   flow.eim SOCKET        serve one client on a new unix socket, then exit
 *   flow.eim stdin         the same over standard input and output
 *   flow.eim --print-info  print the model's description
 *
 * Everything is static or on the stack but the few kilobytes in which yajl
 * reads a request; nothing grows with what a client sends. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "model/eim.h"

static struct {
  char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
  dev_t device;
  ino_t inode;
} own_socket;

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -errno;
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

static int say(const char *text) {
  return write_all(STDOUT_FILENO, text, strlen(text));
}

static int complain(const char *what, const char *path) {
  const char *parts[] = {"flow.eim: ",    what, " ", path, ": ",
                         strerror(errno), "\n"};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    write_all(STDERR_FILENO, parts[i], strlen(parts[i]));
  return 1;
}

static int send_stdout(void *context, const char *text, size_t length) {
  (void)context;
  return write_all(STDOUT_FILENO, text, length);
}

/* On a socket a NUL follows each reply; `text` ends in one. */
static int send_socket(void *context, const char *text, size_t length) {
  return write_all(*(const int *)context, text, length + 1);
}

static int serve(int fd, eim_send_fn *send) {
  static struct eim eim;
  static char bytes[4096];
  eim_init(&eim, send, send_stdout, &fd, now_us);
  for (;;) {
    ssize_t length = read(fd, bytes, sizeof(bytes));
    if (length < 0 && errno == EINTR)
      continue;
    if (length <= 0 || eim_feed(&eim, bytes, (size_t)length) != 0)
      break;
  }
  eim_free(&eim);
  return 0;
}

/* Only the very socket that this process made: another may have taken the
 * path since. */
static void remove_own_socket(void) {
  struct stat now;
  if (own_socket.inode != 0 && lstat(own_socket.path, &now) == 0 &&
      now.st_ino == own_socket.inode && now.st_dev == own_socket.device)
    unlink(own_socket.path);
}

static void on_stop(int number) {
  remove_own_socket();
  signal(number, SIG_DFL);
  raise(number);
}

static int listen_on(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat made;
  if (strlen(path) >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
      lstat(path, &made) != 0)
    return -1;
  strcpy(own_socket.path, path);
  own_socket.device = made.st_dev;
  own_socket.inode = made.st_ino;
  return listen(fd, 1) == 0 ? fd : -1;
}

static int serve_socket(const char *path) {
  int listener = listen_on(path);
  if (listener < 0)
    return complain("cannot listen on", path);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, on_stop);
  signal(SIGTERM, on_stop);
  signal(SIGHUP, on_stop);
  say("Flow model - waiting for a client on socket '");
  say(path);
  say("'\n");
  int client;
  do
    client = accept(listener, NULL, NULL);
  while (client < 0 && errno == EINTR);
  close(listener);
  int status = client < 0 ? complain("cannot accept on", path)
                          : serve(client, send_socket);
  remove_own_socket();
  return status;
}

/* One line of JSON without escaped quotes, laid out for people. */
static void print_pretty(const char *json) {
  int depth = 0;
  bool in_string = false;
  for (; *json != '\0'; json++) {
    in_string ^= *json == '"';
    if (in_string) {
      putchar(*json);
      continue;
    }
    bool opens = *json == '{' || *json == '[';
    bool closes = *json == '}' || *json == ']';
    bool empty = (closes && (json[-1] == '{' || json[-1] == '[')) ||
                 (opens && (json[1] == '}' || json[1] == ']'));
    depth += opens - closes;
    if (closes && !empty)
      printf("\n%*s", 4 * depth, "");
    putchar(*json);
    if ((opens && !empty) || *json == ',')
      printf("\n%*s", 4 * depth, "");
    else if (*json == ':')
      putchar(' ');
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: flow.eim SOCKET | stdin | --print-info\n", stderr);
    return 1;
  }
  if (strcmp(argv[1], "--print-info") == 0) {
    struct reply reply;
    eim_describe(&reply);
    print_pretty(reply.text);
    return 0;
  }
  if (strcmp(argv[1], "stdin") == 0) {
    say("Flow model - waiting for JSON messages on standard input\n");
    return serve(STDIN_FILENO, send_stdout);
  }
  return serve_socket(argv[1]);
}
