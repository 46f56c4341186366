#include "lib/spool/db.h"
#include "tests/unit/unit.h"

/* A file that is at fault is moved aside; one that cannot be reached now, for
 * whatever reason, is not. */
static void test_what_is_corrupt(void) {
  for (int code = SQLITE_OK; code <= SQLITE_DONE; code++) {
    bool corrupt = code == SQLITE_ERROR || code == SQLITE_CORRUPT ||
                   code == SQLITE_SCHEMA || code == SQLITE_CONSTRAINT ||
                   code == SQLITE_MISMATCH || code == SQLITE_FORMAT ||
                   code == SQLITE_NOTADB;
    CU_ASSERT_EQUAL(wr_db_is_corrupt(code), corrupt);
    CU_ASSERT_EQUAL(wr_db_is_corrupt(code | 5 << 8), corrupt); /* extended */
  }
  CU_ASSERT_FALSE(wr_db_is_corrupt(WR_DB_LATER)); /* whole, and not ours */
}

UNIT_MAIN("db", UNIT(test_what_is_corrupt))
