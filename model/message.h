/* message: finds and reads the requests of the .eim protocol in a byte stream.
 *
 * A request is one JSON object. Bytes outside an object are skipped. An
 * object ends at its closing brace, where braces inside strings do not count;
 * a line feed inside a string, which JSON forbids, also ends it, so that an
 * unclosed string cannot swallow what follows. Nothing is kept but the fields
 * below: a request of any length takes the same few kilobytes, and one
 * that passes MESSAGE_BYTES_MAX is reported at that byte and skipped to its
 * end. A string longer than MESSAGE_TEXT_MAX makes it invalid. */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include "lib/base/json_reader.h"
#include "model/classifier.h"

#define MESSAGE_BYTES_MAX (32L * 1024 * 1024)
#define MESSAGE_TEXT_MAX 4096

enum message_field {
  FIELD_OTHER,
  FIELD_ID,
  FIELD_HELLO,
  FIELD_CLASSIFY,
  FIELD_CONTINUOUS,
  FIELD_THRESHOLD,
  FIELD_DEBUG,
  FIELD_COUNT,
};

/* An integer field; `present` only if it was one that fits 32 bits. */
struct message_int {
  bool present;
  int value;
};

/* An array of numbers: how many elements it had, the first ones of them, and
 * whether one of all of them was no number. */
struct message_array {
  bool present, not_numbers;
  long count;
  float values[FLOW_SAMPLES];
};

struct message {
  struct message_int id, hello;
  struct message_array classify, continuous;
  bool debug;
  struct {
    bool present; /* and an object */
    struct message_int id;
    bool has_score;
    float min_anomaly_score;
  } threshold;
  bool valid; /* well-formed JSON; what is above is only then complete */
};

enum message_progress { MESSAGE_PARTIAL, MESSAGE_COMPLETE, MESSAGE_TOO_LONG };

struct message_reader {
  struct message message;
  struct wr_json_reader json;
  enum message_field field; /* of the top-level key being read */
  enum { SUB_OTHER, SUB_ID, SUB_SCORE } sub; /* of a key of set_threshold */
  bool open, in_string, escaped, too_long;
  long bytes, braces;
  double number; /* the value of the event, when it is one */
};

void message_reader_init(struct message_reader *reader);
/* Drops a request of which only a part has come. */
void message_reader_free(struct message_reader *reader);

/* Reads up to the end of a request, or all bytes; *used says how many.
 * COMPLETE: reader->message holds a request until the next call. TOO_LONG: once
 * for a request that passes the limit. */
enum message_progress message_feed(struct message_reader *reader,
                                   const char *bytes, size_t length,
                                   size_t *used);

#endif
