# SPDX-License-Identifier: MIT
# The kernel image: vectra.elf, and for aarch64 the raw vectra.img.

PLAT_x86_64  := q35
PLAT_aarch64 := virt
PLAT := $(PLAT_$(ARCH))

# What the firmware of the platform speaks: ACPI and PVH, or the device tree.
FIRMWARE_x86_64  := acpi
FIRMWARE_aarch64 := dt
FIRMWARE := $(FIRMWARE_$(ARCH))

KERNEL_SRC := $(wildcard kernel/*.c kernel/firmware/*.c kernel/firmware/$(FIRMWARE)/*.c base/*.c base/$(FIRMWARE)/*.c kernel/arch/$(ARCH)/*.c kernel/arch/$(ARCH)/*.S \
	kernel/plat/$(PLAT)/*.c kernel/plat/common/*.c)
# What only a debug kernel checks of itself, beside the rules that it checks.
ifneq ($(MODE),debug)
  KERNEL_SRC := $(filter-out kernel/%_check.c,$(KERNEL_SRC))
endif
KERNEL_OBJ := $(KERNEL_SRC:%=$(BUILD)/kernel/%.o)
KERNEL_ELF := $(BUILD)/vectra.elf
KERNEL_IMG_aarch64 := $(BUILD)/vectra.img
KERNEL_SCRIPT := kernel/arch/$(ARCH)/kernel.ld

.PHONY: kernel
kernel: $(if $(wildcard $(KERNEL_SCRIPT)),$(KERNEL_ELF) $(KERNEL_IMG_$(ARCH)),kernel-missing)

.PHONY: kernel-missing
kernel-missing:
	@echo "make: $(KERNEL_SCRIPT) is missing: there is no kernel for $(ARCH) in this tree" >&2; exit 1

$(BUILD)/kernel.flags: FORCE
	$(call save-if-changed,$@,$(CLANG) $(KERNEL_CFLAGS))
$(BUILD)/kernel.list: FORCE
	$(call save-if-changed,$@,$(LLD) $(KERNEL_LDFLAGS) $(KERNEL_OBJ))

$(BUILD)/kernel/%.c.o: %.c $(BUILD)/kernel.flags | $(GEN_STAMP)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MJ $@.json -c $< -o $@

$(BUILD)/kernel/%.S.o: %.S $(BUILD)/kernel.flags | $(GEN_STAMP)
	$(say) AS $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -D__ASSEMBLER__=1 -MMD -MP -MF $(@:.o=.d) -MJ $@.json -c $< -o $@

$(BUILD)/kernel.ld: $(KERNEL_SCRIPT) $(BUILD)/kernel.flags | $(GEN_STAMP)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(KERNEL_CFLAGS) -D__ASSEMBLER__=1 -DLINKER_SCRIPT=1 -E -P -x assembler-with-cpp \
		-MMD -MP -MF $@.d -MT $@ $< -o $@

# The image carries its own symbol names for backtraces, and the places to correct when it moves at boot, so it is linked
# until the tables describe the very image that holds them: tools/vectra/ksyms.py links with empty tables, then with the
# real ones, and checks that nothing moved.
$(KERNEL_ELF): $(KERNEL_OBJ) $(BUILD)/kernel.ld $(BUILD)/kernel.list tools/vectra/ksyms.py
	$(say) LINK $@
	$(Q)$(PYTHON) tools/vectra/ksyms.py --nm $(LLVM_NM) --readelf $(LLVM_READELF) --strip $(OBJCOPY) --out $@ --work $(BUILD)/ksyms \
		--compile "$(CLANG) $(KERNEL_CFLAGS)" \
		--link "$(LLD) $(KERNEL_LDFLAGS) -T $(BUILD)/kernel.ld -Map=$(BUILD)/vectra.map $(KERNEL_OBJ)"

$(BUILD)/vectra.img: $(KERNEL_ELF)
	$(say) IMG $@
	$(Q)$(OBJCOPY) -O binary $< $@

# Which files each object and the linker script are made of; ./vectra size counts them.
KERNEL_DEPS := $(KERNEL_OBJ:.o=.d) $(BUILD)/kernel.ld.d
-include $(KERNEL_DEPS)
