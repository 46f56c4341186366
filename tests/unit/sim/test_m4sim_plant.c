/* The pipe and the sensor of the simulator: what the other tests rest on. */
#include "tests/sim/m4sim_plant.c"
#include "tests/sim/m4sim_scenario.c"
#include "tests/unit/unit.h"

#include <unistd.h>

#define MANY 4000

static struct ms_scenario scenario;
static struct ms_plant plant;
static char err[256];

static void begin_with(const char *const *lines, uint64_t seed) {
  ms_scenario_free(&scenario);
  ms_scenario_init(&scenario);
  for (; *lines != NULL; lines++)
    CU_ASSERT_EQUAL_FATAL(ms_scenario_line(&scenario, *lines, err, sizeof(err)),
                          0);
  plant.loop = false;
  ms_plant_init(&plant, &scenario, seed);
}

#define BEGIN(seed, ...)                                                       \
  begin_with((const char *const[]){__VA_ARGS__, NULL}, seed)

static struct ms_second play(void) {
  struct ms_second second = {0};
  CU_ASSERT_TRUE_FATAL(ms_plant_play(&plant, &second));
  return second;
}

/* Mean pulses of n seconds; the spread goes to *sd. */
static double mean_of(int n, double *sd) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++) {
    double pulses = play().pulses;
    sum += pulses;
    squares += pulses * pulses;
  }
  if (sd != NULL)
    *sd = sqrt(fmax(0, squares / n - sum / n * (sum / n)));
  return sum / n;
}

static void test_quiet_flow_is_exact(void) {
  BEGIN(1, "noise 0", "drift 0", "0 flow 10");
  for (int i = 0; i < 100; i++) {
    struct ms_second s = play();
    CU_ASSERT_EQUAL(s.n, i);
    CU_ASSERT_EQUAL(s.pulses, 75);
    CU_ASSERT_STRING_EQUAL(s.truth, "steady");
    CU_ASSERT_STRING_EQUAL(s.expect, "Normal");
    CU_ASSERT_DOUBLE_EQUAL(s.true_lpm, 10, 1e-9);
  }
}

static void test_no_pulse_is_lost_between_gates(void) {
  BEGIN(1, "noise 0", "drift 0", "0 flow 10.1"); /* 75.75 a second */
  uint32_t total = 0;
  for (int i = 0; i < 400; i++)
    total += play().pulses;
  CU_ASSERT_DOUBLE_EQUAL(total, 400 * 75.75, 1.0);
}

static void test_noise_is_that_of_a_steady_pipe(void) {
  double sd;
  BEGIN(7, "0 flow 10");
  double mean = mean_of(MANY, &sd);
  CU_ASSERT_DOUBLE_EQUAL(mean, 75, 0.3);
  CU_ASSERT_TRUE(sd > 0.2 && sd < 1.2); /* pulses per second */
}

static void test_gain_is_the_error_of_the_sensor(void) {
  BEGIN(1, "gain 1.1", "noise 0", "drift 0", "0 flow 10");
  CU_ASSERT_DOUBLE_EQUAL(mean_of(100, NULL), 82.5, 0.02);
}

static void test_slow_rotor_does_not_turn(void) {
  BEGIN(1, "noise 0", "drift 0", "0 flow 0.2");
  CU_ASSERT_EQUAL(mean_of(50, NULL), 0);
}

static void test_same_seed_same_pulses(void) {
  uint32_t first[200], differ = 0;
  BEGIN(5, "0 flow 10", "50 air", "100 cavitation", "150 emi");
  for (int i = 0; i < 200; i++)
    first[i] = play().pulses;
  BEGIN(5, "0 flow 10", "50 air", "100 cavitation", "150 emi");
  for (int i = 0; i < 200; i++)
    CU_ASSERT_EQUAL(play().pulses, first[i]);
  BEGIN(6, "0 flow 10", "50 air", "100 cavitation", "150 emi");
  for (int i = 0; i < 200; i++)
    differ += play().pulses != first[i];
  CU_ASSERT_TRUE(differ > 50);
}

static void fault(const char *line, double *mean, double *sd) {
  BEGIN(3, "0 flow 10", line);
  mean_of(20, NULL); /* steady, and the change */
  *mean = mean_of(60, sd);
}

