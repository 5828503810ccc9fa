/* SPDX-License-Identifier: MIT
 * The keeper: a thread of libposix's own that hears of signals from other processes, of children and of timers. A
 * program that asks for none of these has none. */
#pragma once
#include "posix.h"

/* Starts it, once. From then on the process service leaves signals to this process. */
void px_keeper_start(void);
bool px_keeper_runs(void);
/* For where it cannot be started because a lock is held: it is wanted, and later: started if it was. */
void px_keeper_wanted(void);
void px_keeper_settle(void);
/* True on the keeper itself. */
bool px_is_keeper(void);
/* Takes what the process service has for this process. Any thread may. */
void px_keeper_take(void);
/* The nearest timer is another one now. */
void px_keeper_look(void);
/* Changes, and is woken, whenever something about a child may have happened. Without a keeper nobody changes it. */
extern _Atomic uint32_t px_children_word;

/* The signal bits of this Task that libposix uses: a child ended, the process service has something, timers changed. */
enum : unsigned { PX_BIT_TIMERS = 45, PX_BIT_BELL = 46, PX_BIT_CHILD = 47 };
