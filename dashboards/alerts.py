"""Recording and alert rules of Weir: the one table behind two files.

grafana/generate.py writes prometheus/weir.rules.yml (Prometheus, vmalert) and
grafana/provisioning/alerting/weir.yaml (Grafana's own alerting) from it.

Names follow write_prometheus: collectd_<plugin>_<type>[_total], the plugin
instance in a label called like the plugin, the type instance in `type`.
"""

# A state that somebody should look at, unless an operator has shelved it.
STATE = """\
collectd_edge_impulse_bool{type="%s"} == 1
unless on (instance, edge_impulse)
  collectd_edge_impulse_bool{type="shelved"} == 1"""
# Of the type instances of bool, those that are no state.
NO_STATE = "up|shelved"
# Labels that nobody has to act on.
FINE = "Normal|Off"
# Of a label of one's own that is fine, too, an operator says so with a
# recording rule of this name (prometheus/weir-labels.rules.yml), in a file that
# is nobody else's. Every other label alerts.
FINE_TOO = "weir:label:fine"
# Those that have a rule of their own, and uncertain: WeirNoLabel.
NAMED = FINE + "|Low|High|Anomalous|unknown|uncertain"
LAST_SEEN = "weir:m4:last_seen_seconds"
LABEL_SEEN = "weir:label:last_seen_seconds"
FORGET_SECONDS = 7 * 86400
# What a board has besides readings of its M4.
NO_READING = "collectd_m4_rpc_(bool|errors_total|response_time)"
LAST = """\
(
    max by (instance, {by}) (
      timestamp({series})
    )
  or
    max by (instance, {by}) (
      last_over_time({name}[1h])
    )
) > time() - %d""" % FORGET_SECONDS


def rising(series, by, others):
    """Counters that have risen in the last two minutes."""
    return """\
sum by (instance, %s, type) (
  increase(%s{%s}[2m])
) > 0""" % (by, series, others)


# (name, expression, why)
RECORDS = [
    ("weir:state:code",
     """\
max by (instance, edge_impulse) (
    0.5 * collectd_edge_impulse_bool{type="Off"}
  or
    1 * collectd_edge_impulse_bool{type="Normal"}
  or
    2 * collectd_edge_impulse_bool{type="Low"}
  or
    3 * collectd_edge_impulse_bool{type="High"}
  or
    4 * collectd_edge_impulse_bool{type="Anomalous"}
  or
    3.5 * collectd_edge_impulse_bool{type!~"%s|%s"}
  or
    5 * collectd_edge_impulse_bool{type="unknown"}
)""" % (NO_STATE, NAMED),
     "One number for the state: 1 Normal, 2 Low, 3 High, 4 Anomalous,\n"
     "5 unknown, 3.5 a label of one's own, 0.5 Off (a planned stop), 0 none."),
    ("weir:flow:avg5m",
     """\
avg by (instance, m4_rpc) (
  avg_over_time(collectd_m4_rpc_flow{type="flow_rate"}[5m])
)""",
     "Mean flow for long ranges and for many boards."),
    (LAST_SEEN,
     LAST.format(by="m4_rpc", name=LAST_SEEN,
                 series='collectd_m4_rpc_bool{type="up"}'),
     "When each board was last heard. It reads its own last value, so that it\n"
     "outlives the series of a silent board; forgotten after seven days."),
    (LABEL_SEEN,
     LAST.format(by="edge_impulse", name=LABEL_SEEN,
                 series='collectd_edge_impulse_bool{type="up"}'),
     "When each flow was last classified at all: that a label is expected."),
]

BOARD = "{{ $labels.instance }}"
M4 = BOARD + ", M4 {{ $labels.m4_rpc }}"
EI = BOARD + ", M4 {{ $labels.edge_impulse }}"
FB = BOARD + ", M4 {{ $labels.flow_baseline }}"
THING = BOARD + ", thing {{ $labels.write_arduino_cloud }}"

