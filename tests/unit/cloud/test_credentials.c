#include "lib/cloud/credentials.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct wr_credentials c;

static int parse(const char *text) {
  wr_credentials_wipe(&c);
  return wr_credentials_parse(&c, text, strlen(text));
}

static const char ones[] = /* 256 */
#define ONES "11111111111111111111111111111111"
    ONES ONES ONES ONES ONES ONES ONES ONES;

static void check_fault(const char *text, const char *want) {
  int status = parse(text);
  if (status == 0)
    status = wr_credentials_check(&c, "the file");
  CU_ASSERT_TRUE(status < 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.fault, want));
  CU_ASSERT_PTR_NULL(strstr(c.fault, "hunter2")); /* never the secret */
}

static void test_bad_files(void) {
  check_fault("", "no CLIENT_ID");
  check_fault("CLIENT_ID=a\n", "no CLIENT_SECRET");
  check_fault("CLIENT_ID=a\nCLIENT_SECRET=hunter2\n", "no THING_ID");
  check_fault("CLIENT_ID=a\nCLIENT_SECRET=hunter2\nTHING_ID=../x\n",
              "not an id");
  check_fault("CLIENT_ID=a\nCLIENT_SECRET=hunter2\nTHING_ID=x\nSPACE_ID=a b\n",
              "not an id");
  check_fault("CLIENT_ID=a\nCLIENT_SECRET=hunter2\x01\nTHING_ID=x\n",
              "printable");
  check_fault("CLIENT_ID=a\nCLIENT_SECRET=hunter2\nTHING_ID=x\n"
              "FLOWRATE_VARIABLE_ID=a/b\n",
              "FLOWRATE_VARIABLE_ID");
  check_fault("CLIENT_ID=a\nCLIENT_SECRET=hunter2\nTHING_ID=x\n"
              "FLOWRATE_VARIABLE_ID=a\nLABEL_VARIABLE_ID=a/b\n",
              "LABEL_VARIABLE_ID in the file is not an id");
  check_fault("CLIENT_SECRET hunter2\n", "line 1 is not NAME=VALUE");
  check_fault("\n=hunter2\n", "line 2 is not NAME=VALUE");
  check_fault("CLIENT_SECRET=\"hunter2\n", "no closing quote");
}

static void test_long_and_binary_input(void) {
  char text[1000];
  memset(text, 'x', sizeof(text));
  memcpy(text, "CLIENT_SECRET=", 14);
  wr_credentials_wipe(&c);
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, text, sizeof(text)), -EINVAL);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.fault, "longer than 255"));
  text[20] = '\0';
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, text, sizeof(text)), -EINVAL);
  memset(text, 'N', sizeof(text));
  text[999] = '=';
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, text, sizeof(text)), -EINVAL);
  wr_credentials_wipe(&c);
  int status = 0;
  for (int i = 0; i < WR_CREDENTIAL_VARIABLES; i++)
    status |= wr_credentials_parse(&c, "A_VARIABLE_ID=x", 15);
  CU_ASSERT_EQUAL(status, 0);
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, "A_VARIABLE_ID=x", 15), -EINVAL);
}

static void test_the_note_s_file(void) {
  CU_ASSERT_EQUAL(parse("\xef\xbb\xbf# Arduino Cloud\r\n"
                        "CLIENT_ID=abc\r\n"
                        "export CLIENT_SECRET='s p#x=\"1'\r\n"
                        "\r\n"
                        "THING_ID = \"t-1\"  # the pump\n"
                        "SPACE_ID=\n"
                        "OTHER=ignored\n"
                        "FLOWRATE_VARIABLE_ID=f-1 # flow\n"
                        "CLASSIFICATION_VARIABLE_ID=c-1"),
                  0);
  CU_ASSERT_EQUAL(wr_credentials_check(&c, "the file"), 0);
  CU_ASSERT_STRING_EQUAL(c.client_id, "abc");
  CU_ASSERT_STRING_EQUAL(c.client_secret, "s p#x=\"1");
  CU_ASSERT_STRING_EQUAL(c.thing_id, "t-1");
  CU_ASSERT_STRING_EQUAL(c.space_id, "");
  CU_ASSERT_STRING_EQUAL(wr_credentials_variable(&c, "flow_rate"), "f-1");
  CU_ASSERT_STRING_EQUAL(wr_credentials_variable(&c, "classification"), "c-1");
  CU_ASSERT_PTR_NULL(wr_credentials_variable(&c, "flow"));
  CU_ASSERT_PTR_NULL(wr_credentials_variable(&c, "flow_rates"));
  wr_credentials_wipe(&c);
  CU_ASSERT_STRING_EQUAL(c.client_secret, "");
}

