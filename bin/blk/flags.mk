# SPDX-License-Identifier: MIT
C_LIBRARY := 1
PROG_CFLAGS := -D_GNU_SOURCE
PROG_LIBS := block
