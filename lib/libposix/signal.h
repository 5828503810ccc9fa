/* SPDX-License-Identifier: MIT
 * Signals inside the process: raised here, delivered at safe points. */
#pragma once
#include "thread.h"

/* Not zero while some thread may have something to deliver: the one word that every call looks at. */
extern _Atomic uint32_t px_attention;

/* For the process (any thread that does not block it), or for one thread. */
void px_signal_process(int signal);
void px_signal_self(int signal);
/* True when the calling thread has a signal that is not blocked. A wait that was interrupted without one goes on. */
bool px_signal_waiting(void);
/* Calls the handlers of what is pending. What happened: */
typedef enum px_delivered { PX_NOTHING, PX_RESTART, PX_NO_RESTART } px_delivered_t;
px_delivered_t px_deliver(void);
/* Which signals are ignored: handed to children, and taken from a parent at the start. */
uint64_t px_signals_ignored(void);
void px_signals_ignore(uint64_t set);
/* Bit of a signal in masks. */
static inline uint64_t px_bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}
/* The exit status that tells a parent of ours which signal ended a process; for others it is 128 + signal. */
static inline uint32_t px_status_of_signal(int signal)
{
    return (uint32_t)signal << 8 | (128u + (uint32_t)signal);
}
[[noreturn]] void px_end(uint32_t status);

/* Runs a wait that answers a status until it ends for another reason than an interruption that is none of ours. */
#define PX_WAIT(wait)                                                                                                  \
    ({                                                                                                                 \
        status_t px_wait_st;                                                                                           \
        do                                                                                                             \
            px_wait_st = (wait);                                                                                       \
        while (px_wait_st == ERR_INTERRUPTED && !px_signal_waiting());                                                 \
        px_wait_st;                                                                                                    \
    })
