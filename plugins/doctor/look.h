/* look: the newest values of an agent, through collectd's unixsock.
 *
 * One short connection for each look: newer versions of collectd do not end
 * while a client stays connected. Only values of Weir are asked for.
 * Ownership: all within the struct. One thread. */
#ifndef WEIR_DOCTOR_LOOK_H
#define WEIR_DOCTOR_LOOK_H

#include <stddef.h>

#define DOCTOR_LOOK_MAX 1024 /* values; what is beyond is not looked at */

struct doctor_value {
  char plugin[64], instance[128], type[64], type_instance[128];
  double value; /* NaN: not known */
};

struct doctor_look {
  struct doctor_value at[DOCTOR_LOOK_MAX];
  size_t count;
  char fault[200];
};

/* 0, or -errno with a phrase in fault. Ends within a few seconds. */
int doctor_look(struct doctor_look *look, const char *socket_path);
/* The value of plugin-instance/type-type_instance; NaN: there is none. A NULL
 * type_instance takes the first. */
double doctor_look_get(const struct doctor_look *look, const char *plugin,
                       const char *instance, const char *type,
                       const char *type_instance);

#endif
