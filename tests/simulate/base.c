/* target_flow_baseline without collectd: each sample is a step of its series,
 * a worker saves them all in one file on the disk of ours. */
#include "sim.h"

#include "lib/flow/baseline_state.h"
#include "lib/flow/state_file.h"

#include <errno.h>
#include <math.h>

#define STATE_FILE DISK_ROOT "flow_baseline.state"
#define KIND "flow_baseline"
#define SAVE_US (300 * SIM_S) /* SaveInterval */
#define SOON_US (10 * SIM_S)  /* from a change to its being saved */
#define TEXT_MAX (SIM_BOARDS * WR_BASELINE_STATE_MAX)

static const struct wr_baseline_rules rules = WR_BASELINE_RULES;

/* One line for each series. */
static void load(const struct wr_bytes *text) {
  const char *line = text->data;
  seen_loaded(text->data, text->len);
  for (int b = 0; b < SIM_BOARDS; b++) {
    char one[WR_BASELINE_STATE_MAX];
    size_t len = strcspn(line, "\n");
    if (line[len] != '\n' || len >= sizeof(one))
      sim_fail("state survives: a file that is whole lacks line %d", b);
    snprintf(one, sizeof(one), "%.*s", (int)len, line);
    if (wr_baseline_get(one, &sim.agent.pipe[b].baseline) != 0)
      sim_fail("state survives: line %d was written, and is refused: %s", b,
               one);
    line += len + 1;
  }
}

/* As fb_store_load(): the file, else the one before it. */
void base_start(void) {
  struct wr_bytes text = WR_BYTES_INIT(TEXT_MAX);
  char old[256];
  for (int b = 0; b < SIM_BOARDS; b++)
    wr_baseline_init(&sim.agent.pipe[b].baseline);
  sim.agent.save_us = sim.now_us + SAVE_US;
  int status = wr_state_file_read(STATE_FILE, KIND, &text);
  sim_trace("state file: %d", status);
  if (status == -EBADMSG)
    wr_state_file_set_aside(STATE_FILE);
  if (status != 0 && wr_state_file_old(STATE_FILE, old, sizeof(old)) == 0) {
    wr_bytes_reset(&text);
    status = wr_state_file_read(old, KIND, &text);
  }
  if (status == 0)
    load(&text);
  else
    seen_loaded(NULL, 0);
  wr_bytes_free(&text);
}

void base_save(void) {
  struct wr_bytes text = WR_BYTES_INIT(TEXT_MAX);
  int status = 0;
  for (int b = 0; b < SIM_BOARDS && status == 0; b++) {
    status = wr_baseline_put(&text, &sim.agent.pipe[b].baseline);
    if (status == 0)
      status = wr_bytes_text(&text, "\n");
  }
  if (status == 0) {
    status = wr_state_file_write(STATE_FILE, KIND, text.data, text.len);
    seen_saved(text.data, text.len, status == 0);
  }
  sim_trace("state file written: %d", status);
  wr_bytes_free(&text);
  sim.agent.save_us = sim.now_us + SAVE_US;
}

void base_sample(const struct sim_value *v) {
  struct wr_baseline *is = &sim.agent.pipe[v->b].baseline, was = *is;
  if (!isfinite(v->number))
    return;
  unsigned events = wr_baseline_push(is, &rules, v->stamp_us, sim.now_us / 1000,
                                     1, v->number);
  if (events & WR_BASELINE_CHANGED)
    seen_baseline(v->b, &was, is);
  if ((events & (WR_BASELINE_CHANGED | WR_BASELINE_POINT)) &&
      sim.agent.save_us > sim.now_us + SOON_US)
    sim.agent.save_us = sim.now_us + SOON_US;
}
