/* conf: a configuration of collectd, read as collectd reads it.
 *
 * The language of collectd's liboconfig, rule for rule: what it refuses is
 * refused here, with the file and the line. So are characters that it does not
 * know and drops without a word, as the '-' of a name without quotes. <Include>
 * and Include are followed at the top level of a file, up to eight deep, with
 * Filter and wildcards, in alphabetical order. tests/e2e/test_doctor_config.py
 * holds the two against each other. Ownership: everything belongs to the struct
 * conf. One thread. Ceilings: CONF_FILE_MAX bytes a file, CONF_DEPTH blocks in
 * each other. */
#ifndef WEIR_DOCTOR_CONF_H
#define WEIR_DOCTOR_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define CONF_FILE_MAX (4u << 20)
#define CONF_DEPTH 64
#define CONF_INCLUDE_DEPTH 8

enum conf_kind { CONF_STRING, CONF_NUMBER, CONF_BOOLEAN };

struct conf_value {
  enum conf_kind kind;
  char *text; /* as written, without quotes */
};

struct conf_item {
  char *key;
  struct conf_value *values;
  size_t values_count;
  struct conf_item *children; /* of a block, in the order of the file */
  size_t children_count;
  const char *file; /* where it stands */
  unsigned line;
};

struct conf {
  struct conf_item top; /* its children are the statements */
  char **files;         /* names of all that were read */
  size_t files_count;
  char fault[600];   /* one sentence, with file and line */
  char missing[300]; /* the last that is included and not there; collectd goes
                        on without it, with a warning */
};

/* 0; -ENOENT: there is no such file; -EACCES: it, or one that it includes, may
 * not be read; -EINVAL: one is not what collectd takes; -ENOMEM. */
int conf_read(struct conf *c, const char *path);
void conf_free(struct conf *c);

/* Whether the item has this key and, if `name` is not NULL, this first value
 * (upper and lower case alike, as collectd compares them). */
bool conf_is(const struct conf_item *i, const char *key, const char *name);
/* The first value of the last child with this key; NULL: none. */
const char *conf_get(const struct conf_item *block, const char *key);
/* The first value of an item; "" when it has none. */
const char *conf_name(const struct conf_item *i);

/* -- conf_parse.c ---------------------------------------------------------- */

/* Appends the statements of a text to the children of `out`; includes are
 * statements like others. `file` is borrowed. 0, -EINVAL with c->fault, or
 * -ENOMEM; conf_item_free(out) in any case. */
int conf_parse(struct conf *c, const char *file, const char *text, size_t len,
               struct conf_item *out);
/* Frees what the item has, not itself. */
void conf_item_free(struct conf_item *i);

/* -- conf_scan.c ----------------------------------------------------------- */

enum conf_token {
  CONF_END,
  CONF_EOL,
  CONF_OPEN,  /* < */
  CONF_CLOSE, /* > */
  CONF_SLASH,
  CONF_WORD, /* letters, digits, _; or an IP address */
  CONF_QUOTED,
  CONF_DIGITS, /* a number */
  CONF_TRUTH,  /* true false yes no on off */
  CONF_BAD,
};

struct conf_scan {
  const char *at, *end;
  unsigned line;
  char *text; /* of the last token; until the next, or until it is taken */
};

/* The next token. CONF_BAD also without memory. */
enum conf_token conf_next(struct conf_scan *s);
/* Hands the text over to the caller, who frees it; also before the scanner goes
 * out of use. */
char *conf_take(struct conf_scan *s);

#endif
