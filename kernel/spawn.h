/* SPDX-License-Identifier: MIT
 * Making a Task from an image and a Bundle specification: for SPAWN, and for the first Task at boot. */
#pragma once
#include <kernel/bundle.h>
#include <kernel/firmware/elf.h>
#include <kernel/task.h>

struct mem;

/* Where an image's bytes come from. cap: the child's own capability to them, by which it shares them; nullptr: it gets
 * copies. */
struct image {
    const struct mem *mem;
    uint64_t offset, bytes;
    struct cap *cap;
};

/* How far a child has come. `spec`, `plan`, `task` and `image` are given, all else is 0 at first. */
struct spawn_build {
    struct vx_bundle *spec; /* checked; the child gets a copy, which is written once more when it starts */
    struct bundle_plan plan;
    struct task *task;
    struct image image;
    struct elf_plan elf;
    uint64_t bias, progress;
    uint32_t stage;
};

/* Makes the address space, in steps (kernel/object.h). On error the caller drops the Task. */
status_t spawn_build_some(struct spawn_build *b, bool *made);
/* The main thread, and the facts of the Bundle. Then the caller fills in the handles in `spec`, and starts it. */
status_t spawn_finish(struct spawn_build *b, struct thread **main_thread);
void spawn_start(struct spawn_build *b, struct thread *main_thread);
/* Makes the slot of a child's Bundle a capability to the child's own Reticle. Its table has room. */
void give_own_reticle(struct task *t, struct vx_slot *s);
