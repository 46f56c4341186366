/* weir-flow: a pulse flow sensor on the M4 of a Portenta X8, read over RPC.
 *
 * The M4 owns the clock: loop() closes a gate every second and divides by the
 * time that really passed. Callers get the last gate, so any number of them
 * at any rate read the same right value.
 *
 *   flow_rate       float, L/min; NaN in the first second
 *   flow_pulses     uint32, pulses since the start
 *   flow_stat       [seq, flow, uptime]: number of gates, L/min, seconds
 *   classification  one argument, the text {"label":"Normal","value":10.1};
 *                   returns 0, or -1 for a report that is not understood
 *   baseline        the same for the state of flow_baseline: it has a light
 *   version         text
 *
 * Texts that go out are 31 bytes at most: the m4-proxy cannot read longer
 * ones and dies. Handlers run in the thread of the RPC library with its lock
 * held: they are short, call nothing of RPC and throw nothing. Wiring, and
 * what has not been tried on hardware: firmware/README.md. */
#include <Arduino.h>
#include <RPC.h>
#include <mbed.h>

#include <flow_meter.h>
#include <weir_alarm.h>
#include <weir_report.h>

#include <string>
#include <tuple>

/* An index into the board's pin table, NOT a name like PC_7: attachInterrupt()
 * takes a byte, and PC_7 as a byte is 39, a pin that does not exist; nothing
 * would be counted and nothing said. Index 23 is PC_7. */
static const pin_size_t SENSOR_PIN = 23;
static const pin_size_t ALARM_PIN = 2; /* PF_3, GPIO2; high: all is well */
static const PinStatus LIGHT_ON = LOW; /* the LEDs of the board sink current */

static const float PULSES_PER_LITRE = FLOW_YF_S201_PULSES_PER_LITRE;
static const float CALIBRATION = 1.0f; /* true volume / indicated volume */

/* What the labels of your model mean. WEIR_OK and WEIR_WARNING keep the alarm
 * output high; a label that is not here, and "unknown", drop it. */
static const struct weir_label LABELS[] = {WEIR_BUNDLED_LABELS};

/* Two and a half heartbeats of 60 s: one may be lost. */
static const uint32_t REPORT_HOLD_MS = 150000;

static const char VERSION[] = "weir-flow 0.2.0";
static_assert(sizeof(VERSION) <= 32, "m4-proxy dies of longer texts");

static struct flow_edge edge;
static struct flow_meter meter; /* of loop() only */

static rtos::Mutex lock; /* of the three below */
static struct flow_reading latched = {0, NAN, 0};
static struct weir_alarm output;
static struct weir_baseline memory;

static void on_edge() { flow_edge_isr(&edge, micros()); }

static struct flow_reading last_reading() {
  lock.lock();
  struct flow_reading copy = latched;
  lock.unlock();
  return copy;
}

static float flow_rate() { return last_reading().flow_lpm; }

static uint32_t flow_pulses() { return edge.pulses; }

static std::tuple<uint32_t, float, uint32_t> flow_stat() {
  struct flow_reading r = last_reading();
  return std::make_tuple(r.seq, r.flow_lpm, r.uptime_s);
}

/* Takes whatever comes: with a std::string parameter, a map or a number
 * would throw in the RPC library, where nobody catches it. */
static bool understood(const RPCLIB_MSGPACK::object &argument,
                       struct weir_report *report) {
  return argument.type == RPCLIB_MSGPACK::type::STR &&
         weir_report_parse(argument.via.str.ptr, argument.via.str.size,
                           report) == 0;
}

static int classification(RPCLIB_MSGPACK::object argument) {
  struct weir_report report;
  if (!understood(argument, &report))
    return -1;
  lock.lock();
  weir_alarm_report(&output, report.label, millis());
  lock.unlock();
  return 0;
}

static int baseline(RPCLIB_MSGPACK::object argument) {
  struct weir_report report;
  if (!understood(argument, &report))
    return -1;
  lock.lock();
  weir_baseline_report(&memory, report.label, millis());
  lock.unlock();
  return 0;
}

static std::string version() { return VERSION; }

static void show(bool healthy, bool light) {
  digitalWrite(ALARM_PIN, healthy ? HIGH : LOW);
  digitalWrite(LED_BUILTIN, light == (LIGHT_ON == HIGH) ? HIGH : LOW);
}

void setup() {
  pinMode(ALARM_PIN, OUTPUT);
  pinMode(LED_BUILTIN, OUTPUT);
  show(false, true);

  weir_alarm_init(&output, LABELS, sizeof(LABELS) / sizeof(LABELS[0]),
                  REPORT_HOLD_MS);
  weir_baseline_init(&memory, REPORT_HOLD_MS);
  flow_edge_init(&edge, FLOW_DEBOUNCE_US);
  flow_meter_init(&meter, PULSES_PER_LITRE, CALIBRATION, FLOW_GATE_US, 0,
                  micros());
  /* In this order: attachInterrupt() of this core takes a pull-up away. */
  attachInterrupt(digitalPinToInterrupt(SENSOR_PIN), on_edge, RISING);
  pinMode(SENSOR_PIN, INPUT_PULLUP);

  RPC.bind("flow_rate", flow_rate);
  RPC.bind("flow_pulses", flow_pulses);
  RPC.bind("flow_stat", flow_stat);
  RPC.bind("classification", classification);
  RPC.bind("baseline", baseline);
  RPC.bind("version", version);
  RPC.begin(); /* last: nobody may call what is not bound yet */
}

void loop() {
  bool fresh = flow_meter_tick(&meter, edge.pulses, micros());
  uint32_t now_ms = millis();
  lock.lock();
  if (fresh)
    latched = meter.reading;
  bool healthy = weir_alarm_healthy(&output, now_ms);
  bool light =
      weir_light(&output, weir_baseline_off(&memory, now_ms), now_ms);
  lock.unlock();
  show(healthy, light);
  delay(1);
}
