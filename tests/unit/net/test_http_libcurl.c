/* What libcurl is told, and what is made of what it says: in place of libcurl's
 * functions stand ours, which look and hand on. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/alloc.h"
#include "tests/unit/net/http_case.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct {
  CURLoption option;
  long number;
  const char *text;
} told[64];
static size_t told_count;
static curl_off_t times_us; /* that every time is said to be; 0: as it is */
static bool no_easy, no_multi;
static int running, polls, added, removed;

static void *of_libcurl(const char *name) { return dlsym(RTLD_NEXT, name); }

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  CURLcode (*real)(CURL *, CURLoption, ...) =
      (__typeof__(real))of_libcurl("curl_easy_setopt");
  long kind = option - option % 10000;
  va_list ap;
  va_start(ap, option);
  long number = kind == CURLOPTTYPE_LONG ? va_arg(ap, long) : 0;
  curl_off_t size = kind == CURLOPTTYPE_OFF_T ? va_arg(ap, curl_off_t) : 0;
  void *at = kind == CURLOPTTYPE_LONG || kind == CURLOPTTYPE_OFF_T
                 ? NULL
                 : va_arg(ap, void *);
  va_end(ap);
  if (told_count < sizeof(told) / sizeof(told[0])) {
    told[told_count].option = option;
    told[told_count].number = number;
    told[told_count++].text = at;
  }
  return kind == CURLOPTTYPE_LONG    ? real(easy, option, number)
         : kind == CURLOPTTYPE_OFF_T ? real(easy, option, size)
                                     : real(easy, option, at);
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...) {
  CURLcode (*real)(CURL *, CURLINFO, ...) =
      (__typeof__(real))of_libcurl("curl_easy_getinfo");
  va_list ap;
  va_start(ap, info);
  void *at = va_arg(ap, void *);
  va_end(ap);
  CURLcode code = real(easy, info, at);
  if (times_us > 0 &&
      (info == CURLINFO_TOTAL_TIME_T || info == CURLINFO_STARTTRANSFER_TIME_T))
    *(curl_off_t *)at = times_us;
  return code;
}

CURL *curl_easy_init(void) {
  CURL *(*real)(void) = (__typeof__(real))of_libcurl("curl_easy_init");
  return no_easy ? NULL : real();
}

CURLM *curl_multi_init(void) {
  CURLM *(*real)(void) = (__typeof__(real))of_libcurl("curl_multi_init");
  return no_multi ? NULL : real();
}

