/* SPDX-License-Identifier: MIT
 * Making a Task from an image and a Bundle specification: for SPAWN, and for the first Task at boot. */
#pragma once
#include <kernel/bundle.h>
#include <kernel/task.h>

struct mem;

/* Where an image's bytes come from. cap: the child's own capability to them, by which it shares them; nullptr: it gets
 * copies. */
struct image {
    const struct mem *mem;
    uint64_t offset, bytes;
    struct cap *cap;
};

/* Builds address space, main thread and Bundle of `t` from a checked specification. `spec` is copied. The capabilities
 * are not handed over yet: *bundle is the child's copy of the Bundle (kernel address) in which the caller fills in the
 * handles. On error the caller abandons the Task. */
status_t spawn_build(struct task *t, const struct image *image, const struct vx_bundle *spec,
                     const struct bundle_plan *plan, struct vx_bundle **bundle, struct thread **main_thread);
/* Makes the slot of a child's Bundle a capability to the child's own Reticle. Its table has room. */
void give_own_reticle(struct task *t, struct vx_slot *s);
