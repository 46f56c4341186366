#include "doctor/view.h"

#include "doctor/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCORES 4 /* that are shown of a model */

/* -- states ------------------------------------------------------------------
 */

static const struct {
  const char *label, *style;
} styles[] = {{"Normal", "32"},  {"Low", "36"},
              {"High", "33"},    {"Anomalous", "1;31"},
              {"unknown", "35"}, {"uncertain", "2"},
              {"", "2"}};

static const char *style_of(const char *label) {
  for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
    if (strcmp(styles[i].label, label) == 0)
      return styles[i].style;
  return "33"; /* of a model of one's own */
}

/* What says something else than the state. */
static bool is_state(const char *name) {
  return strcmp(name, "up") != 0 && strcmp(name, "shelved") != 0;
}

/* The state of edge_impulse: the one bool that is 1. */
static const char *label_of(const struct doctor_look *look, const char *name) {
  for (size_t i = 0; i < look->count; i++) {
    const struct doctor_value *v = &look->at[i];
    if (strcmp(v->plugin, "edge_impulse") == 0 &&
        strcmp(v->instance, name) == 0 && strcmp(v->type, "bool") == 0 &&
        is_state(v->type_instance) && v->value >= 0.5)
      return v->type_instance;
  }
  return "";
}

/* -- histories ----------------------------------------------------------------
 */

static struct view_loop *loop_of(struct view *v, const char *name) {
  for (size_t i = 0; i < v->loops_count; i++)
    if (strcmp(v->loops[i].name, name) == 0)
      return &v->loops[i];
  if (v->loops_count == VIEW_LOOPS)
    return NULL;
  struct view_loop *l = &v->loops[v->loops_count++];
  *l = (struct view_loop){0};
  snprintf(l->name, sizeof(l->name), "%s", name);
  return l;
}

static void note_change(struct view *v, const struct view_loop *l,
                        const char *label, time_t now) {
  if (v->changes_count == VIEW_CHANGES)
    memmove(v->changes, v->changes + 1,
            --v->changes_count * sizeof(v->changes[0]));
  v->changes[v->changes_count].at = now;
  snprintf(v->changes[v->changes_count++].text, sizeof(v->changes[0].text),
           "%.40s: %s -> %s", l->name, l->label[0] != '\0' ? l->label : "-",
           label[0] != '\0' ? label : "-");
}

static void push(struct view_loop *l, double flow, const char *style) {
  if (l->cells == VIEW_CELLS) {
    memmove(l->flow, l->flow + 1, (VIEW_CELLS - 1) * sizeof(l->flow[0]));
    memmove(l->style, l->style + 1, (VIEW_CELLS - 1) * sizeof(l->style[0]));
    l->cells--;
  }
  l->flow[l->cells] = flow;
  snprintf(l->style[l->cells++], sizeof(l->style[0]), "%s", style);
}

/* A plugin's own figures, without an instance, are none. */
static bool names_loop(const struct doctor_value *v) {
  return v->instance[0] != '\0' && (strcmp(v->plugin, "m4_rpc") == 0 ||
                                    strcmp(v->plugin, "edge_impulse") == 0);
}

void view_take(struct view *v, const struct doctor_look *look, time_t now) {
  for (size_t i = 0; i < look->count; i++)
    if (names_loop(&look->at[i]) && loop_of(v, look->at[i].instance) == NULL)
      v->loops_left_out = 1;
  for (size_t i = 0; i < v->loops_count; i++) {
    struct view_loop *l = &v->loops[i];
    const char *label = label_of(look, l->name);
    if (strncmp(label, l->label, VIEW_LABEL - 1) != 0)
      note_change(v, l, label, now);
    snprintf(l->label, sizeof(l->label), "%s", label);
    push(l, doctor_look_get(look, "m4_rpc", l->name, "flow", NULL),
         style_of(label));
  }
}

/* -- lines --------------------------------------------------------------------
 */

/* A line that is cut at VIEW_COLUMNS characters; codes of colour do not count.
 * The texts have been made plain. */
struct line {
  FILE *out;
  bool colour;
  int room;
};

