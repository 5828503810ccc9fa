#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the interpreter into $OUT/lua.a. Without its makefile: there is nothing in it but a list of files.
# Its loop has no register to spare for a frame pointer.
# LUA_USE_POSIX gives popen, mkstemp and gmtime_r; there is no dlopen in a static C library, so not LUA_USE_LINUX.
set -eu

# LUA_USE_READLINE is the shell's line editor, in line/.
rm src/luac.c
$CC -std=gnu99 -O2 -fomit-frame-pointer -DLUA_COMPAT_5_3 -DLUA_USE_POSIX -DLUA_USE_READLINE -Iline \
    -ffile-prefix-map="$PWD"=. -c src/l*.c
mkdir line/term
mv line/keys.h line/term/keys.h
for name in edit history keys readline; do
    $CC -std=gnu23 -O2 -Iline -ffile-prefix-map="$PWD"=. -c -o "line_$name.o" "line/$name.c"
done
"$LLVM_AR" rcsD "$OUT/lua.a" l*.o
