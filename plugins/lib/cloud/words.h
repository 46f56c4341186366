/* words: whose answer is it? Anybody on the way (a portal, a proxy, a gateway)
 * may answer with any status; only the service's own words say something about
 * what was sent. Pure. */
#ifndef WR_CLOUD_WORDS_H
#define WR_CLOUD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* The service's error format: a JSON object with `detail` or `code`, whose
 * `status`, if any, is that of HTTP. */
bool wr_words_own(const char *text, size_t len, int status);
/* The same for a refusal of credentials, in the format of OAuth. */
bool wr_words_own_token(const char *text, size_t len);
/* The router's of the service: there is no such endpoint. */
bool wr_words_no_endpoint(const char *text, size_t len);
/* A body of a 2xx that is none of the service's: neither empty nor JSON. */
bool wr_words_foreign(const char *text, size_t len);

#endif
