#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the interpreter into $OUT/bin. Without its makefile: there is nothing in it but a list of files.
# LUA_USE_POSIX gives popen, mkstemp and gmtime_r; there is no dlopen in a static C library, so not LUA_USE_LINUX.
set -eu

rm src/luac.c
mkdir -p "$OUT/bin"
$CC -std=gnu99 -O2 -DLUA_COMPAT_5_3 -DLUA_USE_POSIX -ffile-prefix-map="$PWD"=. -o "$OUT/bin/lua" src/l*.c
${OBJCOPY:-llvm-objcopy-19} --strip-all "$OUT/bin/lua"
