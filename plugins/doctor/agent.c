/* weir-doctor without a check: the agent's own configuration, block by block.
 *
 * The configuration is the one that a running collectd was given; without one,
 * the first of the usual places. What a block leaves out comes from the
 * environment, as in the plugins: that of the running agent where it may be
 * read, else our own. */
#include "doctor/agent.h"

#include "doctor/checks.h"
#include "doctor/verdicts.h"
#include "lib/base/text.h"
#include "lib/cloud/proto.h"
#include "lib/rpc/address.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- the running agent --------------------------------------------------------
 */

/* A file of NUL-separated strings, as /proc has them. */
static size_t read_strings(const char *root, const char *pid, const char *what,
                           char *out, size_t size) {
  char path[512];
  snprintf(path, sizeof(path), "%s/proc/%s/%s", root, pid, what);
  FILE *f = fopen(path, "re");
  size_t len = f != NULL ? fread(out, 1, size - 2, f) : 0;
  if (f != NULL)
    fclose(f);
  out[len] = out[len + 1] = '\0';
  return len;
}

/* The value of -C; "": none. */
static const char *config_of(const char *strings, size_t len) {
  for (const char *s = strings; s < strings + len; s += strlen(s) + 1) {
    if (strncmp(s, "-C", 2) != 0)
      continue;
    const char *next = s + strlen(s) + 1;
    return s[2] != '\0' ? s + 2 : next < strings + len ? next : "";
  }
  return "";
}

static bool is_agent(const char *root, const char *pid) {
  char comm[32];
  size_t len = read_strings(root, pid, "comm", comm, sizeof(comm));
  comm[strcspn(comm, "\n")] = '\0';
  return len > 0 && strcmp(comm, "collectd") == 0;
}

static void find_running(struct doctor_agent *a) {
  char path[512], strings[4096];
  snprintf(path, sizeof(path), "%s/proc", a->root);
  DIR *dir = opendir(path);
  struct dirent *e;
  while (dir != NULL && (e = readdir(dir)) != NULL) {
    if (!wr_text_is_digit(e->d_name[0]) || !is_agent(a->root, e->d_name))
      continue;
    size_t len =
        read_strings(a->root, e->d_name, "cmdline", strings, sizeof(strings));
    snprintf(a->config, sizeof(a->config), "%s", config_of(strings, len));
    a->environment_len = read_strings(a->root, e->d_name, "environ",
                                      a->environment, sizeof(a->environment));
    a->running = true;
    break;
  }
  if (dir != NULL)
    closedir(dir);
}

static void find_config(struct doctor_agent *a) {
  static const char *const places[] = {
      "/etc/weir/collectd.conf", "/etc/collectd/collectd.conf",
      "/etc/collectd.conf", "/opt/collectd/etc/collectd.conf"};
  char path[512];
  find_running(a);
  for (size_t i = 0; i < 4 && a->config[0] == '\0'; i++) {
    snprintf(path, sizeof(path), "%s%s", a->root, places[i]);
    if (access(path, F_OK) == 0)
      snprintf(a->config, sizeof(a->config), "%s", path);
  }
}

