# Weir: collectd plugins that turn a flow sensor into an alarm.
# `make help` lists the targets; everything built lands in build/.

VERSION := $(shell sed -n "1s/.*(\(.*\)).*/\1/p" debian/changelog)
CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr
PLUGINDIR ?= $(PREFIX)/lib/collectd
COLLECTD_INCLUDE ?= /usr/include/collectd
PYTHON ?= /usr/bin/python3
# One build folder per compiler: make CC=clang after make builds in its own.
COMPILER := $(notdir $(firstword $(filter-out ccache distcc,$(CC))))
B ?= build$(if $(filter cc gcc,$(COMPILER)),,/$(COMPILER))

PLUGINS := m4_rpc target_edge_impulse match_classification \
  target_flow_baseline write_arduino_cloud
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wpointer-arith -Wvla -Werror=implicit-function-declaration
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
# Beyond 2038 on 32 bits, too.
TIME64 := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
# U_FORTIFY first: a distribution's flags may set another level.
ALL_CFLAGS = -std=gnu11 -pthread -fPIC $(WARN) -I. -Iplugins \
  -DWEIR_VERSION='"$(VERSION)"' $(TIME64) $(CPPFLAGS) -U_FORTIFY_SOURCE $(HARDEN) \
  $(CFLAGS) $(SANFLAGS) $(if $(WERROR),-Werror)
COLLECTD_CFLAGS := -DHAVE_CONFIG_H -isystem $(COLLECTD_INCLUDE)
ALL_LDFLAGS = -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) \
  $(SANFLAGS)
LIBS := -lcurl -lyajl -lsqlite3 -lm