static void test_file_modes(void) {
  char path[] = "/tmp/weir-env-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  const char *text = "CLIENT_ID=a\nCLIENT_SECRET=b\nTHING_ID=c\n";
  CU_ASSERT_TRUE(write(fd, text, strlen(text)) > 0);
  static const int refused[] = {0604, 0644, 0602, 0620, 0666};
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    fchmod(fd, (mode_t)refused[i]);
    CU_ASSERT_EQUAL(wr_credentials_file(&c, path), -EACCES);
    CU_ASSERT_PTR_NOT_NULL(strstr(c.fault, "chmod 600 /tmp/weir-env-"));
  }
  static const int fine[] = {0600, 0400, 0640, 0440};
  for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
    fchmod(fd, (mode_t)fine[i]);
    wr_credentials_wipe(&c);
    CU_ASSERT_EQUAL(wr_credentials_file(&c, path), 0);
    CU_ASSERT_STRING_EQUAL(c.client_secret, "b");
  }
  CU_ASSERT_EQUAL(ftruncate(fd, WR_CREDENTIALS_FILE_MAX + 1), 0);
  CU_ASSERT_EQUAL(wr_credentials_file(&c, path), -EFBIG);
  close(fd);
  unlink(path);
  CU_ASSERT_EQUAL(wr_credentials_file(&c, path), -ENOENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(c.fault, "No such file"));
  CU_ASSERT_EQUAL(wr_credentials_file(&c, "/tmp"), -EINVAL);
  CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
  CU_ASSERT_EQUAL(wr_credentials_file(&c, path), -EINVAL); /* does not hang */
  unlink(path);
}

static char *fake_getenv(const char *name) {
  static char id[] = "eid", secret[] = "esecret", thing[] = "ething";
  if (strcmp(name, "CLIENT_ID") == 0)
    return id;
  if (strcmp(name, "CLIENT_SECRET") == 0)
    return secret;
  return strcmp(name, "THING_ID") == 0 ? thing : NULL;
}

static char *no_getenv(const char *name) {
  (void)name;
  return NULL;
}

static void test_environment(void) {
  wr_credentials_wipe(&c);
  CU_ASSERT_EQUAL(wr_credentials_environment(&c, fake_getenv), 0);
  CU_ASSERT_EQUAL(wr_credentials_check(&c, "the environment"), 0);
  CU_ASSERT_STRING_EQUAL(c.client_secret, "esecret");
  wr_credentials_wipe(&c);
  CU_ASSERT_EQUAL(wr_credentials_environment(&c, no_getenv), 0);
  CU_ASSERT_EQUAL(wr_credentials_check(&c, "the environment"), -EINVAL);
  CU_ASSERT_STRING_EQUAL(c.fault, "the environment has no CLIENT_ID");
}

/* As many ids as a thing may have properties; below, at and above that. */
static void test_many_ids(void) {
  for (int count = WR_CREDENTIAL_VARIABLES - 1;
       count <= WR_CREDENTIAL_VARIABLES + 1; count++) {
    char text[8192] = "", name[32];
    for (int i = 0; i < count; i++)
      snprintf(text + strlen(text), sizeof(text) - strlen(text),
               "P%d_VARIABLE_ID=id-%d\n", i, i);
    memset(&c, 0, sizeof(c));
    int status = wr_credentials_parse(&c, text, strlen(text));
    CU_ASSERT_EQUAL(status, count <= WR_CREDENTIAL_VARIABLES ? 0 : -EINVAL);
    CU_ASSERT(status == 0 || strstr(c.fault, "more than 64 names") != NULL);
    for (int i = 0; status == 0 && i < count; i++) {
      char id[32];
      snprintf(name, sizeof(name), "p%d", i);
      snprintf(id, sizeof(id), "id-%d", i);
      CU_ASSERT_STRING_EQUAL(wr_credentials_variable(&c, name), id);
    }
  }
}

