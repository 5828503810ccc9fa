#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
AR="$LLVM_AR" RANLIB="$LLVM_RANLIB" CHOST="$ARCH-vectra" ./configure --static
make -j"$JOBS"
cp example minigzip "$OUT"
