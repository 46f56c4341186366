/* The file of what baselines remember, beyond its checksum (fuzz_state_file):
 * any bytes as its text. What is read is written again, and read from that it
 * is the same; a line that is not counts as one that is kept for people. */
#include "plugins/flow_baseline/store.c"
#include "tests/fuzz/fuzz.h"

#define MOST_SERIES 8

static struct fb_target target;
static struct fb_series *series[MOST_SERIES];
static size_t count, set_aside;
static struct wr_bytes written = WR_BYTES_INIT(1 << 20);

/* --- collectd and the other files of the plugin --- */

void plugin_log(int level, const char *format, ...) {
  (void)level, (void)format;
}

char *sstrncpy(char *to, const char *from, size_t size) {
  snprintf(to, size, "%s", from);
  return to;
}

int64_t wr_clock_ms(void) { return 1; }
/* There is nothing that cannot be written. */
bool wr_trouble_begin(struct wr_trouble *t, int64_t now_ms, int severity,
                      const char *format, ...) {
  (void)t, (void)now_ms, (void)severity, (void)format;
  abort();
}

bool wr_trouble_end(struct wr_trouble *t, int64_t now_ms, const char *what) {
  (void)t, (void)now_ms, (void)what;
  return false;
}

size_t fb_key(const value_list_t *vl, char key[FB_KEY_MAX]) {
  const char *const names[] = {vl->host, vl->plugin, vl->plugin_instance,
                               vl->type, vl->type_instance};
  size_t len = 0;
  for (size_t i = 0; i < 5; i++) {
    size_t n = strnlen(names[i], DATA_MAX_NAME_LEN);
    check(n < DATA_MAX_NAME_LEN);
    memcpy(key + len, names[i], n + 1);
    len += n + 1;
  }
  return len;
}

/* As series.c has it: one for each name. */
struct fb_series *fb_series_add(struct fb_target *t, const value_list_t *vl,
                                int64_t now_ms) {
  char key[FB_KEY_MAX];
  size_t len = fb_key(vl, key);
  check(t == &target && now_ms == 1);
  for (size_t i = 0; i < count; i++)
    if (series[i]->source_len == len &&
        memcmp(series[i]->source, key, len) == 0)
      return series[i];
  if (count == MOST_SERIES)
    return NULL;
  struct fb_series *s = calloc(1, sizeof(*s) + len);
  check(s != NULL);
  memcpy(s->names, key, len);
  s->source = s->names;
  s->source_len = len;
  s->instance = "pump";
  return series[count++] = s;
}

int wr_state_file_write(const char *path, const char *kind, const char *data,
                        size_t len) {
  (void)path, (void)kind;
  wr_bytes_reset(&written);
  return wr_bytes_append(&written, data, len);
}

int wr_state_file_read(const char *path, const char *kind,
                       struct wr_bytes *out) {
  (void)path, (void)kind, (void)out;
  return -ENOENT;
}

int wr_state_file_set_aside(const char *path) {
  (void)path;
  set_aside++;
  return 0;
}

int wr_state_file_old(const char *path, char *out, size_t size) {
  (void)path, (void)out, (void)size;
  return -ENOENT;
}

/* --- */

static void forget_all(void) {
  for (size_t i = 0; i < count; i++)
    free(series[i]);
  count = 0;
  wr_table_destroy(target.series);
  target.series = wr_table_create(MOST_SERIES, NULL);
  check(target.series != NULL);
}

static void put_all(struct wr_bytes *out) {
  for (size_t i = 0; i < count; i++)
    check(put_line(out, &target, series[i], &series[i]->b,
                   series[i]->told_unknown) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wr_bytes text = WR_BYTES_INIT(1 << 20);
  struct wr_bytes one = WR_BYTES_INIT(1 << 20), two = WR_BYTES_INIT(1 << 20);
  if (size > 60000 || memchr(data, '\0', size) != NULL)
    return 0;
  target.o = (struct fb_options){.nominal = 10,
                                 .constant = 7.5,
                                 .setpoint = (char *)"p/gauge-s",
                                 .state_file = (char *)"state",
                                 .series_max = MOST_SERIES};
  forget_all();
  check(wr_bytes_append(&text, (const char *)data, size) == 0);
  set_aside = 0;
  load_text(&target, "state", &text);
  check(set_aside <= 1);
  put_all(&one);
  forget_all();
  set_aside = 0;
  load_text(&target, "state", &one);
  check(set_aside == 0);
  put_all(&two);
  check(one.len == two.len &&
        (one.len == 0 || !memcmp(one.data, two.data, one.len)));
  wr_bytes_free(&text);
  wr_bytes_free(&one);
  wr_bytes_free(&two);
  return 0;
}
