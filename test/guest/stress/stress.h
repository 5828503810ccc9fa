/* SPDX-License-Identifier: MIT
 * How /test/stress is made. A storm is a function that does rounds of one kind of work until its time is over; it runs
 * as a Task of its own, alone or beside all the others. It starts further Tasks: parts, which are this program in
 * another role.
 *  1. Every wait of a storm has a deadline; reaching it is a failure, never a second try.
 *  2. After its last round a storm has as many free bytes, used slots and threads as after its first. */
#pragma once
#include <test/guest/common/play.h>

struct report {
    _Atomic uint64_t rounds;
    _Atomic uint32_t failed;
    uint64_t value;
    char text[96];
};

struct storm {
    uint64_t until; /* no round begins after it */
    uint64_t random;
    vx_mem image;
    struct report *report;
};

/* Counts the round that was done; true: do another. */
bool storm_again(struct storm *s);
/* Notes what went wrong, once. Answers false, so that a storm can return it. */
bool storm_fail(struct storm *s, const char *text, uint64_t value);
/* A part of this storm. */
vx_handle_t storm_part(struct storm *s, const char *role, uint64_t memory);
/* Waits for a part's end: an exit with status 0. */
bool storm_ended_well(struct storm *s, vx_handle_t part, const char *text);
/* True when the part ends with that cause. */
bool storm_ended_by(struct storm *s, vx_handle_t part, vx_cause_t cause, const char *text);

bool storm_spawn(struct storm *s);
bool storm_rings(struct storm *s);
bool storm_caps(struct storm *s);
bool storm_memory(struct storm *s);
bool storm_timers(struct storm *s);
bool storm_signals(struct storm *s);
bool storm_futex(struct storm *s);
bool storm_sems(struct storm *s);
bool storm_threads(struct storm *s);
bool storm_revoke(struct storm *s);
bool storm_trees(struct storm *s);
bool storm_calls(struct storm *s);

/* What parts do; they answer their exit status. */
int part_serve(void);
int part_mapped(void);
int part_pass(void);
int part_dry(void);
int part_poster(void);
int part_futex(void);
int part_sems(void);
int part_reader(void);
int part_narrower(void);
int part_states(void);
int part_slow_server(void);

int leaf_exit(void);
int leaf_fault(void);
int leaf_sleep(void);
int leaf_spin(void);
int leaf_threads(void);
