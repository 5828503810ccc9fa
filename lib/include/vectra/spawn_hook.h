/* SPDX-License-Identifier: MIT
 * A program of the C library that hands its children more of its authority than libposix does by itself: a shell. The
 * functions run in the thread that calls posix_spawn, under the rules of posix_hooks.h. */
#pragma once
#include <vectra/spawn.h>

struct vx_spawn_hook {
    bool (*in_front)(void); /* the child's terminal session comes to the foreground, if ours is there */
    bool (*leads)(void);    /* the group that the child leads is in front when it begins, if ours is there */
    void (*prepare)(struct vx_spawn *s);            /* before the Bundle is begun: memory, band */
    void (*grant)(struct vx_spawn *s);              /* adds to s->spec */
    void (*done)(struct vx_spawn *s, bool started); /* what was given is the child's, or still ours */
};
/* nullptr: none. One for the whole program, set once. */
extern const struct vx_spawn_hook *vx_spawn_hook;
