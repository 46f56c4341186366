#include "doctor/look.h"

#include "lib/base/number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_S 3

static const char *const plugins[] = {"m4_rpc", "edge_impulse", "flow_baseline",
                                      "write_arduino_cloud"};

static int fault(struct doctor_look *look, int error, const char *what) {
  snprintf(look->fault, sizeof(look->fault), "%s: %s", what, strerror(error));
  return -error;
}

/* "a-b" into "a" and "b"; false when a part does not fit. */
static bool part(const char *text, char *head, size_t head_size, char *tail,
                 size_t tail_size) {
  size_t len = strcspn(text, "-");
  const char *rest = text[len] == '-' ? text + len + 1 : "";
  if (len >= head_size || strlen(rest) >= tail_size)
    return false;
  memcpy(head, text, len);
  head[len] = '\0';
  strcpy(tail, rest);
  return true;
}

/* host/plugin-instance/type-type_instance, of one of our plugins. */
static bool parse(char *id, struct doctor_value *v) {
  char *rest, *host = strtok_r(id, "/", &rest);
  char *plugin = strtok_r(NULL, "/", &rest), *type = strtok_r(NULL, "", &rest);
  if (host == NULL || plugin == NULL || type == NULL ||
      !part(plugin, v->plugin, sizeof(v->plugin), v->instance,
            sizeof(v->instance)) ||
      !part(type, v->type, sizeof(v->type), v->type_instance,
            sizeof(v->type_instance)))
    return false;
  for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
    if (strcmp(v->plugin, plugins[i]) == 0)
      return true;
  return false;
}

/* "3 Values found": the number; negative: an error in words, or, with an empty
 * line, no answer. */
static long answer(FILE *f, char *line, size_t size) {
  line[0] = '\0';
  if (fgets(line, (int)size, f) == NULL)
    return -1;
  line[strcspn(line, "\n")] = '\0';
  return strtol(line, NULL, 10);
}

/* The identifiers of all our values, one a line, in `ids`; their number. */
static int list(struct doctor_look *look, FILE *f, char **ids) {
  char line[1024], copy[1024];
  fputs("LISTVAL\n", f);
  fflush(f);
  long n = answer(f, line, sizeof(line));
  if (n < 0)
    return fault(look, EPROTO, "LISTVAL");
  for (; n > 0 && fgets(line, sizeof(line), f) != NULL; n--) {
    line[strcspn(line, "\n")] = '\0';
    char *id = strchr(line, ' ');
    if (id == NULL || look->count == DOCTOR_LOOK_MAX)
      continue;
    snprintf(copy, sizeof(copy), "%s", ++id);
    struct doctor_value *v = &look->at[look->count];
    if (!parse(copy, v))
      continue;
    v->value = NAN;
    ids[look->count] = strdup(id);
    look->count += ids[look->count] != NULL;
  }
  return n == 0 ? 0 : fault(look, ETIMEDOUT, "LISTVAL");
}

/* The one data source of the value. */
static int get(struct doctor_look *look, FILE *f, const char *id,
               double *value) {
  char line[1024];
  fputs("GETVAL \"", f);
  for (const char *c = id; *c != '\0'; c++)
    fprintf(f, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
  fputs("\"\n", f);
  fflush(f);
  long n = answer(f, line, sizeof(line));
  if (n < 0 && line[0] == '\0')
    return fault(look, ETIMEDOUT, "GETVAL");
  for (; n > 0; n--) {
    if (fgets(line, sizeof(line), f) == NULL)
      return fault(look, ETIMEDOUT, "GETVAL");
    line[strcspn(line, "\n")] = '\0';
    char *equal = strchr(line, '=');
    if (equal != NULL)
      (void)wr_number_read(equal + 1, value); /* NaN stays NaN */
  }
  return 0;
}

static int open_socket(struct doctor_look *look, const char *path) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  struct timeval wait = {.tv_sec = WAIT_S};
  if (strlen(path) >= sizeof(un.sun_path))
    return fault(look, ENAMETOOLONG, path);
  strcpy(un.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fault(look, errno, "socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
  if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
    return fd;
  int status = fault(look, errno, path);
  close(fd);
  return status;
}

static int look_all(struct doctor_look *look, FILE *f, char **ids) {
  int status = list(look, f, ids);
  for (size_t i = 0; i < look->count; i++) {
    if (status == 0)
      status = get(look, f, ids[i], &look->at[i].value);
    free(ids[i]);
  }
  return status;
}

int doctor_look(struct doctor_look *look, const char *socket_path) {
  static char *ids[DOCTOR_LOOK_MAX];
  look->count = 0;
  look->fault[0] = '\0';
  int fd = open_socket(look, socket_path);
  if (fd < 0)
    return fd;
  FILE *f = fdopen(fd, "r+");
  if (f == NULL) {
    close(fd);
    return fault(look, ENOMEM, socket_path);
  }
  int status = look_all(look, f, ids);
  fclose(f);
  return status;
}

double doctor_look_get(const struct doctor_look *look, const char *plugin,
                       const char *instance, const char *type,
                       const char *type_instance) {
  for (size_t i = 0; i < look->count; i++) {
    const struct doctor_value *v = &look->at[i];
    if (strcmp(v->plugin, plugin) == 0 && strcmp(v->instance, instance) == 0 &&
        strcmp(v->type, type) == 0 &&
        (type_instance == NULL || strcmp(v->type_instance, type_instance) == 0))
      return v->value;
  }
  return NAN;
}