static void test_each_fault_leaves_its_mark(void) {
  double mean, sd;
  fault("10 blockage 2", &mean, &sd);
  CU_ASSERT_DOUBLE_EQUAL(mean, 15, 0.5);
  fault("10 burst 24", &mean, &sd);
  CU_ASSERT_DOUBLE_EQUAL(mean, 180, 2);
  fault("10 leak 13", &mean, &sd);
  CU_ASSERT_DOUBLE_EQUAL(mean, 97.5, 2);
  fault("10 pump_stop", &mean, &sd);
  CU_ASSERT_EQUAL(mean, 0);
  fault("10 clogging 2 over 5", &mean, &sd);
  CU_ASSERT_DOUBLE_EQUAL(mean, 15, 0.5);
  fault("10 air", &mean, &sd);
  CU_ASSERT_TRUE(mean < 60 && sd > 10);
  fault("10 slugs", &mean, &sd);
  CU_ASSERT_TRUE(mean < 60 && sd > 10);
  fault("10 cavitation", &mean, &sd);
  CU_ASSERT_TRUE(mean < 68 && sd > 7);
  fault("10 hunting", &mean, &sd);
  CU_ASSERT_TRUE(mean > 70 && mean < 80 && sd > 9);
  fault("10 emi", &mean, &sd);
  CU_ASSERT_TRUE(mean > 95 && sd > 10);
  fault("10 stuck", &mean, &sd);
  CU_ASSERT_DOUBLE_EQUAL(mean, 75, 3);
  CU_ASSERT_EQUAL(sd, 0);
  fault("10 zero", &mean, &sd);
  CU_ASSERT_EQUAL(mean, 0);
}

static void test_truth_and_label_follow_the_events(void) {
  static const struct {
    int until;
    const char *truth, *expect;
  } want[] = {{10, "steady", "Normal"}, {20, "blockage", "Anomalous"},
              {22, "recover", NULL},    {30, "steady", "Normal"},
              {34, "steady", NULL},     {40, "steady", "Low"},
              {44, "steady", NULL},     {50, "steady", "High"},
              {54, "steady", NULL},     {60, "steady", "Anomalous"}};
  BEGIN(1, "0 flow 10", "10 blockage 2", "20 recover", "30 flow 6",
        "40 flow 16", "50 flow 3", "60 end");
  size_t w = 0;
  for (int i = 0; i < 60; i++) {
    struct ms_second s = play();
    w += i == want[w].until;
    CU_ASSERT_STRING_EQUAL(s.truth, want[w].truth);
    if (want[w].expect != NULL)
      CU_ASSERT_STRING_EQUAL(s.expect, want[w].expect);
  }
  CU_ASSERT_FALSE(ms_plant_play(&plant, &(struct ms_second){0}));
}

static void test_recover_goes_back_to_the_set_point(void) {
  BEGIN(1, "0 flow 8", "5 pump_stop", "15 recover");
  mean_of(20, NULL);
  CU_ASSERT_DOUBLE_EQUAL(mean_of(50, NULL), 60, 1);
}

static void test_loop_starts_again(void) {
  BEGIN(1, "noise 0", "drift 0", "0 flow 10", "5 zero", "8 end");
  plant.loop = true;
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 8; i++)
      CU_ASSERT_EQUAL(play().pulses, i < 5 ? 75 : 0);
}

static void test_event_from_outside(void) {
  BEGIN(1, "0 flow 10", "10 recover");
  mean_of(5, NULL);
  CU_ASSERT_EQUAL(ms_plant_event(&plant, "blockage 1 over 0", err, 99), 0);
  struct ms_second s = play();
  CU_ASSERT_STRING_EQUAL(s.truth, "blockage");
  CU_ASSERT_TRUE(s.pulses < 30);
  mean_of(4, NULL);
  CU_ASSERT_STRING_EQUAL(play().truth, "recover");
  CU_ASSERT_EQUAL(ms_plant_event(&plant, "flood 3", err, sizeof(err)), -1);
  CU_ASSERT_STRING_EQUAL(err, "'flood' is no event");
}

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
}

static int replay(const char *text) {
  char path[] = "/tmp/test_m4sim_XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  close(fd);
  write_file(path, text);
  ms_scenario_free(&scenario);
  ms_scenario_init(&scenario);
  int rc = ms_scenario_load_csv(&scenario, path, err, sizeof(err));
  ms_plant_init(&plant, &scenario, 1);
  unlink(path);
  return rc;
}

static void test_replay_gives_the_counts_back(void) {
  CU_ASSERT_EQUAL(replay("75\n0\n76, comment\n\n# nothing\n12"), 0);
  static const uint32_t want[] = {75, 0, 76, 12};
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(play().pulses, want[i]);
  CU_ASSERT_FALSE(ms_plant_play(&plant, &(struct ms_second){0}));
}

static void test_bad_replay_is_refused(void) {
  static const char *const bad[] = {"75\nx\n", "-1\n",  "7.5\n",
                                    "70000\n", "nan\n", ""};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    CU_ASSERT_EQUAL(replay(bad[i]), -1);
  replay("75\nx\n");
  CU_ASSERT_PTR_NOT_NULL(strstr(err, ":2: not a whole number of pulses"));
}

static void test_bad_line_is_refused_in_one_sentence(void) {
  static const struct {
    const char *line, *says;
  } bad[] = {
      {"10 flood 3", "'flood' is no event"},
      {"10 blockage", "'blockage' needs a number from 0 to 100"},
      {"10 flow -3", "'flow' needs a number from 0 to 100"},
      {"10 flow nan", "'flow' needs a number from 0 to 100"},
      {"10 flow 3 under 5", "cannot use 'under' after 'flow'"},
      {"10 flow 3 over", "cannot use 'over' after 'flow'"},
      {"10 air 3", "cannot use '3' after 'air'"},
      {"10", "no event after the time"},
      {"1 flow 10", "the time 1 runs backwards"},
      {"volume 11", "'volume' is neither a time nor a setting with a value"},
      {"nominal", "'nominal' is neither a time nor a setting with a value"},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    BEGIN(1, "5 flow 10");
    CU_ASSERT_EQUAL(ms_scenario_line(&scenario, bad[i].line, err, sizeof(err)),
                    -1);
    CU_ASSERT_STRING_EQUAL(err, bad[i].says);
  }
}

static void test_too_many_events(void) {
  ms_scenario_init(&scenario);
  for (int i = 0; i < MS_EVENTS_MAX; i++)
    CU_ASSERT_EQUAL(ms_scenario_line(&scenario, "1 recover", err, 99), 0);
  CU_ASSERT_EQUAL(ms_scenario_line(&scenario, "1 recover", err, 99), -1);
}

static void test_shipped_scenarios_load(void) {
  static const char *const shipped[] = {"steady", "demo", "faults",
                                        "setpoints"};
  for (size_t i = 0; i < 4; i++) {
    char path[128];
    snprintf(path, sizeof(path), "tests/sim/scenarios/%s.scenario", shipped[i]);
    ms_scenario_free(&scenario);
    ms_scenario_init(&scenario);
    CU_ASSERT_EQUAL(ms_scenario_load(&scenario, path, err, sizeof(err)), 0);
  }
}

/* Told before the first second, it follows what begins there. */
static void test_event_before_the_first_second(void) {
  BEGIN(1, "0 flow 10", "60 flow 8");
  CU_ASSERT_EQUAL(ms_plant_event(&plant, "blockage 2 over 0", err, 99), 0);
  for (int i = 0; i < 30; i++)
    CU_ASSERT_STRING_EQUAL(play().truth, "blockage");
  for (int i = 0; i < 40; i++)
    (void)play();
  CU_ASSERT_STRING_EQUAL(play().truth, "steady");
}

UNIT_MAIN("m4sim_plant", UNIT(test_event_before_the_first_second),
          UNIT(test_quiet_flow_is_exact),
          UNIT(test_no_pulse_is_lost_between_gates),
          UNIT(test_noise_is_that_of_a_steady_pipe),
          UNIT(test_gain_is_the_error_of_the_sensor),
          UNIT(test_slow_rotor_does_not_turn), UNIT(test_same_seed_same_pulses),
          UNIT(test_each_fault_leaves_its_mark),
          UNIT(test_truth_and_label_follow_the_events),
          UNIT(test_recover_goes_back_to_the_set_point),
          UNIT(test_loop_starts_again), UNIT(test_event_from_outside),
          UNIT(test_replay_gives_the_counts_back),
          UNIT(test_bad_replay_is_refused),
          UNIT(test_bad_line_is_refused_in_one_sentence),
          UNIT(test_too_many_events), UNIT(test_shipped_scenarios_load))
