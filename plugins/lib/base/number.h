/* number: numbers in texts that machines read, the same in any locale.
 *
 * Another plugin of the process may set a locale whose decimal point is a
 * comma, at any time; printf() and strtod() follow it. These do not: they ask
 * for the C locale for the call alone, and leave the process's as it is.
 * Threads: any, at the same time. They never fail for want of memory. */
#ifndef WR_NUMBER_H
#define WR_NUMBER_H

#include <stdarg.h>
#include <stddef.h>

/* Room for any number that the functions below write, NUL included; a text of
 * this length or more is no number for wr_number_read(). */
#define WR_NUMBER_MAX 128

/* The whole text as a decimal number (an optional sign, digits, a fraction, an
 * exponent; no blank, hexadecimal, NaN or infinity). 0, -EINVAL when it is
 * none, -ERANGE when a double cannot hold it; *out changes only with 0. A
 * number too small for a double is 0. */
int wr_number_read(const char *text, double *out);

/* The number that a text of `len` bytes begins with, as JSON has it but without
 * an exponent, of up to 15 digits: how many bytes it has, and *out. 0: there is
 * none, or another one; then *out is as before. */
size_t wr_number_scan(const char *text, size_t len, double *out);

/* The shortest of the texts that read back as this very double or float.
 * NaN and infinities are written as printf() does. Returns `out`. */
const char *wr_number_write(char out[WR_NUMBER_MAX], double value);
const char *wr_number_write_float(char out[WR_NUMBER_MAX], float value);

/* As "%.9g": what a float can hold, for numbers that go to a model. */
const char *wr_number_write_nine(char out[WR_NUMBER_MAX], double value);

/* snprintf() and vsnprintf() in the C locale. */
int wr_number_print(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int wr_number_vprint(char *out, size_t size, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif
