# The bundled model. Included by the Makefile.

MODEL_LIB := $(filter-out %/main.o,$(MODEL_OBJ))

# The fuzz targets of the protocol need the model, not the plugins' library.
$(filter $(B)/fuzz/fuzz_eim%,$(FUZZ)): $(B)/fuzz/%: tests/fuzz/%.c \
  $(filter-out model/main.c,$(wildcard model/*.c))
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) -std=gnu11 -g -O1 -I. \
	  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	  -o $@ $(filter %.c,$^) -lm
