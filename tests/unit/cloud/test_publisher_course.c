/* The whole course of a publisher: each request with its instant in seconds,
 * what was in it, how it was answered, and what is said of it all. Nothing
 * else happens. The jitter of every wait is in the middle: 1.5 s at first. */
#include "tests/unit/cloud/fake_cloud.h"

#include "lib/base/json.h"

static char course[16384], said[1024];
static int64_t start_ms;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...) {
  size_t used = strlen(course);
  va_list ap;
  va_start(ap, format);
  vsnprintf(course + used, sizeof(course) - used, format, ap);
  va_end(ap);
}

static void put_value(const struct wr_json *item) {
  const char *text = "?";
  double number = 0;
  if (wr_json_double(item, "value", &number) == 0)
    put("%g", number);
  else if (wr_json_string(item, "value", &text) == 0)
    put("%s", text);
}

/* Of many stamped values the first and the last: "1@00:00:05". */
static void put_batch(const struct wr_json *doc) {
  const struct wr_json *v = NULL, *last = NULL;
  int count = 0;
  while ((v = wr_json_next(doc, v)) != NULL) {
    last = v;
    if (count++ > 0)
      continue;
    const char *stamp = "";
    wr_json_string(v, "timestamp", &stamp);
    put(" ");
    put_value(v);
    put("@%.12s", stamp + 11);
  }
  if (count < 2)
    return;
  const char *stamp = "";
  wr_json_string(last, "timestamp", &stamp);
  put("%s", count > 2 ? " .. " : " ");
  put_value(last);
  put("@%.12s", stamp + 11);
  if (count > 2)
    put(" (%d)", count);
}

static void seen(const struct wr_http_request *r, int error, int status) {
  const char *tail = strstr(r->url, "/things/thing");
  const struct wr_json *v = NULL, *list = NULL;
  struct wr_json *doc = NULL;
  put("%g ", (double)(t.now_ms - start_ms) / 1000);
  if (tail == NULL)
    put("token");
  else if (strcmp(r->method, "GET") == 0)
    put("names");
  else if (wr_json_parse(r->body, r->body_len, 1 << 20, &doc) == 0) {
    bool one = strstr(tail, "/properties/") != NULL;
    bool batch = strstr(tail, "publish_batch") != NULL;
    put("%s", batch ? "batch " : one ? "one " : "many");
    if (one)
      put("%.3s", strstr(tail, "/properties/") + 12);
    if (batch)
      put_batch(doc);
    else if (one)
      put(" "), put_value(doc);
    else
      list = wr_json_get(doc, "properties");
    while (list != NULL && (v = wr_json_next(list, v)) != NULL) {
      const char *name = "";
      wr_json_string(v, "property", &name);
      put(" %.4s=", name);
      put_value(v);
    }
    wr_json_free(doc);
  }
  if (error != 0)
    put(" %s", error == -ETIMEDOUT ? "times out" : "fails");
  else if (status != 200)
    put(" %d", status);
  put("\n");
}

/* Says what is said now, if that is new. */
static void look(void) {
  static const char *const states[] = {"ok", "down", "no token", "blocked",
                                       "refused"};
  const struct wr_publisher_stats *s = &pub.stats;
  const char *const words[] = {s->state != WR_LINK_OK ? s->fault : "",
                               s->advice, s->refusal, s->budget};
  char now[1024];
  snprintf(now, sizeof(now), "  %s%s", states[s->state], s->up ? ", up" : "");
  for (int i = 0; i < 4; i++)
    if (words[i][0] != '\0')
      snprintf(now + strlen(now), sizeof(now) - strlen(now), ": %.24s",
               words[i]);
  if (strcmp(now, said) != 0)
    put("%s\n", now);
  snprintf(said, sizeof(said), "%s", now);
}

static void go(int64_t ms) {
  int64_t end_ms = t.now_ms + ms;
  while (t.now_ms < end_ms) {
    int64_t wait = wr_publisher_step(&pub, &t);
    look();
    pass(wait < end_ms - t.now_ms ? wait : end_ms - t.now_ms);
  }
}

