/* The promises of the man page under faults: whatever is answered, and for
 * however long, no value is lost, no time stamp is wrong, the order is kept,
 * and the label is right within 5 s of the end. */
#include "tests/unit/cloud/fake_cloud.h"

#include "lib/base/json.h"

#define ROWS_MAX 400
#define BEFORE_MS 6000
#define AFTER_MS 5000 /* then the label is right */

/* What the cloud has. */
struct entry {
  char property;   /* 'f' or 'c' */
  char text[24];   /* the value */
  int64_t time_us; /* as stamped by us; 0: by the cloud, on arrival */
  int64_t arrived_us;
};

/* What was measured, in the order of its arrival. */
struct sample {
  char property;
  char text[24];
  int64_t time_us; /* the true time */
};

static struct {
  struct entry entries[20 * ROWS_MAX];
  int entry_count;
  struct sample samples[ROWS_MAX];
  int sample_count;
  int64_t true_us; /* the true time minus now_ms */
  char label[24];  /* what the cloud shows */
} world;

static struct fault {
  const char *part; /* of the URL; NULL: no fault */
  int error, status;
  const char *body;
  bool taken; /* the values are taken first, the answer is lost */
} fault;

static int64_t true_now_us(void) { return world.true_us + t.now_ms * 1000; }

/* `item` has the member "value". */
static void note(char property, const struct wr_json *item, const char *stamp) {
  struct entry *e = &world.entries[world.entry_count++];
  const char *text = NULL;
  double number = 0;
  *e = (struct entry){.property = property, .arrived_us = true_now_us()};
  if (wr_json_string(item, "value", &text) == 0)
    snprintf(e->text, sizeof(e->text), "%s", text);
  else if (wr_json_double(item, "value", &number) == 0)
    snprintf(e->text, sizeof(e->text), "%d", (int)number);
  if (stamp != NULL) {
    int y, mo, d, h, mi, s, us;
    CU_ASSERT_EQUAL(
        sscanf(stamp, "%d-%d-%dT%d:%d:%d.%dZ", &y, &mo, &d, &h, &mi, &s, &us),
        7);
    struct tm tm = {.tm_year = y - 1900,
                    .tm_mon = mo - 1,
                    .tm_mday = d,
                    .tm_hour = h,
                    .tm_min = mi,
                    .tm_sec = s};
    e->time_us = (int64_t)timegm(&tm) * SECOND + us;
  }
  if (property == 'c') /* the worst that the service may make of old ones */
    snprintf(world.label, sizeof(world.label), "%s", e->text);
}

static char property_of_url(const char *url) {
  return strstr(url, "/f-1/") != NULL ? 'f' : 'c';
}

/* Takes the values of a request into the cloud's record. */
static void accept(const struct wr_http_request *r) {
  struct wr_json *doc = NULL;
  const struct wr_json *v = NULL;
  const char *name = NULL;
  if (r->body == NULL || strstr(r->url, "/publish") == NULL)
    return;
  CU_ASSERT_EQUAL_FATAL(wr_json_parse(r->body, r->body_len, 1 << 20, &doc), 0);
  const struct wr_json *list = wr_json_get(doc, "properties");
  if (strstr(r->url, "publish_batch") != NULL)
    while ((v = wr_json_next(doc, v)) != NULL) {
      wr_json_string(v, "timestamp", &name);
      note(property_of_url(r->url), v, name);
    }
  else if (list != NULL)
    while ((v = wr_json_next(list, v)) != NULL) {
      wr_json_string(v, "property", &name);
      note(name[0], v, NULL);
    }
  else
    note(property_of_url(r->url), doc, NULL);
  wr_json_free(doc);
}

static int faulty_send(void *arg, const struct wr_http_request *r,
                       struct wr_http_reply *reply) {
  bool hit = fault.part != NULL && strstr(r->url, fault.part) != NULL;
  cloud.count = 0; /* its log is not looked at */
  if (!hit || fault.taken)
    accept(r);
  int error = fake_send(arg, r, reply);
  if (!hit)
    return error;
  wr_bytes_reset(&reply->body);
  wr_bytes_text(&reply->body, fault.body != NULL ? fault.body : "");
  reply->status = fault.error != 0 ? 0 : fault.status;
  return fault.error;
}

static int64_t clock_us(void) { return t.wall_us - t.now_ms * 1000; }

static void measure(int n) {
  struct sample *s = &world.samples[world.sample_count++];
  struct wr_row row = {.time_us = t.wall_us, .clock_us = clock_us()};
  *s = (struct sample){.property = 'f', .time_us = true_now_us()};
  snprintf(s->text, sizeof(s->text), "%d", n);
  row.value = (struct wr_value){WR_VALUE_NUMBER, n, ""};
  wr_spool_offer(spool, &row);
  if (n % 3 == 0) { /* a new label every three seconds */
    s = &world.samples[world.sample_count++];
    *s = (struct sample){.property = 'c', .time_us = true_now_us()};
    snprintf(s->text, sizeof(s->text), "L%d", n);
    row.property = LABEL;
    row.state = true;
    row.value.kind = WR_VALUE_TEXT;
    snprintf(row.value.text, sizeof(row.value.text), "L%d", n);
    wr_spool_offer(spool, &row);
  }
  wr_spool_commit(spool, t.now_ms, t.wall_us);
}

