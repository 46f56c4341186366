/* weir-doctor inference: a window classified for real.
 *
 * /api/info is no proof of health: the container answers it for ever after its
 * model has died. */
#include "doctor/checks.h"
#include "doctor/probe.h"
#include "doctor/tools.h"
#include "doctor/verdicts.h"

#include "lib/infer/inference.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS 5000 /* the first answer of a cold container may be slow */

/* LABELS of the sketch weir-flow; tests/e2e/test_doctor_model.py compares. */
static const char *const sketch_labels[] = {"Normal", "Low", "High",
                                            "Anomalous", "Off"};

/* -- before anything is asked ---------------------------------------------- */

/* Does the host of the URL have an address? */
static enum doctor_verdict find_host(struct doctor *d, const char *url) {
  struct wr_rpc_address address;
  struct doctor_peer peer;
  const char *why, *host = strstr(url, "://") + 3;
  char text[300];
  snprintf(text, sizeof(text), "%.*s", (int)strcspn(host, "/?#"), host);
  if (wr_rpc_address_parse(text, &address, &why) != 0)
    return DOCTOR_CLASSIFIES; /* curl will say what is wrong */
  int status = doctor_find(&address, &peer);
  if (status == 0)
    return DOCTOR_CLASSIFIES;
  doctor_step(d, false, "name", "%s has no address", address.host);
  return status == -EAGAIN ? DOCTOR_MODEL_DNS : DOCTOR_MODEL_NAME;
}

/* e_machine of an ELF file; -1: it is none. */
static int machine_of(const char *path) {
  Elf64_Ehdr header;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read(fd, &header, sizeof(header)) : -1;
  if (fd >= 0)
    close(fd);
  return n == sizeof(header) && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0
             ? header.e_machine
             : -1;
}

static enum doctor_verdict look_at(struct doctor *d, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
    doctor_step(d, false, "file", "%s is not there, or no file", path);
    return DOCTOR_MODEL_MISSING;
  }
  if (access(path, X_OK) != 0) {
    doctor_step(d, false, "file", "%s may not be executed by this user", path);
    return DOCTOR_MODEL_NOT_EXECUTABLE;
  }
  int machine = machine_of(path), here = machine_of("/proc/self/exe");
  if (machine >= 0 && here >= 0 && machine != here) {
    doctor_step(d, false, "file", "it is for machine %d, this is %d (ELF)",
                machine, here);
    return DOCTOR_MODEL_MACHINE;
  }
  doctor_step(d, true, "file", "%s, %lld bytes", path, (long long)st.st_size);
  return DOCTOR_CLASSIFIES;
}

/* -- asked -------------------------------------------------------------------
 */

static enum doctor_verdict of_describe(int error, bool url) {
  switch (error) {
  case -ECONNREFUSED:
    return url ? DOCTOR_CONTAINER_REFUSED : DOCTOR_MODEL_ENDS;
  case -ETIMEDOUT:
    return url ? DOCTOR_CONTAINER_HANGS : DOCTOR_MODEL_DEAF;
  case -EREMOTEIO:
    return DOCTOR_MODEL_REFUSES;
  case -ENOTSUP:
    return DOCTOR_MODEL_KIND;
  default:
    return DOCTOR_NO_MODEL;
  }
}

static enum doctor_verdict of_classify(int error) {
  switch (error) {
  case -ECONNREFUSED:
    return DOCTOR_MODEL_CRASHES;
  case -ETIMEDOUT:
    return DOCTOR_MODEL_HANGS;
  case -EREMOTEIO:
    return DOCTOR_WINDOW_REFUSED;
  default:
    return DOCTOR_ANSWER_BAD;
  }
}

static void say_model(struct doctor *d, const struct wr_model *m) {
  char labels[256] = "";
  for (size_t i = 0; i < m->labels.count; i++) {
    size_t used = strlen(labels);
    snprintf(labels + used, sizeof(labels) - used, "%s%s", i > 0 ? ", " : "",
             m->labels.at[i].name);
  }
  doctor_step(d, true, "model", "%s, version %lld", m->name,
              (long long)m->version);
  doctor_step(d, true, "window", "%zu samples on %zu axis, %g s apart",
              m->features / m->axes, m->axes, (double)m->interval_us / 1e6);
  doctor_step(d, true, "labels", "%s%s", labels,
              m->has_anomaly ? "; with an anomaly score" : "");
}

