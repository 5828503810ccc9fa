# SPDX-License-Identifier: MIT
C_LIBRARY := 1
PROG_SOURCES := lib/libterm/keys.c lib/libblock/name.c
PROG_CFLAGS := -D_GNU_SOURCE -DSHELL_PATH='"/bin/sh"'
