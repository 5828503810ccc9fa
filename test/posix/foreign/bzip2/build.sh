#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
make CC="$CC" AR="$LLVM_AR" RANLIB="$LLVM_RANLIB" bzip2
cp bzip2 "$OUT/bzip2"
