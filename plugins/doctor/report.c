/* Steps, verdict and remedy, as text or as one JSON object. */
#include "doctor/report.h"

#include "lib/base/json.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STEP_MAX 512 /* bytes of a step's text */

void doctor_init(struct doctor *d) {
  *d = (struct doctor){.steps = WR_BYTES_INIT(DOCTOR_STEPS_MAX),
                       .ended = WR_BYTES_INIT(4u * DOCTOR_STEPS_MAX)};
}

void doctor_free(struct doctor *d) {
  wr_bytes_free(&d->steps);
  wr_bytes_free(&d->first);
  wr_bytes_free(&d->ended);
}

/* -- text that is safe on a terminal ------------------------------------- */

/* The code of a valid sequence of UTF-8. */
static uint32_t code_of(const char *text, size_t len) {
  unsigned char lead = (unsigned char)text[0];
  uint32_t code = len < 2 ? lead : lead & (0x7fu >> len);
  for (size_t i = 1; i < len; i++)
    code = code << 6 | ((unsigned char)text[i] & 0x3f);
  return code;
}

/* Not the controls (C0, DEL, C1), nor what turns the direction of writing or
 * breaks a line. */
static bool printable(uint32_t code) {
  return code >= 0x20 && !(code >= 0x7f && code < 0xa0) &&
         !(code >= 0x200b && code <= 0x200f) &&
         !(code >= 0x2028 && code <= 0x202e) &&
         !(code >= 0x2060 && code <= 0x206f) && code != 0xfeff;
}

const char *doctor_plain(const char *text, char *out, size_t size) {
  size_t used = 0;
  while (*text != '\0' && used + 1 < size) {
    size_t len = wr_text_utf8(text, strnlen(text, 4));
    bool keep = len > 0 && printable(code_of(text, len));
    if (keep && used + len + 1 > size)
      break;
    memcpy(out + used, keep ? text : *text == '\n' ? " " : "?", keep ? len : 1);
    used += keep ? len : 1;
    text += len > 0 ? len : 1;
  }
  out[used] = '\0';
  return out;
}

static void print_line(const char *before, const char *text) {
  char plain[2048];
  printf("%s%s\n", before, doctor_plain(text, plain, sizeof(plain)));
}

/* -- steps --------------------------------------------------------------- */

void doctor_begin(struct doctor *d, const char *title) {
  if (!d->many) {
    d->first = d->steps;
    d->steps = (struct wr_bytes)WR_BYTES_INIT(DOCTOR_STEPS_MAX);
  }
  d->many = true;
  doctor_plain(title, d->title, sizeof(d->title));
  if (!d->json)
    printf("%s%s\n", d->checks > 0 ? "\n" : "", d->title);
}

void doctor_step(struct doctor *d, bool ok, const char *step,
                 const char *format, ...) {
  char text[STEP_MAX], plain[STEP_MAX];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  doctor_plain(text, plain, sizeof(plain));
  if (!d->json) {
    printf("  %-5s %-10s %s\n", ok ? "ok" : "FAIL", step, plain);
    fflush(stdout);
    return;
  }
  struct wr_bytes one = WR_BYTES_INIT(8 * STEP_MAX);
  int bad =
      wr_bytes_text(&one, d->steps.len > 0 ? ",{\"step\":" : "{\"step\":");
  bad |= wr_json_put_string(&one, step);
  bad |= wr_bytes_printf(&one, ",\"ok\":%s,\"text\":", ok ? "true" : "false");
  bad |= wr_json_put_string(&one, plain);
  bad |= wr_bytes_text(&one, "}");
  if (bad != 0 || wr_bytes_append(&d->steps, one.data, one.len) != 0)
    d->left_out++;
  wr_bytes_free(&one);
}

/* -- the end ------------------------------------------------------------- */

/* Appends {"healthy":..,"verdict":..,"remedy":..  without the end. */
static int put_head(struct wr_bytes *out, bool healthy, const char *name,
                    const char *verdict, const char *remedy) {
  char plain[2048];
  int bad = wr_bytes_printf(
      out, "\"healthy\":%s,\"name\":", healthy ? "true" : "false");
  bad |=
      name == NULL ? wr_bytes_text(out, "null") : wr_json_put_string(out, name);
  bad |= wr_bytes_text(out, ",\"verdict\":");
  bad |= wr_json_put_string(out, doctor_plain(verdict, plain, sizeof(plain)));
  bad |= wr_bytes_text(out, ",\"remedy\":");
  bad |=
      remedy == NULL
          ? wr_bytes_text(out, "null")
          : wr_json_put_string(out, doctor_plain(remedy, plain, sizeof(plain)));
  return bad;
}

