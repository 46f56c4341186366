#include "model/eim.h"

#include <string.h>

void eim_init(struct eim *eim, eim_send_fn *send, eim_send_fn *debug,
              void *context, int64_t (*now_us)(void)) {
  memset(eim, 0, sizeof(*eim));
  eim->send = send;
  eim->debug = debug;
  eim->context = context;
  eim->now_us = now_us;
  eim->min_anomaly_score = classifier_info.min_anomaly_score;
  for (int i = 0; i < FLOW_SAMPLES; i++)
    eim->ring[i] = FLOW_NONE;
  message_reader_init(&eim->reader);
}

static void add_parameters(struct reply *reply, float min_anomaly_score) {
  const struct classifier_info *info = &classifier_info;
  reply_add(reply,
            "\"model_parameters\":{\"axis_count\":1,\"frequency\":%g,"
            "\"has_anomaly\":%d,\"has_object_tracking\":false,"
            "\"image_channel_count\":0,\"image_input_frames\":0,"
            "\"image_input_height\":0,\"image_input_width\":0,"
            "\"image_resize_mode\":\"none\",\"inferencing_engine\":255,"
            "\"input_features_count\":%d,\"interval_ms\":%d,"
            "\"label_count\":%d,\"least_samples\":%d,\"labels\":[",
            1000.0 / FLOW_INTERVAL_MS, info->anomaly_block_id != 0,
            FLOW_SAMPLES, FLOW_INTERVAL_MS, FLOW_CLASSES, FLOW_LEAST);
  for (int i = 0; i < FLOW_CLASSES; i++)
    reply_add(reply, "%s\"%s\"", i > 0 ? "," : "", flow_class_names[i]);
  reply_add(reply,
            "],\"model_type\":\"classification\",\"sensor\":-1,"
            "\"slice_size\":%d,\"thresholds\":[",
            EIM_SLICE_SAMPLES);
  if (info->anomaly_block_id != 0) {
    reply_add(reply,
              "{\"id\":%d,\"min_anomaly_score\":", info->anomaly_block_id);
    reply_add_float(reply, min_anomaly_score);
    reply_add(reply, ",\"type\":\"anomaly_kmeans\"}");
  }
  reply_add(reply, "],\"use_continuous_mode\":false}");
}

static void reply_hello(struct reply *reply, int id, float min_anomaly_score) {
  const struct classifier_info *info = &classifier_info;
  reply_add(reply, "{\"id\":%d,", id);
  add_parameters(reply, min_anomaly_score);
  reply_add(reply,
            ",\"project\":{\"deploy_version\":%d,\"id\":%d,\"name\":\"%s\","
            "\"owner\":\"%s\"},\"success\":true}\n",
            info->deploy_version, info->project_id, info->name, info->owner);
}

void eim_describe(struct reply *reply) {
  *reply = (struct reply){0};
  reply_hello(reply, 1, classifier_info.min_anomaly_score);
}

static void hello(struct eim *eim, int id, int version, struct reply *reply) {
  if (eim->greeted) {
    reply_error(reply, &id, "Invalid message 'hello', already initialized");
    return;
  }
  if (version != 1) {
    reply_error(reply, &id, "Invalid value for 'hello', only 1 supported");
    return;
  }
  eim->greeted = true;
  reply_hello(reply, id, eim->min_anomaly_score);
}

static void reply_result(struct eim *eim, struct reply *reply, int id,
                         const struct classifier_result *result) {
  reply_text(reply, "{\"id\":");
  reply_add_int(reply, id);
  reply_text(reply, ",\"result\":{");
  if (classifier_info.anomaly_block_id != 0) {
    reply_text(reply, "\"anomaly\":");
    reply_add_float(reply, result->anomaly);
    reply_text(reply, ",");
  }
  reply_text(reply, "\"classification\":{");
  for (int i = 0; i < FLOW_CLASSES; i++) {
    reply_text(reply, i > 0 ? ",\"" : "\"");
    reply_text(reply, flow_class_names[i]);
    reply_text(reply, "\":");
    reply_add_float(reply, result->scores[i]);
  }
  /* A request is read while it arrives, so "json" has no time of its own. */
  int64_t read_us = eim->now_us() - eim->started_us - result->dsp_us -
                    result->classification_us - result->anomaly_us;
  reply_text(reply, "}},\"success\":true,\"timing\":{\"anomaly\":");
  reply_add_int(reply, (int)(result->anomaly_us / 1000));
  reply_text(reply, ",\"classification\":");
  reply_add_int(reply, (int)(result->classification_us / 1000));
  reply_text(reply, ",\"dsp\":");
  reply_add_int(reply, (int)(result->dsp_us / 1000));
  reply_text(reply, ",\"json\":0,\"stdin\":");
  reply_add_int(reply, (int)(read_us / 1000));
  reply_text(reply, "}}\n");
}

