/* SPDX-License-Identifier: MIT
 * Timers, as the keeper needs them. */
#pragma once
#include "posix.h"

/* Does what is due; when to come again at the latest. */
uint64_t px_timers_run(void);
