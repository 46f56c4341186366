# Tests and the demo. Included by the Makefile; `make help` lists everything.

CLANG ?= clang
CLANG_FORMAT ?= clang-format-14
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%, \
  $(wildcard tests/unit/*/test_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

$(BENCH): $(B)/bench/%: $(B)/obj/tests/bench/%.o $(B)/lib/libweir.a; $(program)
# It stands in for collectd, and the plugin it loads looks for that in it.
$(B)/obj/tests/bench/edge_invoke.o \
  $(B)/obj/tests/bench/flow_baseline.o: ALL_CFLAGS += $(COLLECTD_CFLAGS)
$(B)/bench/edge_invoke $(B)/bench/flow_baseline: ALL_LDFLAGS += -rdynamic
# alloc.o: see there. What it wraps is wrapped in our own objects alone.
wrap := malloc calloc realloc free strdup strndup
$(UNIT): ALL_LDFLAGS += $(wrap:%=-Wl,--wrap=%)
$(UNIT): $(B)/tests/%: $(B)/obj/tests/unit/%.o $(B)/obj/tests/unit/alloc.o \
  $(B)/lib/libweir.a $(filter-out %/main.o,$(MODEL_OBJ))
	$(call program,-lcunit)
# The alarm as shipped, over simulated flow: tests/evaluate/evaluate.h.
EVALUATE := $(B)/bin/evaluate-alarms
$(EVALUATE): $(call objs,$(wildcard tests/evaluate/*.c) \
  tests/sim/m4sim_plant.c tests/sim/m4sim_scenario.c) $(B)/lib/libweir.a \
  $(filter-out %/main.o,$(MODEL_OBJ)); $(program)
# The same figures on every machine.
$(patsubst %,$(B)/obj/%.o,plugins/lib/flow/% tests/evaluate/% tests/sim/% \
  tests/unit/flow/%): \
  ALL_CFLAGS += -ffp-contract=off
ALARMS := $(sort $(wildcard tests/sim/scenarios/alarms/*.scenario))

$(B)/fuzzlib/lib/libweir.a: $(wildcard plugins/lib/*/*.[ch])
	$(Q)$(MAKE) --no-print-directory B=$(B)/fuzzlib CC=$(CLANG) HARDEN= \
	  CFLAGS='-g -O1 -fno-sanitize-recover=undefined' \
	  SAN=fuzzer-no-link,address,undefined $@
$(B)/fuzz/%: tests/fuzz/%.c $(B)/fuzzlib/lib/libweir.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) -std=gnu11 -g -O1 -I. -Iplugins \
	  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	  $(FUZZ_FLAGS) -MMD -MP -MF $@.d -o $@ $< \
	  $(B)/fuzzlib/lib/libweir.a $(LIBS) -pthread
-include $(FUZZ:=.d)
# What stands in for collectd, and for libcurl's way to the network.
$(B)/fuzz/fuzz_command $(B)/fuzz/fuzz_baseline_store: FUZZ_FLAGS := \
  $(COLLECTD_CFLAGS)
$(B)/fuzz/fuzz_http: FUZZ_FLAGS := -rdynamic

# package, package|package or command:package: see tests/install-deps. Where
# two names stand, Debian 13 has the one and Debian 12 the other. OpenSSL
# first: GnuTLS keeps every certificate authority parsed, 6 MB of memory.
DEPS_BUILD := gcc:gcc libc6-dev collectd-core collectd-dev \
  'libcurl4-openssl-dev|libcurl4-gnutls-dev' libyajl-dev libsqlite3-dev
DEPS_DEMO := $(DEPS_BUILD) /usr/bin/python3:python3 'librrd8t64|librrd8' \
  rrdtool:rrdtool fonts-dejavu-core
DEPS_CHECK := $(DEPS_DEMO) collectdctl:collectd-utils \
  libprotobuf-c1 'libmicrohttpd12t64|libmicrohttpd12' libcunit1-dev locales 'libpython3.13|libpython3.12|libpython3.11' \
  'libcurl3t64-gnutls|libcurl3-gnutls' clang:clang iproute2 iptables \
  systemd-analyze:systemd \
  libclang-rt-dev \
  'clang-format-14|clang-format' perl:perl openssl:openssl node:nodejs \
  npm:npm g++:g++ \
  arm-none-eabi-g++:gcc-arm-none-eabi libnewlib-arm-none-eabi \
  libstdc++-arm-none-eabi-newlib qemu-system-arm:qemu-system-arm \
  valgrind:valgrind

