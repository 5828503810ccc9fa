# SPDX-License-Identifier: MIT
# VectraOS: the build. People usually type ./vectra; this is what it calls.
#
#   make                        both architectures, release
#   make ARCH=aarch64 MODE=debug one of them
#   make qemu-x86_64            build and boot to a shell (also qemu-aarch64)
#   make test | format | tidy | clean
#
# Every path here is relative to this directory, so the tree may live in a path with spaces. Nobody edits lists of
# files: the fragments in mk/ take what lies in the rooms that docs/ describes.

VERSION := 0.1.0
ARCHES  := x86_64 aarch64
MODES   := release debug

MODE ?= release

MAKEFLAGS += -rR --no-print-directory
SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:
export PYTHONDONTWRITEBYTECODE := 1
export LC_ALL := C

ifeq ($(V),1)
  Q :=
  say = @:
else
  Q := @
  say = @printf '  %-7s %s\n'
endif

ifneq ($(filter-out $(MODES),$(MODE)),)
  $(error MODE is '$(MODE)'; it is one of: $(MODES))
endif

.DEFAULT_GOAL := all
.PHONY: all FORCE
FORCE:

include mk/tools.mk

# What a variable is: make -s ARCH=x86_64 print-KERNEL_CFLAGS
print-%:
	@printf '%s\n' '$($*)'

ifeq ($(strip $(ARCH)),)

# No architecture named: the targets that are about all of them.
include mk/host.mk
include mk/lint.mk

all: $(ARCHES:%=all-%)

.PHONY: $(ARCHES:%=all-%)
$(ARCHES:%=all-%): all-%:
	$(Q)$(MAKE) ARCH=$* MODE=$(MODE) all

.PHONY: $(ARCHES:%=qemu-%) test clean
$(ARCHES:%=qemu-%): qemu-%:
	$(Q)./vectra run --arch $* --mode $(MODE)

test:
	$(Q)./vectra test

clean:
	rm -rf build compile_commands.json

else

ifeq ($(filter $(ARCHES),$(ARCH)),)
  $(error ARCH is '$(ARCH)'; it is one of: $(ARCHES))
endif

BUILD := build/$(ARCH)-$(MODE)
GEN   := $(BUILD)/gen

include mk/flags.mk
include mk/gen.mk
include mk/kernel.mk
include mk/user.mk
include mk/posix.mk
include mk/initrd.mk
include mk/compdb.mk

all: kernel user posix initrd compdb

.PHONY: gen
gen: $(GEN_STAMP)

endif
