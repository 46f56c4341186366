#include "doctor/board.h"
#include "doctor/checks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNIT "m4-proxy.service"
#define IMAGE "/usr/arduino/extra/STM32H747AII6_CM7.bin"
#define IMAGE_VERSION_AT 0x40000 /* where the firmware has its version */
#define LOG_READS 100000         /* records of the kernel's log */
#define LOG_RECORD 8192          /* the kernel gives none longer */

static int open_in(const char *root, const char *path) {
  char full[512];
  snprintf(full, sizeof(full), "%s%s", root, path);
  return open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static bool is_in(const char *root, const char *path) {
  char full[512];
  snprintf(full, sizeof(full), "%s%s", root, path);
  return access(full, F_OK) == 0;
}

/* The first line of a small file, or -errno. */
static int first_line(const char *root, const char *path, char *out,
                      size_t size) {
  int fd = open_in(root, path);
  if (fd < 0)
    return -errno;
  ssize_t n = read(fd, out, size - 1);
  int status = n < 0 ? -errno : 0;
  close(fd);
  out[n > 0 ? n : 0] = '\0';
  out[strcspn(out, "\r\n")] = '\0';
  return status;
}

/* -- m4-proxy ------------------------------------------------------------ */

static bool runs_by_name(const char *root) {
  char path[600], comm[32];
  bool found = false;
  snprintf(path, sizeof(path), "%s/proc", root);
  DIR *dir = opendir(path);
  struct dirent *e;
  while (dir != NULL && !found && (e = readdir(dir)) != NULL) {
    if (e->d_name[0] < '1' || e->d_name[0] > '9')
      continue;
    snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
    found = first_line(root, path, comm, sizeof(comm)) == 0 &&
            strcmp(comm, "m4_proxy") == 0;
  }
  if (dir != NULL)
    closedir(dir);
  return found;
}

static void read_proxy(struct doctor_board *b, const char *root) {
  static const char *const units[] = {"/etc/systemd/system/" UNIT,
                                      "/usr/lib/systemd/system/" UNIT,
                                      "/lib/systemd/system/" UNIT};
  static const char *const groups[] = {
      "/sys/fs/cgroup/system.slice/" UNIT "/cgroup.procs",
      "/sys/fs/cgroup/systemd/system.slice/" UNIT "/cgroup.procs"};
  char pid[32] = "";
  for (size_t i = 0; i < 3; i++)
    b->unit |= is_in(root, units[i]);
  for (size_t i = 0; i < 2; i++)
    b->running |=
        first_line(root, groups[i], pid, sizeof(pid)) == 0 && pid[0] != '\0';
  b->running = b->running || runs_by_name(root);
}

/* -- M7 ------------------------------------------------------------------ */

/* The first run of four or more printable bytes, as strings(1) finds it. */
static void first_text(const char *data, size_t len, char *out) {
  size_t begin = 0;
  for (size_t i = 0; i <= len; i++) {
    if (i < len && data[i] >= 0x20 && data[i] < 0x7f)
      continue;
    if (i - begin >= 4) {
      memcpy(out, data + begin, i - begin);
      out[i - begin] = '\0';
      return;
    }
    begin = i + 1;
  }
}

static void read_m7(struct doctor_board *b, const char *root) {
  char data[DOCTOR_VERSION_MAX - 1];
  b->m7_error = first_line(root, "/sys/kernel/x8h7_firmware/version", b->m7,
                           sizeof(b->m7));
  int fd = open_in(root, IMAGE);
  ssize_t n = fd >= 0 ? pread(fd, data, sizeof(data), IMAGE_VERSION_AT) : -1;
  if (n > 0)
    first_text(data, (size_t)n, b->image);
  if (fd >= 0)
    close(fd);
}

static void read_remoteproc(struct doctor_board *b, const char *root) {
  char path[64], state[32];
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof(path), "/sys/class/remoteproc/remoteproc%d/state", i);
    b->crashed |= first_line(root, path, state, sizeof(state)) == 0 &&
                  strcmp(state, "crashed") == 0;
  }
}

/* -- the kernel's log ---------------------------------------------------- */

static void log_line(struct doctor_board *b, char *line) {
  if (strstr(line, "x8h7") == NULL)
    return;
  const char *text = strchr(line, ';'); /* behind level, number and time */
  text = text != NULL ? text + 1 : line;
  b->refused += strstr(text, "pkt_enq failed") != NULL;
  if (strstr(text, "fail") != NULL || strstr(text, "rror") != NULL ||
      strstr(text, "imeout") != NULL || strstr(text, "imed out") != NULL)
    snprintf(b->last, sizeof(b->last), "%s", text);
}

