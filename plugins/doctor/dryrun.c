/* weir-doctor config: would collectd take this configuration?
 *
 * Read from the top to the bottom, as collectd does: a plugin must be loaded
 * before a block or a chain uses it. The blocks of Weir are read by the plugins
 * themselves, as far as a configuration goes (see host.h); nothing is opened,
 * started or contacted. It happens in a child process: whatever a plugin does,
 * a verdict comes. */
#include "doctor/agent.h"
#include "doctor/checks.h"
#include "doctor/host.h"
#include "doctor/verdicts.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef WEIR_PLUGINDIR
#define WEIR_PLUGINDIR "/usr/lib/collectd"
#endif
#define LOADED_MAX 256

static const char *const ours[] = {
    "m4_rpc", "target_edge_impulse", "match_classification",
    "target_flow_baseline", "write_arduino_cloud"};
#define OURS (sizeof(ours) / sizeof(ours[0]))
static const char *const built_in[] = {"jump", "stop", "return", "write"};

struct dryrun {
  struct doctor *d;
  const char *folder; /* PluginDir */
  const char *loaded[LOADED_MAX];
  size_t loaded_count;
  bool autoload;
  unsigned blocks;
  enum doctor_verdict fault; /* the first; DOCTOR_CONF_ACCEPTED: none yet */
  char said[600];            /* by the plugin, of the block under way */
};

static bool is_one_of(const char *name, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (wr_text_same(name, list[i]))
      return true;
  return false;
}

static void refuse(struct dryrun *r, enum doctor_verdict v) {
  if (r->fault == DOCTOR_CONF_ACCEPTED)
    r->fault = v;
}

static void on_log(void *arg, int is_error, const char *text) {
  struct dryrun *r = arg;
  if (!is_error)
    doctor_step(r->d, true, "warning", "%s", text);
  else if (r->said[0] == '\0')
    snprintf(r->said, sizeof(r->said), "%s", text);
}

/* -- LoadPlugin ---------------------------------------------------------------
 */

static void load(struct dryrun *r, const char *name) {
  const char *why;
  if (r->loaded_count < LOADED_MAX)
    r->loaded[r->loaded_count++] = name;
  if (!is_one_of(name, ours, OURS))
    return;
  int status = doctor_host_load(r->folder, name, &why);
  doctor_step(r->d, status == 0, "load", "%s from %s%s%s", name, r->folder,
              status != 0 ? ": " : "", status != 0 ? why : "");
  if (status != 0)
    refuse(r, status == -ENOENT ? DOCTOR_PLUGIN_MISSING : DOCTOR_PLUGIN_BAD);
}

/* Whether PREFIXname is loaded; with AutoLoadPlugin it is from now on. */
static bool is_loaded(struct dryrun *r, const struct conf_item *i,
                      const char *prefix, const char *name) {
  char full[160];
  snprintf(full, sizeof(full), "%s%s", prefix, name);
  if (is_one_of(full, r->loaded, r->loaded_count))
    return true;
  if (!r->autoload) {
    doctor_step(r->d, false, "order",
                "%s, line %u: \"LoadPlugin %s\" must stand above", i->file,
                i->line, full);
    refuse(r, DOCTOR_NOT_LOADED);
    return false;
  }
  for (size_t k = 0; k < OURS; k++)
    if (wr_text_same(full, ours[k]))
      load(r, ours[k]);
  return true;
}

/* -- blocks
 * -------------------------------------------------------------------- */

static void give(struct dryrun *r, const struct conf_item *i,
                 int (*read)(const struct conf_item *)) {
  r->said[0] = '\0';
  r->blocks++;
  int status = read(i);
  if (status == 0) {
    doctor_step(r->d, true, "block", "%s \"%s\" (%s, line %u) is accepted",
                i->key, conf_name(i), i->file, i->line);
    return;
  }
  doctor_step(r->d, false, "block", "%s \"%s\" (%s, line %u): %s", i->key,
              conf_name(i), i->file, i->line,
              r->said[0] != '\0' ? r->said : "refused without a word");
  refuse(r, DOCTOR_CONF_REFUSED);
}

static bool is_ours(const char *prefix, const char *name) {
  char full[160];
  snprintf(full, sizeof(full), "%s%s", prefix, name);
  return is_one_of(full, ours, OURS);
}

/* Rules, their matches and targets. */
static void chain(struct dryrun *r, const struct conf_item *block) {
  for (size_t k = 0; k < block->children_count; k++) {
    const struct conf_item *i = &block->children[k];
    bool match = conf_is(i, "Match", NULL), target = conf_is(i, "Target", NULL);
    if (!match && !target) {
      chain(r, i);
      continue;
    }
    if (target && is_one_of(conf_name(i), built_in, 4))
      continue;
    const char *prefix = match ? "match_" : "target_";
    if (is_loaded(r, i, prefix, conf_name(i)) && is_ours(prefix, conf_name(i)))
      give(r, i, match ? doctor_host_match : doctor_host_target);
  }
}

static void statement(struct dryrun *r, const struct conf_item *i) {
  if (conf_is(i, "PluginDir", NULL))
    r->folder = conf_name(i);
  else if (conf_is(i, "AutoLoadPlugin", NULL))
    r->autoload =
        is_one_of(conf_name(i), (const char *const[]){"true", "yes", "on"}, 3);
  else if (conf_is(i, "LoadPlugin", NULL))
    load(r, conf_name(i));
  else if (conf_is(i, "Chain", NULL))
    chain(r, i);
  else if (conf_is(i, "Plugin", NULL) && is_ours("", conf_name(i)) &&
           is_loaded(r, i, "", conf_name(i)))
    give(r, i, doctor_host_plugin);
}

static int run(struct doctor_agent *a) {
  struct dryrun r = {
      .d = a->d, .folder = WEIR_PLUGINDIR, .fault = DOCTOR_CONF_ACCEPTED};
  doctor_host_listen(on_log, &r);
  for (size_t i = 0; i < a->conf.top.children_count; i++)
    statement(&r, &a->conf.top.children[i]);
  if (r.blocks == 0 && r.fault == DOCTOR_CONF_ACCEPTED)
    r.fault = DOCTOR_CONF_EMPTY;
  return doctor_conclude(a->d, r.fault);
}

int doctor_config(struct doctor *d, int argc, char **argv) {
  struct doctor_agent a;
  char *named[] = {"-C", argc > 0 ? argv[0] : NULL};
  if (argc > 1 || (argc == 1 && argv[0][0] == '-'))
    return doctor_usage(d, "config takes the path of one configuration");
  int status = doctor_agent_open(&a, d, argc > 0 ? 2 : 0, named), end = 0;
  if (status == 0) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      status = run(&a);
      fflush(stdout);
      _exit(status);
    }
    if (child < 0 || waitpid(child, &end, 0) != child || !WIFEXITED(end))
      status = doctor_conclude(d, DOCTOR_PLUGIN_DIES);
    else
      status = WEXITSTATUS(end);
  }
  conf_free(&a.conf);
  return status;
}
