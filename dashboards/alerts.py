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
LAST_SEEN = "weir:m4:last_seen_seconds"
FORGET_SECONDS = 7 * 86400

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
    5 * collectd_edge_impulse_bool{type="unknown"}
)""",
     "One number for the state: 1 Normal, 2 Low, 3 High, 4 Anomalous,\n"
     "5 unknown, 0.5 Off (a planned stop), 0 none."),
    ("weir:flow:avg5m",
     """\
avg by (instance, m4_rpc) (
  avg_over_time(collectd_m4_rpc_flow{type="flow_rate"}[5m])
)""",
     "Mean flow for long ranges and for many boards."),
    (LAST_SEEN,
     """\
(
    max by (instance, m4_rpc) (
      timestamp(collectd_m4_rpc_bool{type="up"})
    )
  or
    max by (instance, m4_rpc) (
      last_over_time(weir:m4:last_seen_seconds[1h])
    )
) > time() - %d""" % FORGET_SECONDS,
     "When each board was last heard. It reads its own last value, so that it\n"
     "outlives the series of a silent board; forgotten after seven days."),
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
