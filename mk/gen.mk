# SPDX-License-Identifier: MIT
# Generated headers: the ABI generator turns abi/** into $(GEN). Everything compiled waits for it.

GEN_STAMP := $(GEN)/.stamp
GEN_ABI   := $(wildcard tools/gen/abi.py)
GEN_INPUT := $(if $(GEN_ABI),$(wildcard tools/gen/*.py) $(shell find abi -type f 2>/dev/null))

$(GEN_STAMP): $(GEN_INPUT)
	$(if $(GEN_ABI),$(say) GEN $(GEN))
	@mkdir -p $(GEN)/include
	$(if $(GEN_ABI),$(Q)$(PYTHON) tools/gen/abi.py $(GEN))
	@touch $@

# A generated header is as new as the generator left it; this rule only makes make look again.
$(GEN)/%.h $(GEN)/%.def $(GEN)/%.inc: $(GEN_STAMP)
	@:
