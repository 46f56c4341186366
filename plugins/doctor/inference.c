/* weir-doctor inference: a window classified for real.
 *
 * /api/info is no proof of health: the container answers it for ever after its
 * model has died. */
#include "doctor/checks.h"
#include "doctor/tools.h"

#include "lib/infer/inference.h"

#include <curl/curl.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 5000 /* the first answer of a cold container may be slow */

static const char *remedy(int error, bool url) {
  switch (error) {
  case -ECONNREFUSED:
  case -EHOSTUNREACH:
    return url ? "is the container running, and is this its port? It begins to "
                 "listen only after its model has started: docker logs shows "
                 "why it does not"
               : "run the file by hand with --print-info: is it built for this "
                 "machine's architecture, is it executable, are its libraries "
                 "there?";
  case -ETIMEDOUT:
    return url ? "restart the container; its model hangs or the board is "
                 "overloaded"
               : "the program starts but does not answer: is it an .eim?";
  case -EREMOTEIO:
    return url ? "restart the container: its model has died or refuses every "
                 "window, and it does not notice by itself"
               : "the model refuses the window: build it again";
  case -ENOTSUP:
    return "use a model that classifies a series of numbers, not images or "
           "sound objects";
  default:
    return "is this an Edge Impulse model or container? compare its version "
           "with the documentation";
  }
}

static int fail(struct doctor *d, const char *step, struct wr_inference *i,
                int error, bool url) {
  doctor_step(d, false, step, "%s", i->error);
  return doctor_end(d, false, "the model does not classify",
                    remedy(error, url));
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

/* A steady 10 with a little ripple: finite for every feature there is. */
static int classify(struct doctor *d, struct wr_inference *i,
                    const struct wr_model *m, bool url) {
  double *features = calloc(m->features, sizeof(*features));
  if (features == NULL)
    return doctor_usage(d, "there is no memory left");
  for (size_t n = 0; n < m->features; n++)
    features[n] = 10.0 + 0.1 * sin((double)n);
  struct wr_answer answer;
  bool changed = false;
  int64_t start_us = doctor_clock_us();
  int status = wr_inference_classify(i, m, features, &answer, &changed);
  double took_ms = (double)(doctor_clock_us() - start_us) / 1000.0;
  free(features);
  if (status != 0)
    return fail(d, "classify", i, status, url);
  say_answer(d, m, &answer, took_ms);
  return doctor_end(d, true, "the model classifies", NULL);
}

int doctor_inference(struct doctor *d, int argc, char **argv) {
  if (argc != 1)
    return doctor_usage(d, "inference takes one URL or the path of a model");
  bool url = strstr(argv[0], "://") != NULL;
  const char *fault = url ? wr_http_url_fault(argv[0], false) : NULL;
  if (fault != NULL)
    return doctor_usage(d, "\"%s\" is not allowed: %s", argv[0], fault);
  curl_global_init(CURL_GLOBAL_ALL);
  struct wr_inference *i =
      url ? wr_inference_http(argv[0],
                              &(struct wr_http_options){
                                  .user_agent = "weir-doctor",
                                  .timeout_ms = TIMEOUT_MS,
                                  .max_body = WR_EI_REPLY_MAX,
                                  .watch_header = "x-ei-project-version"})
          : wr_inference_eim(
                &(struct wr_eim_options){.path = argv[0],
                                         .timeout_ms = TIMEOUT_MS,
                                         .start_timeout_ms = TIMEOUT_MS});
  if (i == NULL)
    return doctor_usage(d, "there is no memory left");
  struct wr_model model = {0};
  int status = wr_inference_describe(i, &model);
  if (status != 0)
    status = fail(d, "model", i, status, url);
  else {
    say_model(d, &model);
    status = classify(d, i, &model, url);
    wr_model_free(&model);
  }
  wr_inference_destroy(i);
  curl_global_cleanup();
  return status;
}
