# What the baseline is worth: recordings, simulated weeks, other methods.

DEPS_BASELINE := $(DEPS_BUILD) python3-numpy python3-sklearn
$(B)/bin/evaluate-baseline: $(call objs,$(wildcard tests/baseline/*.c)) \
  $(B)/lib/libweir.a; $(program)

.PHONY: evaluate-baseline deps-baseline
deps-baseline: ; @tests/install-deps $(DEPS_BASELINE)
evaluate-baseline: deps-baseline ## measure it (DATA=, NORMAL=, PUBLISH=1)
	@$(MAKE) --no-print-directory $(B)/bin/evaluate-baseline
	@$(PYTHON) tests/baseline/evaluate.py --build $(B) \
	  $(if $(NORMAL),--normal $(NORMAL)) $(DATA)
	$(if $(PUBLISH),cp $(B)/baseline/baseline.md model/)