.PHONY: deps-build deps-demo deps-check
deps-build: ; @tests/install-deps $(DEPS_BUILD)
deps-demo: ; @tests/install-deps $(DEPS_DEMO)
deps-check: ; @tests/install-deps $(DEPS_CHECK)

.PHONY: demo check rooms unit unit-asan unit-tsan sanitize mutate fuzz-run fuzz-long e2e \
  valgrind bench format format-check check-config plugins
demo: deps-demo ## the whole pipe on this machine, no hardware
	@$(MAKE) --no-print-directory -j2 all
	@WEIR_BUILD=$(B) $(PYTHON) tests/demo/demo.py

check: deps-check ## every test, under 10 minutes on 2 cores
	@$(MAKE) --no-print-directory -j2 WERROR=1 all
	@WEIR_BUILD=$(B) MAKE='$(MAKE)' tests/run-checks

plugins: $(SO)

rooms: all ## who may include and call whom, how long functions are
	@WEIR_BUILD=$(B) tests/check-rooms
	@WEIR_BUILD=$(B) tests/test-check-rooms

# Two locales that write and compare otherwise than we do.
LOCALES ?= $(B)/locale
LOCALE := $(LOCALES)/de_DE.UTF-8/LC_CTYPE $(LOCALES)/tr_TR.ISO-8859-9/LC_CTYPE
$(LOCALE): %/LC_CTYPE:
	@mkdir -p $(LOCALES)
	$(call say,LOCALE,$(notdir $*))
	$(Q)localedef -i $(basename $(notdir $*)) \
	  -f $(patsubst .%,%,$(suffix $(notdir $*))) $*

evaluate-alarms: $(EVALUATE) ## what the alarm does; writes model/alarms.md
	@$(EVALUATE)
	@$(EVALUATE) -r $(ALARMS) >$(B)/alarms.md
	@cp $(B)/alarms.md model/alarms.md
	@sed -n '/^| aim/,/^$$/p' model/alarms.md

evaluate-check: $(EVALUATE)
	@tests/evaluate/check $(EVALUATE) model/alarms.md $(ALARMS)

.PHONY: locales
locales: $(LOCALE)

unit: $(UNIT) $(LOCALE) ## CUnit tests of each lib module
	@WEIR_LOCALES=$(abspath $(LOCALES)) tests/run-units $(UNIT)

SEED ?= 1
MUTATIONS ?= 40
mutate: $(LOCALE) ## small mistakes in lib: do its unit tests see them? (slow)
	@WEIR_BUILD=$(B) tests/mutate --seed $(SEED) --count $(MUTATIONS) $(ROOMS)

sanitize: unit-asan unit-tsan ## the same under sanitizers
unit-asan: ; @$(MAKE) --no-print-directory B=$(B)/asan LOCALES=$(LOCALES) \
  SAN=address,undefined HARDEN= unit
unit-tsan: ; @$(MAKE) --no-print-directory B=$(B)/tsan LOCALES=$(LOCALES) \
  SAN=thread HARDEN= unit

FUZZ_RUNS ?= 20000
fuzz-run: $(FUZZ) ## a fixed number of runs of every fuzz target
	@tests/run-fuzz $(FUZZ_RUNS) $^

FUZZ_SECONDS ?= 300
fuzz-long: $(FUZZ) ## every fuzz target for minutes, another seed: FUZZ_SECONDS=
	@tests/run-fuzz $(FUZZ_SECONDS)s $^

e2e: all $(EVALUATE) ## the stock collectd with our plugins, simulators around it
	@WEIR_BUILD=$(B) tests/run-e2e $(TESTS)

valgrind: all ## 60 s of collectd with all plugins: no leak, no error
	@tests/install-deps valgrind:valgrind libc6-dbg
	@WEIR_BUILD=$(B) tests/run-valgrind

BARE_CURL := $(B)/bench/peers/bare_curl
$(BARE_CURL): tests/bench/peers/bare_curl.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< -lcurl
bench: all $(BENCH) $(BARE_CURL) ## what it costs, and its peers: BENCH="peers agent"
	@WEIR_BUILD=$(B) tests/bench/run
.PHONY: bench-hub
bench-hub: all ## series that one collectd classifies for many boards (9 min)
	@WEIR_BUILD=$(B) BENCH_HUB="$${BENCH_HUB:-100 1000 5000 10000}" \
	  tests/bench/hub

# What runs for every sample, in instructions: tests/cost/check. The figures are
# those of the plain flags, whatever else is built with others.
COST := $(B)/cost/paths
$(COST): $(B)/obj/tests/cost/paths.o $(B)/lib/libweir.a
	$(call program,-lcunit)
