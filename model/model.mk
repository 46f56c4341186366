# The bundled model: how it is built, trained and evaluated.

MODEL_LIB := $(filter-out %/main.o,$(MODEL_OBJ))
SPECTRAL_OBJ := $(call objs,model/spectral/spectral.c)
DEPS_CHECK += libkissfft-dev python3-numpy
DEPS_TRAIN := $(DEPS_BUILD) libkissfft-dev python3-numpy python3-matplotlib

# The same arithmetic on every machine, so the same scores: no fused
# multiply-add. Static, because libc's and libm's pages would be most of what
# the program keeps in memory.
$(B)/obj/model/%.o: ALL_CFLAGS += -ffp-contract=off -fno-math-errno
# O3, for the vectoriser: sums of products, and of comparisons.
$(call objs,$(addprefix plugins/lib/flow/,shape.c look.c nature.c)): \
  ALL_CFLAGS += -ffp-contract=off -fno-math-errno -O3
$(B)/model/flow.eim: $(B)/lib/libweir.a
# Where no static yajl is packaged (Fedora) it takes the shared ones.
YAJL_STATIC := $(findstring /,$(shell \
  $(CC) -print-file-name=libyajl_s.a 2>/dev/null))
EIM_STATIC := $(if $(SAN),,$(YAJL_STATIC))
$(B)/model/flow.eim: LIBS := $(if $(EIM_STATIC),-l:libyajl_s.a,-lyajl) -lm
$(B)/model/flow.eim: LDFLAGS += $(if $(EIM_STATIC),-static-pie)

# The fuzz targets of the protocol need the model, not the plugins' library.
$(filter $(B)/fuzz/fuzz_eim%,$(FUZZ)): $(B)/fuzz/%: tests/fuzz/%.c \
  $(filter-out model/main.c,$(wildcard model/*.c)) $(B)/fuzzlib/lib/libweir.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) -std=gnu11 -g -O1 -I. -Iplugins \
	  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	  -o $@ $(filter %.c %.a,$^) -lyajl -lm

# What the model is compared with needs an FFT; flow.eim does not.
$(B)/tests/model/test_spectral: $(SPECTRAL_OBJ)
$(B)/tests/model/test_spectral: LIBS += -lkissfft-float
$(B)/bin/flow-features: $(call objs,model/train/flow-features.c \
  plugins/lib/flow/shape.c plugins/lib/flow/look.c) $(SPECTRAL_OBJ); $(program)
$(B)/bin/flow-features: LIBS := -lkissfft-float -lm
$(B)/bin/flow-verdict: $(call objs,model/train/flow-verdict.c) $(MODEL_LIB) \
  $(B)/lib/libweir.a; $(program)

$(filter $(B)/bench/model_%,$(BENCH)): $(MODEL_LIB)

DATA ?= ../shared/data
SEEDS ?= 1 2 3 4 5
NOMINAL ?= 10
PULSES ?= 450
.PHONY: train evaluate deps-train deps-evaluate
deps-train: ; @tests/install-deps $(DEPS_TRAIN)
deps-evaluate: ; @tests/install-deps $(DEPS_TRAIN) python3-sklearn

train: deps-train ## train the model again (DATA=folders, NOMINAL=, PULSES=)
	@$(MAKE) --no-print-directory $(B)/bin/flow-features
	@$(PYTHON) model/train/train.py --build $(B) --nominal $(NOMINAL) \
	  --pulses $(PULSES) $(DATA)

evaluate: deps-evaluate ## measure it (DATA=, SEEDS="1 2 ...", PUBLISH=1: keep)
	@$(MAKE) --no-print-directory $(B)/bin/flow-features \
	  $(B)/bin/flow-model $(B)/bin/flow-verdict
	@test -f $(B)/model/float.npz || $(PYTHON) model/train/train.py \
	  --build $(B) --out $(B)/model --lib $(B)/model --vectors $(B)/model/model_vectors.h $(DATA)
	@$(PYTHON) model/train/evaluate.py --build $(B) --seeds "$(SEEDS)" $(DATA)
	$(if $(PUBLISH),cp $(addprefix $(B)/model/evaluate/,evaluation.md \
	  confusion.png stream.png) model/)
