/* Bare libcurl: CPU time, in seconds, of one published value over a kept TLS
 * connection, with nothing around it: what is left when all of Weir and
 * collectd is taken away.
 *
 *   bare_curl URL CA TOKEN VALUES SECONDS    as arduino_client.py */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double used(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t drop(char *data, size_t size, size_t count, void *arg) {
  (void)data;
  (void)arg;
  return size * count;
}

static void publish(CURL *c, int value) {
  char body[32];
  long status = 0;
  snprintf(body, sizeof(body), "{\"value\":%d}", value);
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
  if (curl_easy_perform(c) != CURLE_OK ||
      curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
      status != 200) {
    fprintf(stderr, "bare_curl: refused: %ld\n", status);
    exit(1);
  }
}

int main(int argc, char **argv) {
  static char auth[8192];
  if (argc != 6)
    return 2;
  CURL *c = curl_easy_init();
  snprintf(auth, sizeof(auth), "Authorization: Bearer %s", argv[3]);
  struct curl_slist *headers = curl_slist_append(NULL, auth);
  headers = curl_slist_append(headers, "Content-Type: application/json");
  curl_easy_setopt(c, CURLOPT_URL, argv[1]);
  curl_easy_setopt(c, CURLOPT_CAINFO, argv[2]);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
  curl_easy_setopt(c, CURLOPT_POST, 1L);
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "PUT");
  publish(c, -1);
  puts("ready");
  fflush(stdout);
  (void)getchar();
  int values = atoi(argv[4]);
  useconds_t pause = (useconds_t)(1e6 * atof(argv[5]));
  double begun = used();
  for (int n = 0; n < values; n++) {
    usleep(pause);
    publish(c, n);
  }
  printf("%.9f\n", (used() - begun) / values);
  curl_slist_free_all(headers);
  curl_easy_cleanup(c);
  return 0;
}
