/* schema: the tables of a spool file, and the way from one version to another.
 *
 *   value     what waits, in the order of its arrival; level -1: a change of
 *             state, 0..4: how often the sample's surroundings were thinned
 *   property  number of a property of the configuration, and what the cloud
 *             said about it, for starts without a link
 *   state     one row: counters that must survive
 *   era       the wall clock against the monotonic one, until it was set
 *   rejected  what the cloud refused; `again`: to be sent once more
 *
 * Version 1 had the primary key (property, time_us, seq) and no era. Functions
 * return SQLite's codes. Threads: one at a time. */
#ifndef WR_SPOOL_SCHEMA_H
#define WR_SPOOL_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#define WR_SCHEMA_VERSION 2

/* What a new file begins with; its pages are always laid out alike. */
int wr_schema_create(sqlite3 *db);
/* Brings a file from one version to another, up or down, in one transaction:
 * all of it or nothing. SQLITE_MISMATCH: no way between these two is known. */
int wr_schema_migrate(sqlite3 *db, int from, int to);
int wr_schema_version(sqlite3 *db, int *version);

#endif
