# SPDX-License-Identifier: MIT
# Formatting and clang-tidy, by hand: `./vectra test tools` checks the former.

LINT_ROOMS := abi base kernel lib srv drv fs bin test ports
LINT_FILES := $(shell find $(LINT_ROOMS) -name '*.c' -o -name '*.h' 2>/dev/null | sort)
TIDY_FILES := $(shell find base kernel lib srv drv fs bin -name '*.c' -not -path '*/host/*' -not -path '*/stub/*' 2>/dev/null | sort)

.PHONY: format tidy
format:
	$(Q)$(CLANG_FORMAT) -i $(LINT_FILES)

# clang-tidy reads the flags from compile_commands.json, so both architectures are built first.
tidy: all
	$(Q)$(CLANG_TIDY) --quiet --warnings-as-errors='*' -p . $(TIDY_FILES)