static void test_no_memory(void) {
  char path[] = "/tmp/test-credentials-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  dprintf(fd, "CLIENT_ID=a\nCLIENT_SECRET=b\nTHING_ID=c\n");
  close(fd);
  for (long n = 0; unit_alloc_arm(n); n++) {
    memset(&c, 0, sizeof(c));
    CU_ASSERT_EQUAL(wr_credentials_file(&c, path),
                    unit_alloc_failed() ? -ENOMEM : 0);
  }
  unlink(path);
}

/* A property finds its id however the underscores of the two are set. */
static void test_names_of_variables(void) {
  wr_credentials_wipe(&c);
  static const char text[] = "FLOW_RATE_VARIABLE_ID=f-1\nTEMP_VARIABLE_ID=t-1\n"
                             "A__B_VARIABLE_ID=a-1\n";
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, text, sizeof(text) - 1), 0);
  static const struct {
    const char *property, *id;
  } cases[] = {
      {"flow_rate", "f-1"},    {"flowrate", "f-1"}, {"FlowRate", "f-1"},
      {"_flow__rate_", "f-1"}, {"flow", NULL},      {"flow_rates", NULL},
      {"temp", "t-1"},         {"te_mp", "t-1"},    {"temp1", NULL},
      {"ab", "a-1"},           {"a_b", "a-1"},      {"", NULL}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *id = wr_credentials_variable(&c, cases[i].property);
    CU_ASSERT_EQUAL(id == NULL, cases[i].id == NULL);
    if (id != NULL && cases[i].id != NULL)
      CU_ASSERT_STRING_EQUAL(id, cases[i].id);
  }
  wr_credentials_wipe(&c);
}

/* At the longest that a name or a value may be, and one byte above. */
static void test_lengths(void) {
  for (int by = 0; by <= 1; by++) {
    char text[600];
    snprintf(text, sizeof(text), "THING_ID=%.*s", WR_CREDENTIAL_MAX + by, ones);
    CU_ASSERT_EQUAL(parse(text), by ? -EINVAL : 0);
    CU_ASSERT_EQUAL(strlen(c.thing_id), by ? 0 : WR_CREDENTIAL_MAX);
    snprintf(text, sizeof(text), "%.*s=x", WR_CREDENTIAL_MAX + by, ones);
    CU_ASSERT_EQUAL(parse(text), by ? -EINVAL : 0);
    CU_ASSERT_STRING_EQUAL(c.fault, by ? "line 1 is not NAME=VALUE" : "");
    snprintf(text, sizeof(text), "%.*s_VARIABLE_ID=x",
             WR_CREDENTIAL_MAX - 12 + by, ones);
    CU_ASSERT_EQUAL(parse(text), by ? -EINVAL : 0);
    CU_ASSERT_EQUAL(c.variable_count, by ? 0 : 1);
  }
}

/* What stands behind the end is nobody's. */
static void test_end_of_the_text(void) {
  wr_credentials_wipe(&c);
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, "CLIENT_IDS=x", 9), -EINVAL);
  check_fault("CLIENT_SECRET=\"hunter2\n\"\n", "line 1 has no closing quote");
  CU_ASSERT_EQUAL(parse("CLIENT_ID= # none"), 0);
  CU_ASSERT_STRING_EQUAL(c.client_id, "");
  CU_ASSERT_EQUAL(parse("\xef\xbb\xbf"), 0);
  wr_credentials_wipe(&c);
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, "CLIENT_ID=\"x\"", 10), 0);
  CU_ASSERT_STRING_EQUAL(c.client_id, "");
  CU_ASSERT_EQUAL(parse("   \nCLIENT_ID=a\n"), 0);
  CU_ASSERT_STRING_EQUAL(c.client_id, "a");
}

/* What stands in a place before it is taken is not looked at. */
static void test_places_that_were_used(void) {
  wr_credentials_wipe(&c);
  memset(c.variables, 'X', sizeof(c.variables));
  memset(c.thing_id, 'X', sizeof(c.thing_id));
  static const char text[] = "FLOW_VARIABLE_ID=f\nTHING_ID=c";
  CU_ASSERT_EQUAL(wr_credentials_parse(&c, text, strlen(text)), 0);
  CU_ASSERT_STRING_EQUAL(c.variables[0].name, "FLOW");
  CU_ASSERT_STRING_EQUAL(c.variables[0].id, "f");
  CU_ASSERT_STRING_EQUAL(c.thing_id, "c");
}

