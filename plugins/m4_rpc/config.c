/* The configuration of m4_rpc: tables, checks, what is left out. */
#include "block.h"

#include "glue/options.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

#include "collectd/core/utils/common/common.h"

#define INTERVAL_MS 1000
#define REPAIR_INTERVAL_MS 1020 /* see lib/m4/values.h */
#define TIMEOUT_MS 1500
#define NAME_MAX_BYTES 100

static int read_output(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct method *m = target;
  bool good = ci->values_num >= 2 && ci->values_num <= 3 &&
              ci->values[0].type == OCONFIG_TYPE_NUMBER;
  for (int i = 1; i < ci->values_num; i++)
    good = good && ci->values[i].type == OCONFIG_TYPE_STRING;
  double index = good ? ci->values[0].value.number : -1;
  if (index < 0 || index >= WR_RPC_VALUES || index != floor(index) ||
      m->rpc.indices_count == M4_OUTPUTS_MAX) {
    ERROR("%s: Element is not allowed like this: it needs an index from 0 to "
          "%d, a type in quotes and perhaps a type instance, at most %d times.",
          where, WR_RPC_VALUES - 1, M4_OUTPUTS_MAX);
    return -1;
  }
  size_t which = m->rpc.indices_count++;
  struct output *o = m->outputs + which;
  m->indices[which] = (int64_t)index;
  o->type = sstrdup(ci->values[1].value.string);
  o->instance =
      sstrdup(ci->values_num == 3 ? ci->values[2].value.string : m->name);
  return o->type != NULL && o->instance != NULL ? 0 : -1;
}

static const struct wr_option method_options[] = {
    WR_OPTION("Type", WR_STRING, struct method, type),
    WR_OPTION("Instance", WR_STRING, struct method, instance),
    WR_OPTION_RANGE("Interval", WR_SECONDS, struct method, rpc.interval_ms,
                    0.01, 86400),
    WR_OPTION("Scale", WR_NUMBER, struct method, rpc.scale),
    WR_OPTION("Compensate", WR_BOOLEAN, struct method, rpc.repair),
    WR_OPTION_RANGE("Seq", WR_INTEGER, struct method, rpc.seq_index, 0,
                    WR_RPC_VALUES - 1),
    WR_OPTION_BLOCK("Element", read_output),
};

/* A method without Element gives its one result to Type. */
static int complete_outputs(const char *where, struct method *m) {
  if ((m->type != NULL) == (m->rpc.indices_count > 0) ||
      (m->instance != NULL && m->type == NULL)) {
    ERROR("%s: exactly one of Type (for a single result, with Instance) and "
          "Element (for elements of an array) is needed.",
          where);
    return -1;
  }
  if (m->rpc.seq_index >= 0 && m->rpc.indices_count == 0) {
    ERROR("%s: Seq is only allowed together with Element.", where);
    return -1;
  }
  if (m->rpc.indices_count > 0)
    return 0;
  m->rpc.indices_count = 1;
  m->indices[0] = WR_M4_WHOLE;
  m->outputs[0].type = sstrdup(m->type);
  m->outputs[0].instance = sstrdup(m->instance != NULL ? m->instance : m->name);
  return 0;
}

/* Seconds of <LoadPlugin>; 0: none. collectd fills in the global ones where
 * none are given, and those may still change further down in the file. */
static int64_t loaded_interval_ms;

void m4_note_interval(void) {
  cdtime_t own = plugin_get_ctx().interval;
  if (own != 0 && own != cf_get_default_interval())
    loaded_interval_ms = (int64_t)CDTIME_T_TO_MS(own);
}

static int complete_interval(const char *where, const struct m4 *m4,
                             struct method *m) {
  int64_t given_ms = m4->interval_ms;
  if (given_ms == 0)
    given_ms = loaded_interval_ms;
  if (m->rpc.interval_ms == 0)
    m->rpc.interval_ms = given_ms > 0    ? given_ms
                         : m->rpc.repair ? REPAIR_INTERVAL_MS
                                         : INTERVAL_MS;
  if (!m->rpc.repair || wr_m4_repair_serves(m->rpc.interval_ms))
    return 0;
  char value[32];
  wr_number_print(value, sizeof(value), "%g",
                  (double)m->rpc.interval_ms / 1000);
  return wr_option_fault(
      where, "Interval", value,
      "with Compensate at least 1.01 and 0.01 or more away from a whole number "
      "of seconds, because the FlowSensor library drops what it counted when "
      "it is asked after less than a second and rounds down the seconds");
}

