/* The memory of all series of a target in one file: a line of JSON for each,
 * with its source, what its numbers depend on, and its state. */
#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/flow/baseline_state.h"
#include "lib/flow/state_file.h"

#include <errno.h>
#include <limits.h>

#define KIND "flow_baseline"
#define LINE_MAX_BYTES (WR_BASELINE_STATE_MAX + 8 * FB_KEY_MAX)
/* Of a file that is read, whatever MaxSeries was when it was written. */
#define FILE_MAX_BYTES ((size_t)1 << 30)

static const char *const parts[] = {"host", "plugin", "plugin_instance", "type",
                                    "type_instance"};

static int put_line(struct wr_bytes *out, const struct fb_target *t,
                    const struct fb_series *s, const struct wr_baseline *b,
                    bool unknown) {
  const char *part = s->source;
  int status = wr_bytes_text(out, "{");
  for (size_t i = 0; status == 0 && i < STATIC_ARRAY_SIZE(parts); i++) {
    status = wr_bytes_printf(out, "\"%s\":", parts[i]);
    if (status == 0)
      status = wr_json_put_string(out, part);
    if (status == 0)
      status = wr_bytes_text(out, ",");
    part += strlen(part) + 1;
  }
  if (status == 0)
    status = wr_bytes_text(out, "\"nominal\":");
  if (status == 0)
    status = wr_json_put_double(out, t->o.nominal);
  if (status == 0)
    status = wr_bytes_text(out, ",\"constant\":");
  if (status == 0)
    status = wr_json_put_double(out, t->o.constant);
  if (status == 0)
    status = wr_bytes_printf(out, ",\"unknown\":%s,\"state\":\"",
                             unknown ? "true" : "false");
  if (status == 0)
    status = wr_baseline_put(out, b);
  return status != 0 ? status : wr_bytes_text(out, "\"}\n");
}

/* The series as they are at one moment. Only the worker, which calls this,
 * ever frees one, so the pointers outlive the lock. */
struct snapshot {
  size_t count, room;
  struct one {
    const struct fb_series *s;
    struct wr_baseline b;
    bool unknown;
  } * all;
};

static void take_one(void *series, void *arg) {
  struct snapshot *all = arg;
  const struct fb_series *s = series;
  if (all->count < all->room)
    all->all[all->count++] = (struct one){s, s->b, s->told_unknown};
}

static int take_all(struct fb_target *t, struct snapshot *all) {
  pthread_mutex_lock(&t->lock);
  all->room = wr_table_count(t->series);
  all->all = all->room > 0 ? malloc(all->room * sizeof(*all->all)) : NULL;
  if (all->all != NULL)
    wr_table_each(t->series, take_one, all);
  pthread_mutex_unlock(&t->lock);
  return all->room > 0 && all->all == NULL ? -ENOMEM : 0;
}

static int save(struct fb_target *t) {
  struct snapshot all = {0};
  struct wr_bytes out = WR_BYTES_INIT((size_t)t->o.series_max * LINE_MAX_BYTES);
  int status = take_all(t, &all);
  for (size_t i = 0; status == 0 && i < all.count; i++)
    status = put_line(&out, t, all.all[i].s, &all.all[i].b, all.all[i].unknown);
  free(all.all);
  if (status == 0)
    status = wr_state_file_write(t->o.state_file, KIND,
                                 out.data != NULL ? out.data : "", out.len);
  wr_bytes_free(&out);
  return status;
}

void fb_store_save(struct fb_target *t) {
  int status = save(t);
  if (status == 0)
    wr_trouble_end(&t->disk, wr_clock_ms(),
                   FB_WHERE ": the state can be written");
  else
    wr_trouble_begin(&t->disk, wr_clock_ms(), LOG_WARNING,
                     FB_WHERE ": the state cannot be written to %s: %s. A "
                              "restart now would forget what was learnt since.",
                     t->o.state_file, wr_text_error(-status));
}

