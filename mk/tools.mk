# SPDX-License-Identifier: MIT
# The programs that the build calls. ./vectra exports other names where a system has them elsewhere.

CLANG   ?= clang-19
LLD     ?= ld.lld-19
LLVM_AR ?= llvm-ar-19
LLVM_NM ?= llvm-nm-19
LLVM_READELF ?= llvm-readelf-19
OBJCOPY ?= llvm-objcopy-19
# What programs on the image keep: the names of functions and data, for backtraces.
STRIP_IMAGE := --strip-debug --wildcard --strip-symbol='$$$$*'
CLANG_FORMAT ?= clang-format-19
CLANG_TIDY   ?= clang-tidy-19
SPIN    ?= spin
PYTHON  ?= python3

# $(call save-if-changed,FILE,TEXT): a recipe line that rewrites FILE only when TEXT is new, so that a change of flags
# or of the set of sources rebuilds what depends on it and nothing else.
define save-if-changed
@mkdir -p $(dir $1)
@printf '%s\n' '$(subst ','\'',$2)' > $1.new
@if cmp -s $1.new $1; then rm -f $1.new; else mv -f $1.new $1; fi
endef
