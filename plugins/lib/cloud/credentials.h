/* credentials: the secrets of one Thing, from a file or the environment.
 *
 * The file is the application note's: NAME=VALUE lines as a shell would read
 * them (comments, `export`, quotes, CRLF). Known names: CLIENT_ID,
 * CLIENT_SECRET, THING_ID, SPACE_ID, and <PROPERTY>_VARIABLE_ID, such as
 * FLOWRATE_VARIABLE_ID for the property flow_rate; others are ignored.
 *
 * Ownership: everything is in the struct, wiped by wr_credentials_wipe().
 * Faults are one sentence for people in `fault`; no value ever appears there.
 * Threads: none of its own. */
#ifndef WR_CREDENTIALS_H
#define WR_CREDENTIALS_H

#include <stddef.h>

#define WR_CREDENTIAL_MAX 255
#define WR_CREDENTIAL_VARIABLES 64 /* one for each property of a thing */
#define WR_CREDENTIALS_FILE_MAX 65536

struct wr_credentials {
  char client_id[WR_CREDENTIAL_MAX + 1];
  char client_secret[WR_CREDENTIAL_MAX + 1];
  char thing_id[WR_CREDENTIAL_MAX + 1];
  char space_id[WR_CREDENTIAL_MAX + 1]; /* "": the personal account */
  struct {
    char name[WR_CREDENTIAL_MAX + 1]; /* "FLOWRATE" */
    char id[WR_CREDENTIAL_MAX + 1];
  } variables[WR_CREDENTIAL_VARIABLES];
  size_t variable_count;
  char fault[512];
};

/* Each adds to what is there already. 0, or -errno with `fault` set. */
int wr_credentials_parse(struct wr_credentials *c, const char *text,
                         size_t len);
/* Refuses a file that every user may read or that some other may write. */
int wr_credentials_file(struct wr_credentials *c, const char *path);
/* `get` is getenv() outside of tests. */
int wr_credentials_environment(struct wr_credentials *c,
                               char *(*get)(const char *name));

/* Complete, and fit for URLs and headers? 0 or -EINVAL with `fault` set.
 * `source` names where they came from. */
int wr_credentials_check(struct wr_credentials *c, const char *source);

/* The id that the file has for a property, NULL for none: flow_rate matches
 * FLOW_RATE_VARIABLE_ID and FLOWRATE_VARIABLE_ID. */
const char *wr_credentials_variable(const struct wr_credentials *c,
                                    const char *property);

void wr_credentials_wipe(struct wr_credentials *c);

#endif
