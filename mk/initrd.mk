# SPDX-License-Identifier: MIT
# The initial RAM disk, a newc cpio archive: services in /sbin, programs in /bin, test programs in /test, etc/** as is,
# and what the ports put there (mk/posix.mk). Without a C library /bin/sh is the small shell, bin/nsh.

INITRD := $(BUILD)/initrd.cpio
INITRD_ETC := $(shell find etc -type f 2>/dev/null)
# The room that a program comes from decides where it goes.
guest-dir = $(if $(filter test/guest/%,$1),test,$(if $(filter bin/%,$1),bin,sbin))
INITRD_FILES := $(foreach dir,$(PROGRAM_DIRS),/$(call guest-dir,$(dir))/$(notdir $(dir))=$(BUILD)/strip/$(notdir $(dir)))

.PHONY: initrd
initrd: $(INITRD)

$(BUILD)/version: FORCE
	$(call save-if-changed,$@,VectraOS $(VERSION) $(ARCH) $(MODE))
$(BUILD)/initrd.list: FORCE
	$(call save-if-changed,$@,$(INITRD_FILES) $(INITRD_ETC))

$(INITRD): $(STRIPPED) $(INITRD_ETC) $(BUILD)/version $(BUILD)/initrd.list $(POSIX)/image.list tools/vectra/cpio.py
	$(say) CPIO $@
	$(Q)$(PYTHON) tools/vectra/cpio.py --out $@ $(if $(INITRD_ETC),--tree /etc=etc) \
		--file /etc/version=$(BUILD)/version $(INITRD_FILES:%=--program %) \
		$$(sed -n 's/^program /--program /p; s/^link /--link /p' $(POSIX)/image.list) \
		$$(grep -q '^program /bin/sh=' $(POSIX)/image.list || echo --program /bin/sh=$(BUILD)/strip/nsh)
