/* Credentials that the environment brings. */
#include "cloud.h"

#include "collectd/core/utils/common/common.h"

/* Our variables of the environment, taken out of it: what is in there can be
 * read in /proc, and every child of the daemon inherits it. */
static struct {
  const char *name;
  char *value;
} environment[] = {{"CLIENT_ID", NULL},
                   {"CLIENT_SECRET", NULL},
                   {"THING_ID", NULL},
                   {"SPACE_ID", NULL},
                   {"FLOWRATE_VARIABLE_ID", NULL},
                   {"CLASSIFICATION_VARIABLE_ID", NULL}};

void cloud_take_environment(void) {
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(environment); i++) {
    char *value = getenv(environment[i].name);
    if (value == NULL)
      continue;
    if (environment[i].value == NULL)
      environment[i].value = strdup(value);
    explicit_bzero(value, strlen(value));
    unsetenv(environment[i].name);
  }
}

char *cloud_of_environment(const char *name) {
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(environment); i++)
    if (strcmp(environment[i].name, name) == 0)
      return environment[i].value;
  return NULL;
}

void cloud_forget_environment(void) {
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(environment); i++) {
    if (environment[i].value != NULL)
      explicit_bzero(environment[i].value, strlen(environment[i].value));
    free(environment[i].value);
    environment[i].value = NULL;
  }
}
