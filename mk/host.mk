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

# The shell's language as a program of this machine, under the sanitizers: tools/vectra/groups/shell.py compares it with
# another shell.
HOST_SHELL := $(HOST_BUILD)/shell/sh
HOST_SHELL_SRC := $(wildcard bin/sh/*.c) test/shell/host.c
HOST_SHELL_OBJ := $(HOST_SHELL_SRC:%=$(HOST_BUILD)/obj/shell/%.o)
HOST_SHELL_CFLAGS := -std=gnu23 -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -Wall -Wextra -Wshadow -Wvla -Wconversion -Wno-sign-conversion -Werror -I.

.PHONY: host-shell
host-shell: $(HOST_SHELL)
$(HOST_BUILD)/shell/flags: FORCE
	$(call save-if-changed,$@,$(CLANG) $(HOST_SHELL_CFLAGS) $(HOST_SHELL_OBJ))
$(HOST_BUILD)/obj/shell/%.o: % $(HOST_BUILD)/shell/flags
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(HOST_SHELL_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(HOST_SHELL): $(HOST_SHELL_OBJ)
	$(say) SHELL $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) -fsanitize=address,undefined $(HOST_LDFLAGS) $(HOST_SHELL_OBJ) -lpthread -o $@
-include $(HOST_SHELL_OBJ:.o=.d)
