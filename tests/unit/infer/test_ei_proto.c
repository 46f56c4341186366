#include "tests/unit/alloc.h"
#include "tests/unit/infer/ei_case.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *text;
  int status;
} bad_models[] = {
    {"", -EBADMSG},
    {"[]", -EBADMSG},
    {"{", -EBADMSG},
    {"{}", -EBADMSG},
    {"null", -EBADMSG},
    {"{\"id\":2,\"success\":false,\"error\":\"broken\"}", -EREMOTEIO},
    {"{\"id\":2,\"success\":false}", -EREMOTEIO},
    {"{\"id\":2,\"success\":\"true\"}", -EBADMSG},
    {"{\"id\":2,\"success\":true}", -EBADMSG},
    {"{\"id\":3,\"success\":true,\"model_parameters\":" PARAMETERS "}",
     -EBADMSG},
    {"{\"success\":true,\"model_parameters\":" PARAMETERS "}", -EBADMSG},
    {"{\"id\":2,\"success\":true,\"model_parameters\":[]}", -EBADMSG},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":\"10\"}}",
     -EBADMSG},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":0,\"interval_ms\":1000}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":-10,\"interval_ms\":1000}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":999999999999,\"interval_ms\":1000}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"axis_count\":3,\"interval_ms\":1000}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":0}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1e300}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1000,"
     "\"model_type\":\"object_detection\"}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1000,"
     "\"image_input_width\":96}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1000,\"labels\":[]}}",
     -ENOTSUP},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1000,\"labels\":[1]}}",
     -EBADMSG},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1000,\"labels\":[\"\"]}}",
     -EBADMSG},
    {"{\"id\":2,\"success\":true,\"model_parameters\":"
     "{\"input_features_count\":10,\"interval_ms\":1000,\"labels\":{}}}",
     -EBADMSG}};

static void test_models_refused(void) {
  for (size_t i = 0; i < sizeof(bad_models) / sizeof(bad_models[0]); i++) {
    struct wr_model m;
    int status = read_model(bad_models[i].text, 2, &m);
    if (status != bad_models[i].status)
      printf("case %zu: %d\n", i, status);
    CU_ASSERT_EQUAL(status, bad_models[i].status);
    CU_ASSERT_PTR_NULL(m.labels.at);
  }
}

static void check_flow_model(struct wr_model *m) {
  CU_ASSERT_EQUAL(m->features, 10);
  CU_ASSERT_EQUAL(m->axes, 1);
  CU_ASSERT_EQUAL(m->interval_us, 1000000);
  CU_ASSERT_TRUE(m->has_anomaly);
  CU_ASSERT_EQUAL(m->version, 3);
  CU_ASSERT_STRING_EQUAL(m->name, "Flow \xc3\xa4");
  CU_ASSERT_EQUAL_FATAL(m->labels.count, 4);
  CU_ASSERT_STRING_EQUAL(m->labels.at[3].name, "Normal");
  wr_model_free(m);
  CU_ASSERT_EQUAL(m->features + m->axes + m->labels.count, 0);
}

static void test_both_descriptions(void) {
  struct wr_model m;
  CU_ASSERT_EQUAL_FATAL(read_model(HELLO, 2, &m), 0);
  check_flow_model(&m);
  CU_ASSERT_EQUAL_FATAL(read_model(INFO, -1, &m), 0);
  check_flow_model(&m);
  CU_ASSERT_EQUAL(read_model(HELLO, -1, &m), -EBADMSG);
}

