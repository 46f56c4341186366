/* rejected: the table of values that the cloud refused, from our side.
 * Functions return SQLite's codes and run within the caller's transaction. */
#ifndef WR_SPOOL_REJECTED_H
#define WR_SPOOL_REJECTED_H

#include "lib/spool/db.h"

int wr_db_reject(struct wr_db *db, const char *key, const struct wr_row *row,
                 int status, const char *reason, int64_t wall_us);
/* All of a property are to be sent again; *marked of them. */
int wr_db_mark_again(struct wr_db *db, const char *key, int64_t *marked);
/* Is anything marked? */
int wr_db_any_again(struct wr_db *db, bool *any);
/* What is marked goes back into the queue, where it stood; keys that are not in
 * the list stay. *back of them. */
int wr_db_take_back(struct wr_db *db, char *const *keys, const int64_t *numbers,
                    int count, int64_t *back);
/* The oldest ones go; *gone of them. */
int wr_db_drop_rejected(struct wr_db *db, int max, int64_t *gone);
/* Moves all to another database. */
int wr_db_move_rejected(struct wr_db *from, struct wr_db *to);

#endif
