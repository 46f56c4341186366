/* ei_case: descriptions and answers of the flow model, as its peers say them.
 */
#ifndef WEIR_TESTS_EI_CASE_H
#define WEIR_TESTS_EI_CASE_H

#include "lib/infer/ei_proto.h"
#include "tests/unit/unit.h"

#include <string.h>

#define PARAMETERS                                                             \
  "{\"axis_count\":1,\"frequency\":1,\"has_anomaly\":1,"                       \
  "\"image_channel_count\":0,\"image_input_frames\":0,"                        \
  "\"image_input_height\":0,\"image_input_width\":0,"                          \
  "\"inferencing_engine\":2,\"input_features_count\":10,"                      \
  "\"interval_ms\":1000,\"label_count\":4,"                                    \
  "\"labels\":[\"Anomalous\",\"High\",\"Low\",\"Normal\"],"                    \
  "\"model_type\":\"classification\",\"sensor\":6,\"slice_size\":2,"           \
  "\"use_continuous_mode\":false}"
#define PROJECT                                                                \
  "{\"deploy_version\":3,\"id\":999001,\"name\":\"Flow \\u00e4\","             \
  "\"owner\":\"Synthetic\"}"
#define HELLO                                                                  \
  "{\"id\":2,\"model_parameters\":" PARAMETERS ",\"project\":" PROJECT         \
  ",\"success\":true}"
#define INFO "{\"project\":" PROJECT ",\"modelParameters\":" PARAMETERS "}"

static inline int read_model(const char *text, int64_t id, struct wr_model *m) {
  char fault[WR_EI_TEXT] = "";
  int status = wr_ei_read_model(text, strlen(text), id, m, fault);
  CU_ASSERT_EQUAL(status != 0, fault[0] != '\0');
  return status;
}

/* The four labels of the flow model. */
static inline void flow_model(struct wr_model *m) {
  CU_ASSERT_EQUAL_FATAL(read_model(INFO, -1, m), 0);
}

static inline int read_answer(const char *text, int64_t id,
                              const struct wr_model *m, struct wr_answer *out) {
  char fault[WR_EI_TEXT] = "";
  int status = wr_ei_read_answer(text, strlen(text), id, m, out, fault);
  CU_ASSERT_EQUAL(status != 0, fault[0] != '\0');
  return status;
}

#define SCORES(a, h, l, n)                                                     \
  "\"classification\":{\"Anomalous\":" a ",\"High\":" h ",\"Low\":" l          \
  ",\"Normal\":" n "}"

#define WHOLE "{" SCORES("0", "0", "0", "1") "}"

#endif