/* What the numbers of the file depend on may have been changed meanwhile. */
static void adapt(const struct fb_target *t, struct fb_series *s,
                  const struct wr_json *line) {
  double nominal = 0, constant = 0;
  (void)wr_json_double(line, "nominal", &nominal);
  (void)wr_json_double(line, "constant", &constant);
  if (constant > 0 && t->o.constant > 0 && constant != t->o.constant) {
    NOTICE(FB_WHERE ": " FB_PLUGIN "-%s: the sensor's constant was changed, "
                    "its memory is converted.",
           s->instance);
    wr_baseline_rescale(&s->b, constant / t->o.constant);
  }
  if (nominal > 0 && t->o.nominal > 0 && nominal != t->o.nominal) {
    NOTICE(FB_WHERE ": " FB_PLUGIN "-%s: Nominal was changed, it learns its "
                    "normal anew.",
           s->instance);
    wr_baseline_reset(&s->b);
  }
  if (t->o.setpoint == NULL && !isnan(s->b.key)) {
    NOTICE(FB_WHERE ": " FB_PLUGIN "-%s: there is no Setpoint any more, its "
                    "operating points are found by level.",
           s->instance);
    wr_baseline_unkey(&s->b);
  }
}

static void set_told(struct fb_series *s) {
  s->told = s->b.state;
  s->told_direction = s->b.direction;
  s->told_s = s->b.since_s;
}

static int load_line(struct fb_target *t, const char *text, size_t len) {
  struct wr_json *line;
  value_list_t vl = VALUE_LIST_INIT;
  char *const names[] = {vl.host, vl.plugin, vl.plugin_instance, vl.type,
                         vl.type_instance};
  const char *state = NULL;
  struct wr_baseline b;
  int status = wr_json_parse(text, len, LINE_MAX_BYTES, &line);
  if (status != 0)
    return status;
  for (size_t i = 0; status == 0 && i < STATIC_ARRAY_SIZE(parts); i++) {
    const char *part = NULL;
    status = wr_json_string(line, parts[i], &part);
    if (status == 0)
      sstrncpy(names[i], part, DATA_MAX_NAME_LEN);
  }
  if (status == 0)
    status = wr_json_string(line, "state", &state);
  if (status == 0)
    status = wr_baseline_get(state, &b);
  struct fb_series *s =
      status == 0 ? fb_series_add(t, &vl, wr_clock_ms()) : NULL;
  if (s != NULL) {
    s->b = b;
    (void)wr_json_bool(line, "unknown", &s->told_unknown);
    s->unknown = s->told_unknown;
    set_told(s);
    adapt(t, s, line);
    if (s->told <= WR_BASELINE_NORMAL)
      set_told(s); /* else it is said that the alarm ends by this */
  }
  wr_json_free(line);
  return status;
}

/* Lines that cannot be read are counted and kept for people, as a newer
 * version's are for its return; the others are read. */
static void load_text(struct fb_target *t, const char *path,
                      const struct wr_bytes *text) {
  size_t bad = 0;
  for (const char *at = text->data; at != NULL && *at != '\0';) {
    size_t len = strcspn(at, "\n");
    if (load_line(t, at, len) != 0)
      bad++;
    at += len + (at[len] == '\n');
  }
  INFO(FB_WHERE ": %zu series remembered from %s.", wr_table_count(t->series),
       t->o.state_file);
  if (bad == 0)
    return;
  (void)wr_state_file_set_aside(path);
  t->dirty = true;
  WARNING(FB_WHERE ": %zu lines of %s are of another version or damaged; these "
                   "series learn anew, and the file is set aside as "
                   "%s.corrupt.",
          bad, path, path);
}

static int load_from(struct fb_target *t, const char *path) {
  struct wr_bytes text = WR_BYTES_INIT(FILE_MAX_BYTES);
  int status = wr_state_file_read(path, KIND, &text);
  if (status == 0)
    load_text(t, path, &text);
  wr_bytes_free(&text);
  return status;
}

void fb_store_load(struct fb_target *t) {
  char old[PATH_MAX];
  int status = load_from(t, t->o.state_file);
  if (status == -EBADMSG) {
    (void)wr_state_file_set_aside(t->o.state_file);
    WARNING(FB_WHERE ": the state in %s is damaged; it is set aside as "
                     "%s.corrupt.",
            t->o.state_file, t->o.state_file);
  } else if (status != 0 && status != -ENOENT)
    WARNING(FB_WHERE ": the state in %s cannot be read: %s.", t->o.state_file,
            wr_text_error(-status));
  if (status == 0 || wr_state_file_old(t->o.state_file, old, sizeof(old)) != 0)
    return;
  bool missing = status == -ENOENT;
  status = load_from(t, old);
  if (status != 0 && !(missing && status == -ENOENT))
    WARNING(FB_WHERE ": nor can the one before it (%s): every series learns "
                     "anew.",
            wr_text_error(-status));
}
