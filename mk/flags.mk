# SPDX-License-Identifier: MIT
# Compiler flags: what all code shares, then what the kernel and user space add.

WARNINGS := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wmissing-prototypes -Wshadow -Wvla -Wthread-safety -Werror

COMMON_FLAGS := --target=$(ARCH)-unknown-none-elf -std=c23 -ffreestanding -nostdlibinc -fno-common \
	-fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fdebug-compilation-dir=. -g -gdwarf-4 $(WARNINGS)

COMMON_FLAGS_x86_64  :=
COMMON_FLAGS_aarch64 := -mno-outline-atomics

ifeq ($(MODE),debug)
  MODE_FLAGS := -O1 -DVECTRA_DEBUG=1 -fno-omit-frame-pointer -fno-optimize-sibling-calls
else
  MODE_FLAGS := -O2
endif

KERNEL_FLAGS_x86_64  := -mno-red-zone -mcmodel=kernel
KERNEL_FLAGS_aarch64 :=

# The guard is a global word: there is no thread-local storage in the kernel. kernel/main.c sets it.
KERNEL_CFLAGS := $(COMMON_FLAGS) -DVECTRA_KERNEL=1 -fstack-protector --param=ssp-buffer-size=4 -mstack-protector-guard=global $(COMMON_FLAGS_$(ARCH)) $(MODE_FLAGS) -mgeneral-regs-only -fno-pic -fno-pie \
	$(KERNEL_FLAGS_$(ARCH)) -I. -Ikernel/arch/include -Ikernel/arch/$(ARCH)/include -I$(GEN)
KERNEL_LDFLAGS := -nostdlib -static --no-pie -z max-page-size=4096 -z norelro -z noexecstack --build-id=none

USER_CFLAGS := $(COMMON_FLAGS) $(COMMON_FLAGS_$(ARCH)) $(MODE_FLAGS) -ftls-model=local-exec \
	-ffunction-sections -fdata-sections -I. -Ilib/include -Ilib/arch/$(ARCH) \
	-I$(GEN) -I$(GEN)/include
USER_LDFLAGS := -nostdlib -static -z norelro -z separate-code -z max-page-size=4096 -z noexecstack -z text \
	--gc-sections --build-id=none -e _start

# An architecture may add to the kernel's flags beside its own code.
-include kernel/arch/$(ARCH)/flags.mk