static void put(struct line *l, const char *style, const char *text) {
  if (l->colour && style != NULL)
    fprintf(l->out, "\033[%sm", style);
  while (*text != '\0' && l->room > 0) {
    do
      fputc(*text++, l->out);
    while ((*text & 0xc0) == 0x80);
    l->room--;
  }
  if (l->colour && style != NULL)
    fputs("\033[0m", l->out);
}

static struct line begin(const struct view *v, FILE *out) {
  return (struct line){out, v->colour, VIEW_COLUMNS};
}

static void end(struct line *l) { fputc('\n', l->out); }

static const char *plain(const char *text) {
  static char out[256];
  return doctor_plain(text, out, sizeof(out));
}

/* Of it no more than so many bytes, in whole characters. */
static const char *plain_part(const char *text, size_t most) {
  static char out[64];
  return doctor_plain(text, out, most < sizeof(out) ? most + 1 : sizeof(out));
}

static const char *clock_of(time_t at) {
  static char text[16];
  struct tm tm;
  localtime_r(&at, &tm);
  strftime(text, sizeof(text), "%H:%M:%S", &tm);
  return text;
}

static const char *up(double value) {
  return isnan(value) ? "-" : value >= 0.5 ? "up" : "down";
}

static void put_up(struct line *l, const char *what, double value) {
  put(l, NULL, what);
  put(l, isnan(value) ? "2" : value >= 0.5 ? "32" : "1;31", up(value));
}

static void draw_flow(const struct view *v, const struct view_loop *loop,
                      FILE *out) {
  static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  struct line l = begin(v, out);
  char text[160];
  double most = 1.0, newest = loop->flow[loop->cells - 1];
  for (size_t i = 0; i < loop->cells; i++)
    most = loop->flow[i] > most ? loop->flow[i] : most;
  snprintf(text, sizeof(text), "%-14s ", plain_part(loop->name, 14));
  put(&l, "1", text);
  if (isnan(newest))
    put(&l, "1;31", "no flow      ");
  else {
    snprintf(text, sizeof(text), "%6.2f L/min ", newest);
    put(&l, NULL, text);
  }
  for (size_t i = 0; i < loop->cells; i++) {
    double part = loop->flow[i] / most;
    put(&l, loop->style[i],
        isnan(part) ? " " : bars[part <= 0 ? 0 : (int)(part * 7.0 + 0.5)]);
  }
  end(&l);
}

static int by_score(const void *a, const void *b) {
  const struct doctor_value *const *x = a, *const *y = b;
  return ((*x)->value < (*y)->value) - ((*x)->value > (*y)->value);
}

static void draw_state(const struct view *v, const struct doctor_look *look,
                       const struct view_loop *loop, FILE *out) {
  struct line l = begin(v, out);
  const struct doctor_value *scores[DOCTOR_LOOK_MAX];
  size_t count = 0;
  char text[200];
  put(&l, NULL, "  state   ");
  snprintf(text, sizeof(text), "%-12s",
           loop->label[0] != '\0' ? plain(loop->label) : "no label");
  put(&l, style_of(loop->label), text);
  for (size_t i = 0; i < look->count; i++)
    if (strcmp(look->at[i].plugin, "edge_impulse") == 0 &&
        strcmp(look->at[i].instance, loop->name) == 0 &&
        strcmp(look->at[i].type, "percent") == 0 && !isnan(look->at[i].value))
      scores[count++] = &look->at[i];
  qsort(scores, count, sizeof(scores[0]), by_score);
  for (size_t i = 0; i < count && i < SCORES; i++) {
    snprintf(text, sizeof(text), "  %s %.0f %%",
             plain(scores[i]->type_instance), scores[i]->value);
    put(&l, "2", text);
  }
  end(&l);
}

/* The first of baseline's states that is 1; "": it has none, or is not there.
 */
