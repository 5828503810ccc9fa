# SPDX-License-Identifier: MIT
# AArch64: backtraces follow frame pointers, in release builds too; leaf functions do without.
KERNEL_CFLAGS += -fno-omit-frame-pointer -momit-leaf-frame-pointer
# Landing pads for indirect branches: no operations on a hart that does not check them.
KERNEL_CFLAGS += -mbranch-protection=bti