static int put_steps(struct wr_bytes *out, const struct doctor *d) {
  int bad = wr_bytes_text(out, ",\"steps\":[");
  if (d->steps.len > 0)
    bad |= wr_bytes_append(out, d->steps.data, d->steps.len);
  bad |= wr_bytes_text(out, "]");
  if (d->left_out > 0)
    bad |= wr_bytes_printf(out, ",\"steps_left_out\":%u", d->left_out);
  return bad;
}

static void print_object(struct wr_bytes *out, int bad) {
  puts(bad == 0 ? out->data
                : "{\"healthy\":false,\"name\":null,\"verdict\":\"there is no "
                  "memory left\","
                  "\"remedy\":null,\"steps\":[]}");
  wr_bytes_free(out);
}

/* One of several: kept for doctor_sum(). */
static void keep_check(struct doctor *d, bool healthy, const char *verdict,
                       const char *remedy) {
  struct wr_bytes one = WR_BYTES_INIT(d->steps.len + 32768);
  int bad =
      wr_bytes_text(&one, d->ended.len > 0 ? ",{\"check\":" : "{\"check\":");
  bad |= wr_json_put_string(&one, d->title);
  bad |= wr_bytes_text(&one, ",");
  bad |= put_head(&one, healthy, d->name, verdict, remedy);
  bad |= put_steps(&one, d);
  bad |= wr_bytes_text(&one, "}");
  if (bad == 0)
    wr_bytes_append(&d->ended, one.data, one.len);
  wr_bytes_free(&one);
  wr_bytes_reset(&d->steps);
  d->left_out = 0;
}

int doctor_end(struct doctor *d, bool healthy, const char *verdict,
               const char *remedy) {
  d->checks++;
  d->broken += !healthy;
  if (!d->json) {
    print_line("verdict: ", verdict);
    if (remedy != NULL)
      print_line("remedy:  ", remedy);
  } else if (d->many) {
    keep_check(d, healthy, verdict, remedy);
  } else {
    struct wr_bytes out = WR_BYTES_INIT(d->steps.len + 32768);
    int bad = wr_bytes_text(&out, "{");
    bad |= put_head(&out, healthy, d->name, verdict, remedy);
    bad |= put_steps(&out, d);
    print_object(&out, bad | wr_bytes_text(&out, "}"));
  }
  d->name = NULL;
  return healthy ? DOCTOR_HEALTHY : DOCTOR_BROKEN;
}

int doctor_sum(struct doctor *d) {
  char verdict[100];
  if (d->broken == 0)
    snprintf(verdict, sizeof(verdict), "all %u checks are healthy", d->checks);
  else
    snprintf(verdict, sizeof(verdict), "%u of %u checks found a fault",
             d->broken, d->checks);
  if (!d->json) {
    printf("\n%s\n", verdict);
  } else {
    struct wr_bytes out = WR_BYTES_INIT(d->ended.len + d->first.len + 4096);
    int bad = wr_bytes_text(&out, "{");
    bad |= put_head(&out, d->broken == 0, NULL, verdict, NULL);
    bad |= wr_bytes_text(&out, ",\"steps\":[");
    if (d->first.len > 0)
      bad |= wr_bytes_append(&out, d->first.data, d->first.len);
    bad |= wr_bytes_text(&out, "],\"checks\":[");
    if (d->ended.len > 0)
      bad |= wr_bytes_append(&out, d->ended.data, d->ended.len);
    print_object(&out, bad | wr_bytes_text(&out, "]}"));
  }
  return d->broken == 0 ? DOCTOR_HEALTHY : DOCTOR_BROKEN;
}

int doctor_usage(struct doctor *d, const char *format, ...) {
  char text[STEP_MAX], plain[STEP_MAX];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  if (d->json || d->many)
    doctor_end(d, false, text, "weir-doctor --help lists the checks");
  else
    fprintf(stderr, "weir-doctor: %s; weir-doctor --help lists the checks.\n",
            doctor_plain(text, plain, sizeof(plain)));
  return DOCTOR_USAGE;
}
