# SPDX-License-Identifier: MIT
# AArch64: backtraces follow frame pointers, in release builds too; leaf functions do without.
KERNEL_CFLAGS += -fno-omit-frame-pointer -momit-leaf-frame-pointer
# Landing pads for indirect branches, and return addresses on the stack signed with the kernel's own key: no operations on
# a hart that does not know them.
KERNEL_CFLAGS += -mbranch-protection=pac-ret+b-key+bti