static const char *baseline_of(const struct doctor_look *look,
                               const char *name) {
  bool there = false;
  for (size_t i = 0; i < look->count; i++) {
    const struct doctor_value *v = &look->at[i];
    if (strcmp(v->plugin, "flow_baseline") != 0 ||
        strcmp(v->instance, name) != 0 || strcmp(v->type, "bool") != 0 ||
        strcmp(v->type_instance, "up") == 0)
      continue;
    there = true;
    if (v->value >= 0.5)
      return v->type_instance;
  }
  return there ? "normal" : "";
}

static void draw_health(const struct view *v, const struct doctor_look *look,
                        const struct view_loop *loop, FILE *out) {
  struct line l = begin(v, out);
  const char *baseline = baseline_of(look, loop->name);
  put_up(&l, "  health  M4 ",
         doctor_look_get(look, "m4_rpc", loop->name, "bool", "up"));
  put_up(&l, ", model ",
         doctor_look_get(look, "edge_impulse", loop->name, "bool", "up"));
  if (doctor_look_get(look, "edge_impulse", loop->name, "bool", "shelved") >=
      0.5)
    put(&l, "33", ", shelved");
  if (baseline[0] != '\0') {
    put(&l, NULL, ", baseline ");
    put(&l, strcmp(baseline, "normal") == 0 ? "32" : "33", plain(baseline));
  }
  end(&l);
}

static void draw_clouds(const struct view *v, const struct doctor_look *look,
                        FILE *out) {
  char text[200];
  for (size_t i = 0; i < look->count; i++) {
    const struct doctor_value *c = &look->at[i];
    if (strcmp(c->plugin, "write_arduino_cloud") != 0 ||
        strcmp(c->type, "queue_length") != 0)
      continue;
    struct line l = begin(v, out);
    snprintf(text, sizeof(text), "cloud %s: ", plain_part(c->instance, 20));
    put_up(&l, text,
           doctor_look_get(look, c->plugin, c->instance, "bool", "up"));
    snprintf(text, sizeof(text), ", %.0f values in the spool", c->value);
    put(&l, NULL, text);
    end(&l);
  }
}

void view_draw(const struct view *v, const struct doctor_look *look, time_t now,
               FILE *out) {
  struct line head = begin(v, out);
  put(&head, "1", "weir  ");
  put(&head, NULL, clock_of(now));
  put(&head, look->fault[0] != '\0' ? "1;31" : "2",
      look->fault[0] != '\0' ? "  collectd does not answer: " : "  ");
  put(&head, NULL, plain(look->fault[0] != '\0' ? look->fault : v->socket));
  end(&head);
  for (size_t i = 0; i < v->loops_count; i++) {
    fputc('\n', out);
    draw_flow(v, &v->loops[i], out);
    draw_state(v, look, &v->loops[i], out);
    draw_health(v, look, &v->loops[i], out);
  }
  if (v->loops_left_out > 0)
    fprintf(out, "\nmore than %d loops: the rest is not shown\n", VIEW_LOOPS);
  fputc('\n', out);
  draw_clouds(v, look, out);
  for (size_t i = v->changes_count; i-- > 0;) {
    struct line l = begin(v, out);
    put(&l, "2", clock_of(v->changes[i].at));
    put(&l, NULL, "  ");
    put(&l, NULL, plain(v->changes[i].text));
    end(&l);
  }
}

void view_plain(const struct view *v, const struct doctor_look *look,
                time_t now, FILE *out) {
  if (look->fault[0] != '\0')
    fprintf(out, "%s collectd does not answer: %s\n", clock_of(now),
            plain(look->fault));
  for (size_t i = 0; i < v->loops_count && look->fault[0] == '\0'; i++) {
    const struct view_loop *l = &v->loops[i];
    fprintf(out, "%s %s", clock_of(now), plain(l->name));
    if (isnan(l->flow[l->cells - 1]))
      fputs(" flow -", out);
    else
      fprintf(out, " flow %.2f L/min", l->flow[l->cells - 1]);
    fprintf(out, " state %s", l->label[0] != '\0' ? plain(l->label) : "-");
    fprintf(out, " M4 %s model %s\n",
            up(doctor_look_get(look, "m4_rpc", l->name, "bool", "up")),
            up(doctor_look_get(look, "edge_impulse", l->name, "bool", "up")));
  }
}
