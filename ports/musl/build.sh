#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the C library into $OUT. Called by tools/vectra/ports.py in the patched source; see ports/README.md.
set -eu

# One set of call names on both architectures, so that libposix has one table: x86_64 gives up what aarch64 never had.
names=$(sed -n 's/^#define \(__NR_[a-z0-9_]*\).*/\1/p' arch/aarch64/bits/syscall.h.in)
table=arch/x86_64/bits/syscall.h.in
awk -v names="$names" 'BEGIN { n = split(names, list); for (i = 1; i <= n; i++) known[list[i]] = 1 }
    $1 != "#define" || ($2 in known)' "$table" >"$table.cut"
mv "$table.cut" "$table"

case $ARCH in
    aarch64) flags=-mno-outline-atomics ;;
    *) flags= ;;
esac

# Its makefile splits names at spaces; nothing of the prefix gets into what is built.
link=$(mktemp -d)
trap 'rm -rf "$link"' EXIT
mkdir -p "$OUT"
ln -s "$OUT" "$link/out"

CC="$CLANG --target=$ARCH-linux-musl" AR=$LLVM_AR RANLIB=$LLVM_RANLIB \
    CFLAGS="-O2 -fno-stack-protector $flags" \
    ./configure --target="$ARCH-linux-musl" --disable-shared --disable-wrapper --prefix="$link/out"
# A report of who aborted begins there (abort has a frame record because it asks for it).
echo 'obj/src/exit/assert.o obj/src/exit/assert.lo: CFLAGS_ALL += -fno-omit-frame-pointer' >>config.mak
make -j"$JOBS"
make install
