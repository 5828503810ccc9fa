/* SPDX-License-Identifier: MIT
 * All that stty asks of a kernel's header: there is one line discipline. */
#pragma once
#define N_TTY 0
#define NR_LDISCS 1