/* A model may do with fewer samples than its window has; nonsense is none. */
static void test_least_samples(void) {
  static const struct {
    const char *key;
    size_t least;
  } cases[] = {{"", 0},
               {",\"least_samples\":10", 10},
               {",\"least_samples\":60", 60},
               {",\"least_samples\":61", 0},
               {",\"least_samples\":0", 0},
               {",\"least_samples\":1", 1},
               {",\"least_samples\":30,\"axis_count\":2", 30},
               {",\"least_samples\":31,\"axis_count\":2", 0},
               {",\"least_samples\":-3", 0},
               {",\"least_samples\":\"10\"", 0},
               {",\"least_samples\":null", 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int http = 0; http < 2; http++) {
      struct wr_model m;
      char text[512];
      snprintf(text, sizeof(text),
               "{\"id\":2,\"success\":true,\"%s\":{"
               "\"input_features_count\":60,\"interval_ms\":1000,"
               "\"labels\":[\"a\"]%s}}",
               http ? "modelParameters" : "model_parameters", cases[i].key);
      CU_ASSERT_EQUAL_FATAL(read_model(text, http ? -1 : 2, &m), 0);
      CU_ASSERT_EQUAL(m.least, cases[i].least);
      wr_model_free(&m);
    }
}

/* What goes into logs is one line. */
static void test_texts_of_the_peer(void) {
  struct wr_model m;
  char fault[WR_EI_TEXT] = "";
  static const char refused[] =
      "{\"id\":2,\"success\":false,\"error\":\"a\\nb\\u001b[31m\"}";
  CU_ASSERT_EQUAL(wr_ei_read_model(refused, sizeof(refused) - 1, 2, &m, fault),
                  -EREMOTEIO);
  CU_ASSERT_STRING_EQUAL(fault, "the model says: a b [31m");
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"project\":{\"name\":\"x\\r\\ny\"},\"modelParameters\":{"
                 "\"input_features_count\":10,\"interval_ms\":10,"
                 "\"has_anomaly\":1}}",
                 -1, &m),
      0);
  CU_ASSERT_STRING_EQUAL(m.name, "x  y");
  wr_model_free(&m);
}

static void test_odd_models(void) {
  struct wr_model m;
  /* 62.5 Hz and three axes; only anomalies; a threshold */
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":375,"
                 "\"axis_count\":3,\"frequency\":62.5,\"has_anomaly\":1,"
                 "\"thresholds\":[{\"id\":6,\"type\":\"anomaly_kmeans\","
                 "\"min_anomaly_score\":0.6}]}}",
                 -1, &m),
      0);
  CU_ASSERT_EQUAL(m.interval_us, 16000);
  CU_ASSERT_EQUAL(m.axes, 3);
  CU_ASSERT_EQUAL(m.labels.count, 0);
  CU_ASSERT_EQUAL(m.version, -1);
  CU_ASSERT_DOUBLE_EQUAL(m.anomaly_threshold, 0.6, 1e-9);
  wr_model_free(&m);
}

/* Every ceiling: below it, at it, above it. */
static void test_ceilings_of_a_model(void) {
  static const struct {
    const char *parameters;
    int status;
    int64_t interval_us;
  } cases[] = {
      {"\"input_features_count\":65536,\"interval_ms\":1", 0, 1000},
      {"\"input_features_count\":65537,\"interval_ms\":1", -ENOTSUP, 0},
      {"\"input_features_count\":1,\"interval_ms\":1", 0, 1000},
      {"\"input_features_count\":16,\"axis_count\":16,\"interval_ms\":1", 0,
       1000},
      {"\"input_features_count\":34,\"axis_count\":17,\"interval_ms\":1",
       -ENOTSUP, 0},
      {"\"input_features_count\":16,\"axis_count\":0,\"interval_ms\":1",
       -ENOTSUP, 0},
      {"\"input_features_count\":1,\"axis_count\":2,\"interval_ms\":1",
       -ENOTSUP, 0},
      {"\"input_features_count\":1,\"interval_ms\":86400000", 0, 86400000000},
      {"\"input_features_count\":1,\"interval_ms\":86400001", -ENOTSUP, 0},
      {"\"input_features_count\":1,\"interval_ms\":0.0004", -ENOTSUP, 0},
      {"\"input_features_count\":1,\"interval_ms\":0.001", 0, 1},
      {"\"input_features_count\":1,\"interval_ms\":0,\"frequency\":2", 0,
       500000},
      {"\"input_features_count\":1,\"interval_ms\":-1,\"frequency\":0.5", 0,
       2000000},
      {"\"input_features_count\":1,\"frequency\":0", -ENOTSUP, 0},
      {"\"input_features_count\":1,\"frequency\":-1", -ENOTSUP, 0},
      {"\"input_features_count\":1", -ENOTSUP, 0}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_model m;
    char text[256];
    snprintf(text, sizeof(text),
             "{\"modelParameters\":{%s,\"labels\":[\"a\"]}}",
             cases[i].parameters);
    int status = read_model(text, -1, &m);
    CU_ASSERT_EQUAL(status, cases[i].status);
    if (status == 0)
      CU_ASSERT_EQUAL(m.interval_us, cases[i].interval_us);
    wr_model_free(&m);
  }
}

