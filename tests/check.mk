# Tests and the demo. Included by the Makefile; `make help` lists everything.

DEPS_BUILD := gcc libc6-dev collectd-core collectd-dev libcurl4-gnutls-dev \
  libmsgpack-dev libyajl-dev libsqlite3-dev
DEPS_DEMO := $(DEPS_BUILD) python3 librrd8 rrdtool fonts-dejavu-core
DEPS_CHECK := $(DEPS_DEMO) libcunit1-dev clang libclang-rt-14-dev \
  clang-format-14 perl openssl npm

.PHONY: deps-build deps-demo deps-check
deps-build: ; @tests/install-deps $(DEPS_BUILD)
deps-demo: ; @tests/install-deps $(DEPS_DEMO)
deps-check: ; @tests/install-deps $(DEPS_CHECK)

.PHONY: demo check unit sanitize fuzz e2e format format-check check-config
demo: deps-demo ## the whole pipe on this machine, no hardware
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/demo/demo.py

check: deps-check ## every test, under 10 minutes on 2 cores
	@$(MAKE) --no-print-directory WERROR=1 all
	@tests/run-checks

unit: $(UNIT) ## CUnit tests of each lib module
	@tests/run-units $^

sanitize: ## the same under AddressSanitizer and UBSan, and ThreadSanitizer
	@$(MAKE) --no-print-directory B=$(B)/asan SAN=address,undefined \
	  HARDEN= unit
	@$(MAKE) --no-print-directory B=$(B)/tsan SAN=thread HARDEN= unit

fuzz-run: $(FUZZ) ## a fixed number of runs of every fuzz target
	@tests/run-fuzz $(FUZZ_RUNS) $^
FUZZ_RUNS ?= 20000

e2e: all ## the stock collectd with our plugins, simulators around it
	@cd tests/e2e && $(PYTHON) -m unittest -v

SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
format: ## lay out the C sources
	@$(CLANG_FORMAT) -i $(SOURCES)
format-check: ; @$(CLANG_FORMAT) --dry-run -Werror $(SOURCES)

check-config: $(SO) ## validate a configuration: make check-config CONF=file
	@tests/check-config $(CONF)