static void begin(int batch, int64_t daily) {
  start();
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  start_with(batch, daily);
  cloud.seen = seen;
  course[0] = said[0] = '\0';
  start_ms = t.now_ms;
}

static void ends_as(const char *want) {
  CU_ASSERT_STRING_EQUAL(course, want);
  if (strcmp(course, want) != 0)
    fprintf(stderr, "%s", course);
  stop();
}

/* No reply: the values go again, with their stamps, by whatever way. */
static void test_no_reply(void) {
  begin(100, 0);
  flow(1);
  label("Low");
  go(4000);
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "/things/", .error = -ETIMEDOUT, .times = 12};
  for (int i = 2; i < 22; i++) {
    flow(i);
    if (i == 10)
      label("High");
    go(1000);
  }
  go(10000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=Low flow=1\n"
          "4 many flow=2 times out\n"
          "  down: planned\n"
          "5.5 names times out\n"
          "7 names times out\n"
          "8.5 names times out\n"
          "10 names times out\n"
          "11.5 names times out\n"
          "13 names times out\n"
          "14.5 names times out\n"
          "16 names times out\n"
          "17.5 names times out\n"
          "19 names times out\n"
          "20.5 names times out\n"
          "22 names\n"
          "23 batch f-1 2@00:00:04.000 .. 20@00:00:22.000 (19)\n"
          "  ok, up\n"
          "24 many clas=High flow=21\n"
          "25 batch c-1 High@00:00:12.000\n");
}

/* A request that a server fails costs more each time. */
static void test_500(void) {
  begin(100, 0);
  go(2000);
  plan("publish", 500, "{\"detail\":\"boom\"}", 0);
  flow(1);
  label("Low");
  go(24000);
  cloud.plan_count = 0;
  go(60000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=Low flow=1 500\n"
          "  down: HTTP 500: boom\n"
          "3.5 names\n"
          "4.5 batch f-1 1@00:00:02.000 500\n"
          "6 names\n"
          "7 many clas=Low 500\n"
          "8.5 names\n"
          "9.5 batch f-1 1@00:00:02.000 500\n"
          "11 names\n"
          "12 one c-1 Low 500\n"
          "13.5 names\n"
          "14.5 one c-1 Low 500\n"
          "16 names\n"
          "17 one c-1 Low 500\n"
          "18.5 names\n"
          "19.5 one c-1 Low 500\n"
          "21 names\n"
          "22 one c-1 Low 500\n"
          "23.5 names\n"
          "24.5 one c-1 Low 500\n"
          "26 names\n"
          "27 one c-1 Low\n"
          "  ok, up\n"
          "28 batch c-1 Low@00:00:02.000\n"
          "29 one f-1 1\n"
          "30 batch f-1 1@00:00:02.000\n");
}

/* One value that is refused in the service's own words, among others. */
static void test_refused_value(void) {
  begin(100, 0);
  go(2000);
  cloud.plans[cloud.plan_count++] = (struct plan){
      .part = "publish",
      .status = 400,
      .body = "{\"code\":\"invalid_value\",\"detail\":\"too wet\"}",
      .holds = ":99"};
  flow(99);
  label("Low");
  go(5000);
  for (int i = 0; i < 8; i++) {
    flow(i);
    go(1000);
  }
  go(60000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=Low flow=99 400\n"
          "  refused: the cloud refuses values\n"
          "3 names\n"
          "4 one c-1 Low\n"
          "  ok, up\n"
          "5 one f-1 99 400\n"
          "  refused: the cloud refuses values\n"
          "6 names\n"
          "7 batch f-1 99@00:00:02.000 400\n"
          "8 names\n"
          "9 one c-1 Low\n"
          "  ok\n"
          "10 batch f-1 99@00:00:02.000 .. 2@00:00:09.000 (4) 400\n"
          "  refused: the cloud refuses values\n"
          "11 names\n"
          "12 one f-1 5\n"
          "  ok\n"
          "13 batch f-1 99@00:00:02.000 0@00:00:07.000 400\n"
          "  refused: the cloud refuses values\n"
          "14 names\n"
          "15 one f-1 7\n"
          "  ok\n"
          "16 batch f-1 99@00:00:02.000 400\n"
          "  refused: the cloud refuses values\n"
          "17 names\n"
          "18 batch f-1 99@00:00:02.000 400\n"
          "19 names\n"
          "20 batch f-1 99@00:00:02.000 400\n"
          "21 names\n"
          "22 batch f-1 99@00:00:02.000 400\n"
          "23 names\n"
          "24 batch f-1 0@00:00:07.000\n"
          "  ok\n"
          "25 batch f-1 99@00:00:02.000 400\n"
          "  ok, up: a value is rejected, of \n"
          "26 names\n"
          "27 batch f-1 1@00:00:08.000 2@00:00:09.000\n"
          "28 batch f-1 3@00:00:10.000 .. 6@00:00:13.000 (3)\n");
}