/* 256 labels of 255 bytes each, no more and no longer. */
static void test_ceilings_of_labels(void) {
  for (int more = 0; more < 4; more++) {
    struct wr_bytes b = WR_BYTES_INIT(1 << 20);
    char fault[WR_EI_TEXT] = "";
    struct wr_model m;
    wr_bytes_text(&b, "{\"modelParameters\":{\"input_features_count\":1,"
                      "\"interval_ms\":1,\"labels\":[\"a\"");
    for (int i = 1; i < 256 + (more & 1); i++)
      wr_bytes_printf(&b, ",\"%0*d\"", 255 + more / 2, i);
    wr_bytes_text(&b, "]}}");
    int status = wr_ei_read_model(b.data, b.len, -1, &m, fault);
    CU_ASSERT_EQUAL(status, more == 0 ? 0 : -EBADMSG);
    CU_ASSERT_EQUAL(m.labels.count, more == 0 ? 256 : 0);
    CU_ASSERT_STRING_EQUAL(fault, more == 0
                                      ? ""
                                      : "\"labels\" is not a list of up "
                                        "to 256 names of up to 255 bytes");
    wr_model_free(&m);
    wr_bytes_free(&b);
  }
}

/* A refusal is one sentence that says which of the answers it was. */
static void test_faults_are_named(void) {
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"", "the reply is not a JSON object"},
      {"[]", "the reply is not a JSON object"},
      {"{}", "the reply has no \"success\""},
      {"{\"id\":2,\"success\":false}", "the model says: no reason given"},
      {"{\"id\":2,\"success\":false,\"error\":\"a\\u007fb c~\"}",
       "the model says: a b c~"},
      {"{\"id\":3,\"success\":true}", "the reply belongs to another request"},
      {"{\"id\":2,\"success\":true}", "\"input_features_count\" is missing"},
      {"{\"id\":2,\"success\":true,\"model_parameters\":{"
       "\"input_features_count\":1,\"interval_ms\":1,\"labels\":1}}",
       "\"labels\" is not a list of up to 256 names of up to 255 bytes"},
      {"{\"id\":2,\"success\":true,\"model_parameters\":{"
       "\"input_features_count\":1,\"interval_ms\":1,\"image_input_width\":1,"
       "\"image_input_height\":2,\"model_type\":"
       "\"0123456789012345678901234567890123456789\"}}",
       "it is a model of the kind \"012345678901234567890123456789012345678\" "
       "for images of 1 x 2 pixels; use one that classifies a time series"},
      {"{\"id\":2,\"success\":true,\"model_parameters\":{"
       "\"input_features_count\":0,\"interval_ms\":1,\"labels\":[\"a\"]}}",
       "not a model of a time series with up to 16 axes and 65536 values"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_model m;
    char fault[WR_EI_TEXT] = "";
    CU_ASSERT(wr_ei_read_model(cases[i].text, strlen(cases[i].text), 2, &m,
                               fault) < 0);
    CU_ASSERT_STRING_EQUAL(fault, cases[i].says);
    wr_model_free(&m);
  }
}

/* A threshold stands in one of several blocks; whichever names it last. */
static void test_thresholds(void) {
  struct wr_model m;
  CU_ASSERT_EQUAL_FATAL(
      read_model("{\"modelParameters\":{\"input_features_count\":1,"
                 "\"interval_ms\":1,\"has_anomaly\":2,\"thresholds\":["
                 "{\"min_score\":0.2},{\"min_anomaly_score\":0.3},{}]}}",
                 -1, &m),
      0);
  CU_ASSERT_DOUBLE_EQUAL(m.anomaly_threshold, 0.3, 1e-12);
  CU_ASSERT_TRUE(m.has_anomaly);
  wr_model_free(&m);
  CU_ASSERT_EQUAL_FATAL(read_model(INFO, -1, &m), 0);
  CU_ASSERT(isnan(m.anomaly_threshold));
  wr_model_free(&m);
}

