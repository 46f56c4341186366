/* text: letters and texts, the same in any locale.
 *
 * What <ctype.h> and strcasecmp() say depends on the locale that any plugin of
 * the process may set (in a Turkish one "ID" is not "id"); here only ASCII has
 * letters, digits and blanks. Threads: any, at the same time. */
#ifndef WR_TEXT_H
#define WR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool wr_text_is_digit(char c);
bool wr_text_is_alnum(char c); /* A-Z a-z 0-9 */
bool wr_text_is_space(char c); /* blank, \t \n \v \f \r */
char wr_text_upper(char c);

/* Whether the two are equal but for the case of ASCII letters. */
bool wr_text_same(const char *a, const char *b);

/* Length in bytes of the UTF-8 sequence at `s`, 0 when it is none: overlong
 * forms, surrogates and what is beyond U+10FFFF are none (RFC 3629). `len` is
 * how much may be read. */
size_t wr_text_utf8(const char *s, size_t len);
bool wr_text_is_utf8(const char *s, size_t len);
/* How much of a text of UTF-8 to keep: the most that is no longer than `max`
 * bytes and ends between two characters. */
size_t wr_text_cut(const char *s, size_t max);

/* What an errno means, in English; never NULL. Valid until the next call of
 * this thread. */
const char *wr_text_error(int error);

#endif
