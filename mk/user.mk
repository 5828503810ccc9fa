# SPDX-License-Identifier: MIT
# User space: every lib/libNAME is an archive, every directory with C files in the rooms below is a program that
# links with all of them. A program's flags.mk may set:
#   STATIC_EXEC := 1          link at a fixed address instead of as a static-PIE
#   VECTORS := 1              the program's own code may use vector and floating-point registers
#   PROG_CFLAGS, PROG_LDFLAGS added to the program's own compile and link lines
#   C_LIBRARY := 1            a program of the C library: mk/posix.mk builds it

PROGRAM_ROOMS := srv drv fs bin test/guest
# On AArch64 a thread that never touches a vector register has none to save when it is switched, and compilers use them for
# mere copying: libraries and programs do without unless they ask. x86-64 saves what is in use anyway.
SCALAR_aarch64 := -mgeneral-regs-only
SCALAR_x86_64  :=
VECTOR_LIBS := libcheck

# libposix is part of the C library and built with it: mk/posix.mk.
LIB_NAMES := $(filter-out libposix,$(sort $(notdir $(patsubst %/,%,$(dir $(wildcard lib/lib*/*.c))))))
LIB_FILES := $(LIB_NAMES:%=$(BUILD)/lib/%.a) $(BUILD)/lib/libbase.a
USER_SCRIPT := $(wildcard lib/libvectra/user.ld)

C_LIBRARY_DIRS := $(patsubst %/flags.mk,%,$(shell grep -l '^C_LIBRARY *:= *1' bin/*/flags.mk 2>/dev/null))
PROGRAM_DIRS := $(filter-out $(C_LIBRARY_DIRS),\
	$(sort $(patsubst %/,%,$(dir $(foreach room,$(PROGRAM_ROOMS),$(wildcard $(room)/*/*.c))))))
PROGRAM_NAMES := $(notdir $(PROGRAM_DIRS))
PROGRAMS := $(PROGRAM_NAMES:%=$(BUILD)/user/%)
STRIPPED := $(PROGRAM_NAMES:%=$(BUILD)/strip/%)
USER_OBJ :=

ifneq ($(words $(PROGRAM_NAMES)),$(words $(sort $(PROGRAM_NAMES))))
  $(error two program directories share a name: $(PROGRAM_DIRS))
endif

.PHONY: user
user: $(LIB_FILES) $(PROGRAMS) $(STRIPPED)

$(BUILD)/user.flags: FORCE
	$(call save-if-changed,$@,$(CLANG) $(USER_CFLAGS) $(SCALAR_$(ARCH)))
$(BUILD)/user.list: FORCE
	$(call save-if-changed,$@,$(LLD) $(USER_LDFLAGS) $(LIB_OBJ) $(USER_OBJ))

# $(call user-rules,FOLDER,SOURCE-FOLDER,EXTRA-FLAGS): compile SOURCE-FOLDER/*.c and *.S into $(BUILD)/FOLDER.
define user-rules
$(BUILD)/$1/%.c.o: $2/%.c $(BUILD)/user.flags $(wildcard $2/flags.mk) | $(GEN_STAMP)
	$(say) CC $$<
	@mkdir -p $$(@D)
	$(Q)$(CLANG) $(USER_CFLAGS) $3 -MMD -MP -MF $$(@:.o=.d) -MJ $$@.json -c $$< -o $$@
$(BUILD)/$1/%.S.o: $2/%.S $(BUILD)/user.flags $(wildcard $2/flags.mk) | $(GEN_STAMP)
	$(say) AS $$<
	@mkdir -p $$(@D)
	$(Q)$(CLANG) $(USER_CFLAGS) $3 -D__ASSEMBLER__=1 -MMD -MP -MF $$(@:.o=.d) -MJ $$@.json -c $$< -o $$@
endef

# $(call sources,FOLDER): what of a folder belongs to this architecture, relative to the folder.
sources = $(patsubst $1/%,%,$(wildcard $1/*.c $1/*.S $1/$(ARCH)/*.c $1/$(ARCH)/*.S $1/$(FIRMWARE)/*.c))

# $(call library,NAME,FOLDER)
define library
$1_OBJ := $(patsubst %,$(BUILD)/obj/$1/%.o,$(call sources,$2))
LIB_OBJ += $$($1_OBJ)
$(call user-rules,obj/$1,$2,-fPIE $(if $(filter $1,$(VECTOR_LIBS)),,$(SCALAR_$(ARCH))))
$(BUILD)/lib/$1.a: $$($1_OBJ) $(BUILD)/user.list
	$(say) AR $$@
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && $(LLVM_AR) rcsD $$@ $$($1_OBJ)
endef

# $(call program,FOLDER)
define program
STATIC_EXEC :=
VECTORS :=
PROG_CFLAGS :=
PROG_LDFLAGS :=
-include $1/flags.mk
$$(eval $$(call program-body,$1,$(notdir $1)))
endef
define program-body
$2_PROG_OBJ := $(patsubst %,$(BUILD)/obj/$1/%.o,$(call sources,$1))
USER_OBJ += $$($2_PROG_OBJ)
$(call user-rules,obj/$1,$1,$(if $(STATIC_EXEC),-fno-pie,-fPIE) $(if $(VECTORS),,$(SCALAR_$(ARCH))) $(PROG_CFLAGS))
$(BUILD)/user/$2: $$($2_PROG_OBJ) $(LIB_FILES) $(USER_SCRIPT) $(BUILD)/user.list $(wildcard $1/flags.mk)
	$(say) LINK $$@
	@mkdir -p $$(@D)
	$(Q)$(LLD) $(USER_LDFLAGS) $(if $(STATIC_EXEC),--no-pie,-pie --no-dynamic-linker) \
		$(if $(USER_SCRIPT),-T $(USER_SCRIPT)) $(PROG_LDFLAGS) $$($2_PROG_OBJ) --start-group $(LIB_FILES) --end-group -o $$@
endef

LIB_OBJ :=
$(eval $(call library,libbase,base))
$(foreach lib,$(LIB_NAMES),$(eval $(call library,$(lib),lib/$(lib))))
$(foreach dir,$(PROGRAM_DIRS),$(eval $(call program,$(dir))))

$(BUILD)/strip/%: $(BUILD)/user/%
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) $(STRIP_IMAGE) $< $@

-include $(LIB_OBJ:.o=.d) $(USER_OBJ:.o=.d)
