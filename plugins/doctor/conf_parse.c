/* Statements and blocks of one file. */
#include "doctor/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void conf_item_free(struct conf_item *i) {
  for (size_t v = 0; v < i->values_count; v++)
    free(i->values[v].text);
  for (size_t k = 0; k < i->children_count; k++)
    conf_item_free(&i->children[k]);
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

int conf_parse(struct conf *c, const char *file, const char *text, size_t len,
               struct conf_item *out) {
  struct parse p = {
      .c = c, .scan = {.at = text, .end = text + len, .line = 1}, .file = file};
  int status = read_statements(&p, out, NULL);
  free(conf_take(&p.scan));
  return status;
}
