# Dashboards, rules and configurations. Included by the Makefile.

DASH_TOOLS := 'promtool:promtool|prometheus' amtool:prometheus-alertmanager
DASH_LIBS := 'libmicrohttpd12t64|libmicrohttpd12' libprotobuf-c1 librdkafka1 \
  libmosquitto1 libesmtp6 'librrd8t64|librrd8' libgcrypt20 \
  openssl:openssl
MQTT_LIBS := libwrap0 libdlt2 'libwebsockets19t64|libwebsockets17'
DASH_LIVE := prometheus:prometheus influxd:influxdb \
  prometheus-alertmanager:prometheus-alertmanager

.PHONY: dashboards dashboards-check dashboards-live dashboards-draw \
  dashboards-network dashboards-stacks bench-fleet bench-fleet-cost
dashboards: ## write the dashboards and rules from their sources
	@$(PYTHON) dashboards/grafana/generate.py

dashboards-check: $(SO) $(EIM) ## rules, dashboards, configurations
	@tests/install-deps python3-yaml $(MQTT_LIBS) $(DASH_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_TOOLS) \
	  mosquitto:mosquitto
	@WEIR_BUILD=$(B) tests/dashboards/check-all

dashboards-live: all ## real Prometheus, Alertmanager, InfluxDB (2 min)
	@tests/install-deps curl:curl $(DASH_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_TOOLS) $(DASH_LIVE)
	@cd tests/dashboards && WEIR_BUILD=$(B) $(PYTHON) test_live.py

dashboards-draw: all ## types and pictures with Grafana's npm packages
	@tests/install-deps node:nodejs npm:npm chromium:chromium $(DASH_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_TOOLS) $(DASH_LIVE)
	@WEIR_BUILD=$(B) $(PYTHON) tests/dashboards/draw-boards

bench-fleet: ## how many boards one server carries (15 min)
	@tests/install-deps $(DASH_LIBS) $(MQTT_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_TOOLS) $(DASH_LIVE) \
	  victoria-metrics:victoria-metrics mosquitto:mosquitto
	@WEIR_BUILD=$(B) $(PYTHON) tests/bench/fleet.py

dashboards-network: all ## a link cut for a minute, in namespaces (root)
	@tests/install-deps ip:iproute2 curl:curl $(DASH_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_LIVE)
	@cd tests/dashboards && WEIR_BUILD=$(B) $(PYTHON) test_network.py

# The broker's jars, where java, mvn and a network are; telegraf and otelcol
# where they are installed. What is not there is skipped by name.
dashboards-stacks: all ## Kafka, Telegraf, OpenTelemetry: real programs (6 min)
	@tests/install-deps $(DASH_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch \
	  victoria-metrics:victoria-metrics || echo "SKIP   victoria-metrics"
	@WEIR_BUILD=$(B) tests/dashboards/kafka/fetch
	@cd tests/dashboards && WEIR_BUILD=$(B) $(PYTHON) test_broker.py
	@cd tests/dashboards && WEIR_BUILD=$(B) $(PYTHON) test_intake.py

bench-fleet-cost: all ## series, bytes, handshakes of a board (root, 8 min)
	@tests/install-deps ip:iproute2 $(DASH_LIBS) $(MQTT_LIBS)
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_TOOLS) $(DASH_LIVE) \
	  mosquitto:mosquitto victoria-metrics:victoria-metrics
	@WEIR_BUILD=$(B) tests/dashboards/kafka/fetch
	@WEIR_BUILD=$(B) $(PYTHON) tests/bench/fleet_cost.py --write
	@WEIR_BUILD=$(B) $(PYTHON) tests/bench/fleet_dashboard.py --write
