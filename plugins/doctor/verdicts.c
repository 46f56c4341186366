/* The table of verdicts. */
#include "doctor/verdicts.h"

#include <stdio.h>

static const struct {
  const char *name;
  bool healthy;
  const char *verdict, *remedy;
} table[DOCTOR_VERDICTS] = {
    /* who listens there */
    [DOCTOR_NAME_UNKNOWN] = {"name-unknown", false,
                             "the address has no meaning here",
                             "use the board's IP address, or give the name "
                             "one: /etc/hosts, or extra_hosts in compose.yaml"},
    [DOCTOR_NAME_SILENT] = {"name-silent", false,
                            "the name server does not answer",
                            "use the board's IP address, or mend DNS: "
                            "/etc/resolv.conf, the network"},
    [DOCTOR_NO_ROUTE] = {"no-route", false, "there is no way to that address",
                         "is the board on, its cable in, and this machine in "
                         "the same network? ping it; ip route get ADDRESS"},
    [DOCTOR_REFUSED] =
        {"proxy-refused", false, "the proxy is not there",
         "on the X8: systemctl status m4-proxy; after 11 crashes within 2 "
         "minutes it stays down until systemctl reset-failed m4-proxy && "
         "systemctl start m4-proxy; in a container check extra_hosts "
         "m4proxy:host-gateway"},
    [DOCTOR_DROPPED] = {"packets-dropped", false,
                        "nothing comes back from there, not even a refusal",
                        "let TCP port 5001 through: a firewall on the way, or "
                        "on the board, drops it (nft list ruleset); a wrong "
                        "address or a board without power look the same"},
    [DOCTOR_BACKLOG] =
        {"backlog-full", false,
         "the program that listens takes no connection any more",
         "it hangs and its queue is full: systemctl restart m4-proxy"},
    [DOCTOR_HALF_OPEN] =
        {"half-open", false,
         "the connection stands, but the program behind never takes it",
         "it hangs or is stopped: ps -o stat,comm -C m4_proxy; systemctl "
         "restart m4-proxy"},
    [DOCTOR_HANGS] = {"peer-hangs", false,
                      "somebody takes the connection and says nothing",
                      "an m4-proxy answers or ends within a second: is this "
                      "its port (5001)? if it is: systemctl restart m4-proxy; "
                      "another server: --persistent"},
    [DOCTOR_WEB] = {"web-server", false,
                    "a web server listens there, no m4-proxy",
                    "correct the port (m4-proxy: 5001) or the address"},
    [DOCTOR_TLS] = {"tls-server", false,
                    "a TLS server listens there, no m4-proxy",
                    "correct the port (m4-proxy: 5001), or go past the TLS "
                    "proxy in front: the m4-proxy knows no TLS"},
    [DOCTOR_OTHER] =
        {"other-service", false, "another service listens there",
         "correct the port (m4-proxy: 5001); its first bytes stand above"},
    [DOCTOR_CLOSES] =
        {"accepts-closes", false,
         "somebody takes every connection and ends it at once",
         "a tunnel or port forward (ssh -L, socat, docker) whose far end is "
         "down, or whose m4-proxy restarts: run weir-doctor at the far end"},
    [DOCTOR_RESETS] =
        {"accepts-resets", false,
         "somebody takes every connection and resets it",
         "a port forward without a program behind it, or a filter on the way: "
         "point it at the m4-proxy, or go past it"},
    [DOCTOR_KEEPS_OPEN] =
        {"keeps-open", false,
         "this server keeps its connections: it is no m4-proxy",
         "set Mode \"persistent\" for it in m4_rpc (here: --persistent)"},
    [DOCTOR_LOCKED] = {"proxy-locked", false,
                       "another program keeps the proxy locked",
                       "find it with fuser on the lock file above, and end it"},
    [DOCTOR_WENT_AWAY] = {"proxy-went-away", false,
                          "the proxy went away during the call",
                          "it restarts within 2 s: ask again; when it repeats: "
                          "journalctl -u m4-proxy"},
    /* the call */
    [DOCTOR_CRASHES] =
        {"proxy-crashes", false,
         "the proxy dies of the M4's answer to this method",
         "three things kill it: the method is not bound, it takes arguments, "
         "or it answers a text of 32 bytes or more; flash a sketch that does "
         "none of them (firmware/weir-flow), or name another with --method; "
         "until then do not call it: every call stops the m4-proxy for 2 s"},
    [DOCTOR_SILENT] =
        {"m4-silent", false, "the M4 does not answer",
         "in this order: is a sketch on the M4 that ends setup() with "
         "RPC.begin()? (firmware/weir-flow does); upload it again; does the M7 "
         "firmware fit? weir-doctor board on the X8 compares "
         "/sys/kernel/x8h7_firmware/version with the image's file"},
    [DOCTOR_SLOW] =
        {"m4-slow", false, "the M4 answers too late for the proxy",
         "a handler of the sketch must be quick (no delay(), no waiting for a "
         "sensor): measure in loop() and return the last value, as weir-flow "
         "does; the late reply was taken out of the proxy's channel"},
    [DOCTOR_STALE] = {"stale-replies", false,
                      "stale replies were in the proxy's channel",
                      "they are gone now; other clients of this proxy got "
                      "wrong values: let only m4_rpc call it"},
    [DOCTOR_GARBLED] = {"not-rpc", false,
                        "what came back is no answer to a call",
                        "is this an m4-proxy? its first bytes stand above"},
    [DOCTOR_UNBOUND] = {"method-unbound", false,
                        "the M4 does not know this method",
                        "flash a sketch that binds it (firmware/weir-flow), or "
                        "name the right one with --method"},
    [DOCTOR_ARITY] = {"wrong-arity", false,
                      "the method takes another number of arguments",
                      "m4_rpc reads methods without arguments: bind one that "
                      "takes none, or take this one out of the configuration"},
    [DOCTOR_REMOTE] =
        {"sketch-error", false,
         "the sketch answers this method with an error of its own",
         "the words above are the sketch's; behind an m4-proxy such an answer "
         "would end the proxy: return a value instead"},
    [DOCTOR_LONG_TEXT] = {"text-too-long", false,
                          "the method answers a text that an m4-proxy dies of",
                          "keep texts at 31 bytes or fewer in the sketch"},
    [DOCTOR_UNSENDABLE] =
        {"request-too-long", false,
         "the request is longer than the M4 can take",
         "a name and its argument have 250 bytes together, a text 255"},
    /* a socket, a router */
    [DOCTOR_SOCKET_MISSING] =
        {"socket-missing", false, "the socket is not there",
         "start its server (systemctl status arduino-router); in a container "
         "mount the socket's folder"},
    [DOCTOR_SOCKET_DEAD] = {"socket-dead", false,
                            "the socket is a left-over: no server holds it",
                            "restart its server (systemctl restart "
                            "arduino-router); in a container mount the folder, "
                            "not the socket: it is made anew at each start"},
    [DOCTOR_SOCKET_FORBIDDEN] =
        {"socket-forbidden", false, "this user may not use the socket",
         "chmod or chgrp it, or run as its owner; collectd runs as root"},
    [DOCTOR_SOCKET_FILE] =
        {"socket-is-file", false, "there is a file where the socket should be",
         "remove it and restart the server; docker makes such a folder or file "
         "when it mounts a socket that was not there"},
    [DOCTOR_SOCKET_KIND] =
        {"socket-kind", false, "the socket is of another kind than a stream",
         "another program owns it (ss -xlp names it): give the path of the "
         "router's own"},
    [DOCTOR_ROUTER_SILENT] =
        {"router-silent", false,
         "the server takes connections and answers nothing",
         "restart it: systemctl restart arduino-router"},
    [DOCTOR_MCU_SILENT] = {"mcu-silent", false,
                           "the router answers, the microcontroller does not",
                           "is a sketch on it that calls Bridge.begin()? reset "
                           "it, or upload again"},
    [DOCTOR_UNREGISTERED] =
        {"method-unregistered", false,
         "the router answers, but nobody registered this method",
         "the sketch must call Bridge.provide(\"NAME\", ...) after "
         "Bridge.begin()"},
    [DOCTOR_CLOSED] =
        {"closed-early", false,
         "the server ends the connection without an answer",
         "an m4-proxy does so: leave out --persistent (Mode \"proxy\")"},
    /* values */
    [DOCTOR_IMPLAUSIBLE] =
        {"values-implausible", false,
         "the values are implausible for a flow in L/min",
         "check the pulses per litre of the sketch (YF-S201: 450), a loose "
         "ground, and interference on the signal wire"},
    [DOCTOR_INFINITE] =
        {"value-infinite", false, "the value is infinite",
         "the sketch divides by zero: flash firmware/weir-flow"},
    [DOCTOR_NAN_STAYS] = {"value-nan", false,
                          "the method answers NaN for seconds",
                          "the sketch has no reading: weir-flow has one after "
                          "its first second; is loop() blocked?"},
    [DOCTOR_NO_NUMBER] = {"value-no-number", false, "the value is no number",
                          "take a method that returns a number, or give m4_rpc "
                          "the Element of it"},
    [DOCTOR_LIBRARY] =
        {"flow-sensor-library", false,
         "values read more often than once a second are 0: the sketch uses the "
         "FlowSensor library",
         "flash firmware/weir-flow, or set \"Compensate true\" in m4_rpc"},
    [DOCTOR_ZERO] = {"flow-zero", true, "the M4 answers; the flow is 0",
                     "if water flows: is the sensor on the pin the sketch "
                     "counts (a PC_7 cast to a pin number never counts), "
                     "supplied with 5 V, and its pulse brought down to 3.3 V?"},
    [DOCTOR_PLAUSIBLE] = {"m4-plausible", true,
                          "the M4 answers with plausible values", NULL},
    [DOCTOR_ANSWERS] = {"m4-answers", true, "the M4 answers", NULL},
    /* the board itself */
    [DOCTOR_NO_BOARD] =
        {"board-absent", false, "this machine is no Portenta X8",
         "run it on the board itself, not in a container: adb shell, or ssh"},
    [DOCTOR_NO_DRIVER] =
        {"driver-missing", false,
         "the kernel has no way to the M7: its driver is not loaded",
         "systemctl status stm32h7-program; reboot; if it stays so, flash the "
         "board's image anew"},
    [DOCTOR_M7_SILENT] =
        {"m7-silent", false, "the M7 does not answer",
         "switch the board off and on (the M7 keeps its fault across a "
         "reboot); then /usr/arduino/extra/program.sh"},
    [DOCTOR_M7_MISMATCH] = {"m7-mismatch", false,
                            "the M7's firmware is not the one of this image",
                            "as root: /usr/arduino/extra/program.sh, then "
                            "reboot: it writes the image's firmware to the M7"},
    [DOCTOR_NO_UNIT] =
        {"proxy-not-installed", false, "this image has no m4-proxy",
         "update the board's image; m4-proxy.service belongs to it"},
    [DOCTOR_PROXY_DOWN] =
        {"proxy-down", false, "m4-proxy is installed and does not run",
         "systemctl reset-failed m4-proxy && systemctl enable --now m4-proxy; "
         "why it ended: journalctl -u m4-proxy"},
    [DOCTOR_M4_CRASHED] =
        {"m4-crashed", false, "the M4 has crashed",
         "upload the sketch again; when it repeats, it is the sketch: an "
         "exception, or a call with the wrong arguments"},
    [DOCTOR_M4_FULL] =
        {"m4-takes-nothing", false, "the M7 refused messages for the M4",
         "a request was longer than 251 bytes, or the M4 takes none: upload "
         "the sketch again, it must end setup() with RPC.begin()"},
    [DOCTOR_BOARD_WELL] = {"board-well", true, "proxy, kernel and M7 are well",
                           "what is left are the M4 and its sketch: "
                           "weir-doctor m4 127.0.0.1:5001"},
    /* a model */
    [DOCTOR_MODEL_NAME] =
        {"model-name-unknown", false,
         "the name of the model's host has no address",
         "in compose it is the name of the service (inference); elsewhere use "
         "127.0.0.1 or the host's address"},
    [DOCTOR_MODEL_DNS] =
        {"model-name-silent", false,
         "the look-up of the model's host gets no answer",
         "use the host's address, or mend DNS: /etc/resolv.conf, the network"},
    [DOCTOR_CONTAINER_REFUSED] =
        {"container-refused", false, "no container answers at this URL",
         "is it running, and is this its port? it begins to listen only after "
         "its model has started: docker logs says why it does not"},
    [DOCTOR_CONTAINER_HANGS] =
        {"container-hangs", false,
         "the container takes the connection and says nothing",
         "restart it: docker compose restart inference"},
    [DOCTOR_MODEL_MISSING] =
        {"model-missing", false, "there is no model at this path",
         "correct Model; in a container the file's folder must be mounted"},
    [DOCTOR_MODEL_NOT_EXECUTABLE] =
        {"model-not-executable", false, "the model may not be executed",
         "chmod 755 FILE; the file system must not be mounted noexec"},
    [DOCTOR_MODEL_MACHINE] =
        {"model-other-machine", false, "the model is built for another machine",
         "build it again for this one: on the X8 \"Linux (AARCH64)\""},
    [DOCTOR_MODEL_ENDS] = {"model-ends-at-start", false,
                           "the model's program ends at its start",
                           "its last words stand above; run it by hand with "
                           "--print-info: are its libraries there?"},
    [DOCTOR_MODEL_DEAF] = {"model-hangs-at-start", false,
                           "the program starts and does not say what it is",
                           "is it an .eim? build the model again, or wait: a "
                           "large one needs longer than 5 s on a busy board"},
    [DOCTOR_MODEL_REFUSES] =
        {"model-refuses", false, "the model answers that it cannot work",
         "its reason stands above; restart the container (its model has died "
         "and it does not notice), or build the model again"},
    [DOCTOR_MODEL_KIND] =
        {"model-wrong-kind", false,
         "the model does not classify a series of numbers",
         "use one for time series, not for images, sounds or objects"},
    [DOCTOR_NO_MODEL] =
        {"not-edge-impulse", false,
         "this is no Edge Impulse model or container",
         "correct the URL or the path; what answered stands above"},
    [DOCTOR_MODEL_CRASHES] =
        {"model-crashes", false, "the model crashes at its first window",
         "it describes itself and then dies: its last words stand above; build "
         "it again, or give the board memory"},
    [DOCTOR_MODEL_HANGS] =
        {"model-hangs", false, "the model does not answer its first window",
         "it describes itself and then hangs; restart the container; when it "
         "repeats, build the model again"},
    [DOCTOR_WINDOW_REFUSED] =
        {"window-refused", false, "the model refuses the window",
         "its words stand above; a container whose model has died says so for "
         "ever: restart it; else build the model again"},
    [DOCTOR_ANSWER_BAD] =
        {"answer-malformed", false, "the model's answer is none",
         "scores are missing or not within 0 and 1: the model behind is "
         "another one than it says; restart the container, or build it again"},
    [DOCTOR_LABELS_UNKNOWN] =
        {"labels-unknown", true,
         "the model classifies; the sketch does not know all of its labels",
         "if the M4's alarm output is used: enter them in LABELS of "
         "firmware/weir-flow, or the output drops on them"},
    [DOCTOR_CLASSIFIES] = {"model-classifies", true, "the model classifies",
                           NULL},
    /* the cloud */
    [DOCTOR_SECRETS_MISSING] =
        {"secrets-missing", false, "the file with the credentials is not there",
         "correct CredentialsFile (here: --env), or write the file: "
         "docker/.env.example shows what belongs in it"},
    [DOCTOR_SECRETS_FORBIDDEN] =
        {"secrets-forbidden", false, "this user may not read the credentials",
         "run it as root: sudo weir-doctor; collectd runs as root"},
    [DOCTOR_SECRETS_OPEN] =
        {"secrets-open", false, "others may read or change the credentials",
         "chmod 600 FILE; if others could read it, make a new API key too"},
    [DOCTOR_SECRETS_INCOMPLETE] =
        {"secrets-incomplete", false, "the credentials are not complete",
         "fill in what is named above; --env FILE names the file, "
         "docker/.env.example shows what belongs in it"},
    [DOCTOR_CA_MISSING] = {"ca-missing", false,
                           "the file of certificates cannot be read",
                           "correct CACert (here: --ca-cert), or leave it out: "
                           "then the system's certificates count"},
    [DOCTOR_CLOUD_DNS] = {"cloud-dns", false,
                          "the name of the service has no address here",
                          "DNS: is there a name server (/etc/resolv.conf), and "
                          "a way to it? getent hosts api2.arduino.cc"},
    [DOCTOR_CLOUD_PROXY] =
        {"cloud-proxy", false, "the name of the HTTP proxy has no address",
         "correct https_proxy in the environment of collectd, or unset it"},
    [DOCTOR_CLOUD_REFUSED] = {"cloud-refused", false,
                              "the connection to the service is refused",
                              "check URL, firewall and https_proxy; a service "
                              "of your own: does it run?"},
    [DOCTOR_CLOUD_TIMEOUT] = {"cloud-timeout", false,
                              "the service does not answer in time",
                              "is the link up? a firewall that drops packets "
                              "looks the same: open TCP port 443"},
    [DOCTOR_CLOUD_CLOCK] =
        {"cloud-clock", false,
         "the certificate is not valid at the time that this machine thinks it "
         "is",
         "set the clock: timedatectl; systemctl restart systemd-timesyncd. If "
         "it is right, the certificate itself has run out"},
    [DOCTOR_CLOUD_TLS] =
        {"cloud-tls", false, "the service does not prove who it is",
         "its certificate is for another name or by an unknown authority, or "
         "it speaks no TLS: somebody sits in between (a portal, a filter), or "
         "CACert is missing for a service of your own"},
    [DOCTOR_CLOUD_BROKEN] = {"cloud-broken", false,
                             "the connection to the service breaks",
                             "try again; when it repeats, something on the way "
                             "ends it: a proxy, a filter"},
    [DOCTOR_NO_CLOUD] = {"not-the-cloud", false,
                         "this is not the Arduino Cloud",
                         "check URL (here: --url) and what sits between: a "
                         "portal answers with a page of its own"},
    [DOCTOR_TOKEN_LIMIT] =
        {"token-limit", false, "the service is asked for tokens too often",
         "wait a minute; check SPACE_ID, and who else uses this API key"},
    [DOCTOR_TOKEN_DOWN] =
        {"token-down", false, "the service gives no token now",
         "wait; the plugin retries by itself, and nothing is lost"},
    [DOCTOR_TOKEN_REFUSED] =
        {"token-refused", false, "the service refuses the credentials",
         "make a new API key (Arduino Cloud, Space settings, API keys) and "
         "check CLIENT_ID, CLIENT_SECRET and SPACE_ID"},
    [DOCTOR_THING_LIMIT] =
        {"thing-limit", false,
         "the service answers that this account asks too often",
         "lower RateLimit (free accounts: 1 a second for all boards together), "
         "raise MinInterval"},
    [DOCTOR_THING_DOWN] =
        {"thing-down", false,
         "the service gives tokens but cannot read the Thing now",
         "wait; the plugin retries by itself, and nothing is lost"},
    [DOCTOR_THING_FORBIDDEN] =
        {"thing-forbidden", false, "this API key may not read the Thing",
         "the key must belong to the same space as the Thing: check SPACE_ID"},
    [DOCTOR_THING_UNKNOWN] = {"thing-unknown", false,
                              "the service does not know this Thing",
                              "check THING_ID, and that the API key belongs to "
                              "the same space as the Thing (SPACE_ID)"},
    [DOCTOR_PROPERTY_MISSING] =
        {"property-missing", false, "the Thing lacks a property",
         "add the variable in Arduino Cloud (a template lies in "
         "dashboards/arduino-cloud), or correct its ..._VARIABLE_ID"},
    [DOCTOR_PROPERTY_TYPE] =
        {"property-type", false, "a property of the Thing has the wrong type",
         "make the variable anew in Arduino Cloud with the type above, and "
         "correct its ..._VARIABLE_ID"},
    [DOCTOR_CLOUD_WELL] = {"cloud-well", true, "the cloud accepts this board",
                           NULL},
    [DOCTOR_SPOOL_UNREADABLE] =
        {"spool-unreadable", false, "the spool cannot be read",
         "name the .db file of the Thing below collectd's BaseDir, and read it "
         "as a user who may"},
    [DOCTOR_REJECTED_SOME] =
        {"values-rejected", false, "the cloud refused values for good",
         "the reasons stand above; weir-doctor cloud --env FILE compares the "
         "properties with what is published; when all is mended, weir-doctor "
         "cloud --resend SPOOL has them sent again"},
    [DOCTOR_REJECTED_NONE] = {"none-rejected", true,
                              "the cloud refused no value", NULL},
    [DOCTOR_SPOOL_UNCHANGED] =
        {"spool-unchanged", false, "the spool cannot be changed",
         "name the .db file of the Thing below collectd's BaseDir, as a user "
         "who may write it"},
    [DOCTOR_RESENT] = {"values-resent", true,
                       "the agent sends them within seconds, or at its next "
                       "start",
                       NULL},
    [DOCTOR_SPOOL_OLDER] = {"spool-older", true,
                            "the spool is as version 0.1 of Weir left it",
                            NULL},
    /* a configuration */
    [DOCTOR_CONF_MISSING] =
        {"config-missing", false, "there is no configuration of collectd",
         "name it with -C FILE; the packages have /etc/collectd/collectd.conf"},
    [DOCTOR_CONF_FORBIDDEN] = {"config-forbidden", false,
                               "this user may not read the configuration",
                               "run it as root: sudo weir-doctor"},
    [DOCTOR_CONF_SYNTAX] = {"config-syntax", false,
                            "collectd does not take this configuration",
                            "mend the line above"},
    [DOCTOR_CONF_EMPTY] =
        {"config-empty", false, "the configuration has no block of Weir",
         "switch on the drop-ins in /etc/collectd/collectd.conf.d "
         "(weir-10-m4_rpc.conf first), or name a check: weir-doctor --help"},
    [DOCTOR_NOT_LOADED] = {"plugin-not-loaded", false,
                           "the block is there, but its plugin is not loaded",
                           "add the LoadPlugin line above, before the block; "
                           "without it collectd passes the block over"},
    [DOCTOR_AGENT_DOWN] =
        {"agent-down", false, "collectd does not run",
         "systemctl status collectd says why; weir-doctor config reads its "
         "configuration without starting it"},
    [DOCTOR_CONF_REFUSED] =
        {"config-refused", false,
         "a plugin refuses its block: collectd would not start",
         "mend the option that the sentence above names"},
    [DOCTOR_PLUGIN_MISSING] =
        {"plugin-missing", false, "a plugin is not where collectd looks for it",
         "install collectd-mod-weir, or correct PluginDir"},
    [DOCTOR_PLUGIN_BAD] =
        {"plugin-not-loadable", false, "a plugin cannot be loaded",
         "plugins and weir-doctor must be of one version: install both anew"},
    [DOCTOR_PLUGIN_DIES] =
        {"plugin-dies", false,
         "a plugin ends the program that reads its configuration",
         "install collectd-mod-weir anew; if it stays so, it is a defect: "
         "report it with the configuration"},
    [DOCTOR_CONF_ACCEPTED] =
        {"config-accepted", true,
         "collectd takes the blocks of Weir in this configuration", NULL},
    [DOCTOR_NO_UNIXSOCK] =
        {"unixsock-missing", false, "collectd's unixsock cannot be reached",
         "load the plugin unixsock (examples/unixsock.conf), restart collectd, "
         "and run this as a user whom SocketGroup lets in; another place: "
         "weir-doctor watch SOCKET"},
    [DOCTOR_NO_MEMORY] = {"no-memory", false, "there is no memory left",
                          "end other programs: free -m"},
};

int doctor_conclude(struct doctor *d, enum doctor_verdict v) {
  d->name = table[v].name;
  return doctor_end(d, table[v].healthy, table[v].verdict, table[v].remedy);
}

void doctor_list(void) {
  for (size_t i = 0; i < DOCTOR_VERDICTS; i++)
    printf("%s\t%s\n", table[i].name, table[i].verdict);
}
