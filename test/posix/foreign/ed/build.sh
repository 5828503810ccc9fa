#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
sh configure CC="$CC"
make
cp ed "$OUT/ed"
