# SPDX-License-Identifier: MIT
# compile_commands.json at the root, merged from the fragments that clang leaves beside each object.

.PHONY: compdb
compdb: $(BUILD)/compdb.stamp
$(BUILD)/compdb.stamp: $(KERNEL_OBJ) $(LIB_OBJ) $(USER_OBJ) tools/vectra/compdb.py
	$(Q)$(PYTHON) tools/vectra/compdb.py compile_commands.json $(BUILD)
	@touch $@