/* Each refusal says what it is and what to do. */
static void test_refusals_say_what_it_is(void) {
  static const struct {
    const char *parameters, *says;
  } cases[] = {
      {"\"input_features_count\":27648,\"interval_ms\":1,"
       "\"image_input_width\":96,\"image_input_height\":96,"
       "\"model_type\":\"object_detection\"",
       "it is a model of the kind \"object_detection\" for images of 96 x 96 "
       "pixels; use one that classifies a time series"},
      {"\"input_features_count\":9216,\"interval_ms\":0,"
       "\"image_input_width\":96,\"image_input_height\":96",
       "it is a model of the kind \"classification\" for images of 96 x 96 "
       "pixels; use one that classifies a time series"},
      {"\"input_features_count\":10,\"interval_ms\":1000,"
       "\"model_type\":\"regression\\n\"",
       "it is a model of the kind \"regression \"; use one that classifies a "
       "time series"},
      {"\"input_features_count\":10,\"interval_ms\":1000",
       "the model has no labels"},
      {"\"input_features_count\":10,\"interval_ms\":1000,"
       "\"image_input_width\":96",
       "it is a model of the kind \"classification\" for images of 96 x 0 "
       "pixels; use one that classifies a time series"},
      {"\"input_features_count\":10,\"interval_ms\":1000,"
       "\"image_input_width\":1,\"labels\":[\"a\"]",
       "it is a model of the kind \"classification\" for images of 1 x 0 "
       "pixels; use one that classifies a time series"},
      {"\"input_features_count\":10,\"interval_ms\":1000,"
       "\"image_input_width\":9223372036854775807,"
       "\"image_input_height\":9223372036854775807,\"model_type\":"
       "\"0123456789012345678901234567890123456789\"",
       "it is a model of the kind \"012345678901234567890123456789012345678\" "
       "for images of 9223372036854775807 x 9223372036854775807 pixels; use "
       "one that classifies a t"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[512], fault[WR_EI_TEXT] = "";
    struct wr_model m;
    snprintf(text, sizeof(text),
             "{\"id\":2,\"success\":true,\"model_parameters\":{%s}}",
             cases[i].parameters);
    CU_ASSERT_EQUAL(wr_ei_read_model(text, strlen(text), 2, &m, fault),
                    -ENOTSUP);
    CU_ASSERT_STRING_EQUAL(fault, cases[i].says);
  }
}

static void read_other(struct wr_model *m, const char *from, const char *to) {
  char text[2048] = HELLO;
  char *at = strstr(text, from);
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
  memcpy(at, to, strlen(to));
  CU_ASSERT_EQUAL(read_model(text, 2, m), 0);
}

/* Built anew under the same version: any difference makes it another one. */
static void test_another_model(void) {
  static const struct {
    const char *from, *to;
    bool same;
  } cases[] = {
      {"\"axis_count\":1", "\"axis_count\":1", true},
      {"\"owner\":\"Synthetic\"", "\"owner\":\"X\"", true},
      {"\"axis_count\":1", "\"axis_count\":2", false},
      {"\"interval_ms\":1000", "\"interval_ms\":500", false},
      {"\"input_features_count\":10", "\"input_features_count\":20", false},
      {"\"has_anomaly\":1", "\"has_anomaly\":0", false},
      {"\"deploy_version\":3", "\"deploy_version\":4", false},
      {"\"name\":\"Flow", "\"name\":\"flow", false},
      {"\"High\"", "\"Higher\"", false},
      {"[\"Anomalous\"", "[\"Odd\"", false},
      {",\"High\"", "", false},
      {"\"label_count\"", "\"least_samples\":5,\"x\"", false},
      {"\"label_count\"", "\"thresholds\":[{\"min_anomaly_score\":0.3}],\"x\"",
       false},
  };
  struct wr_model first, other, third;
  CU_ASSERT_EQUAL(read_model(HELLO, 2, &first), 0);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    read_other(&other, cases[i].from, cases[i].to);
    read_other(&third, cases[i].from, cases[i].to);
    CU_ASSERT_EQUAL(wr_model_same(&first, &other), cases[i].same);
    CU_ASSERT_EQUAL(wr_model_same(&other, &first), cases[i].same);
    CU_ASSERT_TRUE(wr_model_same(&other, &third));
    wr_model_free(&other);
    wr_model_free(&third);
  }
  wr_model_free(&first);
}

