#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the interpreter into $OUT/lua.a. Without its makefile: there is nothing in it but a list of files.
# Its loop has no register to spare for a frame pointer.
# LUA_USE_POSIX gives popen, mkstemp and gmtime_r; there is no dlopen in a static C library, so not LUA_USE_LINUX.
set -eu

rm src/luac.c
$CC -std=gnu99 -O2 -fomit-frame-pointer -DLUA_COMPAT_5_3 -DLUA_USE_POSIX -ffile-prefix-map="$PWD"=. -c src/l*.c
"$LLVM_AR" rcsD "$OUT/lua.a" l*.o
