#include "lib/cloud/credentials.h"

#include "lib/base/text.h"
#include "lib/cloud/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX "_VARIABLE_ID"

static int fail(struct wr_credentials *c, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct wr_credentials *c, int status, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(c->fault, sizeof(c->fault), format, ap);
  va_end(ap);
  return status;
}

static int copy(struct wr_credentials *c, char *to, const char *name,
                const char *value, size_t len) {
  if (len > WR_CREDENTIAL_MAX)
    return fail(c, -EINVAL, "%s is longer than %d bytes", name,
                WR_CREDENTIAL_MAX);
  memcpy(to, value, len);
  to[len] = '\0';
  return 0;
}

static int set_variable(struct wr_credentials *c, const char *name,
                        const char *value, size_t len) {
  size_t stem = strlen(name) - strlen(SUFFIX);
  if (len == 0)
    return 0;
  if (c->variable_count == WR_CREDENTIAL_VARIABLES)
    return fail(c, -EINVAL, "there are more than %d names that end in " SUFFIX,
                WR_CREDENTIAL_VARIABLES);
  char *to = c->variables[c->variable_count].name;
  memcpy(to, name, stem);
  to[stem] = '\0';
  return copy(c, c->variables[c->variable_count++].id, name, value, len);
}

static bool ends_in_suffix(const char *name) {
  size_t len = strlen(name);
  return len > strlen(SUFFIX) &&
         strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int set(struct wr_credentials *c, const char *name, const char *value,
               size_t len) {
  struct {
    const char *name;
    char *to;
  } fields[] = {{"CLIENT_ID", c->client_id},
                {"CLIENT_SECRET", c->client_secret},
                {"THING_ID", c->thing_id},
                {"SPACE_ID", c->space_id}};
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
    if (strcmp(name, fields[i].name) == 0)
      return copy(c, fields[i].to, name, value, len);
  return ends_in_suffix(name) ? set_variable(c, name, value, len) : 0;
}

static const char *skip_blanks(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  return p;
}

static int parse_line(struct wr_credentials *c, int number, const char *p,
                      const char *end) {
  while (end > p && wr_text_is_space(end[-1]))
    end--;
  p = skip_blanks(p, end);
  if (end - p > 7 && strncmp(p, "export ", 7) == 0)
    p = skip_blanks(p + 7, end);
  if (p == end || *p == '#')
    return 0;
  const char *start = p;
  while (p < end && (wr_text_is_alnum(*p) || *p == '_'))
    p++;
  char name[WR_CREDENTIAL_MAX + 1];
  size_t name_len = (size_t)(p - start);
  p = skip_blanks(p, end);
  if (name_len == 0 || name_len >= sizeof(name) || p == end || *p != '=')
    return fail(c, -EINVAL, "line %d is not NAME=VALUE", number);
  memcpy(name, start, name_len);
  name[name_len] = '\0';
  p = skip_blanks(p + 1, end);
  if (p < end && (*p == '"' || *p == '\'')) {
    const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (close == NULL)
      return fail(c, -EINVAL, "line %d has no closing quote", number);
    return set(c, name, p + 1, (size_t)(close - p - 1));
  }
  const char *comment = p;
  while (comment < end &&
         !(*comment == '#' && (comment == p || comment[-1] == ' ')))
    comment++;
  while (comment > p && comment[-1] == ' ')
    comment--;
  return set(c, name, p, (size_t)(comment - p));
}

int wr_credentials_parse(struct wr_credentials *c, const char *text,
                         size_t len) {
  if (memchr(text, '\0', len) != NULL)
    return fail(c, -EINVAL, "it is not a text file");
  const char *end = text + len;
  int status = 0;
  if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3; /* a byte order mark of some editors */
  for (int number = 1; status == 0 && text < end; number++) {
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    const char *stop = newline != NULL ? newline : end;
    status = parse_line(c, number, text, stop);
    text = stop + 1;
  }
  return status;
}

static int check_mode(struct wr_credentials *c, const char *path,
                      const struct stat *st) {
  if (!S_ISREG(st->st_mode))
    return fail(c, -EINVAL, "it is not a regular file");
  if ((st->st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
    return fail(c, -EACCES,
                "every user of this machine may read it, or others may change "
                "it; run: chmod 600 %s",
                path);
  if (st->st_size > WR_CREDENTIALS_FILE_MAX)
    return fail(c, -EFBIG, "it is larger than %d bytes",
                WR_CREDENTIALS_FILE_MAX);
  return 0;
}

static ssize_t read_all(int fd, char *buffer, size_t size) {
  size_t used = 0;
  while (used < size) {
    ssize_t got = read(fd, buffer + used, size - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -errno;
    if (got == 0)
      break;
    used += (size_t)got;
  }
  return (ssize_t)used;
}

int wr_credentials_file(struct wr_credentials *c, const char *path) {
  struct stat st;
  /* O_NONBLOCK: a FIFO must not hold up the start. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return fail(c, -errno, "cannot read it: %s", wr_text_error(errno));
  int status = fstat(fd, &st) != 0 ? fail(c, -errno, "cannot read it")
                                   : check_mode(c, path, &st);
  char *text = status == 0 ? malloc(WR_CREDENTIALS_FILE_MAX) : NULL;
  if (text != NULL) {
    ssize_t len = read_all(fd, text, WR_CREDENTIALS_FILE_MAX);
    status = len < 0 ? fail(c, (int)len, "cannot read it: %s",
                            wr_text_error((int)-len))
                     : wr_credentials_parse(c, text, (size_t)len);
    explicit_bzero(text, WR_CREDENTIALS_FILE_MAX);
    free(text);
  } else if (status == 0)
    status = fail(c, -ENOMEM, "out of memory");
  close(fd);
  return status;
}

int wr_credentials_environment(struct wr_credentials *c,
                               char *(*get)(const char *name)) {
  static const char *const names[] = {
      "CLIENT_ID", "CLIENT_SECRET",        "THING_ID",
      "SPACE_ID",  "FLOWRATE_VARIABLE_ID", "CLASSIFICATION_VARIABLE_ID"};
  int status = 0;
  for (size_t i = 0; status == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
    const char *value = get(names[i]);
    if (value != NULL)
      status = set(c, names[i], value, strlen(value));
  }
  return status;
}

static bool printable(const char *text) {
  for (; *text != '\0'; text++)
    if (*text < ' ' || *text > '~')
      return false;
  return true;
}

int wr_credentials_check(struct wr_credentials *c, const char *source) {
  const char *missing = c->client_id[0] == '\0'       ? "CLIENT_ID"
                        : c->client_secret[0] == '\0' ? "CLIENT_SECRET"
                        : c->thing_id[0] == '\0'      ? "THING_ID"
                                                      : NULL;
  if (missing != NULL)
    return fail(c, -EINVAL, "%s has no %s", source, missing);
  if (!printable(c->client_id) || !printable(c->client_secret))
    return fail(c, -EINVAL,
                "CLIENT_ID or CLIENT_SECRET in %s has characters that are not "
                "printable ASCII",
                source);
  if (!wr_cloud_id_ok(c->thing_id) ||
      (c->space_id[0] != '\0' && !wr_cloud_id_ok(c->space_id)))
    return fail(c, -EINVAL,
                "THING_ID or SPACE_ID in %s is not an id: up to 64 letters, "
                "digits and dashes are allowed",
                source);
  for (size_t i = 0; i < c->variable_count; i++)
    if (!wr_cloud_id_ok(c->variables[i].id))
      return fail(c, -EINVAL,
                  "%s" SUFFIX " in %s is not an id: up to 64 letters, digits "
                  "and dashes are allowed",
                  c->variables[i].name, source);
  return 0;
}

/* "flow_rate" is FLOW_RATE and FLOWRATE. */
static bool same_stem(const char *stem, const char *property) {
  while (*stem != '\0' || *property != '\0') {
    if (*stem == '_')
      stem++;
    else if (*property == '_')
      property++;
    else if (wr_text_upper(*property++) != *stem++)
      return false;
  }
  return true;
}

const char *wr_credentials_variable(const struct wr_credentials *c,
                                    const char *property) {
  for (size_t i = c->variable_count; i-- > 0;) /* the last one counts */
    if (same_stem(c->variables[i].name, property))
      return c->variables[i].id;
  return NULL;
}

void wr_credentials_wipe(struct wr_credentials *c) {
  explicit_bzero(c, sizeof(*c));
}