static const char *current_label(void) {
  for (int i = world.sample_count; i-- > 0;)
    if (world.samples[i].property == 'c')
      return world.samples[i].text;
  return "";
}

static void live_for(int64_t ms, int *n) {
  for (; ms > 0; ms -= 1000) {
    measure(++*n);
    run(1000);
  }
}

static bool lost(const struct sample *s) {
  for (int i = 0; i < world.entry_count; i++)
    if (world.entries[i].property == s->property &&
        strcmp(world.entries[i].text, s->text) == 0)
      return false;
  return true;
}

static const struct sample *sample_of(const struct entry *e) {
  for (int i = 0; i < world.sample_count; i++)
    if (world.samples[i].property == e->property &&
        strcmp(world.samples[i].text, e->text) == 0)
      return world.samples + i;
  return NULL;
}

/* A stamp of ours is the true one, to a second where the clock was wrong. One
 * of the cloud's own is at most ten seconds late, but for a label that is told
 * again. */
static bool wrong_stamp(const struct entry *e) {
  const struct sample *s = sample_of(e);
  int64_t off_us = (e->time_us != 0 ? e->time_us : e->arrived_us) - s->time_us;
  if (e->time_us != 0)
    return off_us > 2 * SECOND || off_us < -2 * SECOND;
  return off_us < 0 || (e->property == 'f' && off_us > 12 * SECOND);
}

static bool is_repeated(int at) {
  const struct entry *e = world.entries + at;
  for (int i = 0; i < at; i++)
    if (world.entries[i].property == e->property &&
        world.entries[i].time_us != 0 &&
        strcmp(world.entries[i].text, e->text) == 0)
      return true;
  return false;
}

/* Stamped values stand in the record in the order of their arrival here. */
static bool disorder(char property) {
  const struct sample *before = NULL;
  for (int i = 0; i < world.entry_count; i++) {
    const struct entry *e = world.entries + i;
    if (e->property != property || e->time_us == 0)
      continue;
    const struct sample *s = sample_of(e);
    if (before != NULL && s < before && !is_repeated(i))
      return true;
    before = before == NULL || s > before ? s : before;
  }
  return false;
}

static void check(const char *what, int what_number, bool stamps) {
  int missing = 0, wrong = 0;
  for (int i = 0; i < world.sample_count; i++)
    missing += lost(world.samples + i);
  for (int i = 0; stamps && i < world.entry_count; i++)
    wrong += wrong_stamp(world.entries + i);
  bool mixed = disorder('f') || disorder('c');
  if (missing != 0 || wrong != 0 || mixed || pub.stats.rejected != 0)
    printf("\n%s %d (%s): %d lost, %d wrong stamps, order %s, %d rejected",
           what, what_number, fault.body != NULL ? fault.body : "", missing,
           wrong, mixed ? "mixed" : "kept", (int)pub.stats.rejected);
  CU_ASSERT_EQUAL(missing, 0);
  CU_ASSERT_EQUAL(wrong, 0);
  CU_ASSERT_FALSE(mixed);
  CU_ASSERT_EQUAL(pub.stats.rejected, 0);
  CU_ASSERT_EQUAL(rows_left(), 0);
  CU_ASSERT_TRUE(pub.stats.up);
}

static void check_label(const char *what, int what_number) {
  bool right = strcmp(world.label, current_label()) == 0;
  if (!right)
    printf("\n%s %d: the label is %s, not %s", what, what_number, world.label,
           current_label());
  CU_ASSERT_TRUE(right);
}

static int begin(void) {
  int n = 0;
  start();
  memset(&world, 0, sizeof(world));
  world.true_us = clock_us();
  fault = (struct fault){0};
  pub.link.options.send = faulty_send;
  live_for(BEFORE_MS, &n);
  return n;
}

/* One life with one fault in the middle of it. */
static void live_through(const struct fault *f, int64_t fault_ms,
                         const char *what, int what_number) {
  int n = begin();
  fault = *f;
  live_for(fault_ms, &n);
  CU_ASSERT_TRUE(!pub.stats.up || strcmp(f->part, "publish_batch") == 0);
  fault.part = NULL;
  /* Nothing new: the label has to come right by itself. */
  run(AFTER_MS);
  check_label(what, what_number);
  live_for(3000, &n);
  run(60000);
  fault.body = f->body;
  check(what, what_number, true);
  check_label(what, what_number);
  stop();
}

static const char page[] = "<html><body>Please log in</body></html>";