/* How one line may be written, and what CLIENT_ID is then; NULL: it may not. */
static void test_lines(void) {
  static const struct {
    const char *line, *value;
  } cases[] = {{"CLIENT_ID=a", "a"},
               {" \t CLIENT_ID \t= \t a \t ", "a"},
               {"export CLIENT_ID=a", "a"},
               {"export \t CLIENT_ID=a", "a"},
               {"export =", NULL},
               {"export", NULL},
               {"export X", NULL},
               {"CLIENT_ID=\"\"", ""},
               {"CLIENT_ID=''", ""},
               {"CLIENT_ID='a\"b'", "a\"b"},
               {"CLIENT_ID=\"a'b\" # c", "a'b"},
               {"CLIENT_ID=a#b", "a#b"},
               {"CLIENT_ID=a  # b", "a"},
               {"CLIENT_ID=#a", ""},
               {"CLIENT_ID=a b", "a b"},
               {"CLIENT_ID=abc\nCLIENT_ID=d", "d"},
               {"CLIENT_ID", NULL},
               {"CLIENT-ID=a", NULL}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    CU_ASSERT_EQUAL(parse(cases[i].line), cases[i].value != NULL ? 0 : -EINVAL);
    CU_ASSERT_STRING_EQUAL(c.client_id,
                           cases[i].value != NULL ? cases[i].value : "");
  }
}

/* From blank to tilde: what a header may hold. */
static void test_letters_of_a_secret(void) {
  for (int ch = 1; ch < 256; ch++) {
    CU_ASSERT_EQUAL(parse("CLIENT_ID=a\nCLIENT_SECRET=bbb\nTHING_ID=c"), 0);
    c.client_secret[1] = (char)ch;
    CU_ASSERT_EQUAL(wr_credentials_check(&c, "it"),
                    ch >= ' ' && ch <= '~' ? 0 : -EINVAL);
  }
}

/* A file of the largest size, read again and again without a trace. */
static void test_largest_file(void) {
  static char text[WR_CREDENTIALS_FILE_MAX];
  char path[] = "/tmp/weir-env-XXXXXX";
  int fd = mkstemp(path), before = unit_open_files();
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  memset(text, '\n', sizeof(text));
  memcpy(text + sizeof(text) - 11, "CLIENT_ID=a", 11);
  CU_ASSERT_EQUAL(write(fd, text, sizeof(text)), sizeof(text));
  for (int i = 0; i < 3; i++) {
    wr_credentials_wipe(&c);
    CU_ASSERT_EQUAL(wr_credentials_file(&c, path), 0);
    CU_ASSERT_STRING_EQUAL(c.client_id, "a");
  }
  CU_ASSERT_EQUAL(write(fd, "\n", 1), 1);
  CU_ASSERT_EQUAL(wr_credentials_file(&c, path), -EFBIG);
  CU_ASSERT_STRING_EQUAL(c.fault, "it is larger than 65536 bytes");
  CU_ASSERT_EQUAL(unit_open_files(), before);
  close(fd);
  unlink(path);
}

/* An id that is empty is none, nor is one of no property. */
static void test_no_ids(void) {
  CU_ASSERT_EQUAL(
      parse("A_VARIABLE_ID=\n_VARIABLE_ID=x\nVARIABLE_ID=x\nCLIENT_ID=a"), 0);
  CU_ASSERT_EQUAL(c.variable_count, 0);
  CU_ASSERT_STRING_EQUAL(c.client_id, "a");
}

UNIT_MAIN("credentials", UNIT(test_lengths), UNIT(test_end_of_the_text),
          UNIT(test_no_ids), UNIT(test_lines), UNIT(test_places_that_were_used),
          UNIT(test_letters_of_a_secret), UNIT(test_largest_file),
          UNIT(test_names_of_variables), UNIT(test_many_ids),
          UNIT(test_no_memory), UNIT(test_bad_files),
          UNIT(test_long_and_binary_input), UNIT(test_the_note_s_file),
          UNIT(test_file_modes), UNIT(test_environment))