static void test_no_memory(void) {
  struct wr_model m;
  struct wr_answer answer;
  char fault[WR_EI_TEXT];
  for (long n = 0; unit_alloc_arm(n); n++) {
    int status = wr_ei_read_model(HELLO, strlen(HELLO), 2, &m, fault);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    wr_model_free(&m);
  }
  flow_model(&m);
  const char *text =
      "{\"id\":4,\"success\":true,\"result\":{" SCORES("0", "0", "0", "1") "}}";
  for (long n = 0; unit_alloc_arm(n); n++)
    CU_ASSERT_EQUAL(
        wr_ei_read_answer(text, strlen(text), 4, &m, &answer, fault),
        unit_alloc_failed() ? -ENOMEM : 0);
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_bytes b = WR_BYTES_INIT(1000);
    double values[] = {1.5, 2, 3};
    CU_ASSERT_EQUAL(wr_ei_put_classify(&b, values, 3, 1),
                    unit_alloc_failed() ? -ENOMEM : 0);
    wr_bytes_free(&b);
  }
  wr_model_free(&m);
}

static void test_requests(void) {
  struct wr_bytes b = WR_BYTES_INIT(1024);
  const double features[] = {10.1, 0, -2.5, 1.0 / 3.0};
  CU_ASSERT_EQUAL(wr_ei_put_hello(&b, 1), 0);
  CU_ASSERT_STRING_EQUAL(b.data, "{\"hello\":1,\"id\":1}\n");
  wr_bytes_reset(&b);
  CU_ASSERT_EQUAL(wr_ei_put_classify(&b, features, 4, 77), 0);
  CU_ASSERT_STRING_EQUAL(
      b.data, "{\"classify\":[10.1,0,-2.5,0.333333333],\"id\":77}\n");
  wr_bytes_reset(&b);
  CU_ASSERT_EQUAL(wr_ei_put_features(&b, features, 1), 0);
  CU_ASSERT_STRING_EQUAL(b.data, "{\"features\":[10.1]}");
  wr_bytes_reset(&b); /* a model says "null" of what it cannot use */
  CU_ASSERT_EQUAL(wr_ei_put_features(&b, (double[]){NAN, INFINITY, 1e300}, 3),
                  0);
  CU_ASSERT_STRING_EQUAL(b.data, "{\"features\":[null,null,1e+300]}");
  wr_bytes_free(&b);
  struct wr_bytes small = WR_BYTES_INIT(10);
  CU_ASSERT_EQUAL(wr_ei_put_classify(&small, features, 4, 1), -ENOSPC);
  /* each place at which it may be full */
  for (size_t max = 1; max <= 50; max++)
    for (int what = 0; what < 3; what++) {
      struct wr_bytes tiny = WR_BYTES_INIT(max);
      size_t whole = what == 0 ? 19 : what == 1 ? 46 : 38;
      int status = what == 0   ? wr_ei_put_hello(&tiny, 1)
                   : what == 1 ? wr_ei_put_classify(&tiny, features, 4, 7)
                               : wr_ei_put_features(&tiny, features, 4);
      CU_ASSERT_EQUAL(status, max < whole ? -ENOSPC : 0);
      wr_bytes_free(&tiny);
    }
  wr_bytes_free(&small);
}

