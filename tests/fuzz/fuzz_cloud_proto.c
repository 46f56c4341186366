/* Every reply of the cloud, and the credentials file, as hostile bytes. The
 * first byte chooses the parser. */
#include "lib/cloud/credentials.h"
#include "lib/cloud/proto.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_token(const char *text, size_t len) {
  struct wr_bytes token = WR_BYTES_INIT(256);
  int64_t lifetime = 0;
  if (wr_cloud_read_token(text, len, &token, &lifetime) == 0) {
    check(token.len > 0 && token.len == strlen(token.data));
    check(strpbrk(token.data, "\r\n ") == NULL);
    check(lifetime > 0);
  }
  wr_bytes_wipe(&token);
}

static void each(const struct wr_cloud_property *p, void *arg) {
  (void)arg;
  check(wr_cloud_id_ok(p->id) && wr_cloud_name_ok(p->name));
  check(strpbrk(p->type_name, "\r\n\x1b") == NULL);
}

static void fuzz_error(const char *text, size_t len) {
  char out[64];
  memset(out, 0x7f, sizeof(out));
  wr_cloud_read_error(text, len, out, sizeof(out));
  size_t used = strnlen(out, sizeof(out));
  check(used < sizeof(out));
  for (size_t i = 0; i < used; i++)
    check(out[i] >= ' ' && out[i] <= '~');
}

static void fuzz_credentials(const char *text, size_t len) {
  static struct wr_credentials c;
  memset(&c, 0, sizeof(c));
  if (wr_credentials_parse(&c, text, len) == 0 &&
      wr_credentials_check(&c, "the file") == 0) {
    check(wr_cloud_id_ok(c.thing_id) && c.client_id[0] != '\0');
    struct wr_bytes body = WR_BYTES_INIT(4096);
    check(wr_cloud_token_body(&body, c.client_id, c.client_secret, NULL) == 0);
    check(strpbrk(body.data, "\r\n ") == NULL);
    wr_bytes_wipe(&body);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  const char *text = (const char *)data + 1;
  switch (data[0] % 4) {
  case 0:
    fuzz_token(text, size - 1);
    break;
  case 1:
    wr_cloud_read_properties(text, size - 1, each, NULL);
    break;
  case 2:
    fuzz_error(text, size - 1);
    break;
  default:
    fuzz_credentials(text, size - 1);
  }
  return 0;
}
