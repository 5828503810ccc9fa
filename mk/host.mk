# SPDX-License-Identifier: MIT
# Programs that run on the building machine: unit tests and fuzzers under the sanitizers.
# tools/vectra/hosttests.py reads what each test says about itself and writes the rules.

HOST_BUILD := build/host
HOST_GEN   := $(HOST_BUILD)/gen
HOST_TESTS := $(shell find test/unit -name '*_test.c' 2>/dev/null | sort)
HOST_FUZZ  := $(shell find test/fuzz -name '*_fuzz.c' 2>/dev/null | sort)
HOST_RULES := $(HOST_BUILD)/rules.mk

HOST_CFLAGS := -std=c23 -g -O1 -fno-omit-frame-pointer -fno-common -Wall -Wextra -Wshadow -Wvla -Werror \
	-I. -Ikernel/arch/include -Ikernel/arch/host/include -Ilib/include -Ilib/arch/host -I$(HOST_GEN) -I$(HOST_GEN)/include
HOST_LDFLAGS := -fuse-ld=lld-19

HOST_GEN_STAMP := $(HOST_GEN)/.stamp
HOST_GEN_ABI   := $(wildcard tools/gen/abi.py)
$(HOST_GEN_STAMP): $(if $(HOST_GEN_ABI),$(wildcard tools/gen/*.py) $(shell find abi -type f 2>/dev/null))
	@mkdir -p $(HOST_GEN)/include
	$(if $(HOST_GEN_ABI),$(Q)$(PYTHON) tools/gen/abi.py $(HOST_GEN))
	@touch $@
$(HOST_GEN)/%.h $(HOST_GEN)/%.def $(HOST_GEN)/%.inc: $(HOST_GEN_STAMP)
	@:

.PHONY: host-gen host-unit host-fuzz
host-gen: $(HOST_GEN_STAMP)

$(HOST_BUILD)/flags: FORCE
	$(call save-if-changed,$@,$(CLANG) $(HOST_CFLAGS) $(HOST_LDFLAGS))
$(HOST_BUILD)/list: FORCE
	$(call save-if-changed,$@,$(HOST_TESTS) $(HOST_FUZZ))

# Only the goals that need the rules make and read them.
ifneq ($(filter host-% $(HOST_BUILD)/%,$(MAKECMDGOALS)),)
$(HOST_RULES): tools/vectra/hosttests.py $(HOST_TESTS) $(HOST_FUZZ) $(HOST_BUILD)/list
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/vectra/hosttests.py rules $(HOST_BUILD) > $@.new && mv $@.new $@
-include $(HOST_RULES)
-include $(HOST_OBJ:.o=.d)
endif

host-unit: $(HOST_UNIT_BIN)
host-fuzz: $(HOST_FUZZ_BIN)
