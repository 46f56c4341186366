/* line: the way to one M4, and what a call on it found.
 *
 * In proxy mode each call is a connection of its own. Nothing is sent that a
 * healthy m4-proxy could die of, except the call of the method itself; what
 * else is tried to find out who is there comes after the peer has shown that it
 * is no m4-proxy. Whatever a call leaves in the proxy's channel is taken out
 * again. The lock of the proxy is held while a call is under way, so that the
 * agent on the same machine keeps its own replies.
 * Ownership: answers point into the line, until the next call. One thread. */
#ifndef WEIR_DOCTOR_LINE_H
#define WEIR_DOCTOR_LINE_H

#include "doctor/probe.h"
#include "doctor/verdicts.h"
#include "lib/rpc/lock.h"

struct doctor_line {
  struct doctor *d;
  const char *text; /* the address as given */
  const char *root; /* where /proc lies; "": the real one */
  struct wr_rpc_address address;
  struct doctor_peer peer;
  bool persistent;
  struct wr_rpc_lock lock;
  struct doctor_probe probe;
  unsigned stale;             /* replies to earlier calls that came */
  struct wr_rpc_reply answer; /* of the last call that was answered */
  double took_ms;             /* of it */
};

/* 0, or an exit status: the address is none. Opens nothing. */
int doctor_line_open(struct doctor_line *l, struct doctor *d,
                     const char *address, bool persistent, const char *root);
void doctor_line_close(struct doctor_line *l);

/* Each returns DOCTOR_ANSWERS or what is wrong, with a step reported. */
enum doctor_verdict doctor_line_find(struct doctor_line *l);
enum doctor_verdict doctor_line_knock(struct doctor_line *l);
/* `arg` may be NULL. DOCTOR_ANSWERS also for an answer that is an error: then
 * answer.error is not nil. */
enum doctor_verdict doctor_line_call(struct doctor_line *l, const char *method,
                                     const struct wr_rpc_arg *arg);
/* Empties the proxy's channel; counts into l->stale. */
void doctor_line_drain(struct doctor_line *l);

/* -- who.c: what a connection that brought no answer says ---------------- */

/* From what doctor_dial() returned. */
enum doctor_verdict doctor_who_refused(const struct doctor_line *l, int error);
/* The peer of l->probe keeps the connection and says nothing; `request` was not
 * sent on it yet. */
enum doctor_verdict doctor_who_waits(struct doctor_line *l, const void *request,
                                     size_t len);
/* The peer ended or reset l->probe at once, without a byte. */
enum doctor_verdict doctor_who_closed(struct doctor_line *l);
/* From the bytes that came. */
enum doctor_verdict doctor_who_spoke(const struct doctor_line *l);

#endif