/* The call for several is not there, and later is. */
static void test_without_publish_of_several(void) {
  begin(100, 0);
  plan("thing/publish", 404, "", 0);
  flow(1);
  label("Low");
  go(10000);
  cloud.plan_count = 0;
  flow(2);
  label("High");
  go(WR_ABSENT_MS - 10000);
  flow(3);
  label("Low");
  go(10000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=Low flow=1 404\n"
          "  refused: the cloud refuses values\n"
          "3 names\n"
          "4 one c-1 Low\n"
          "  ok, up\n"
          "5 one f-1 1\n"
          "10 one c-1 High\n"
          "11 one f-1 2\n"
          "600 token\n"
          "601 one c-1 Low\n"
          "602 many flow=3\n");
}

/* A backlog of an earlier process: history, and what comes now goes live. */
static void test_backlog(void) {
  begin(8, 0);
  for (int i = 0; i < 30; i++) {
    flow(i);
    pass(1000);
  }
  label("Low");
  wr_publisher_free(&pub);
  wr_spool_destroy(spool);
  start_with(8, 0);
  start_ms = t.now_ms;
  go(2000);
  flow(100);
  label("High");
  go(10000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=High flow=100\n"
          "3 batch f-1 0@00:00:00.000 .. 7@00:00:07.000 (8)\n"
          "4 batch f-1 8@00:00:08.000 .. 15@00:00:15.000 (8)\n"
          "5 batch f-1 16@00:00:16.000 .. 23@00:00:23.000 (8)\n"
          "6 batch f-1 24@00:00:24.000 .. 29@00:00:29.000 (6)\n"
          "7 batch c-1 Low@00:00:30.000 High@00:00:32.000\n");
}

/* The call with time stamps is not there for ten minutes: without them then,
 * one value at a time, and asked for again after ten more. */
static void test_without_publish_batch(void) {
  begin(8, 0);
  plan("publish_batch", 404, "", 0);
  go(2000);
  for (int i = 0; i < 4; i++) {
    flow(i);
    pass(1000);
  }
  go(12000);
  go(WR_ABSENT_MS - 20000);
  course[0] = '\0';
  go(40000);
  flow(4);
  go(WR_ABSENT_MS - 40000);
  flow(5);
  pass(1000);
  cloud.plan_count = 0;
  flow(6);
  go(60000);
  ends_as("606.272 batch f-1 0@00:00:02.000 .. 2@00:00:04.000 (3) 404\n"
          "607.272 names\n"
          "621.504 batch f-1 0@00:00:02.000 .. 2@00:00:04.000 (3) 404\n"
          "622.504 names\n"
          "637.117 one f-1 0\n"
          "  ok, up\n"
          "638.117 many flow=4\n"
          "639.117 one f-1 1\n"
          "640.117 one f-1 2\n"
          "1199 token\n"
          "1200 many flow=6\n"
          "1201 one f-1 5\n");
}

/* A value with which every request fails is stepped over, and tried again. */
static void test_stepped_over(void) {
  begin(8, 0);
  go(2000);
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "publish_batch", .status = 500, .holds = ":7}"};
  for (int i = 0; i < 12; i++) {
    flow(i);
    pass(1000);
  }
  go(240000);
  cloud.plan_count = 0;
  go(WR_STEP_BACK_MS);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "14 many flow=11\n"
          "15 batch f-1 0@00:00:02.000 .. 7@00:00:09.000 (8) 500\n"
          "  down: HTTP 500\n"
          "16.5 names\n"
          "17.5 batch f-1 0@00:00:02.000 .. 7@00:00:09.000 (8) 500\n"
          "19 names\n"
          "20 batch f-1 0@00:00:02.000 .. 3@00:00:05.000 (4)\n"
          "  ok, up\n"
          "21 batch f-1 4@00:00:06.000 .. 10@00:00:12.000 (7) 500\n"
          "  down: HTTP 500\n"
          "22.5 names\n"
          "23.5 batch f-1 4@00:00:06.000 .. 10@00:00:12.000 (7) 500\n"
          "25 names\n"
          "26 batch f-1 4@00:00:06.000 .. 6@00:00:08.000 (3)\n"
          "  ok, up\n"
          "27 batch f-1 7@00:00:09.000 .. 10@00:00:12.000 (4) 500\n"
          "  down: HTTP 500\n"
          "28.5 names\n"
          "29.5 batch f-1 7@00:00:09.000 .. 10@00:00:12.000 (4) 500\n"
          "31 names\n"
          "32 batch f-1 7@00:00:09.000 8@00:00:10.000 500\n"
          "33.5 names\n"
          "34.5 batch f-1 7@00:00:09.000 500\n"
          "36 names\n"
          "37 batch f-1 7@00:00:09.000 500\n"
          "38.5 names\n"
          "39.5 batch f-1 7@00:00:09.000 500\n"
          "41 names\n"
          "42 batch f-1 7@00:00:09.000 500\n"
          "43.5 names\n"
          "44.5 batch f-1 8@00:00:10.000\n"
          "  ok\n"
          "45.5 batch f-1 7@00:00:09.000 500\n"
          "  down: HTTP 500\n"
          "47 names\n"
          "48 batch f-1 9@00:00:11.000 10@00:00:12.000\n"
          "  ok\n"
          "645.5 token\n"
          "646.5 batch f-1 7@00:00:09.000\n");
}

/* The token ends, and its endpoint fails for a while; then it is refused. */
static void test_token(void) {
  begin(100, 0);
  go(265000);
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "token", .status = 503, .times = 3};
  flow(1);
  go(10000);
  flow(2);
  go(20000);
  plan("/things/", 401, "", 0);
  flow(3);
  go(20000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "265 many flow=1\n"
          "275 token 503\n"
          "  down: no token: HTTP 503\n"
          "276 many flow=2\n"
          "  ok, up\n"
          "295 token 503\n"
          "  down: no token: HTTP 503\n"
          "296 many flow=3 401\n"
          "297 token 503\n"
          "298.5 token\n"
          "299.5 many flow=3 401\n"
          "  no token: the cloud refuses the to\n"
          "301 many flow=3 401\n"
          "302.5 many flow=3 401\n"
          "304 many flow=3 401\n"
          "305 token\n"
          "306 many flow=3 401\n"
          "307.5 many flow=3 401\n"
          "309 many flow=3 401\n"
          "310.5 many flow=3 401\n"
          "312 many flow=3 401\n"
          "313.5 many flow=3 401\n");
}

