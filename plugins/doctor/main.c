/* weir-doctor: tells which part of the path is broken, and what to do. */
#include "doctor/checks.h"
#include "doctor/verdicts.h"

#include "lib/base/file.h"
#include "lib/net/http.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: weir-doctor [--json] [-C FILE] [--root DIR]\n"
    "       weir-doctor [--json] CHECK [ARGUMENT]...\n"
    "\n"
    "Without a CHECK: every block of Weir in the agent's configuration, each\n"
    "with the check of its kind. -C FILE: this configuration, not that of the\n"
    "running collectd. The checks on their own:\n"
    "\n"
    "  m4 [ADDRESS] [--method NAME] [--type TYPE] [--drain] [--persistent]\n"
    "      the path to the M4: name, proxy, M4, method, values. ADDRESS is\n"
    "      host:port or unix:/path; default $M4_PROXY_HOST:$M4_PROXY_PORT,\n"
    "      else where the agent asks, else m4proxy:5001.\n"
    "      --drain empties the proxy of stale replies.\n"
    "  board [--root DIR]\n"
    "      on a Portenta X8: what Linux knows of m4-proxy, kernel and M7.\n"
    "  inference URL|MODEL\n"
    "      classifies a window for real, through an Edge Impulse container\n"
    "      (http://127.0.0.1:1337) or an .eim file.\n"
    "  config [FILE]\n"
    "      a dry run: would collectd take this configuration? The plugins "
    "read\n"
    "      their own blocks; nothing is opened, started or contacted.\n"
    "  watch [SOCKET] [--interval SECONDS] [--count N]\n"
    "      a live view over collectd's unixsock: flow, state, scores, health.\n"
    "  cloud [--env FILE] [--url URL] [--ca-cert FILE]\n"
    "      credentials, token, and the properties of the Thing.\n"
    "  cloud --rejected SPOOL\n"
    "      the values that the cloud refused for good, with its reasons.\n"
    "  cloud --resend SPOOL\n"
    "      has collectd send them once more.\n"
    "  cloud --to-0.1 SPOOL\n"
    "      makes the spool readable for version 0.1 of Weir.\n"
    "  call [--persistent] ADDRESS METHOD [ARGUMENT]\n"
    "      one raw call; a whole number is sent as one, the rest as text.\n"
    "      On an m4-proxy a method that is not bound costs 2 s of outage.\n"
    "\n"
    "  --verdicts lists every verdict by its name.\n"
    "exit status: 0 healthy, 1 broken, 2 usage.\n";

static const struct {
  const char *name;
  int (*run)(struct doctor *d, int argc, char **argv);
} checks[] = {{"m4", doctor_m4},       {"inference", doctor_inference},
              {"cloud", doctor_cloud}, {"call", doctor_call},
              {"board", doctor_board}, {"config", doctor_config},
              {"watch", doctor_watch}};

/* Takes --json out of the words, wherever it stands; what `call` sends may
 * be any text. */
static bool take_json(int *argc, char **argv) {
  bool found = false;
  for (int i = 1; i < *argc && strcmp(argv[i], "call") != 0;) {
    if (strcmp(argv[i], "--json") != 0) {
      i++;
      continue;
    }
    found = true;
    memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof(*argv));
    (*argc)--;
  }
  return found;
}

int main(int argc, char **argv) {
  struct doctor d;
  (void)wr_file_keep_standard();
  doctor_init(&d);
  wr_http_provide(&wr_http_curl);
  d.json = take_json(&argc, argv);
  if (argc == 2 && strcmp(argv[1], "--verdicts") == 0) {
    doctor_list();
    return DOCTOR_HEALTHY;
  }
  if (argc > 1 && strcmp(argv[1], "--help") == 0) {
    fputs(help, stdout);
    return DOCTOR_HEALTHY;
  }
  size_t i = 0, count = sizeof(checks) / sizeof(checks[0]);
  while (i < count && argc > 1 && strcmp(argv[1], checks[i].name) != 0)
    i++;
  int status = argc > 1 && i < count ? checks[i].run(&d, argc - 2, argv + 2)
                                     : doctor_agent(&d, argc - 1, argv + 1);
  doctor_free(&d);
  return status;
}
