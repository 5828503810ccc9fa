#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles awk into $OUT/awk.a: its grammar by bison, its table by a program of its own that runs here.
set -eu

bison -d -o awkgram.tab.c awkgram.y
"$CLANG" -O1 -w -o maketab maketab.c
./maketab awkgram.tab.h >proctab.c
$CC -std=gnu99 -O2 -w -ffile-prefix-map="$PWD"=. -c awkgram.tab.c b.c lex.c lib.c main.c parse.c proctab.c run.c tran.c
"$LLVM_AR" rcsD "$OUT/awk.a" awkgram.tab.o b.o lex.o lib.o main.o parse.o proctab.o run.o tran.o
