/* The files of a configuration, and what is asked of it. */
#include "doctor/conf.h"

#include "lib/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wordexp.h>

#define PIPE_MS 2000 /* until whoever writes the configuration begins */

/* -- files
 * ---------------------------------------------------------------------- */

static int read_path(struct conf *c, const char *path, const char *filter,
                     struct conf_item *out, int depth);

static const char *keep_name(struct conf *c, const char *path) {
  char **grown = realloc(c->files, (c->files_count + 1) * sizeof(*grown));
  if (grown == NULL)
    return NULL;
  c->files = grown;
  return (grown[c->files_count] = strdup(path)) != NULL
             ? grown[c->files_count++]
             : NULL;
}

static int cannot_read(struct conf *c, const char *path, int error) {
  snprintf(c->fault, sizeof(c->fault), "%s: %s", path,
           error == -ESPIPE ? "it is a pipe that nobody writes into"
                            : strerror(-error));
  return error;
}

/* Somebody may write the configuration into a pipe; where nobody does, collectd
 * itself waits for ever. -ESPIPE then, or another -errno. */
static int open_file(const char *path) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (fd < 0)
    return -errno;
  if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
      poll(&p, 1, PIPE_MS) == 0) {
    close(fd);
    return -ESPIPE;
  }
  (void)fcntl(fd, F_SETFL, 0);
  return fd;
}

/* The whole file; NULL with *error. */
static char *load(const char *path, size_t *len, int *error) {
  int fd = open_file(path);
  FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;
  char *text = f != NULL ? malloc(CONF_FILE_MAX + 1) : NULL;
  *error = fd < 0 ? fd : text == NULL ? -ENOMEM : 0;
  if (text != NULL) {
    *len = fread(text, 1, CONF_FILE_MAX + 1, f);
    *error = ferror(f) ? -EIO : *len > CONF_FILE_MAX ? -EFBIG : 0;
  }
  if (f != NULL)
    fclose(f);
  else if (fd >= 0)
    close(fd);
  if (*error == 0)
    return text;
  free(text);
  return NULL;
}

/* Takes the children of `from` over to the end of `to`. */
static int move_children(struct conf_item *to, struct conf_item *from) {
  size_t have = to->children_count, more = from->children_count;
  struct conf_item *grown =
      more > 0 ? realloc(to->children, (have + more) * sizeof(*grown)) : NULL;
  if (more > 0 && grown == NULL)
    return -ENOMEM;
  if (more > 0) {
    memcpy(grown + have, from->children, more * sizeof(*grown));
    to->children = grown;
    to->children_count += more;
  }
  free(from->children);
  from->children = NULL;
  from->children_count = 0;
  return 0;
}

/* The statements of a file, with what they include in their place. */
static int resolve(struct conf *c, struct conf_item *file,
                   struct conf_item *out, int depth) {
  int status = 0;
  for (size_t i = 0; i < file->children_count && status == 0; i++) {
    struct conf_item *k = &file->children[i];
    struct conf_item one = {.children = malloc(sizeof(*k)),
                            .children_count = 1};
    if (one.children == NULL)
      return -ENOMEM;
    if (!conf_is(k, "Include", NULL)) {
      one.children[0] = *k;
      *k = (struct conf_item){0};
      status = move_children(out, &one);
    } else {
      status = read_path(c, conf_name(k), conf_get(k, "Filter"), out, depth);
    }
    free(one.children);
  }
  return status;
}

static int read_file(struct conf *c, const char *path, struct conf_item *out,
                     int depth) {
  int status = 0;
  size_t len = 0;
  struct conf_item file = {0};
  const char *name = keep_name(c, path);
  char *text = load(path, &len, &status);
  if (text == NULL || name == NULL) {
    free(text);
    return cannot_read(c, path, status != 0 ? status : -ENOMEM);
  }
  status = conf_parse(c, name, text, len, &file);
  free(text);
  if (status == 0)
    status = resolve(c, &file, out, depth);
  conf_item_free(&file);
  return status;
}

static int visible(const struct dirent *e) { return e->d_name[0] != '.'; }

static int by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct conf *c, const char *path, const char *filter,
                       struct conf_item *out, int depth) {
  struct dirent **entries;
  char name[1024];
  int count = scandir(path, &entries, visible, by_bytes), status = 0;
  if (count < 0)
    return cannot_read(c, path, -errno);
  for (int i = 0; i < count; i++) {
    bool fits = snprintf(name, sizeof(name), "%s/%s", path,
                         entries[i]->d_name) < (int)sizeof(name);
    if (status == 0 && fits)
      status = read_path(c, name, filter, out, depth);
    free(entries[i]);
  }
  free(entries);
  return status;
}

static int read_one(struct conf *c, const char *path, const char *filter,
                    struct conf_item *out, int depth) {
  struct stat st;
  const char *base = strrchr(path, '/');
  if (stat(path, &st) != 0 && errno == ENOENT) {
    snprintf(c->missing, sizeof(c->missing), "%s", path);
    return 0;
  }
  if (stat(path, &st) != 0)
    return cannot_read(c, path, -errno);
  if (S_ISDIR(st.st_mode))
    return read_folder(c, path, filter, out, depth + 1);
  if (filter != NULL &&
      fnmatch(filter, base != NULL ? base + 1 : path, FNM_PERIOD) != 0)
    return 0;
  return read_file(c, path, out, depth + 1);
}

static int read_path(struct conf *c, const char *path, const char *filter,
                     struct conf_item *out, int depth) {
  wordexp_t words;
  int status = 0;
  if (depth >= CONF_INCLUDE_DEPTH) {
    snprintf(c->fault, sizeof(c->fault),
             "%s: more than %d files include each other", path,
             CONF_INCLUDE_DEPTH);
    return -EINVAL;
  }
  if (wordexp(path, &words, WRDE_NOCMD) != 0) {
    snprintf(c->fault, sizeof(c->fault), "\"%s\" is no path", path);
    return -EINVAL;
  }
  for (size_t i = 0; i < words.we_wordc && status == 0; i++)
    status = read_one(c, words.we_wordv[i], filter, out, depth);
  wordfree(&words);
  return status;
}

/* -- for users
 * -------------------------------------------------------------------- */

int conf_read(struct conf *c, const char *path) {
  *c = (struct conf){0};
  int status = read_file(c, path, &c->top, 0);
  return status == 0 || status == -EACCES || status == -ENOENT ||
                 status == -ENOMEM
             ? status
             : -EINVAL;
}

void conf_free(struct conf *c) {
  conf_item_free(&c->top);
  for (size_t i = 0; i < c->files_count; i++)
    free(c->files[i]);
  free(c->files);
  *c = (struct conf){0};
}

const char *conf_name(const struct conf_item *i) {
  return i->values_count > 0 ? i->values[0].text : "";
}

bool conf_is(const struct conf_item *i, const char *key, const char *name) {
  return wr_text_same(i->key, key) &&
         (name == NULL || wr_text_same(conf_name(i), name));
}

const char *conf_get(const struct conf_item *block, const char *key) {
  const char *found = NULL;
  for (size_t i = 0; i < block->children_count; i++)
    if (conf_is(&block->children[i], key, NULL) &&
        block->children[i].values_count > 0)
      found = conf_name(&block->children[i]);
  return found;
}
