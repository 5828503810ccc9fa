/* SPDX-License-Identifier: MIT
 * Timers that signal, as the keeper and signal.c need them. */
#pragma once
#include "posix.h"

/* Does what is due; when to come again at the latest. */
uint64_t px_timers_run(void);
/* The signal of a timer is being delivered: how many expirations it stands for beyond the first. */
int px_timer_taken(uint32_t id);
/* Signals of the set were taken away undelivered. */
void px_timers_forgotten(uint64_t set);