static void show_window(struct eim *eim, const float *window) {
  struct reply line = {0};
  reply_add(&line, "Features (%d):", FLOW_SAMPLES);
  for (int i = 0; i < FLOW_SAMPLES; i++)
    reply_add(&line, " %g", (double)window[i]);
  reply_add(&line, "\n");
  if (eim->debug != NULL)
    eim->debug(eim->context, line.text, line.length);
}

static void run(struct eim *eim, const float *window, struct reply *reply) {
  struct classifier_result result;
  const struct message *m = &eim->reader.message;
  if (m->debug)
    show_window(eim, window);
  classifier_run(window, eim->now_us, &result);
  reply_result(eim, reply, m->id.value, &result);
}

static bool check_array(const struct message_array *array, int id,
                        const char *name, int expected, struct reply *reply) {
  if (array->not_numbers)
    reply_error(reply, &id,
                "Failed to parse classify array, should contain all numbers");
  else if (array->count != expected)
    reply_error(reply, &id,
                "Invalid number of features in '%s', expected %d but got %ld",
                name, expected, array->count);
  else
    return true;
  return false;
}

static void classify(struct eim *eim, struct reply *reply) {
  const struct message *m = &eim->reader.message;
  if (check_array(&m->classify, m->id.value, "classify", FLOW_SAMPLES, reply))
    run(eim, m->classify.values, reply);
}

/* The history grows slice by slice; before that there is none. */
static void classify_continuous(struct eim *eim, struct reply *reply) {
  const struct message *m = &eim->reader.message;
  const int slice = EIM_SLICE_SAMPLES, kept = FLOW_SAMPLES - slice;
  if (!check_array(&m->continuous, m->id.value, "classify_continuous", slice,
                   reply))
    return;
  memmove(eim->ring, eim->ring + slice, (size_t)kept * sizeof(float));
  memcpy(eim->ring + kept, m->continuous.values, (size_t)slice * sizeof(float));
  run(eim, eim->ring, reply);
}

static void set_threshold(struct eim *eim, struct reply *reply) {
  const struct message *m = &eim->reader.message;
  int id = m->id.value;
  if (!m->threshold.id.present) {
    reply_error(reply, &id, "set_threshold should have a numeric field 'id'");
    return;
  }
  if (classifier_info.anomaly_block_id == 0 ||
      m->threshold.id.value != classifier_info.anomaly_block_id) {
    reply_error(reply, &id,
                "set_threshold: cannot find learn block with this id");
    return;
  }
  if (m->threshold.has_score)
    eim->min_anomaly_score = m->threshold.min_anomaly_score;
  reply_add(reply, "{\"id\":%d,\"success\":true}\n", id);
}

static void answer(struct eim *eim, struct reply *reply) {
  const struct message *m = &eim->reader.message;
  int id = m->id.value;
  if (!m->valid || !m->id.present)
    reply_error(reply, NULL, "Missing 'id' field in message");
  else if (m->hello.present)
    hello(eim, id, m->hello.value, reply);
  else if (!eim->greeted)
    reply_error(reply, &id, "Invalid message, should initialize first");
  else if (m->classify.present)
    classify(eim, reply);
  else if (m->continuous.present)
    classify_continuous(eim, reply);
  else if (m->threshold.present)
    set_threshold(eim, reply);
  else
    reply_error(reply, &id, "Failed to handle message");
}

int eim_feed(struct eim *eim, const char *bytes, size_t length) {
  int status = 0;
  for (size_t at = 0, used; status == 0 && at < length; at += used) {
    bool was_open = eim->reader.open;
    int64_t now_us = was_open ? 0 : eim->now_us();
    enum message_progress progress =
        message_feed(&eim->reader, bytes + at, length - at, &used);
    if (!was_open)
      eim->started_us = now_us;
    if (progress == MESSAGE_PARTIAL)
      continue;
    struct reply reply = {0};
    if (progress == MESSAGE_TOO_LONG)
      reply_error(&reply, NULL, "Message longer than %ld bytes, skipped",
                  MESSAGE_BYTES_MAX);
    else
      answer(eim, &reply);
    status = eim->send(eim->context, reply.text, reply.length);
  }
  return status;
}

void eim_free(struct eim *eim) { message_reader_free(&eim->reader); }
