/* checks: the ways that weir-doctor walks.
 *
 * Each takes what follows its name on the command line and returns the exit
 * status; it ends in doctor_end() or doctor_usage(), once. */
#ifndef WEIR_DOCTOR_CHECKS_H
#define WEIR_DOCTOR_CHECKS_H

#include "doctor/report.h"

int doctor_m4(struct doctor *d, int argc, char **argv);
int doctor_call(struct doctor *d, int argc, char **argv);
/* Without a check: every block of the agent's configuration. */
int doctor_agent(struct doctor *d, int argc, char **argv);
int doctor_config(struct doctor *d, int argc, char **argv);
int doctor_watch(struct doctor *d, int argc, char **argv);
int doctor_board(struct doctor *d, int argc, char **argv);
int doctor_inference(struct doctor *d, int argc, char **argv);
int doctor_cloud(struct doctor *d, int argc, char **argv);
int doctor_rejected(struct doctor *d, const char *path);
int doctor_resend(struct doctor *d, const char *path);
int doctor_older_spool(struct doctor *d, const char *path);

/* -- the same for a program ---------------------------------------------- */

struct doctor_method {
  const char *name;
  const char *type; /* of collectd; NULL: not known */
};

#define DOCTOR_METHODS 32

struct doctor_m4_options {
  const char *address;
  bool persistent, drain;
  const char *root; /* where /proc, /sys ... lie; "": the real ones */
  struct doctor_method methods[DOCTOR_METHODS];
  size_t count;
};
int doctor_m4_walk(struct doctor *d, const struct doctor_m4_options *o);

struct doctor_property {
  const char *name, *id; /* id NULL: from the credentials, else by name */
  bool text;             /* takes a text; else a number */
};

#define DOCTOR_PROPERTIES 64

struct doctor_cloud_options {
  const char *url;
  const char *env; /* NULL: the credentials are in the environment */
  const char *ca_cert, *ca_path, *client_cert, *client_key; /* may be NULL */
  struct doctor_property properties[DOCTOR_PROPERTIES];
  size_t count;
};
int doctor_cloud_walk(struct doctor *d, const struct doctor_cloud_options *o);

#endif