.PHONY: cost
cost: $(COST) ## instructions of four hot paths against the committed ones
	@CC='$(CC)' tests/cost/check $(WRITE) $(COST)

SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
format: ## lay out the C sources
	@$(CLANG_FORMAT) -i $(SOURCES)
# Each version of clang-format lays macros out in its own way.
format-check:
	@if command -v $(CLANG_FORMAT) >/dev/null; then \
	  $(CLANG_FORMAT) --dry-run -Werror $(SOURCES); \
	else echo "SKIP format: $(CLANG_FORMAT) is not there"; \
	  echo "counted 0 0 1"; fi

check-config: $(SO) ## validate a configuration: make check-config CONF=file
	@WEIR_BUILD=$(B) tests/check-config "$(CONF)"

# The whole pipe in one process and virtual time: see tests/simulate/sim.h.
SIMULATE_OBJ := $(call objs,$(wildcard tests/simulate/*.c) \
  tests/evaluate/agent.c tests/sim/m4sim_plant.c tests/sim/m4sim_scenario.c)
# Our own disk and allocator stand before the C library's.
simulated := open64 openat64 close read pread64 write pwrite64 fsync fstat64 \
  stat64 rename remove unlink flock fchmod malloc calloc realloc strdup free
$(B)/bin/simulate: ALL_LDFLAGS += $(simulated:%=-Wl,--wrap=%)
$(B)/bin/simulate: $(SIMULATE_OBJ) $(B)/lib/libweir.a \
  $(filter-out %/main.o,$(MODEL_OBJ)); $(program)
# SEED of `mutate` has a default; here none means a fresh one.
simulate_env = SEED=$(if $(filter-out file,$(origin SEED)),$(SEED)) \
  COUNT=$(COUNT) DAYS=$(DAYS) UNTIL=$(UNTIL) TRACE=$(TRACE)
.PHONY: simulate simulate-year simulate-planted simulate-replay
simulate: $(B)/bin/simulate ## faults in virtual time: SEED= COUNT= DAYS= TRACE=1
	@$(simulate_env) tests/simulate/run $<

simulate-replay: $(B)/bin/simulate # the same seed, the same trace
	@tests/simulate/replay $<

simulate-year: $(B)/bin/simulate ## a year of it over fresh seeds (minutes)
	@$(simulate_env) COUNT=337 DAYS=1 nice tests/simulate/run $<

simulate-planted: ## mistakes of 0.1.0: how soon does the simulator find them?
	@SEED= tests/simulate/planted/run $(B)

# gcc counts lines and branches; what they ran is added up in *.gcda.
COVERED := $(MAKE) --no-print-directory B=$(B)/coverage LOCALES=$(LOCALES) \
  CFLAGS='-O0 -g --coverage -fprofile-update=atomic' LDFLAGS=--coverage \
  HARDEN= CC=gcc
.PHONY: coverage
coverage: ## which lines and branches of lib unit tests and simulator reach
	@find $(B)/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(COVERED) unit | tail -n 1
	@$(COVERED) simulate SEED=1 COUNT=2 DAYS=1 | tail -n 2
	@tests/coverage $(B)/coverage/obj

# An hour each, by default: SECONDS=. With SAN=address or thread the plugins in
# the daemon are built so; what goes with them is not.
comma := ,
SAN_NAME := $(patsubst thread,tsan,$(patsubst address,asan,$(SAN)))
CHAOS_SAN := $(if $(filter address,$(SAN)),address$(comma)undefined,$(SAN))
.PHONY: chaos soak
chaos: ## the real daemon under faults of all around it: SEED= SECONDS= SAN=
	@$(MAKE) --no-print-directory SAN= -j2 all
	@$(if $(SAN),$(MAKE) --no-print-directory -j2 B=$(B)/$(SAN_NAME) \
	  SAN=$(CHAOS_SAN) HARDEN= plugins)
	@WEIR_BUILD=$(B) SEED=$(if $(filter command line,$(origin SEED)),$(SEED)) \
	  SECONDS=$(SECONDS) WEIR_SAN=$(SAN) \
	  $(if $(SAN),WEIR_PLUGINS=$(B)/$(SAN_NAME)/plugins) \
	  PLANT=$(PLANT) $(PYTHON) tests/chaos/chaos.py
soak: all ## does the daemon grow: SECONDS= (3600), INTERVAL= (0.1 s, ten times time)
	@WEIR_BUILD=$(B) SECONDS=$(SECONDS) INTERVAL=$(INTERVAL) PLANT=$(PLANT) \
	  $(PYTHON) tests/chaos/soak.py
