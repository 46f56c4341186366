/* Statements and blocks, and the files that are included. */
#include "doctor/conf.h"

#include "lib/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wordexp.h>

struct parse {
  struct conf *c;
  struct conf_scan scan;
  const char *file;
  int depth; /* of blocks */
};

static int fault(struct parse *p, const char *what) {
  snprintf(p->c->fault, sizeof(p->c->fault), "%s, line %u: %s", p->file,
           p->scan.line, what);
  return -EINVAL;
}

/* -- the tree ----------------------------------------------------------------
 */

static void item_free(struct conf_item *i) {
  for (size_t v = 0; v < i->values_count; v++)
    free(i->values[v].text);
  for (size_t k = 0; k < i->children_count; k++)
    item_free(&i->children[k]);
  free(i->values);
  free(i->children);
  free(i->key);
}

/* The new last child; NULL without memory. */
static struct conf_item *add_child(struct conf_item *parent) {
  size_t count = parent->children_count;
  struct conf_item *grown =
      realloc(parent->children, (count + 1) * sizeof(*grown));
  if (grown == NULL)
    return NULL;
  parent->children = grown;
  parent->children_count++;
  grown[count] = (struct conf_item){0};
  return &grown[count];
}

static int add_value(struct conf_item *i, enum conf_kind kind, char *text) {
  struct conf_value *grown =
      realloc(i->values, (i->values_count + 1) * sizeof(*grown));
  if (grown == NULL) {
    free(text);
    return -ENOMEM;
  }
  i->values = grown;
  grown[i->values_count++] = (struct conf_value){kind, text};
  return 0;
}

/* -- statements
 * ----------------------------------------------------------------- */

/* Values up to `last`, the token that must end them. */
static int read_values(struct parse *p, struct conf_item *i,
                       enum conf_token last) {
  for (;;) {
    enum conf_token t = conf_next(&p->scan);
    if (t == last)
      return 0;
    if (t != CONF_WORD && t != CONF_QUOTED && t != CONF_DIGITS &&
        t != CONF_TRUTH)
      return fault(p, t == CONF_EOL   ? "the line ends too early"
                      : t == CONF_END ? "the file ends in the middle of a line"
                      : t == CONF_BAD
                          ? "this is no value: text with other characters than "
                            "letters and digits needs quotes"
                          : "a value is expected here");
    int status = add_value(i,
                           t == CONF_DIGITS  ? CONF_NUMBER
                           : t == CONF_TRUTH ? CONF_BOOLEAN
                                             : CONF_STRING,
                           conf_take(&p->scan));
    if (status != 0)
      return status;
  }
}

static int read_statements(struct parse *p, struct conf_item *parent,
                           const char *until);

/* Behind "<": a block with all that is in it. */
static int read_block(struct parse *p, struct conf_item *i) {
  if (conf_next(&p->scan) != CONF_WORD)
    return fault(p, "the name of a block is expected behind \"<\"");
  i->key = conf_take(&p->scan);
  int status = read_values(p, i, CONF_CLOSE);
  if (status == 0 && conf_next(&p->scan) != CONF_EOL)
    status = fault(p, "the line must end behind \">\"");
  if (status == 0 && p->depth == CONF_DEPTH)
    status = fault(p, "too many blocks in each other");
  p->depth++;
  if (status == 0)
    status = read_statements(p, i, i->key);
  p->depth--;
  return status;
}

/* Behind "</": the end of the block `key`. */
static int read_end(struct parse *p, const char *key) {
  bool same =
      conf_next(&p->scan) == CONF_WORD && strcmp(p->scan.text, key) == 0;
  if (!same || conf_next(&p->scan) != CONF_CLOSE)
    return fault(p, "this does not end the block that is open");
  return conf_next(&p->scan) == CONF_EOL
             ? 0
             : fault(p, "the line must end behind \">\"");
}

/* Up to the end of the block `until`, or of the file when that is NULL. */
static int read_statements(struct parse *p, struct conf_item *parent,
                           const char *until) {
  for (;;) {
    unsigned line = p->scan.line;
    enum conf_token t = conf_next(&p->scan);
    bool opens = t == CONF_OPEN;
    if (t == CONF_EOL)
      continue;
    if (t == CONF_END)
      return until == NULL ? 0 : fault(p, "the file ends inside a block");
    const char *behind = p->scan.at;
    if (opens && conf_next(&p->scan) == CONF_SLASH)
      return until != NULL ? read_end(p, until)
                           : fault(p, "no block is open here");
    if (opens)
      p->scan.at = behind;
    else if (t != CONF_WORD)
      return fault(p, "an option or a block is expected here");
    struct conf_item *i = add_child(parent);
    if (i == NULL)
      return -ENOMEM;
    i->file = p->file;
    i->line = line;
    i->key = opens ? NULL : conf_take(&p->scan);
    int status = opens ? read_block(p, i) : read_values(p, i, CONF_EOL);
    if (status == 0 && !opens && i->values_count == 0)
      status = fault(p, "an option needs a value");
    if (status != 0)
      return status;
  }
}

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
  snprintf(c->fault, sizeof(c->fault), "%s: %s", path, strerror(-error));
  return error;
}

/* The whole file; NULL with *error. */
static char *load(const char *path, size_t *len, int *error) {
  FILE *f = fopen(path, "re");
  char *text = f != NULL ? malloc(CONF_FILE_MAX + 1) : NULL;
  *error = f == NULL ? -errno : text == NULL ? -ENOMEM : 0;
  if (text != NULL) {
    *len = fread(text, 1, CONF_FILE_MAX + 1, f);
    *error = ferror(f) ? -EIO : *len > CONF_FILE_MAX ? -EFBIG : 0;
  }
  if (f != NULL)
    fclose(f);
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
  struct parse p = {
      .c = c, .scan = {.at = text, .end = text + len, .line = 1}, .file = name};
  status = read_statements(&p, &file, NULL);
  free(conf_take(&p.scan));
  free(text);
  if (status == 0)
    status = resolve(c, &file, out, depth);
  item_free(&file);
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
  item_free(&c->top);
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
