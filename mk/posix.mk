# SPDX-License-Identifier: MIT
# The C library and what is built with it: the port of musl, libposix merged into its libc.a, and the ports of programs.
# It is one for each architecture, in build/posix-ARCH, whatever MODE is. Where the sources cannot be had, there is no C
# library: build/posix-ARCH/unavailable says why, and everything else is built all the same.
#
#   make ARCH=x86_64 posix     all of it          make ARCH=x86_64 sysroot     just the C library

POSIX   := build/posix-$(ARCH)
SYSROOT := $(POSIX)/sysroot
MUSL    := $(POSIX)/ports/musl
POSIX_GEN := $(POSIX)/gen

# Recipes that put programs on the image, and need the C library for it.
PORT_PROGRAMS := $(filter-out musl,$(notdir $(patsubst %/,%,$(dir $(wildcard ports/*/port.toml)))))

POSIX_RESOURCES := $(shell $(CLANG) -print-resource-dir)/include
POSIX_CFLAGS := --target=$(ARCH)-linux-musl -std=gnu23 -O2 -g -gdwarf-4 $(WARNINGS) $(COMMON_FLAGS_$(ARCH)) $(SCALAR_$(ARCH)) \
	-fPIE -fno-common -fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffunction-sections -fdata-sections -fdebug-compilation-dir=. -ftls-model=local-exec \
	-nostdinc -isystem $(MUSL)/include -isystem $(POSIX_RESOURCES) -I. -Ilib/include -Ilib/arch/$(ARCH) \
	-I$(POSIX_GEN) -I$(POSIX_GEN)/include -DVECTRA_VERSION='"$(VERSION)"' -DVECTRA_ARCH='"$(ARCH)"'

# What libposix takes of libvectra; programs may use it too. The rest of libvectra is the start, threads and memory of
# programs without a C library.
POSIX_VECTRA := $(patsubst %,lib/libvectra/%.c,alloc bundle connect cpio io mutex names own panic relocate ring rpc service spawn string format format_into)
# And of libfs: the client's half.
POSIX_VECTRA += $(wildcard lib/libfs/client*.c) lib/libfs/copy.c
POSIX_SRC := $(wildcard lib/libposix/*.c lib/libposix/$(ARCH)/*.c lib/libposix/$(ARCH)/*.S)
POSIX_OBJ := $(POSIX_SRC:lib/libposix/%=$(POSIX)/obj/px/%.o) $(POSIX_VECTRA:%.c=$(POSIX)/obj/vx/%.c.o)

# All of libposix is in every program, since a program may call by number. What is not called often is compiled to be small.
POSIX_SMALL := $(patsubst %,$(POSIX)/obj/px/%.c.o,attributes console copy counters device epoll file_initrd image mounts names \
	proc proc_self process sigcalls socket socket_io start system timers trace tty) \
	$(patsubst %,$(POSIX)/obj/vx/lib/%.c.o,libfs/client_names libvectra/bundle libvectra/connect libvectra/cpio libvectra/format)
$(POSIX_SMALL): POSIX_SIZE := -Oz

# For drivers, clients of disks, what knows FAT and what serves files, as libraries of their own; lib/libNAME/posix: what
# they need of the C library in the place of libvectra's.
POSIX_LIBRARIES := virtio block fat fs
POSIX_LIB_SRC := $(filter-out $(POSIX_VECTRA),$(foreach name,$(POSIX_LIBRARIES),$(wildcard lib/lib$(name)/*.c lib/lib$(name)/posix/*.c)))
POSIX_LIB_OBJ := $(POSIX_LIB_SRC:%.c=$(POSIX)/obj/vx/%.c.o)

.PHONY: posix posix-all sysroot
posix: $(POSIX)/image.list

# A sub-make, so that its failure for want of sources is not ours.
$(POSIX)/image.list: FORCE
	@mkdir -p $(@D)
	$(Q)$(MAKE) ARCH=$(ARCH) MODE=$(MODE) posix-all || test -e $(POSIX)/unavailable
	$(Q)$(PYTHON) tools/vectra/ports.py image $(ARCH) $@ $(foreach dir,$(C_LIBRARY_DIRS),/$(dir)=$(POSIX)/strip/$(notdir $(dir))) \
		$(POSIX_PROGRAM_LINKS:%=--link %)

posix-all: sysroot $(PORT_PROGRAMS:%=$(POSIX)/%.key) $(C_LIBRARY_DIRS:bin/%=$(POSIX)/strip/%)
sysroot: $(SYSROOT)/.stamp

$(POSIX)/musl.key: FORCE
	$(Q)$(PYTHON) tools/vectra/ports.py build $(ARCH) musl $@
$(PORT_PROGRAMS:%=$(POSIX)/%.key): $(POSIX)/%.key: $(SYSROOT)/.stamp FORCE
	$(Q)$(PYTHON) tools/vectra/ports.py build $(ARCH) $* $@ $(SYSROOT)

$(POSIX_GEN)/.stamp: $(GEN_INPUT)
	@mkdir -p $(POSIX_GEN)/include
	$(Q)$(PYTHON) tools/gen/abi.py $(POSIX_GEN)
	@touch $@

$(POSIX)/flags: FORCE
	$(call save-if-changed,$@,$(CLANG) $(POSIX_CFLAGS) small: $(POSIX_SMALL))
$(POSIX)/list: FORCE
	$(call save-if-changed,$@,$(LLVM_AR) $(POSIX_OBJ))

POSIX_WAIT := $(POSIX)/musl.key $(POSIX_GEN)/.stamp
$(POSIX)/obj/px/%.c.o: lib/libposix/%.c $(POSIX)/flags $(POSIX_WAIT)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(POSIX_CFLAGS) $(POSIX_SIZE) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(POSIX)/obj/px/%.S.o: lib/libposix/%.S $(POSIX)/flags $(POSIX_WAIT)
	$(say) AS $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(POSIX_CFLAGS) -D__ASSEMBLER__=1 -c $< -o $@
$(POSIX)/obj/vx/%.c.o: %.c $(POSIX)/flags $(POSIX_WAIT)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(POSIX_CFLAGS) $(POSIX_SIZE) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

# The headers of libvectra are there for programs that want Rings and capabilities beside POSIX.
$(SYSROOT)/.stamp: $(POSIX_OBJ) $(POSIX_LIB_OBJ) $(POSIX)/obj/px/crt/$(ARCH)/crt1.S.o $(POSIX)/list tools/vectra/compiler.py \
		mk/posix.mk $(wildcard lib/include/vectra/*.h $(POSIX_LIBRARIES:%=lib/include/%/*.h) abi/*.h abi/*.def lib/arch/$(ARCH)/isa/*.h)
	$(say) LIBC $(SYSROOT)
	$(Q)rm -rf $(SYSROOT) $(POSIX)/obj/member && mkdir -p $(SYSROOT)/include $(SYSROOT)/lib $(POSIX)/obj/member
	$(Q)cp -R $(MUSL)/include/. $(SYSROOT)/include/
	$(Q)cp -R lib/include/vectra $(POSIX_LIBRARIES:%=lib/include/%) abi $(POSIX_GEN)/include/. lib/arch/$(ARCH)/isa $(SYSROOT)/include/
	$(Q)mkdir -p $(SYSROOT)/include/base && cp base/*.h $(SYSROOT)/include/base/
	$(Q)cp $(MUSL)/lib/* $(SYSROOT)/lib/
	$(Q)for name in crt1 Scrt1 rcrt1; do cp $(POSIX)/obj/px/crt/$(ARCH)/crt1.S.o $(SYSROOT)/lib/$$name.o; done
	@# Members of an archive are told apart by their file names alone.
	$(Q)for object in $(POSIX_OBJ:$(POSIX)/obj/%=%); do \
		$(OBJCOPY) --strip-debug $(POSIX)/obj/$$object $(POSIX)/obj/member/$$(printf '%s' "$$object" | tr / -); done
	$(Q)$(LLVM_AR) rcsD $(SYSROOT)/lib/libc.a $(POSIX)/obj/member/*.o
	$(Q)$(foreach name,$(POSIX_LIBRARIES),$(LLVM_AR) rcsD $(SYSROOT)/lib/libvectra-$(name).a \
		$(filter $(POSIX)/obj/vx/lib/lib$(name)/%,$(POSIX_LIB_OBJ)) &&) true
	$(Q)mkdir -p $(SYSROOT)/lib/pkgconfig && for name in $(POSIX_LIBRARIES); do \
		printf 'prefix=$${pcfiledir}/../..\n\nName: vectra-%s\nDescription: lib%s of VectraOS\nVersion: $(VERSION)\nLibs: -lvectra-%s\n' \
			$$name $$name $$name >$(SYSROOT)/lib/pkgconfig/vectra-$$name.pc; done
	$(Q)$(PYTHON) tools/vectra/compiler.py helpers $(ARCH) $(SYSROOT)/lib/libgcc.a
	@touch $@

# Our own programs of the C library: bin/NAME with C_LIBRARY := 1 in its flags.mk, bin/NAME/vectra/*.c,
# and what its PROG_SOURCES name. PROG_LIBS: of POSIX_LIBRARIES. PROG_LINKS: further names of it.
# $(call posix-program,FOLDER)
define posix-program
PROG_CFLAGS :=
PROG_SOURCES :=
PROG_LIBS :=
PROG_LINKS :=
-include $1/flags.mk
$$(eval $$(call posix-program-body,$1,$(notdir $1)))
endef
define posix-program-body
$2_POSIX_OBJ := $(patsubst %,$(POSIX)/obj/%.o,$(wildcard $1/*.c $1/vectra/*.c) $(PROG_SOURCES))
POSIX_PROGRAM_OBJ += $$($2_POSIX_OBJ)
POSIX_PROGRAM_LINKS += $(PROG_LINKS:%=/$(dir $1)%=$2)
$$($2_POSIX_OBJ): $(POSIX)/obj/%.c.o: %.c $(POSIX)/flags $1/flags.mk $(POSIX_WAIT)
	$(say) CC $$<
	@mkdir -p $$(@D)
	$(Q)$(CLANG) $(filter-out $(SCALAR_$(ARCH)),$(POSIX_CFLAGS)) -D__vectra__=1 $(PROG_CFLAGS) -MMD -MP -MF $$(@:.o=.d) -c $$< -o $$@
$(POSIX)/user/$2: $$($2_POSIX_OBJ) $(SYSROOT)/.stamp $(POSIX)/programs
	$(say) LINK $$@
	@mkdir -p $$(@D)
	$(Q)VECTRA_SYSROOT=$(SYSROOT) ./vectra cc --arch $(ARCH) -o $$@ $$($2_POSIX_OBJ) $(PROG_LIBS:%=-lvectra-%)
endef
POSIX_PROGRAM_OBJ :=
POSIX_PROGRAM_LINKS :=
$(foreach dir,$(C_LIBRARY_DIRS),$(eval $(call posix-program,$(dir))))

$(POSIX)/programs: FORCE
	$(call save-if-changed,$@,$(POSIX_PROGRAM_OBJ))
$(POSIX)/strip/%: $(POSIX)/user/%
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) $(STRIP_IMAGE) $< $@

-include $(POSIX_OBJ:.o=.d) $(POSIX_LIB_OBJ:.o=.d) $(POSIX_PROGRAM_OBJ:.o=.d)
