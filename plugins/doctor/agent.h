/* agent: the collectd whose configuration is looked at. */
#ifndef WEIR_DOCTOR_AGENT_H
#define WEIR_DOCTOR_AGENT_H

#include "doctor/conf.h"
#include "doctor/report.h"

struct doctor_agent {
  struct doctor *d;
  const char *root; /* where /proc and /etc lie; "": the real ones */
  bool named;       /* the configuration was given; /proc was not looked at */
  bool running;     /* a collectd was found in /proc */
  char config[512];
  struct conf conf;
  char environment[32768]; /* of the running one, as /proc has it */
  size_t environment_len;
  char address[512]; /* of the <M4> that was looked at last */
};

/* Finds the configuration (`config` NULL) and reads it. What conf_read()
 * returns; -ENOENT where there is none. conf_free(&a->conf) in any case. */
int doctor_agent_look(struct doctor_agent *a, const char *root,
                      const char *config);
/* Takes -C FILE and --root DIR and does the same, with steps. 0, or the
 * exit status with the verdict given. conf_free(&a->conf) in any case. */
int doctor_agent_open(struct doctor_agent *a, struct doctor *d, int argc,
                      char **argv);
/* After a look: the address of the first <M4> block goes to a->address, its
 * mode to `persistent`. False: there is no such block. */
bool doctor_agent_address(struct doctor_agent *a, bool *persistent);
/* A variable of the agent's environment, or of ours; NULL: not set, or empty.
 */
const char *doctor_agent_env(const struct doctor_agent *a, const char *name);

#endif
