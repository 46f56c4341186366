/* weir-datalog: one flow value per line and second, for collecting data:
 *
 *   edge-impulse-data-forwarder --frequency 1
 *
 * Nothing but numbers is printed (L/min, three decimals): the forwarder takes
 * every line for a sample. The same meter as in weir-flow, so a model that
 * was trained on this sees the same numbers later. */
#include <Arduino.h>
#if defined(ARDUINO_PORTENTA_X8)
#include <SerialRPC.h> /* Serial leaves the M4 through Linux */
#endif

#include <flow_meter.h>

#if defined(ARDUINO_PORTENTA_X8)
static const pin_size_t SENSOR_PIN = 23; /* PC_7, as in weir-flow.ino */
#else
static const uint8_t SENSOR_PIN = 2; /* has an interrupt on most boards */
#endif

static const float PULSES_PER_LITRE = FLOW_YF_S201_PULSES_PER_LITRE;
static const float CALIBRATION = 1.0f;

static struct flow_edge edge;
static struct flow_meter meter;

static void on_edge() { flow_edge_isr(&edge, micros()); }

void setup() {
  Serial.begin(115200);
  flow_edge_init(&edge, FLOW_DEBOUNCE_US);
  flow_meter_init(&meter, PULSES_PER_LITRE, CALIBRATION, FLOW_GATE_US, 0,
                  micros());
  /* In this order: attachInterrupt() of this core takes a pull-up away. */
  attachInterrupt(digitalPinToInterrupt(SENSOR_PIN), on_edge, RISING);
  pinMode(SENSOR_PIN, INPUT_PULLUP);
}

void loop() {
  if (flow_meter_tick(&meter, edge.pulses, micros()))
    Serial.println(meter.reading.flow_lpm, 3);
  delay(1);
}