CURLMcode curl_multi_perform(CURLM *multi, int *count) {
  CURLMcode (*real)(CURLM *, int *) =
      (__typeof__(real))of_libcurl("curl_multi_perform");
  CURLMcode code = real(multi, count);
  running = *count;
  return code;
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd *more,
                          unsigned count, int timeout_ms, int *ready) {
  CURLMcode (*real)(CURLM *, struct curl_waitfd *, unsigned, int, int *) =
      (__typeof__(real))of_libcurl("curl_multi_poll");
  CU_ASSERT(running > 0); /* or it would wait for nothing */
  polls++;
  return real(multi, more, count, timeout_ms, ready);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) {
  CURLMcode (*real)(CURLM *, CURL *) =
      (__typeof__(real))of_libcurl("curl_multi_add_handle");
  added++;
  return real(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) {
  CURLMcode (*real)(CURLM *, CURL *) =
      (__typeof__(real))of_libcurl("curl_multi_remove_handle");
  removed += easy != NULL;
  return real(multi, easy);
}

void curl_easy_cleanup(CURL *easy) {
  void (*real)(CURL *) = (__typeof__(real))of_libcurl("curl_easy_cleanup");
  CU_ASSERT_EQUAL(removed, added); /* as libcurl wants it */
  real(easy);
}

/* How often it was told, and the last of it. */
static int told_of(CURLoption option, long *number, const char **text) {
  int times = 0;
  *number = -1;
  *text = NULL;
  for (size_t i = 0; i < told_count; i++)
    if (told[i].option == option) {
      times++;
      *number = told[i].number;
      *text = told[i].text;
    }
  return times;
}

static void check_number(CURLoption option, long want) {
  long number;
  const char *text;
  CU_ASSERT_EQUAL(told_of(option, &number, &text), 1);
  CU_ASSERT_EQUAL(number, want);
}

static void check_text(CURLoption option, int times, const char *want) {
  long number;
  const char *text;
  CU_ASSERT_EQUAL(told_of(option, &number, &text), times);
  CU_ASSERT_EQUAL(text == NULL, want == NULL);
  if (text != NULL && want != NULL)
    CU_ASSERT_STRING_EQUAL(text, want);
}

static void create(const struct wr_http_options *o) {
  told_count = 0;
  struct wr_http *h = wr_http_create(o);
  CU_ASSERT_PTR_NOT_NULL(h);
  wr_http_destroy(h);
}

/* Whom to trust: everybody's certificate and name are looked at, unless the
 * user says otherwise, by each on its own; TLS 1.2 at least; and the
 * authorities are the system's, or those that he names alone. */
static void test_trust(void) {
  static const struct {
    bool peer, host;
    const char *cert, *path;
  } cases[] = {{false, false, NULL, NULL}, {true, false, NULL, NULL},
               {false, true, NULL, NULL},  {false, false, "/a.pem", NULL},
               {false, false, NULL, "/d"}, {false, false, "/a.pem", "/d"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_http_options o = options;
    bool named = cases[i].cert != NULL || cases[i].path != NULL;
    o.insecure_peer = cases[i].peer;
    o.insecure_host = cases[i].host;
    o.ca_cert = cases[i].cert;
    o.ca_path = cases[i].path;
    create(&o);
    check_number(CURLOPT_SSL_VERIFYPEER, cases[i].peer ? 0 : 1);
    check_number(CURLOPT_SSL_VERIFYHOST, cases[i].host ? 0 : 2);
    check_number(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    check_text(CURLOPT_CAINFO, named, cases[i].cert);
    check_text(CURLOPT_CAPATH, named, cases[i].path);
  }
}

/* Who we are is told to nobody unless the user says so. */
static void test_who_we_are(void) {
  struct wr_http_options o = options;
  create(&o);
  check_text(CURLOPT_SSLCERT, 0, NULL);
  check_text(CURLOPT_SSLKEY, 0, NULL);
  o.client_cert = "/c.pem";
  o.client_key = "/k.pem";
  create(&o);
  check_text(CURLOPT_SSLCERT, 1, "/c.pem");
  check_text(CURLOPT_SSLKEY, 1, "/k.pem");
}

/* Our process has threads, and signals of others. */
static void test_process(void) {
  create(&options);
  check_number(CURLOPT_NOSIGNAL, 1);
  check_number(CURLOPT_QUICK_EXIT, 1);
}

/* To connect there is the whole time, or as long as is said. */
static void test_timeouts(void) {
  for (int ms = 0; ms < 3; ms++) {
    struct wr_http_options o = options;
    o.connect_timeout_ms = ms;
    create(&o);
    check_number(CURLOPT_CONNECTTIMEOUT_MS, ms == 0 ? 30000 : ms);
    check_number(CURLOPT_TIMEOUT_MS, 30000);
  }
}

/* What libcurl cannot give is no handle of ours. */
static void test_no_libcurl(void) {
  no_easy = true;
  CU_ASSERT_PTR_NULL(wr_http_create(&options));
  no_easy = false;
  no_multi = true;
  CU_ASSERT_PTR_NULL(wr_http_create(&options));
  no_multi = false;
}

/* Nor is what memory does not do for, with all that may be named. */
static void test_no_memory_to_begin(void) {
  struct wr_http_options o = options;
  o.ca_cert = "/none/ca.pem";
  o.client_cert = "/none/cert.pem";
  o.client_key = "/none/key.pem";
  long n = 0;
  for (; unit_alloc_arm(n); n++) {
    struct wr_http *h = wr_http_create(&o);
    CU_ASSERT_EQUAL(h == NULL, unit_alloc_failed());
    wr_http_destroy(h);
  }
  CU_ASSERT(n > 4); /* itself, the header, three names */
}

/* To the millisecond, what is made of libcurl's times. */
static void test_times(void) {
  static const struct {
    curl_off_t took_us;
    int64_t waited_ms, retry_after_ms;
  } cases[] = {{999, 0, 7100}, {1000, 1, 7101}, {1001000, 1001, 8101}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct server s;
    server_start(&s, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n"
                     "Content-Length: 0\r\nConnection: close\r\n\r\n");
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    times_us = cases[i].took_us;
    CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
    times_us = 0;
    CU_ASSERT_EQUAL(reply.waited_ms, cases[i].waited_ms);
    CU_ASSERT_EQUAL(reply.retry_after_ms, cases[i].retry_after_ms);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
}

/* It waits while there is something to wait for, and keeps no request. */
static void test_waits(void) {
  struct server s;
  pause_us = 20000;
  server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  struct wr_http *h = wr_http_create(&options);
  struct wr_http_reply reply = {0};
  polls = added = removed = 0;
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT(polls > 0);
  CU_ASSERT_EQUAL(added, 1);
  CU_ASSERT_EQUAL(removed, 1);
  pause_us = 0;
  wr_http_stop(h);
  CU_ASSERT_EQUAL(get(h, &s, &reply), -ECANCELED);
  CU_ASSERT_EQUAL(added, 2);
  CU_ASSERT_EQUAL(removed, 2);
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

/* The byte that is too much may come alone. */
static void test_one_byte_too_much(void) {
  for (int more = 0; more < 2; more++) {
    struct server s;
    char text[400];
    snprintf(text, sizeof(text),
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "64\r\n%0100d\r\n%s0\r\n\r\n",
             0, more ? "1\r\nx\r\n" : "");
    server_start(&s, text);
    struct wr_http *h = wr_http_create(&options);
    struct wr_http_reply reply = {0};
    CU_ASSERT_EQUAL(get(h, &s, &reply), more ? -EMSGSIZE : 0);
    CU_ASSERT_EQUAL(reply.body.len, 100);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
    server_stop(&s);
  }
}

/* Memory that was short once: the next request on the handle has its own,
 * whether its reply has a body or not. */
static void test_memory_again(void) {
  static const char *const replies[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
      "HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"};
  struct server s;
  server_start(&s, NULL);
  struct wr_http *h = wr_http_create(&options);
  for (int empty = 0; empty < 2; empty++)
    for (long n = 0; unit_alloc_arm(n); n++) {
      struct wr_http_reply reply = {0};
      s.reply = replies[0];
      int status = get(h, &s, &reply);
      bool failed = unit_alloc_failed();
      unit_alloc_off();
      CU_ASSERT_EQUAL(status, failed ? -ENOMEM : 0);
      s.reply = replies[empty];
      CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
      CU_ASSERT_EQUAL(reply.body.len, empty ? 0 : 4);
      CU_ASSERT_STRING_EQUAL(reply.error, "");
      wr_http_reply_free(&reply);
    }
  wr_http_destroy(h);
  server_stop(&s);
}

/* What would be read for ever is not read, nor is anybody asked. */
static void test_files_that_are_none(void) {
  char path[64] = "/tmp/test-http-XXXXXX", url[64], want[128];
  struct server s;
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
  strcat(path, "/f");
  CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
  snprintf(want, sizeof(want), "%s is not a file", path);
  server_start(&s, "no TLS");
  snprintf(url, sizeof(url), "https://127.0.0.1:%d/", s.port);
  for (int which = 0; which < 3; which++) {
    struct wr_http_options o = options;
    struct wr_http_reply reply = {.status = 200};
    *(which == 0   ? &o.ca_cert
      : which == 1 ? &o.client_cert
                   : &o.client_key) = path;
    struct wr_http *h = wr_http_create(&o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    CU_ASSERT_EQUAL(
        wr_http_perform(
            h, &(struct wr_http_request){.method = "GET", .url = url}, &reply),
        -EPROTO);
    CU_ASSERT_STRING_EQUAL(reply.error, want);
    CU_ASSERT_EQUAL(reply.status, 0);
    wr_http_reply_free(&reply);
    wr_http_destroy(h);
  }
  server_stop(&s);
  CU_ASSERT_EQUAL(s.served, 0);
  unlink(path);
  *strrchr(path, '/') = '\0';
  CU_ASSERT_EQUAL(rmdir(path), 0);
}

/* No header has to be watched. */
static void test_nothing_watched(void) {
  struct server s;
  struct wr_http_options o = options;
  o.watch_header = NULL;
  server_start(&s, "HTTP/1.1 200 OK\r\nX-Version: 1\r\n"
                   "Content-Length: 0\r\nConnection: close\r\n\r\n");
  struct wr_http *h = wr_http_create(&o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(h);
  struct wr_http_reply reply = {0};
  CU_ASSERT_EQUAL(get(h, &s, &reply), 0);
  CU_ASSERT_EQUAL(reply.status, 200);
  CU_ASSERT_STRING_EQUAL(reply.watched, "");
  wr_http_reply_free(&reply);
  wr_http_destroy(h);
  server_stop(&s);
}

UNIT_MAIN("http_libcurl", UNIT(test_trust), UNIT(test_who_we_are),
          UNIT(test_process), UNIT(test_timeouts), UNIT(test_no_libcurl),
          UNIT(test_no_memory_to_begin), UNIT(test_times), UNIT(test_waits),
          UNIT(test_one_byte_too_much), UNIT(test_memory_again),
          UNIT(test_nothing_watched), UNIT(test_files_that_are_none))