static void say_answer(struct doctor *d, const struct wr_model *m,
                       const struct wr_answer *a, double took_ms) {
  char scores[256] = "";
  for (size_t i = 0; i < m->labels.count; i++) {
    size_t used = strlen(scores);
    snprintf(scores + used, sizeof(scores) - used, "%s%s %.2f",
             i > 0 ? ", " : "", m->labels.at[i].name, a->scores[i]);
  }
  doctor_step(d, true, "classify", "%s in %.1f ms", scores, took_ms);
}

/* The sketch takes a label that it does not know for an alarm. */
static enum doctor_verdict compare_labels(struct doctor *d,
                                          const struct wr_model *m) {
  char unknown[256] = "";
  for (size_t i = 0; i < m->labels.count; i++) {
    bool known = false;
    for (size_t k = 0; k < sizeof(sketch_labels) / sizeof(*sketch_labels); k++)
      known |= strcmp(sketch_labels[k], m->labels.at[i].name) == 0;
    size_t used = strlen(unknown);
    if (!known)
      snprintf(unknown + used, sizeof(unknown) - used, "%s%s",
               used > 0 ? ", " : "", m->labels.at[i].name);
  }
  if (unknown[0] == '\0')
    return DOCTOR_CLASSIFIES;
  doctor_step(d, true, "sketch", "weir-flow as it is does not know: %s",
              unknown);
  return DOCTOR_LABELS_UNKNOWN;
}

/* A steady 10 with a little ripple: finite for every feature there is. */
static enum doctor_verdict classify(struct doctor *d, struct wr_inference *i,
                                    const struct wr_model *m) {
  double *features = calloc(m->features, sizeof(*features));
  if (features == NULL)
    return DOCTOR_NO_MEMORY;
  for (size_t n = 0; n < m->features; n++)
    features[n] = 10.0 + 0.1 * sin((double)n);
  struct wr_answer answer;
  bool changed = false;
  int64_t start_us = doctor_clock_us();
  int status = wr_inference_classify(i, m, features, &answer, &changed);
  double took_ms = (double)(doctor_clock_us() - start_us) / 1000.0;
  free(features);
  if (status != 0) {
    doctor_step(d, false, "classify", "after %.0f ms: %s", took_ms, i->error);
    return of_classify(status);
  }
  say_answer(d, m, &answer, took_ms);
  return compare_labels(d, m);
}

static enum doctor_verdict ask(struct doctor *d, struct wr_inference *i,
                               bool url) {
  struct wr_model model = {0};
  int status = wr_inference_describe(i, &model);
  if (status != 0) {
    doctor_step(d, false, "model", "%s", i->error);
    return of_describe(status, url);
  }
  say_model(d, &model);
  enum doctor_verdict v = classify(d, i, &model);
  wr_model_free(&model);
  return v;
}

static enum doctor_verdict walk(struct doctor *d, const char *source,
                                bool url) {
  enum doctor_verdict v = url ? find_host(d, source) : look_at(d, source);
  if (v != DOCTOR_CLASSIFIES)
    return v;
  struct wr_eim_options program = {
      .path = source, .timeout_ms = TIMEOUT_MS, .start_timeout_ms = TIMEOUT_MS};
  wr_scratch_find_places(&program.places, getenv, NULL);
  struct wr_inference *i =
      url ? wr_inference_http(
                source, &(struct wr_http_options){.user_agent = "weir-doctor",
                                                  .timeout_ms = TIMEOUT_MS,
                                                  .max_body = WR_EI_REPLY_MAX})
          : wr_inference_eim(&program);
  v = i != NULL ? ask(d, i, url) : DOCTOR_NO_MEMORY;
  wr_inference_destroy(i);
  return v;
}

int doctor_inference(struct doctor *d, int argc, char **argv) {
  if (argc != 1)
    return doctor_usage(d, "inference takes one URL or the path of a model");
  bool url = strstr(argv[0], "://") != NULL;
  const char *fault = url ? wr_http_url_fault(argv[0], false) : NULL;
  if (fault != NULL)
    return doctor_usage(d, "\"%s\" is not allowed: %s", argv[0], fault);
  wr_http_start();
  int status = doctor_conclude(d, walk(d, argv[0], url));
  wr_http_end();
  return status;
}
