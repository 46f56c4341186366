# Dashboards, rules and configurations. Included by the Makefile.

DASH_TOOLS := promtool:prometheus amtool:prometheus-alertmanager

.PHONY: dashboards dashboards-check
dashboards: ## write the dashboards and rules from their sources
	@$(PYTHON) dashboards/grafana/generate.py

dashboards-check: ## rules and dashboards, without a server
	@tests/install-deps python3-yaml
	@WEIR_BUILD=$(B) tests/dashboards/fetch $(DASH_TOOLS)
	@WEIR_BUILD=$(B) tests/dashboards/check-all
