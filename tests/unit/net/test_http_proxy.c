#include "lib/net/http_proxy.h"

#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

/* An environment of our own: NAME=VALUE, one after the other. */
static const char *const *env;

static char *get(const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; env[i] != NULL; i++)
    if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
      return (char *)env[i] + len + 1;
  return NULL;
}

static void check(const char *url, const char *want) {
  struct wr_http_proxy p;
  CU_ASSERT_EQUAL(wr_http_proxy_is_tls(url),
                  strcmp(url, "https://api2.arduino.cc") == 0 ||
                      strcmp(url, "HTTPS://x") == 0 ||
                      strcmp(url, "https://") == 0);
  CU_ASSERT_EQUAL(wr_http_proxy_find(&p, url, get), 0);
  CU_ASSERT_EQUAL(p.url == NULL, want == NULL);
  if (p.url != NULL && want != NULL)
    CU_ASSERT_STRING_EQUAL(p.url, want);
  wr_http_proxy_free(&p);
  CU_ASSERT_PTR_NULL(p.url);
}

/* As libcurl looks for it, for each scheme. */
static void test_names(void) {
  static const struct {
    const char *const env[6];
    const char *http, *https;
  } cases[] = {
      {{NULL}, NULL, NULL},
      {{"http_proxy=h"}, "h", NULL},
      {{"https_proxy=s"}, NULL, "s"},
      {{"HTTPS_PROXY=S"}, NULL, "S"},
      {{"HTTP_PROXY=H"}, NULL, NULL}, /* a header of a request may set it */
      {{"all_proxy=a"}, "a", "a"},
      {{"ALL_PROXY=A"}, "A", "A"},
      {{"ALL_PROXY=A", "all_proxy=a", "HTTPS_PROXY=S", "https_proxy=s",
        "http_proxy=h"},
       "h",
       "s"},
      {{"ALL_PROXY=A", "all_proxy=a", "HTTPS_PROXY=S"}, "a", "S"},
      {{"http_proxy=", "https_proxy=", "HTTPS_PROXY=", "ALL_PROXY=A"},
       "A",
       "A"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    env = cases[i].env;
    check("http://127.0.0.1:1337", cases[i].http);
    check("https://api2.arduino.cc", cases[i].https);
    check("HTTPS://x", cases[i].https);
    check("https://", cases[i].https);
    check("https:/", cases[i].http);
    check("", cases[i].http);
  }
}

static void test_exceptions(void) {
  static const struct {
    const char *const env[4];
    const char *except;
  } cases[] = {{{"http_proxy=h"}, NULL},
               {{"http_proxy=h", "no_proxy=a,b"}, "a,b"},
               {{"http_proxy=h", "NO_PROXY=c"}, "c"},
               {{"NO_PROXY=c", "no_proxy=a"}, "a"},
               {{"NO_PROXY=*", "no_proxy="}, "*"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_http_proxy p;
    env = cases[i].env;
    CU_ASSERT_EQUAL(wr_http_proxy_find(&p, "http://h", get), 0);
    CU_ASSERT_EQUAL(p.except == NULL, cases[i].except == NULL);
    if (p.except != NULL && cases[i].except != NULL)
      CU_ASSERT_STRING_EQUAL(p.except, cases[i].except);
    wr_http_proxy_free(&p);
    CU_ASSERT_PTR_NULL(p.except);
  }
}

static void test_no_memory(void) {
  static const char *const both[] = {"http_proxy=h", "no_proxy=n", NULL};
  env = both;
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_http_proxy p;
    int status = wr_http_proxy_find(&p, "http://h", get);
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    CU_ASSERT_EQUAL(p.url == NULL && p.except == NULL, status != 0);
    wr_http_proxy_free(&p);
  }
}

UNIT_MAIN("http_proxy", UNIT(test_names), UNIT(test_exceptions),
          UNIT(test_no_memory))