ifneq ($(V),1)
Q := @
say = @printf '  %-8s%s\n' $(1) $(2)
endif

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB_OBJ := $(call objs,$(wildcard plugins/lib/*/*.c))
GLUE_OBJ := $(call objs,$(wildcard plugins/glue/*.c))
MODEL_OBJ := $(call objs,$(wildcard model/*.c))
M4SIM_OBJ := $(call objs,$(wildcard tests/sim/m4sim*.c))
DOCTOR_OBJ := $(call objs,$(wildcard plugins/doctor/*.c))
# libcurl is loaded where it is asked for alone: plugins/glue/transport.h.
HTTP_SO := $(B)/plugins/weir_http.so
SO := $(PLUGINS:%=$(B)/plugins/%.so) $(HTTP_SO)
TOOLS := $(patsubst model/tools/%.c,$(B)/bin/%,$(wildcard model/tools/*.c))
BIN := $(B)/bin/m4sim $(B)/bin/weir-doctor
EIM := $(B)/model/flow.eim

.PHONY: all
all: $(SO) $(EIM) $(BIN) ## build the plugins, the model and the tools

# lib/ must not know collectd: -MD lists every header, also system ones.
$(B)/obj/plugins/lib/%.o: plugins/lib/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MD -MP -c -o $@ $<
	@if grep -q 'collectd/' $(@:.o=.d); then rm -f $@; echo "$<: lib/" \
	  "must not include a collectd header" >&2; exit 1; fi

$(B)/obj/plugins/glue/%.o $(B)/obj/plugins/%.o: \
  ALL_CFLAGS += $(COLLECTD_CFLAGS)
$(B)/obj/plugins/lib/%.o $(B)/obj/plugins/doctor/%.o: COLLECTD_CFLAGS :=
# It stands in for collectd, for the plugins whose configuration it checks.
$(B)/obj/plugins/doctor/host.o: COLLECTD_CFLAGS := -DHAVE_CONFIG_H \
  -isystem $(COLLECTD_INCLUDE)
$(B)/obj/plugins/doctor/dryrun.o: CPPFLAGS += \
  -DWEIR_PLUGINDIR='"$(PLUGINDIR)"'
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/lib/libweir.a: $(LIB_OBJ)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(SO): $(B)/plugins/%.so: $(B)/lib/libweir.a plugins/plugin.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(ALL_LDFLAGS) -Wl,--version-script=plugins/plugin.map \
	  -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
	@if readelf -sW $@ | grep ' UND wr_'; then rm -f $@; exit 1; fi

$(filter-out $(HTTP_SO),$(SO)): $(GLUE_OBJ)
$(HTTP_SO): $(B)/obj/plugins/lib/net/curl.o
MATCH := plugins/edge_impulse/match.c
$(B)/plugins/m4_rpc.so: $(call objs,$(wildcard plugins/m4_rpc/*.c))
$(B)/plugins/target_edge_impulse.so: \
  $(call objs,$(filter-out $(MATCH),$(wildcard plugins/edge_impulse/*.c)))
$(B)/plugins/target_flow_baseline.so: \
  $(call objs,$(wildcard plugins/flow_baseline/*.c))
$(B)/plugins/match_classification.so: $(call objs,$(MATCH))
$(B)/plugins/write_arduino_cloud.so: \
  $(call objs,$(wildcard plugins/arduino_cloud/*.c))

define program
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(1)
endef

$(B)/model/flow.eim: $(MODEL_OBJ); $(program)
$(B)/bin/m4sim: $(M4SIM_OBJ); $(program)
$(B)/bin/weir-doctor: ALL_LDFLAGS += -rdynamic
$(B)/bin/weir-doctor: $(DOCTOR_OBJ) $(B)/lib/libweir.a; $(program)
$(TOOLS): $(B)/bin/%: $(B)/obj/model/tools/%.o \
  $(filter-out %/main.o,$(MODEL_OBJ)) $(B)/lib/libweir.a; $(program)

RELEASED = $(shell date -u +%F -d \
  "$$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)")
# A page is also found under the name of what it describes.
MAN_NAMES := m4_rpc=m4_rpc edge_impulse=target_edge_impulse \
  edge_impulse=match_classification flow_baseline=target_flow_baseline \
  arduino_cloud=write_arduino_cloud
MAN5 := $(B)/man/collectd-m4_rpc.5 $(B)/man/collectd-edge_impulse.5 \
  $(B)/man/collectd-flow_baseline.5 $(B)/man/collectd-arduino_cloud.5
MAN1 := $(B)/man/weir-doctor.1
MAN8 := $(B)/man/weir-enable.8
$(B)/man/collectd-m4_rpc.5: plugins/m4_rpc/m4_rpc.pod
$(B)/man/collectd-edge_impulse.5: plugins/edge_impulse/edge_impulse.pod
$(B)/man/collectd-flow_baseline.5: plugins/flow_baseline/flow_baseline.pod
$(B)/man/collectd-arduino_cloud.5: plugins/arduino_cloud/arduino_cloud.pod
$(B)/man/weir-doctor.1: plugins/doctor/weir-doctor.pod
$(B)/man/weir-enable.8: agent-config/weir-enable.pod
$(MAN5) $(MAN1) $(MAN8):
	@mkdir -p $(@D)
	$(Q)pod2man --section=$(patsubst .%,%,$(suffix $@)) --center=Weir \
	  --release=$(VERSION) --date="$(RELEASED)" --name=$(basename $(@F)) $< $@
.PHONY: man
man: $(MAN5) $(MAN1) $(MAN8) ## man pages from POD

include tests/check.mk
-include model/model.mk tests/baseline/baseline.mk \
  tests/dashboards/dashboards.mk tests/packaging/packaging.mk

DROPINS := $(wildcard agent-config/collectd.conf.d/*.conf)
# Drop-ins that are there belong to the administrator and are kept.
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/weir
DROPINDIR ?= /etc/collectd/collectd.conf.d
tree = cd $(1) && find . -type f ! -name '*.py' ! -name '*.png' \
  ! -path './collectd.conf.d/*' ! -name 'weir-enable*' \
  ! -path './examples/*' | \
  while read -r f; do install -D -m $$(test -x $$f && echo 0755 || echo 0644) \
  $$f $(DESTDIR)$(2)/$$f; done
.PHONY: install uninstall clean help
install: all man ## into $(DESTDIR): plugins, model, tools, pages, dashboards
	install -d $(addprefix $(DESTDIR),$(PLUGINDIR) $(PREFIX)/lib/weir \
	  $(PREFIX)/bin $(PREFIX)/sbin $(addprefix $(MANDIR)/,man1 man5 man8) \
	  $(DROPINDIR) /etc/weir)
	install -m 0644 $(SO) $(DESTDIR)$(PLUGINDIR)
	install -m 0755 $(EIM) $(DESTDIR)$(PREFIX)/lib/weir
	install -m 0755 $(B)/bin/weir-doctor $(DESTDIR)$(PREFIX)/bin
	install -m 0755 agent-config/weir-enable $(DESTDIR)$(PREFIX)/sbin
	install -m 0644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	install -m 0644 $(MAN8) $(DESTDIR)$(MANDIR)/man8
	install -m 0644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	cd $(DESTDIR)$(MANDIR)/man5 && for n in $(MAN_NAMES); do \
	  ln -sf collectd-$${n%=*}.5 $${n#*=}.5 || exit 1; done
	for f in $(DROPINS); do \
	  test -e $(DESTDIR)$(DROPINDIR)/$${f##*/} || \
	  install -m 0644 $$f $(DESTDIR)$(DROPINDIR) || exit 1; done
	$(call tree,agent-config,$(DOCDIR)/examples)
	$(call tree,agent-config/examples,$(DOCDIR)/examples)
	install -m 0755 docker/m4-firewall $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 docker/m4-firewall.service $(DESTDIR)$(DOCDIR)/examples
	$(call tree,debian/systemd,$(DOCDIR)/examples/systemd)
	$(call tree,dashboards,$(PREFIX)/share/weir)

uninstall: ## what install put there; drop-ins only if all lines are comments
	cd $(DESTDIR)$(PLUGINDIR) && rm -f $(notdir $(SO))
	cd $(DESTDIR)$(MANDIR) && rm -f $(MAN1:$(B)/man/%=man1/%) \
	  $(MAN5:$(B)/man/%=man5/%) $(MAN8:$(B)/man/%=man8/%) \
	  $(foreach n,$(MAN_NAMES),man5/$(lastword $(subst =, ,$(n))).5)
	rm -f $(addprefix $(DESTDIR)$(PREFIX),/bin/weir-doctor \
	  /sbin/weir-enable)
	rm -rf $(DESTDIR)$(PREFIX)/lib/weir $(DESTDIR)$(PREFIX)/share/weir \
	  $(DESTDIR)$(DOCDIR)
	for f in $(DROPINS); do \
	  f=$(DESTDIR)$(DROPINDIR)/$${f##*/}; test ! -e $$f || \
	  grep -q '^[^#]' $$f || rm -f $$f; done

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s%s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