/* Takes the whole lines out of data; how many bytes of one are left. */
static size_t log_lines(struct doctor_board *b, char *data) {
  char *at = data, *end;
  for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
    *end = '\0';
    log_line(b, at);
  }
  size_t left = strlen(at);
  memmove(data, at, left + 1);
  return left;
}

/* There are n bytes more behind the `left` ones. How many are left now: a line
 * that is longer than a record is none. */
static size_t log_take(struct doctor_board *b, char *data, size_t left,
                       size_t n) {
  for (char *nul; (nul = memchr(data + left, '\0', n)) != NULL;)
    *nul = ' ';
  data[left + n] = '\0';
  left = log_lines(b, data);
  return left > LOG_RECORD ? 0 : left;
}

/* The device gives one record for each read; a file gives many. */
static void read_log(struct doctor_board *b, const char *root) {
  char data[2 * LOG_RECORD + 1];
  size_t left = 0;
  int fd = open_in(root, "/dev/kmsg");
  b->log = fd >= 0;
  for (int i = 0; fd >= 0 && i < LOG_READS; i++) {
    ssize_t n = read(fd, data + left, LOG_RECORD);
    if (n < 0 && (errno == EPIPE || errno == EINTR))
      continue; /* records were overwritten meanwhile */
    if (n <= 0)
      break;
    left = log_take(b, data, left, (size_t)n);
  }
  if (fd >= 0)
    close(fd);
}

/* -- all of it ----------------------------------------------------------- */

void doctor_board_read(struct doctor_board *b, const char *root) {
  char model[64] = "";
  *b = (struct doctor_board){0};
  first_line(root, "/proc/device-tree/model", model, sizeof(model));
  b->driver = is_in(root, "/dev/x8h7_ui");
  b->here = b->driver || is_in(root, "/sys/kernel/x8h7_firmware") ||
            is_in(root, IMAGE) || strstr(model, "Portenta X8") != NULL;
  if (!b->here)
    return;
  read_proxy(b, root);
  read_m7(b, root);
  read_remoteproc(b, root);
  b->sketch = is_in(root, "/tmp/arduino/m4-user-sketch.elf");
  read_log(b, root);
}

void doctor_board_tell(struct doctor *d, const struct doctor_board *b) {
  doctor_step(d, b->here, "board", "%s",
              b->here ? "a Portenta X8" : "no sign of a Portenta X8 here");
  if (!b->here)
    return;
  doctor_step(d, b->unit && b->running, "m4-proxy", "%s",
              !b->unit     ? UNIT " is not installed"
              : b->running ? "it runs"
                           : UNIT " has no process");
  doctor_step(d, b->driver, "kernel", "/dev/x8h7_ui is %s",
              b->driver ? "there" : "missing");
  bool differs = b->image[0] != '\0' && strcmp(b->m7, b->image) != 0;
  if (b->m7_error != 0)
    doctor_step(d, false, "M7", "its version cannot be read: %s",
                strerror(-b->m7_error));
  else
    doctor_step(d, !differs, "M7", "it runs %s; the image has %s", b->m7,
                b->image[0] != '\0' ? b->image : "none to compare with");
  if (b->crashed)
    doctor_step(d, false, "remoteproc", "one of its processors has crashed");
  doctor_step(d, true, "sketch", "%s",
              b->sketch ? "one was uploaded since the board started"
                        : "none was uploaded since the board started");
  if (!b->log)
    doctor_step(d, true, "log", "the kernel's log cannot be read here");
  else
    doctor_step(d, b->refused == 0, "log",
                "%u messages refused by the M7; last fault: %s", b->refused,
                b->last[0] != '\0' ? b->last : "none");
}

enum doctor_verdict doctor_board_judge(const struct doctor_board *b) {
  if (!b->here)
    return DOCTOR_NO_BOARD;
  if (!b->driver)
    return DOCTOR_NO_DRIVER;
  if (b->m7_error != 0)
    return DOCTOR_M7_SILENT;
  if (b->image[0] != '\0' && strcmp(b->m7, b->image) != 0)
    return DOCTOR_M7_MISMATCH;
  if (!b->unit)
    return DOCTOR_NO_UNIT;
  if (!b->running)
    return DOCTOR_PROXY_DOWN;
  if (b->crashed)
    return DOCTOR_M4_CRASHED;
  return b->refused > 0 ? DOCTOR_M4_FULL : DOCTOR_BOARD_WELL;
}

int doctor_board(struct doctor *d, int argc, char **argv) {
  const char *root = "";
  struct doctor_board b;
  if (argc == 2 && strcmp(argv[0], "--root") == 0)
    root = argv[1];
  else if (argc > 0)
    return doctor_usage(d, "board does not take \"%s\"", argv[0]);
  doctor_board_read(&b, root);
  doctor_board_tell(d, &b);
  return doctor_conclude(d, doctor_board_judge(&b));
}
