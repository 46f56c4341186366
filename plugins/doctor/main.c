/* weir-doctor: tells which part of the path is broken, and what to do. */
#include "doctor.h"

#include "lib/base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char help[] =
    "usage: weir-doctor [--json] CHECK [ARGUMENT]...\n"
    "\n"
    "  m4 [ADDRESS] [--method NAME] [--drain] [--persistent]\n"
    "      the path to the M4: name, proxy, M4, method, values. ADDRESS is\n"
    "      host:port or unix:/path; default $M4_PROXY_HOST:$M4_PROXY_PORT,\n"
    "      else m4proxy:5001. --drain empties the proxy of stale replies.\n"
    "  inference URL|MODEL\n"
    "      classifies a window for real, through an Edge Impulse container\n"
    "      (http://127.0.0.1:1337) or an .eim file.\n"
    "  cloud [--env FILE] [--url URL] [--ca-cert FILE]\n"
    "      credentials, token, and the properties of the Thing.\n"
    "  cloud --rejected SPOOL\n"
    "      the values that the cloud refused for good, with its reasons.\n"
    "  call ADDRESS METHOD [ARGUMENT]\n"
    "      one raw call; a whole number is sent as one, the rest as text.\n"
    "      On an m4-proxy a method that is not bound costs 2 s of outage.\n"
    "\n"
    "exit status: 0 healthy, 1 broken, 2 usage. Nothing is contacted without\n"
    "a CHECK.\n";

void doctor_step(struct doctor *d, bool ok, const char *step,
                 const char *format, ...) {
  char text[512];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  if (!d->json) {
    printf("  %-5s %-10s %s\n", ok ? "ok" : "FAIL", step, text);
    fflush(stdout);
    return;
  }
  wr_bytes_printf(&d->steps, "%s{\"step\":", d->steps.len > 0 ? "," : "");
  wr_json_put_string(&d->steps, step);
  wr_bytes_printf(&d->steps, ",\"ok\":%s,\"text\":", ok ? "true" : "false");
  wr_json_put_string(&d->steps, text);
  wr_bytes_text(&d->steps, "}");
}

int doctor_end(struct doctor *d, bool healthy, const char *verdict,
               const char *remedy) {
  int status = healthy ? DOCTOR_HEALTHY : DOCTOR_BROKEN;
  if (!d->json) {
    printf("verdict: %s\n", verdict);
    if (remedy != NULL)
      printf("remedy:  %s\n", remedy);
    return status;
  }
  struct wr_bytes out = WR_BYTES_INIT(d->steps.max + 8192);
  wr_bytes_printf(&out,
                  "{\"healthy\":%s,\"verdict\":", healthy ? "true" : "false");
  wr_json_put_string(&out, verdict);
  wr_bytes_text(&out, ",\"remedy\":");
  if (remedy != NULL)
    wr_json_put_string(&out, remedy);
  else
    wr_bytes_text(&out, "null");
  wr_bytes_printf(&out, ",\"steps\":[%s]}",
                  d->steps.len > 0 ? d->steps.data : "");
  puts(out.data);
  wr_bytes_free(&out);
  return status;
}

int doctor_usage(const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  fputs("weir-doctor: ", stderr);
  vfprintf(stderr, format, ap);
  fputs("; weir-doctor --help lists the checks.\n", stderr);
  va_end(ap);
  return DOCTOR_USAGE;
}

int64_t doctor_clock_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void doctor_sleep_ms(int64_t ms) {
  nanosleep(
      &(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
      NULL);
}

uint32_t doctor_random(void) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof(value), 0) != sizeof(value))
    value = (uint32_t)doctor_clock_us();
  return value;
}

static const struct {
  const char *name;
  int (*run)(struct doctor *d, int argc, char **argv);
} checks[] = {{"m4", doctor_m4},
              {"inference", doctor_inference},
              {"cloud", doctor_cloud},
              {"call", doctor_call}};

int main(int argc, char **argv) {
  struct doctor d = {.steps = WR_BYTES_INIT(65536)};
  int at = 1;
  if (at < argc && strcmp(argv[at], "--json") == 0) {
    d.json = true;
    at++;
  }
  if (at >= argc || strcmp(argv[at], "--help") == 0) {
    fputs(help, stdout);
    return at >= argc ? DOCTOR_USAGE : DOCTOR_HEALTHY;
  }
  int status = DOCTOR_USAGE;
  size_t i = 0, count = sizeof(checks) / sizeof(checks[0]);
  while (i < count && strcmp(argv[at], checks[i].name) != 0)
    i++;
  if (i < count)
    status = checks[i].run(&d, argc - at - 1, argv + at + 1);
  else
    doctor_usage("there is no check \"%s\"", argv[at]);
  wr_bytes_free(&d.steps);
  return status;
}
