#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
make -j"$JOBS" -C programs CC="$CC" HAVE_THREAD=1 HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 ZSTD_LEGACY_SUPPORT=0 zstd-release
cp programs/zstd "$OUT/zstd"
