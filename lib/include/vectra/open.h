/* SPDX-License-Identifier: MIT
 * What open(2) has here beyond POSIX. */
#pragma once

/* A FIFO is opened without waiting for its other end. Whoever inherits the descriptor waits, before its program begins:
 * for a program that opens what another one is to use. Nothing else takes notice of it. posix_spawn's own opens have
 * it. */
#define O_VECTRA_LATER 0x40000000