static const char *own_words(int status) {
  static char text[120];
  snprintf(text, sizeof(text),
           "{\"id\":\"a\",\"code\":\"error\",\"status\":%d,\"detail\":\"no\"}",
           status);
  return text;
}

static void every_status(const char *part, int step, bool taken) {
  for (int status = 300; status < 600; status += step)
    for (int kind = 0; kind < 3; kind++)
      live_through(&(struct fault){.part = part,
                                   .status = status,
                                   .taken = taken,
                                   .body = kind == 0   ? page
                                           : kind == 1 ? own_words(status)
                                                       : NULL},
                   8000, part, status);
}

static void test_every_status_of_every_request(void) {
  every_status("/iot/", 1, false);
}
static void test_every_status_of_a_publish(void) {
  every_status("publish", 7, false);
}
static void test_every_status_of_a_batch(void) {
  every_status("publish_batch", 7, false);
}
static void test_every_status_after_the_values_were_taken(void) {
  every_status("publish", 7, true);
}

static void test_a_page_in_place_of_a_success(void) {
  live_through(&(struct fault){.part = "/iot/", .status = 200, .body = page},
               8000, "page", 200);
}

static void test_no_reply_of_any_kind(void) {
  static const int errors[] = {-ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH,
                               -EPROTO,       -EMSGSIZE,  -EIO};
  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
    for (int taken = 0; taken < 2; taken++)
      live_through(&(struct fault){.part = "/iot/",
                                   .error = errors[i],
                                   .taken = taken != 0},
                   8000, "error", errors[i]);
}

static void test_a_fault_of_five_minutes(void) {
  live_through(&(struct fault){.part = "/iot/", .status = 503}, 100000,
               "minutes", 503);
  live_through(&(struct fault){.part = "/iot/", .status = 302, .body = page},
               100000, "minutes", 302);
}

/* --- the clock --- */

/* The wall clock is set by `step_us` for a while, with or without a link. */
static void live_with_clock(int64_t step_us, bool link, bool date) {
  int n = begin();
  cloud.true_us = date ? world.true_us : 0;
  if (!link)
    fault = (struct fault){.part = "/iot/", .error = -ECONNREFUSED};
  live_for(3000, &n);
  t.wall_us += step_us;
  live_for(4000, &n);
  run(2500);
  if (link)
    check_label("clock", (int)(step_us / SECOND));
  t.wall_us -= step_us;
  live_for(3000, &n);
  fault.part = NULL;
  run(AFTER_MS);
  check_label("clock", (int)(step_us / SECOND));
  run(60000);
  /* Without the service's clock, who knows which of the two was right? */
  check("clock", (int)(step_us / SECOND), date || (!link && step_us > 0));
  stop();
}

static const int64_t steps[] = {5,  3600,  86400,     31536000,
                                -5, -3600, -86400,    -315360000,
                                40, -40,   630720000, -1767225600};

static void test_clock_set_while_the_link_is_up(void) {
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    live_with_clock(steps[i] * SECOND, true, false);
    live_with_clock(steps[i] * SECOND, true, true);
  }
}

/* Where the service has told the time, stamps that are too early are mended as
 * well as those that are too late. */
static void test_clock_set_while_the_link_is_down(void) {
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
    live_with_clock(steps[i] * SECOND, false, true);
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
    if (steps[i] > 60)
      live_with_clock(steps[i] * SECOND, false, false);
}

/* After which failures the cloud may have the value: it is not shown twice. */
static void test_which_failures_leave_a_doubt(void) {
  static const struct {
    int error, status;
    bool doubt;
  } cases[] = {{0, 500, true},
               {0, 503, true},
               {0, 429, false},
               {-ETIMEDOUT, 0, true},
               {-ECONNREFUSED, 0, false},
               {-EHOSTUNREACH, 0, false},
               {-EPROTO, 0, false}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    start();
    cloud.plans[cloud.plan_count++] = (struct plan){.part = "thing/publish",
                                                    .error = cases[k].error,
                                                    .status = cases[k].status,
                                                    .body = ""};
    flow(1);
    run(4000);
    CU_ASSERT_TRUE(pub.stats.retries > 0);
    CU_ASSERT_EQUAL(properties[FLOW].tried_seq != 0, cases[k].doubt);
    stop();
  }
}

UNIT_MAIN("publisher, faults", UNIT(test_which_failures_leave_a_doubt),
          UNIT(test_every_status_of_every_request),
          UNIT(test_every_status_of_a_publish),
          UNIT(test_every_status_of_a_batch),
          UNIT(test_every_status_after_the_values_were_taken),
          UNIT(test_a_page_in_place_of_a_success),
          UNIT(test_no_reply_of_any_kind), UNIT(test_a_fault_of_five_minutes),
          UNIT(test_clock_set_while_the_link_is_up),
          UNIT(test_clock_set_while_the_link_is_down))