static int complete_method(const struct m4 *m4, struct method *m) {
  char where[300];
  snprintf(where, sizeof(where), M4_WHERE ": <M4 \"%s\">, <Method \"%s\">",
           m4->name, m->name);
  if (complete_outputs(where, m) != 0 || complete_interval(where, m4, m) != 0)
    return -1;
  if (m->rpc.repair && (m->rpc.indices_count > 1 || m->rpc.seq_index >= 0)) {
    ERROR("%s: Compensate is only allowed for one number without Seq.", where);
    return -1;
  }
  return 0;
}

/* A name that fits into a request and, uncut, into an identifier. */
static char *block_name(const char *where, const oconfig_item_t *ci) {
  const char *name = wr_option_name(where, ci);
  if (name != NULL && strlen(name) <= NAME_MAX_BYTES)
    return sstrdup(name);
  if (name != NULL)
    wr_option_fault(where, ci->key, name, "a name of at most 100 bytes");
  return NULL;
}

static int read_method(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct m4 *m4 = target;
  if (m4->board.life.methods_count == WR_M4_METHODS) {
    ERROR("%s: more than %d <Method> blocks are not allowed.", where,
          WR_M4_METHODS);
    return -1;
  }
  char *name = block_name(where, ci);
  struct method *m = name != NULL ? m4_add_method(m4, name) : NULL;
  if (m == NULL)
    return -1;
  char inner[300];
  snprintf(inner, sizeof(inner), "%s, <Method \"%s\">", where, m->name);
  return wr_options_read(inner, ci, method_options,
                         STATIC_ARRAY_SIZE(method_options), m);
}

static const struct wr_option report_options[] = {
    WR_OPTION("Meta", WR_STRING, struct report, meta),
    WR_OPTION("OnChange", WR_BOOLEAN, struct report, rpc.state.on_change),
    WR_OPTION_RANGE("Heartbeat", WR_SECONDS, struct report,
                    rpc.state.heartbeat_ms, 0, 86400),
    WR_OPTION_RANGE("MaxAge", WR_SECONDS, struct report, rpc.state.max_age_ms,
                    1, 86400),
    WR_OPTION("Call", WR_BOOLEAN, struct report, rpc.call),
    WR_OPTION("Register", WR_BOOLEAN, struct report, rpc.serve),
};

/* A key names the plugin whose values carry it. */
static int complete_meta(const char *where, struct report *r) {
  if (r->meta == NULL)
    r->meta = sstrdup(M4_META);
  if (r->meta == NULL)
    return -1;
  const char *colon = strchr(r->meta, ':');
  if (colon == NULL || colon == r->meta || colon[1] == '\0')
    return wr_option_fault(where, "Meta", r->meta,
                           "PLUGIN:KEY, such as \"" M4_META
                           "\" or \"flow_baseline:state\"");
  r->rpc.source = r->meta;
  return 0;
}

static int read_report(const char *where, const oconfig_item_t *ci,
                       void *target) {
  struct m4 *m4 = target;
  if (m4->board.life.reports_count == WR_M4_REPORTS) {
    ERROR("%s: more than %d <Report> blocks are not allowed.", where,
          WR_M4_REPORTS);
    return -1;
  }
  char *name = block_name(where, ci);
  struct report *r = name != NULL ? m4_add_report(m4, name) : NULL;
  if (r == NULL)
    return -1;
  char inner[300];
  snprintf(inner, sizeof(inner), "%s, <Report \"%s\">", where, r->method);
  if (wr_options_read(inner, ci, report_options,
                      STATIC_ARRAY_SIZE(report_options), r) != 0)
    return -1;
  return complete_meta(inner, r);
}

