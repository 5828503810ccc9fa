#!/bin/sh
# SPDX-License-Identifier: MIT
# Configures and compiles the commands that port.toml links to the program, into $OUT/toybox.a. Without fork: toybox has a
# way of its own for systems that only start programs (TOYBOX_FORCE_NOMMU).
set -eu

# Its makefiles take the compiler for one word.
mkdir wrap
printf '#!/bin/sh\nexec %s "$@"\n' "$CC" >wrap/vectra-cc
chmod +x wrap/vectra-cc
PATH=$PWD/wrap:$PATH
export PATH KCONFIG_CONFIG=.config CC=vectra-cc HOSTCC="$CLANG" NOSTRIP=1 CPUS="$JOBS" \
	CFLAGS="-O2 -w -I$PWD -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=."

make allnoconfig
for name in TOYBOX_FLOAT SORT_FLOAT TOYBOX_HELP TOYBOX_HELP_DASHDASH TOYBOX_FORCE_NOMMU TEST_GLUE \
	$(sed -n '/^\[links\]/,$p' "$PORT/port.toml" | grep '^ ' | tr -d '",[' | tr a-z A-Z); do
	grep -Eq "^(# CONFIG_$name is not set|CONFIG_$name=y)" .config || { echo "toybox has no $name" >&2; exit 1; }
	sed -i "s/^# CONFIG_$name is not set/CONFIG_$name=y/" .config
done
make toybox
"$LLVM_AR" rcsD "$OUT/toybox.a" generated/obj/*.o
