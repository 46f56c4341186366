/* host: as much of collectd as a plugin of Weir needs to read its
 * configuration, and nothing that acts.
 *
 * The plugin's own .so is loaded, the very one that collectd would load, and
 * its own option tables read the blocks. What it registers to be called later
 * is not kept: no init callback runs, so no thread starts, no spool is opened,
 * nobody is contacted. One thread. The process is meant to end soon after:
 * plugins stay loaded. */
#ifndef WEIR_DOCTOR_HOST_H
#define WEIR_DOCTOR_HOST_H

#include "doctor/conf.h"

/* Called with what the plugin logs as an error or a warning. */
typedef void (*doctor_host_log)(void *arg, int is_error, const char *text);
void doctor_host_listen(doctor_host_log log, void *arg);

/* Loads folder/name.so. 0; -ENOENT: there is none; -ELIBBAD: it cannot be
 * loaded, *why says why. */
int doctor_host_load(const char *folder, const char *name, const char **why);

/* Gives a <Plugin NAME> block, or a <Target NAME> or <Match NAME> of a chain,
 * to whoever registered for it. 0; -ENOENT: nobody did; else what it returned.
 */
int doctor_host_plugin(const struct conf_item *block);
int doctor_host_target(const struct conf_item *block);
int doctor_host_match(const struct conf_item *block);

#endif