static const char *const modes[] = {"proxy", "persistent", NULL};
static const struct wr_option m4_options[] = {
    WR_OPTION("Address", WR_STRING, struct m4, address),
    WR_OPTION_WORD("Mode", struct m4, mode, modes),
    WR_OPTION_RANGE("Interval", WR_SECONDS, struct m4, interval_ms, 0.01,
                    86400),
    WR_OPTION_RANGE("Timeout", WR_SECONDS, struct m4, timeout_ms, 0.05, 60),
    WR_OPTION("LockDirectory", WR_STRING, struct m4, lock_directory),
    WR_OPTION_BLOCK("Method", read_method),
    WR_OPTION_BLOCK("Report", read_report),
};

/* Address, else what the environment says, else Arduino's own. */
static int complete_address(const char *where, struct m4 *m4) {
  const char *option = "Address";
  if (m4->address == NULL) {
    option = "M4_PROXY_HOST:M4_PROXY_PORT";
    char text[300];
    wr_rpc_address_default(getenv("M4_PROXY_HOST"), getenv("M4_PROXY_PORT"),
                           text, sizeof(text));
    m4->address = sstrdup(text);
  }
  const char *why = "";
  if (m4->address == NULL)
    return -1;
  if (wr_rpc_address_parse(m4->address, &m4->board.address, &why) == 0)
    return 0;
  char allowed[200];
  snprintf(allowed, sizeof(allowed),
           "\"host:port\" or \"unix:/path\" is expected, and %s", why);
  return wr_option_fault(where, option, m4->address, allowed);
}

static int complete_timeout(const char *where, struct m4 *m4) {
  if (m4->timeout_ms == 0)
    m4->timeout_ms = TIMEOUT_MS;
  if (m4->mode != WR_RPC_PROXY || m4->timeout_ms >= 1200)
    return 0;
  char value[32];
  wr_number_print(value, sizeof(value), "%g", (double)m4->timeout_ms / 1000);
  return wr_option_fault(where, "Timeout", value,
                         "in Mode \"proxy\" at least 1.2 s, because the proxy "
                         "itself waits 1 s for the M4");
}

/* collectd turns a slash into something else, and labels would not be found. */
static int check_name(const char *where, const struct m4 *m4) {
  if (strchr(m4->name, '/') != NULL)
    return wr_option_fault(where, "M4", m4->name, "a name without a slash");
  for (const struct m4 *o = m4_first(); o != NULL; o = o->next)
    if (wr_text_same(o->name, m4->name))
      return wr_option_fault(where, "M4", m4->name, "the name is taken");
  return 0;
}

/* A function that gets another number of arguments than it takes kills the M4
 * (its RPC library throws, nobody catches), and none takes none and one. */
static int check_arity(const char *where, const struct m4 *reporter,
                       const struct m4 *asker) {
  for (size_t i = 0; i < reporter->board.life.reports_count; i++)
    for (size_t j = 0; j < asker->board.life.methods_count; j++)
      if (strcmp(m4_report(reporter, i)->method, m4_method(asker, j)->name) ==
          0)
        return wr_option_fault(
            where, "Report", m4_report(reporter, i)->method,
            "a <Method> of this name is called without an argument, and a "
            "report carries one; a function that gets another number of "
            "arguments than it takes stops the M4 until it is reset");
  return 0;
}

static bool same_board(const struct m4 *a, const struct m4 *b) {
  return memcmp(&a->board.address, &b->board.address,
                sizeof(a->board.address)) == 0;
}

/* Two sources would take turns at the function, and with it the relay. */
static int check_twice(const char *where, const struct m4 *m4) {
  for (size_t i = 1; i < m4->board.life.reports_count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(m4_report(m4, i)->method, m4_report(m4, j)->method) == 0)
        return wr_option_fault(where, "Report", m4_report(m4, i)->method,
                               "a function is told one state; another needs a "
                               "<Report> of another name");
  return 0;
}

static int check_reports(const char *where, const struct m4 *m4) {
  for (size_t i = 0; i < m4->board.life.reports_count; i++)
    if (m4->board.life.reports[i]->serve &&
        (m4->mode != WR_RPC_PERSISTENT || m4->board.life.reports[i]->call)) {
      ERROR("%s: <Report \"%s\">: Register is only allowed in Mode "
            "\"persistent\" and without Call.",
            where, m4_report(m4, i)->method);
      return -1;
    }
  int status = check_twice(where, m4) | check_arity(where, m4, m4);
  for (const struct m4 *o = m4_first(); o != NULL && status == 0; o = o->next)
    if (same_board(o, m4))
      status = check_arity(where, m4, o) | check_arity(where, o, m4);
  return status;
}