/* The day's records are used up: states go on, numbers wait for midnight. */
static void test_budget(void) {
  begin(8, 40);
  t.wall_us += 86400 * SECOND - 120 * SECOND;
  for (int i = 0; i < 60; i++) {
    flow(i);
    if (i % 20 == 0)
      label(i % 40 == 0 ? "Low" : "High");
    go(1000);
  }
  go(70000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=Low flow=2\n"
          "3 batch f-1 0@23:58:00.000 1@23:58:01.000\n"
          "4 many flow=4\n"
          "5 batch f-1 3@23:58:03.000\n"
          "6 many flow=6\n"
          "7 batch f-1 5@23:58:05.000\n"
          "8 many flow=8\n"
          "9 batch f-1 7@23:58:07.000\n"
          "10 many flow=10\n"
          "11 batch f-1 9@23:58:09.000\n"
          "12 many flow=12\n"
          "13 batch f-1 11@23:58:11.000\n"
          "14 many flow=14\n"
          "15 batch f-1 13@23:58:13.000\n"
          "16 many flow=16\n"
          "17 batch f-1 15@23:58:15.000\n"
          "18 many flow=18\n"
          "19 batch f-1 17@23:58:17.000\n"
          "20 many clas=High flow=20\n"
          "21 batch f-1 19@23:58:19.000\n"
          "22 many flow=22\n"
          "23 batch f-1 21@23:58:21.000\n"
          "24 many flow=24\n"
          "25 batch f-1 23@23:58:23.000\n"
          "26 many flow=26\n"
          "27 batch f-1 25@23:58:25.000\n"
          "28 many flow=28\n"
          "29 batch f-1 27@23:58:27.000\n"
          "30 many flow=30\n"
          "31 batch f-1 29@23:58:29.000\n"
          "32 many flow=32\n"
          "33 batch f-1 31@23:58:31.000\n"
          "34 many flow=34\n"
          "35 batch f-1 33@23:58:33.000\n"
          "36 many flow=36\n"
          "  ok, up: DailyRecords is used up;\n"
          "40 many clas=Low\n"
          "120 batch f-1 35@23:58:35.000 .. 43@23:58:43.000 (8)\n"
          "  ok, up\n"
          "121 many flow=59\n"
          "122 batch f-1 44@23:58:44.000 .. 51@23:58:51.000 (8)\n"
          "123 batch f-1 52@23:58:52.000 .. 55@23:58:55.000 (4)\n");
}

/* Our clock is an hour late, which the replies say, and is set. */
static void test_wrong_clock(void) {
  begin(8, 0);
  cloud.true_us = WALL + 3600 * SECOND - start_ms * 1000;
  cloud.plans[cloud.plan_count++] =
      (struct plan){.part = "/publish", .error = -ETIMEDOUT, .times = 4};
  for (int i = 0; i < 10; i++) {
    flow(i);
    label(i % 5 == 0 ? "Low" : "High");
    go(1000);
  }
  t.wall_us += 3600 * SECOND;
  flow(10);
  go(20000);
  ends_as("0 token\n"
          "  ok, up\n"
          "1 names\n"
          "2 many clas=High flow=2 times out\n"
          "  down: planned\n"
          "3.5 names\n"
          "4.5 batch f-1 0@01:00:00.000 .. 3@01:00:03.000 (4) times out\n"
          "6 names\n"
          "7 many clas=High flow=7 times out\n"
          "8.5 names\n"
          "9.5 batch f-1 0@01:00:00.000 .. 7@01:00:07.000 (8) times out\n"
          "11 names\n"
          "12 one c-1 High\n"
          "  ok, up\n"
          "13 batch f-1 0@01:00:00.500 .. 3@01:00:03.500 (4)\n"
          "14 one f-1 10\n"
          "15 batch c-1 Low@01:00:00.500 .. High@01:00:07.500 (8)\n"
          "16 one c-1 High\n"
          "17 batch f-1 4@01:00:04.500 .. 9@01:00:09.500 (6)\n"
          "18 batch c-1 High@01:00:08.500 High@01:00:09.500\n");
}

UNIT_MAIN("publisher, its course", UNIT(test_no_reply), UNIT(test_500),
          UNIT(test_refused_value), UNIT(test_without_publish_of_several),
          UNIT(test_backlog), UNIT(test_without_publish_batch),
          UNIT(test_stepped_over), UNIT(test_token), UNIT(test_budget),
          UNIT(test_wrong_clock))