/* Among few numbers, and among more than are kept, each has its own text. */
static void test_numbers_again(void) {
  for (unsigned different = 1; different <= 97; different++) {
    struct wr_bytes b = WR_BYTES_INIT(1 << 14);
    char want[1 << 14], *end = want + sprintf(want, "{\"features\":");
    double values[600];
    for (unsigned i = 0; i < 600; i++) {
      unsigned which = i * i % 97 % different; /* 0 and -0 are two */
      values[i] = which == 0 ? -0.0 : which == 1 ? 0.0 : which / 7.5;
      end += sprintf(end, "%c%.9g", i == 0 ? '[' : ',', values[i]);
    }
    strcpy(end, "]}");
    CU_ASSERT_EQUAL(wr_ei_put_features(&b, values, 600), 0);
    CU_ASSERT_STRING_EQUAL(b.data, want);
    wr_bytes_free(&b);
  }
}

/* Every split of a stream gives the same objects. */
static void test_scan_any_split(void) {
  static const char stream[] = "banner \"with quotes\n{\"a\":\"}{\\\"\"}\n\0 } "
                               "{\"b\":{\"c\":[{}]}}x{}{\"d\":{}}";
  static const char *const want[] = {
      "{\"a\":\"}{\\\"\"}", "{\"b\":{\"c\":[{}]}}", "{}", "{\"d\":{}}"};
  size_t total = sizeof(stream) - 1;
  for (size_t step = 1; step <= total; step++) {
    struct wr_ei_scan s = {0};
    char buffer[128];
    size_t len = 0, found = 0, begin, end;
    for (size_t at = 0; at < total; at += step) {
      size_t n = at + step <= total ? step : total - at;
      memcpy(buffer + len, stream + at, n);
      len += n;
      while (wr_ei_scan(&s, buffer, len, &begin, &end)) {
        CU_ASSERT_FATAL(found < 4 && end <= len);
        CU_ASSERT_EQUAL(end - begin, strlen(want[found]));
        CU_ASSERT_EQUAL(memcmp(buffer + begin, want[found], end - begin), 0);
        found++;
        memmove(buffer, buffer + end, len - end);
        len -= end;
      }
    }
    CU_ASSERT_EQUAL(found, 4);
  }
}

/* A reason that nobody wants to read to its end is cut. */
static void test_long_reason(void) {
  char text[1000], fault[WR_EI_TEXT + 8], want[500];
  struct wr_model m;
  memset(fault, '#', sizeof(fault));
  snprintf(text, sizeof(text),
           "{\"id\":2,\"success\":false,\"error\":\"%0400d\"}", 0);
  snprintf(want, sizeof(want), "the model says: %0400d", 0);
  CU_ASSERT_EQUAL(wr_ei_read_model(text, strlen(text), 2, &m, fault),
                  -EREMOTEIO);
  want[WR_EI_TEXT - 1] = '\0';
  CU_ASSERT_STRING_EQUAL(fault, want);
  CU_ASSERT_EQUAL(fault[WR_EI_TEXT], '#');
}

/* An id of 0 is one as well, and what answers it says whether it succeeded. */
static void test_id_of_zero(void) {
  struct wr_model m;
  CU_ASSERT_EQUAL(
      read_model("{\"id\":0,\"model_parameters\":" PARAMETERS "}", 0, &m),
      -EBADMSG);
  CU_ASSERT_EQUAL(wr_ei_read_model(NULL, 0, 0, &m, (char[WR_EI_TEXT]){""}),
                  -EBADMSG);
}

UNIT_MAIN("ei_proto", UNIT(test_models_refused), UNIT(test_both_descriptions),
          UNIT(test_least_samples), UNIT(test_texts_of_the_peer),
          UNIT(test_odd_models), UNIT(test_ceilings_of_a_model),
          UNIT(test_ceilings_of_labels), UNIT(test_faults_are_named),
          UNIT(test_thresholds), UNIT(test_refusals_say_what_it_is),
          UNIT(test_another_model), UNIT(test_no_memory), UNIT(test_requests),
          UNIT(test_numbers_again), UNIT(test_scan_any_split),
          UNIT(test_long_reason), UNIT(test_id_of_zero))