/* How often a method of the block gives this value. */
static int givers(const struct m4 *m4, const struct output *o) {
  int found = 0;
  for (size_t i = 0; i < m4->board.life.methods_count; i++)
    for (size_t j = 0; j < m4_method(m4, i)->rpc.indices_count; j++) {
      const struct output *other = m4_method(m4, i)->outputs + j;
      found += strcmp(o->type, other->type) == 0 &&
               strcmp(o->instance, other->instance) == 0;
    }
  return found;
}

static int check_outputs(const char *where, const struct m4 *m4) {
  for (size_t i = 0; i < m4->board.life.methods_count; i++)
    for (size_t j = 0; j < m4_method(m4, i)->rpc.indices_count; j++) {
      const struct output *o = m4_method(m4, i)->outputs + j;
      if (givers(m4, o) == 1)
        continue;
      ERROR("%s: %s-%s would be dispatched by two methods or elements; give "
            "one of them another type instance.",
            where, o->type, o->instance);
      return -1;
    }
  return 0;
}

static int complete_m4(const char *where, struct m4 *m4) {
  if (check_name(where, m4) != 0)
    return -1;
  if (m4->board.life.methods_count + m4->board.life.reports_count == 0) {
    ERROR("%s: neither a <Method> nor a <Report> is given.", where);
    return -1;
  }
  if (complete_address(where, m4) != 0 || complete_timeout(where, m4) != 0)
    return -1;
  for (size_t i = 0; i < m4->board.life.methods_count; i++)
    if (complete_method(m4, m4_method(m4, i)) != 0)
      return -1;
  if (m4->interval_ms == 0)
    m4->interval_ms = loaded_interval_ms > 0 ? loaded_interval_ms : INTERVAL_MS;
  m4->counts_every = m4->interval_ms < 1000    ? 10
                     : m4->interval_ms < 10000 ? 10000 / m4->interval_ms
                                               : 1;
  return check_outputs(where, m4) != 0 ? -1 : check_reports(where, m4);
}

static int read_m4(const char *where, const oconfig_item_t *ci, void *target) {
  (void)target;
  char *name = block_name(where, ci);
  struct m4 *m4 = name != NULL ? m4_new(name) : NULL;
  if (m4 == NULL)
    return -1;
  char inner[200];
  snprintf(inner, sizeof(inner), M4_WHERE ": <M4 \"%s\">", m4->name);
  if (wr_options_read(inner, ci, m4_options, STATIC_ARRAY_SIZE(m4_options),
                      m4) != 0 ||
      complete_m4(inner, m4) != 0) {
    m4_free(m4);
    return -1;
  }
  m4_append(m4);
  return 0;
}

static const struct wr_option plugin_options[] = {
    WR_OPTION_BLOCK("M4", read_m4)};

int m4_config(oconfig_item_t *ci) {
  return wr_options_read(M4_WHERE, ci, plugin_options,
                         STATIC_ARRAY_SIZE(plugin_options), NULL);
}

/* The types are known only now: the configuration was read before types.db. */
static int check_type(const struct m4 *m4, struct output *o) {
  const data_set_t *ds = plugin_get_ds(o->type);
  if (ds != NULL && ds->ds_num == 1 &&
      (ds->ds[0].type == DS_TYPE_GAUGE || ds->ds[0].type == DS_TYPE_DERIVE)) {
    o->derive = ds->ds[0].type == DS_TYPE_DERIVE;
    return 0;
  }
  char where[256];
  snprintf(where, sizeof(where), M4_WHERE ": <M4 \"%s\">", m4->name);
  return wr_option_fault(where, "Type", o->type,
                         "a type of types.db with one value, gauge or derive");
}

int m4_check_types(struct m4 *m4) {
  for (size_t i = 0; i < m4->board.life.methods_count; i++)
    for (size_t j = 0; j < m4_method(m4, i)->rpc.indices_count; j++)
      if (check_type(m4, &m4_method(m4, i)->outputs[j]) != 0)
        return -1;
  return 0;
}