const char *doctor_agent_env(const struct doctor_agent *a, const char *name) {
  size_t len = strlen(name);
  const char *end = a->environment + a->environment_len, *value = NULL;
  for (const char *s = a->environment; s < end; s += strlen(s) + 1)
    if (strncmp(s, name, len) == 0 && s[len] == '=')
      value = s + len + 1;
  if (value == NULL)
    value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

/* -- blocks
 * -------------------------------------------------------------------- */

/* What it says about the blocks counts for nothing while nobody runs them. */
static void check_runs(const struct doctor_agent *a) {
  if (a->named || a->running)
    return;
  doctor_begin(a->d, "collectd");
  doctor_step(a->d, false, "process", "no process is called collectd");
  doctor_conclude(a->d, DOCTOR_AGENT_DOWN);
}

static bool is_persistent(const struct conf_item *block) {
  const char *mode = conf_get(block, "Mode");
  return mode != NULL && wr_text_same(mode, "persistent");
}

static void m4_address(struct doctor_agent *a, const struct conf_item *block) {
  const char *address = conf_get(block, "Address");
  if (address != NULL)
    snprintf(a->address, sizeof(a->address), "%s", address);
  else
    wr_rpc_address_default(doctor_agent_env(a, "M4_PROXY_HOST"),
                           doctor_agent_env(a, "M4_PROXY_PORT"), a->address,
                           sizeof(a->address));
}

static int m4_block(struct doctor_agent *a, const struct conf_item *block) {
  m4_address(a, block);
  struct doctor_m4_options o = {.address = a->address,
                                .persistent = is_persistent(block),
                                .root = a->root};
  for (size_t i = 0; i < block->children_count; i++) {
    const struct conf_item *m = &block->children[i];
    if (!conf_is(m, "Method", NULL) || o.count == DOCTOR_METHODS)
      continue;
    o.methods[o.count].name = conf_name(m);
    o.methods[o.count++].type = conf_get(m, "Type");
  }
  doctor_step(a->d, true, "address", "%s, %zu methods", o.address, o.count);
  return doctor_m4_walk(a->d, &o);
}

static int target_block(struct doctor_agent *a, const struct conf_item *block) {
  const char *url = conf_get(block, "URL"), *model = conf_get(block, "Model");
  char *argv[] = {(char *)(url != NULL ? url : model)};
  if (argv[0] == NULL)
    return doctor_usage(a->d, "the target has neither URL nor Model");
  return doctor_inference(a->d, 1, argv);
}

static int thing_block(struct doctor_agent *a, const struct conf_item *block) {
  const char *url = conf_get(block, "URL");
  struct doctor_cloud_options o = {.url = url != NULL ? url : WR_CLOUD_URL,
                                   .env = conf_get(block, "CredentialsFile"),
                                   .ca_cert = conf_get(block, "CACert"),
                                   .ca_path = conf_get(block, "CAPath"),
                                   .client_cert = conf_get(block, "ClientCert"),
                                   .client_key = conf_get(block, "ClientKey")};
  for (size_t i = 0; i < block->children_count; i++) {
    const struct conf_item *p = &block->children[i];
    if (!conf_is(p, "Property", NULL) || o.count == DOCTOR_PROPERTIES)
      continue;
    const char *kind = conf_get(p, "Kind");
    o.properties[o.count].name = conf_name(p);
    o.properties[o.count].id = conf_get(p, "ID");
    o.properties[o.count++].text =
        kind != NULL ? wr_text_same(kind, "text") : conf_get(p, "Meta") != NULL;
  }
  doctor_step(a->d, true, "url", "%s, %zu properties", o.url, o.count);
  return doctor_cloud_walk(a->d, &o);
}

/* -- the walk
 * ------------------------------------------------------------------ */

static const struct {
  const char *plugin; /* that must be loaded */
  const char *in;     /* <Plugin NAME>; NULL: in a chain */
  const char *key;
  const char *name; /* NULL: any */
  int (*check)(struct doctor_agent *a, const struct conf_item *block);
} kinds[] = {
    {"m4_rpc", "m4_rpc", "M4", NULL, m4_block},
    {"target_edge_impulse", NULL, "Target", "edge_impulse", target_block},
    {"write_arduino_cloud", "write_arduino_cloud", "Thing", NULL, thing_block}};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool is_loaded(const struct conf *c, const char *plugin) {
  bool loaded = false;
  for (size_t i = 0; i < c->top.children_count; i++) {
    const struct conf_item *k = &c->top.children[i];
    loaded |= conf_is(k, "LoadPlugin", plugin);
    if (conf_is(k, "AutoLoadPlugin", NULL))
      loaded |= wr_text_same(conf_name(k), "true") ||
                wr_text_same(conf_name(k), "yes") ||
                wr_text_same(conf_name(k), "on");
  }
  return loaded;
}

static void check_block(struct doctor_agent *a, size_t kind,
                        const struct conf_item *block) {
  char title[600];
  snprintf(title, sizeof(title), "%s \"%s\" (%s, line %u)", kinds[kind].key,
           conf_name(block), block->file, block->line);
  doctor_begin(a->d, title);
  if (is_loaded(&a->conf, kinds[kind].plugin)) {
    kinds[kind].check(a, block);
    return;
  }
  doctor_step(a->d, false, "plugin", "LoadPlugin %s is missing",
              kinds[kind].plugin);
  doctor_conclude(a->d, DOCTOR_NOT_LOADED);
}

/* Blocks of one kind, however deep in chains and rules they stand. */
static void check_in(struct doctor_agent *a, size_t kind,
                     const struct conf_item *parent) {
  for (size_t i = 0; i < parent->children_count; i++) {
    const struct conf_item *k = &parent->children[i];
    if (conf_is(k, kinds[kind].key, kinds[kind].name))
      check_block(a, kind, k);
    else
      check_in(a, kind, k);
  }
}

static void check_all(struct doctor_agent *a) {
  for (size_t kind = 0; kind < KINDS; kind++)
    for (size_t i = 0; i < a->conf.top.children_count; i++) {
      const struct conf_item *k = &a->conf.top.children[i];
      if (kinds[kind].in != NULL ? conf_is(k, "Plugin", kinds[kind].in)
                                 : conf_is(k, "Chain", NULL))
        check_in(a, kind, k);
    }
}

int doctor_agent_look(struct doctor_agent *a, const char *root,
                      const char *config) {
  *a = (struct doctor_agent){.root = root, .named = config != NULL};
  if (config != NULL)
    snprintf(a->config, sizeof(a->config), "%s", config);
  else
    find_config(a);
  return a->config[0] != '\0' ? conf_read(&a->conf, a->config) : -ENOENT;
}

/* The first block of this kind below `parent`; NULL: none. */
static const struct conf_item *first_in(const struct conf_item *parent,
                                        size_t kind) {
  const struct conf_item *found = NULL;
  for (size_t i = 0; i < parent->children_count && found == NULL; i++) {
    const struct conf_item *k = &parent->children[i];
    if (conf_is(k, "Plugin", kinds[kind].in))
      found = first_in(k, kind);
    else if (conf_is(k, kinds[kind].key, kinds[kind].name))
      found = k;
  }
  return found;
}

bool doctor_agent_address(struct doctor_agent *a, bool *persistent) {
  const struct conf_item *m4 = first_in(&a->conf.top, 0);
  if (m4 == NULL)
    return false;
  *persistent = is_persistent(m4);
  m4_address(a, m4);
  return true;
}

int doctor_agent_open(struct doctor_agent *a, struct doctor *d, int argc,
                      char **argv) {
  const char *root = "", *config = NULL;
  *a = (struct doctor_agent){0};
  for (int i = 0; i < argc; i += 2) {
    bool more = i + 1 < argc;
    if (more && strcmp(argv[i], "-C") == 0)
      config = argv[i + 1];
    else if (more && strcmp(argv[i], "--root") == 0)
      root = argv[i + 1];
    else
      return doctor_usage(d, "there is no check \"%s\"", argv[i]);
  }
  int status = doctor_agent_look(a, root, config);
  a->d = d;
  doctor_step(d, a->config[0] != '\0', "agent", "%s; its configuration: %s",
              a->running ? "collectd runs"
              : a->named ? "no collectd was looked at"
                         : "no collectd runs",
              a->config[0] != '\0' ? a->config : "none found");
  if (status != 0) {
    if (a->conf.fault[0] != '\0')
      doctor_step(d, false, "config", "%s", a->conf.fault);
    return doctor_conclude(d, status == -ENOENT   ? DOCTOR_CONF_MISSING
                              : status == -EACCES ? DOCTOR_CONF_FORBIDDEN
                                                  : DOCTOR_CONF_SYNTAX);
  }
  doctor_step(d, true, "config", "%zu files read", a->conf.files_count);
  if (a->conf.missing[0] != '\0')
    doctor_step(d, false, "include", "%s is not there", a->conf.missing);
  return 0;
}

int doctor_agent(struct doctor *d, int argc, char **argv) {
  struct doctor_agent a;
  int status = doctor_agent_open(&a, d, argc, argv);
  if (status == 0) {
    check_all(&a);
    if (d->checks > 0)
      check_runs(&a);
    status =
        d->checks > 0 ? doctor_sum(d) : doctor_conclude(d, DOCTOR_CONF_EMPTY);
  }
  conf_free(&a.conf);
  return status;
}
