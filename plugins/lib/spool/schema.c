#include "lib/spool/schema.h"

#include <stdio.h>

#define VALUE_2                                                                \
  "CREATE TABLE value(property INTEGER, seq INTEGER, time_us INTEGER,"         \
  " era INTEGER, level INTEGER, value, PRIMARY KEY(property, seq))"            \
  " WITHOUT ROWID;"
#define ERA_2                                                                  \
  "CREATE TABLE era(id INTEGER PRIMARY KEY, boot TEXT, offset_us INTEGER);"
#define AGAIN_2                                                                \
  "CREATE INDEX rejected_again ON rejected(again) WHERE again <> 0;"

static const char whole[] =
    "BEGIN IMMEDIATE;" VALUE_2
    "CREATE TABLE property(number INTEGER PRIMARY KEY,"
    " key TEXT UNIQUE, id TEXT, name TEXT, type TEXT);"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " seq INTEGER, rows INTEGER, budget_day INTEGER, budget_used INTEGER,"
    " budget_old INTEGER DEFAULT 0);"
    "CREATE TABLE rejected(id INTEGER PRIMARY KEY,"
    " at_us INTEGER, property TEXT, time_us INTEGER, value, status INTEGER,"
    " reason TEXT, seq INTEGER, era INTEGER, level INTEGER,"
    " again INTEGER DEFAULT 0);" ERA_2 AGAIN_2
    "INSERT INTO state VALUES(1, 0, 0, 0, 0, 0);"
    "PRAGMA user_version=2;"
    "COMMIT;";

static const char up_2[] =
    "ALTER TABLE value RENAME TO value_1;" VALUE_2
    "INSERT INTO value SELECT property, seq, time_us, 0, level, value"
    " FROM value_1 ORDER BY property, seq;"
    "DROP TABLE value_1;"
    "ALTER TABLE rejected ADD COLUMN seq INTEGER;"
    "ALTER TABLE rejected ADD COLUMN era INTEGER;"
    "ALTER TABLE rejected ADD COLUMN level INTEGER;"
    "ALTER TABLE rejected ADD COLUMN again INTEGER DEFAULT 0;"
    "ALTER TABLE state ADD COLUMN budget_old INTEGER DEFAULT 0;" ERA_2 AGAIN_2;

static const char down_1[] =
    "ALTER TABLE value RENAME TO value_2;"
    "CREATE TABLE value(property INTEGER, time_us INTEGER,"
    " seq INTEGER, level INTEGER, value, PRIMARY KEY(property, time_us, seq))"
    " WITHOUT ROWID;"
    "INSERT INTO value SELECT property, time_us, seq, level, value"
    " FROM value_2 ORDER BY property, time_us, seq;"
    "DROP TABLE value_2;"
    "DROP INDEX rejected_again;"
    "ALTER TABLE rejected RENAME TO rejected_2;"
    "CREATE TABLE rejected(id INTEGER PRIMARY KEY,"
    " at_us INTEGER, property TEXT, time_us INTEGER, value, status INTEGER,"
    " reason TEXT);"
    "INSERT INTO rejected SELECT id, at_us, property, time_us, value, status,"
    " reason FROM rejected_2;"
    "DROP TABLE rejected_2;"
    "ALTER TABLE state RENAME TO state_2;"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " seq INTEGER, rows INTEGER, budget_day INTEGER, budget_used INTEGER);"
    "INSERT INTO state SELECT one, seq, rows, budget_day, budget_used"
    " FROM state_2;"
    "DROP TABLE state_2;"
    "DROP TABLE era;";

/* steps[v]: between the versions v and v + 1. */
static const struct {
  const char *up, *down;
} steps[WR_SCHEMA_VERSION] = {[1] = {up_2, down_1}};

int wr_schema_create(sqlite3 *db) {
  return sqlite3_exec(db, whole, NULL, NULL, NULL);
}

/* Up from version `lower`, or down to it. */
static int take_step(sqlite3 *db, int lower, bool up) {
  if (lower < 1 || lower >= WR_SCHEMA_VERSION)
    return SQLITE_MISMATCH;
  char version[48];
  snprintf(version, sizeof(version), "PRAGMA user_version=%d",
           up ? lower + 1 : lower);
  int code = sqlite3_exec(db, up ? steps[lower].up : steps[lower].down, NULL,
                          NULL, NULL);
  return code == SQLITE_OK ? sqlite3_exec(db, version, NULL, NULL, NULL) : code;
}

int wr_schema_migrate(sqlite3 *db, int from, int to) {
  int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (code != SQLITE_OK)
    return code;
  for (int at = from; code == SQLITE_OK && at < to; at++)
    code = take_step(db, at, true);
  for (int at = from; code == SQLITE_OK && at > to; at--)
    code = take_step(db, at - 1, false);
  if (code == SQLITE_OK)
    code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  if (code != SQLITE_OK)
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  return code;
}

int wr_schema_version(sqlite3 *db, int *version) {
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL);
  if (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
    *version = sqlite3_column_int(s, 0);
    code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  return code;
}
