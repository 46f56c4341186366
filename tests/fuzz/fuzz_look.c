/* What the doctor sees of an agent: any bytes as the answers of collectd's
 * unixsock, whose names come from whoever sends values. A look ends with what
 * it says it has; what is drawn of it is lines of at most so many characters,
 * and nothing in it speaks to the terminal but our own colours.
 *
 * A 0xff parts the answers of one look from those of the next. */
#define _GNU_SOURCE /* fopencookie */
#include "plugins/doctor/look.c"
#include "plugins/doctor/report.c"
#include "plugins/doctor/view.c"
#include "tests/fuzz/fuzz.h"

struct answers {
  const uint8_t *at, *end;
  bool missed; /* there was nothing left where an answer was waited for */
};

static ssize_t answers_read(void *cookie, char *to, size_t size) {
  struct answers *a = cookie;
  size_t n = (size_t)(a->end - a->at);
  a->missed |= n == 0;
  n = n < size ? n : size;
  memcpy(to, a->at, n);
  a->at += n;
  return (ssize_t)n;
}

static ssize_t answers_write(void *cookie, const char *data, size_t size) {
  (void)cookie;
  check(memchr(data, '\0', size) == NULL);
  return (ssize_t)size;
}

/* doctor_look() behind its socket. */
static int look_at(struct doctor_look *look, struct answers *a) {
  static char *ids[DOCTOR_LOOK_MAX];
  FILE *f = fopencookie(
      a, "r+",
      (cookie_io_functions_t){.read = answers_read, .write = answers_write});
  check(f != NULL);
  look->count = 0;
  look->fault[0] = '\0';
  int status = look_all(look, f, ids);
  fclose(f);
  check(look->count <= DOCTOR_LOOK_MAX);
  check((status == 0) == (look->fault[0] == '\0'));
  check(!a->missed || a->end[-1] != '\n' || status != 0);
  return status;
}

/* A code of colour of ours: ESC [ digits and ; m. Its length. */
static size_t colour(const char *text) {
  size_t n = 2;
  check(text[1] == '[');
  n += strspn(text + n, "0123456789;");
  check(text[n] == 'm');
  return n + 1;
}

static void is_plain(const char *text, size_t size, size_t columns) {
  size_t wide = 0;
  check(wr_text_is_utf8(text, size));
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '\033') {
      i += colour(text + i) - 1;
    } else if (text[i] == '\n') {
      wide = 0;
    } else {
      check((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
      wide += (text[i] & 0xc0) != 0x80;
      check(wide <= columns);
    }
  }
}

static void draw(const struct view *v, const struct doctor_look *look) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  check(out != NULL);
  view_draw(v, look, 0, out);
  check(fflush(out) == 0);
  is_plain(text, size, VIEW_COLUMNS);
  size_t drawn = size;
  view_plain(v, look, 0, out);
  fclose(out);
  is_plain(text + drawn, size - drawn, SIZE_MAX);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct doctor_look look;
  static struct view v;
  const uint8_t *end = data + size;
  v = (struct view){.socket = "/run/collectd", .colour = true};
  for (int looks = 0; looks < 4; looks++) {
    const uint8_t *next = memchr(data, 0xff, (size_t)(end - data));
    struct answers a = {data, next != NULL ? next : end, false};
    if (a.at < a.end && look_at(&look, &a) == 0)
      view_take(&v, &look, 0);
    draw(&v, &look);
    if (next == NULL)
      break;
    data = next + 1;
  }
  return 0;
}
