# SPDX-License-Identifier: MIT
# x86-64: backtraces follow frame pointers, in release builds too; leaf functions do without.
KERNEL_CFLAGS += -fno-omit-frame-pointer -momit-leaf-frame-pointer
