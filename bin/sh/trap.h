/* SPDX-License-Identifier: MIT
 * Signals and traps. A handler only notes the signal; the action is run between commands. */
#pragma once
#include <signal.h>

enum : int { TRAP_MAX = 65 }; /* signals 1 to 64; 0 is EXIT */

struct traps {
    struct traps *outer;
    bool fresh;             /* nothing was set since the subshell began: `trap` shows its parent's */
    char *action[TRAP_MAX]; /* nullptr: default; "": ignored */
};
void traps_init(bool interactive);
void traps_push(struct traps *t);
void traps_pop(struct traps *t);
/* Sets, or resets with nullptr. False: it cannot be (it was ignored when the shell began). */
bool trap_set(int signal, const char *action);
void traps_print(void);
/* The signal came: what a handler does. From any thread. */
void trap_note(int signal);
/* Runs what is due. */
void traps_run(void);
/* A signal is noted: cheap, for loops. */
bool traps_due(void);
/* The number of a signal that is due and has an action, or 0; it stays due. */
int traps_first_due(void);
/* This shell hears of ^C beside those it waits for, and ends what it runs: any that is in front of a terminal. */
void traps_heed_interrupt(void);
/* True if ^C was typed in a shell that heeds it, and no trap is set for it; forgets it. */
bool trap_interrupted(void);
/* The same without forgetting. */
bool trap_interrupt_pending(void);
/* ^C came, whether or not a trap is set for it. */
bool trap_interrupt_noted(void);
void trap_forget_interrupt(void);
/* The keys of job control, after the option changed. */
void traps_arrange_keys(void);
int traps_run_exit(int status);
/* Which signals a program that is started must find as they were: not as the shell has them. */
void traps_for_child(sigset_t *defaults);
/* "INT", "SIGINT", "int", "2", "EXIT": the number; -1: there is none. */
int signal_number(const char *name);
/* Without "SIG"; nullptr: none. */
const char *signal_name(int signal);
