/* SPDX-License-Identifier: MIT
 * This process, and its children. */
#pragma once
#include "file.h"

extern uint32_t px_pid;

/* Learns who this is from the Bundle, opens descriptors 0 to 2. */
void px_process_init(void);
/* Notices children that have ended, and gives back what they held of pipes. */
void px_children_look(void);
/* Ends a child at a signal's wish. -ESRCH: not a child of ours. */
long px_child_signal(int pid, int signal);