# name, severity, for, panel (of the Flow dashboard), expression, summary,
# description, action
ALERTS = [
    dict(
        name="WeirFlowAnomalous", severity="critical", wait="30s",
        panel="state",
        expr=STATE % "Anomalous",
        summary="Anomalous flow on " + EI,
        description="The debounced state has been Anomalous for 30 seconds: "
        "a blockage, air in the pipe, a leak or a stopped pump.",
        action="Look at the flow on the Flow dashboard. Near zero: check the "
        "pump and the valves. Unsteady: bleed the pipe. Far too high: look "
        "for a leak behind the sensor."),
    dict(
        name="WeirStateUnknown", severity="critical", wait="30s",
        panel="state",
        expr=STATE % "unknown",
        summary="The state is unknown on " + EI,
        description="No window could be judged for StaleAfter: no sample "
        "comes, too many are missing, or the model does not answer. All is "
        "well is not what this means.",
        action="The notification and the agent's log say why. Run weir-doctor "
        "on the board: m4 for the samples, inference for the model."),
    dict(
        name="WeirFlowLow", severity="warning", wait="10m",
        panel="state",
        expr=STATE % "Low",
        summary="Low flow on " + EI,
        description="The flow has been Low for ten minutes.",
        action="Check the filter and the valves, then the pump. If this is "
        "the new normal, set Nominal of the edge_impulse target."),
    dict(
        name="WeirFlowHigh", severity="warning", wait="10m",
        panel="state",
        expr=STATE % "High",
        summary="High flow on " + EI,
        description="The flow has been High for ten minutes.",
        action="Check for an open outlet or a leak. If this is the new "
        "normal, set Nominal of the edge_impulse target."),
    dict(
        name="WeirStateOther", severity="warning", wait="1m",
        panel="state",
        expr="""\
collectd_edge_impulse_bool{type!~"%s|%s"} == 1
unless on (instance, edge_impulse)
  collectd_edge_impulse_bool{type="shelved"} == 1
unless on (type)
  %s""" % (NO_STATE, NAMED, FINE_TOO),
        summary="{{ $labels.type }} on " + EI,
        description="The state has been {{ $labels.type }} for a minute, a "
        "label of this loop's own model.",
        action="What the label means says who made the model. If nobody has to "
        "act on it, name it in weir-labels.rules.yml."),
    dict(
        name="WeirNoLabel", severity="critical", wait="5m",
        panel="state",
        expr="""\
weir:label:last_seen_seconds
unless on (instance, edge_impulse)
  collectd_edge_impulse_bool{type!~"%s|uncertain"} == 1
and on (instance)
  collectd_m4_rpc_flow""" % NO_STATE,
        summary="Flow, but no label on " + EI,
        description="The flow is read, and for five minutes no state was "
        "decided: uncertain, never decided, or edge_impulse no longer runs.",
        action="The agent's log says why. Uncertain: look at the scores and at "
        "Threshold. Nothing at all: is the edge_impulse target still in the "
        "configuration (weir-doctor config)?"),
    dict(
        name="WeirShelved", severity="warning", wait="1h",
        panel="state",
        expr='collectd_edge_impulse_bool{type="shelved"} == 1',
        summary="Alarms are shelved on " + EI,
        description="An operator has kept notifications back for an hour, and "
        "these rules keep silent about the state as well.",
        action="Is the work still going on? If not, end it: shelve with the "
        "message 0 (the manual of edge_impulse says how)."),
    dict(
        name="WeirFlapping", severity="warning", wait="0s",
        panel="state",
        expr="""\
sum by (instance, edge_impulse) (
  changes(collectd_edge_impulse_bool{type!~"%s"}[10m])
) / 2 > 6""" % NO_STATE,
        summary="The state is flapping on " + EI,
        description="The state has changed {{ $value }} times in ten minutes; "
        "no single state can be trusted.",
        action="Look at the scores: if two of them take turns, the flow sits "
        "at a border. Raise Debounce or Threshold, or correct Nominal."),
    dict(
        name="WeirFlowDrift", severity="warning", wait="1m",
        panel="baseline",
        expr='collectd_flow_baseline_bool{type="drift"} == 1',
        summary="The flow is off its own normal on " + FB,
        description="The flow has left what this loop usually is, over minutes "
        "or over days: clogging, wear, a leak, or a change that was meant.",
        action="The notification says how much, since when and, where it can, "
        "how long is left. Check filter, pump and pipes. After a change that "
        "was meant say confirm to flow_baseline (its manual says how)."),
    dict(
        name="WeirFlowUnsteady", severity="warning", wait="1m",
        panel="baseline",
        expr='collectd_flow_baseline_bool{type="spread"} == 1',
        summary="The flow is unsteady on " + FB,
        description="The flow varies far more than this loop usually does.",
        action="Look for air, cavitation or a valve that hunts."),
    dict(
        name="WeirNightFlow", severity="warning", wait="0s",
        panel="litres",
        expr='collectd_flow_baseline_bool{type="night_flow"} == 1',
        summary="The flow never comes to rest on " + FB,
        description="For 30 hours the flow was never as small as it used to "
        "be once each day.",
        action="Look for a leak, or for something that was left on."),
    dict(
        name="WeirBaselineUnknown", severity="critical", wait="0s",
        panel="baseline",
        expr='collectd_flow_baseline_bool{type="unknown"} == 1',
        summary="No sample reaches the baseline on " + FB,
        description="Whether the flow is normal is unknown since StaleAfter: "
        "no sample comes, or none that is a number.",
        action="Run weir-doctor m4 on the board."),
    dict(
        name="WeirSensorStuck", severity="warning", wait="5m",
        panel="flow",
        expr='collectd_edge_impulse_gauge{type="stuck"} == 1',
        summary="The sensor is stuck on " + EI,
        description="The flow reading, other than 0, has not changed at all "
        "for StuckAfter and five minutes more. A turning wheel varies by a "
        "pulse now and then.",
        action="Check the sensor's wiring and the sketch on the M4; restart "
        "the M4. Until then the labels of this board mean nothing."),
    dict(
        name="WeirM4Silent", severity="critical", wait="30s",
        panel="health",
        expr='collectd_m4_rpc_bool{type="up"} == 0',
        summary="The M4 does not answer on " + M4,
        description="The agent runs, but calls to the M4 fail.",
        action="Run weir-doctor m4 on the board: it tells the proxy, the M7, "
        "the M4 and the sketch apart. systemctl status m4-proxy shows "
        "whether the proxy crashed."),
    dict(
        name="WeirNoFlow", severity="critical", wait="30s",
        panel="flow",
        expr="""\
collectd_m4_rpc_bool{type="up"} == 1
unless on (instance, m4_rpc)
  {__name__=~"collectd_m4_rpc_.+",__name__!~"%s"}
unless on (instance, m4_rpc)
  collectd_m4_rpc_bool{type!="up"}""" % NO_READING,
        summary="The M4 answers, but gives no reading on " + M4,
        description="Every call is answered, with an error or with something "
        "that is no reading.",
        action="Run weir-doctor m4 on the board. Is the right sketch on the "
        "M4, and does each Method have the name that the sketch gives it?"),
    dict(
        name="WeirM4Errors", severity="warning", wait="10m",
        panel="m4errors",
        expr=rising("collectd_m4_rpc_errors_total", "m4_rpc", ""),
        summary="Calls fail again and again on " + M4,
        description="Errors of the kind {{ $labels.type }} have come for ten "
        "minutes without two minutes of rest.",
        action="Run weir-doctor m4 on the board. timeout: the M4 is slow; "
        "protocol: the proxy crashes or the result does not fit; remote: the "
        "M4 refuses; skipped: Interval is longer than the sketch's."),
    dict(
        name="WeirInferenceErrors", severity="warning", wait="10m",
        panel="eierrors",
        expr=rising("collectd_edge_impulse_errors_total", "edge_impulse",
                    'type!="duplicate"'),
        summary="Windows or samples are lost on " + EI,
        description="Errors of the kind {{ $labels.type }} have come for ten "
        "minutes without two minutes of rest.",
        action="The manual of edge_impulse names the kinds: timeout to dropped "
        "are windows (look at the model), filled to restart samples (look at "
        "the M4 and at Interval)."),
    dict(
        name="WeirBoardSilent", severity="critical", wait="0s",
        panel="health",
        expr="time() - weir:m4:last_seen_seconds > 120",
        summary="Nothing is heard of " + M4,
        description="No value has arrived for {{ humanizeDuration $value }}.",
        action="Check power and network of the board, then the agent: "
        "systemctl status collectd. A board that was taken away is "
        "forgotten after seven days."),
    dict(
        name="WeirInferenceDown", severity="warning", wait="1m",
        panel="health",
        expr='collectd_edge_impulse_bool{type="up"} == 0',
        summary="No inference on " + EI,
        description="No window was answered by the model for a minute; labels "
        "are unknown or come from the range rules.",
        action="URL: is the inference container up (docker ps)? Model: "
        "start the .eim by hand with a socket path and read its output. "
        "The agent's log has the reason."),
    dict(
        name="WeirRangeFallback", severity="warning", wait="1m",
        panel="health",
        expr="""\
max by (instance, edge_impulse) (
  collectd_edge_impulse_bool{type!~"%s|unknown"} == 1
)
and on (instance, edge_impulse)
  collectd_edge_impulse_bool{type="up"} == 0""" % NO_STATE,
        summary="Labels come from ranges only on " + EI,
        description="The model does not answer; RangePolicy goes on with the "
        "ranges, which know the level but no pattern.",
        action="As for WeirInferenceDown. Unsteady flow (air, cavitation) "
        "is not noticed meanwhile."),
    dict(
        name="WeirCloudBacklogOld", severity="warning", wait="1m",
        panel="cloud",
        expr='collectd_write_arduino_cloud_duration_seconds'
        '{type="spool_age"} > 900',
        summary="Values wait for Arduino Cloud on " + THING,
        description="The oldest has waited for "
        "{{ humanizeDuration $value }}. Nothing is lost so far.",
        action="weir-doctor cloud on the board tells network, credentials "
        "and limits apart."),
    dict(
        name="WeirSpoolNearlyFull", severity="warning", wait="5m",
        panel="cloud",
        expr='collectd_write_arduino_cloud_percent{type="spool_full"} > 80',
        summary="The spool is nearly full on " + THING,
        description="{{ $value | printf \"%.0f\" }} percent of SpoolSize are "
        "used. When it is full, old readings are thinned, then dropped; "
        "state changes are kept longest.",
        action="Restore the link to the cloud (weir-doctor cloud), or raise "
        "SpoolSize if the disk allows."),
    dict(
        name="WeirValueRejected", severity="warning", wait="0s",
        panel="clouderrors",
        expr="""\
increase(
  collectd_write_arduino_cloud_errors_total{type="rejected"}[10m]
) > 0""",
        summary="Arduino Cloud refuses values of " + THING,
        description="Values were refused for good in the last ten minutes; "
        "they are kept beside the spool, and the cloud does not have them.",
        action="weir-doctor cloud on the board says which and why. Mostly a "
        "variable was deleted, or has another type."),
    dict(
        name="WeirSpoolLost", severity="warning", wait="0s",
        panel="clouderrors",
        expr="""\
increase(
  collectd_write_arduino_cloud_errors_total{type="dropped"}[10m]
) > 0""",
        summary="The spool was full, values are lost of " + THING,
        description="Values were dropped at the ceiling of the spool in the "
        "last ten minutes.",
        action="Restore the link to the cloud (weir-doctor cloud), or raise "
        "SpoolSize if the disk allows."),
    dict(
        name="WeirSpoolInMemory", severity="warning", wait="5m",
        panel="cloud",
        expr='collectd_write_arduino_cloud_bool{type="spool_on_disk"} == 0',
        summary="Values wait in memory only on " + THING,
        description="The spool cannot be written; what waits is lost when the "
        "agent ends.",
        action="Is the disk full, read-only or broken? The agent's log has "
        "the reason."),
    dict(
        name="WeirValuesDropped", severity="warning", wait="0s",
        panel="health",
        expr="""\
increase(
  collectd_collectd_derive_total{collectd="write_queue",type="dropped"}[10m]
) > 0""",
        summary="The agent drops values on " + BOARD,
        description="collectd's write queue was full; {{ $value }} values "
        "were lost in ten minutes.",
        action="A write plugin blocks: look for timeouts in the agent's log. "
        "Keep WriteQueueLimitLow equal to WriteQueueLimitHigh."),
]
