/* SPDX-License-Identifier: MIT
 * What every kernel object starts with, and the small pieces objects share: wait queues and signal bindings.
 *
 * I1. An object lives in memory of its `home` Reticle and is on that Reticle's list of objects until it is destroyed.
 * I2. Every capability to it is in the tree that starts at `caps`; `n_caps` counts them all.
 * I3. Every mapping of its memory is on `maps`; a mapping never outlives the capability it was made through.
 * I4. An object whose last capability goes, or whose home dies, is destroyed at once (a Task: killed, then freed). */
#pragma once
#include <abi/types.h>
#include <abi/status.h>
#include <base/list.h>

struct reticle;
struct cap;
struct vma;
struct task;
struct thread;

struct object {
    uint8_t type;  /* enum vx_cap_type; a Ring is VX_CAP_RING_TX, the end is the capability's business */
    uint8_t dying; /* being torn down: no new capabilities, bindings or waiters */
    uint16_t reserved;
    uint32_t id; /* for people */
    struct reticle *home;
    struct list_node home_node;
    struct list_node grave_node; /* on the list of objects that wait to be destroyed */
    struct cap *caps;            /* first of the capabilities that have no parent */
    struct vma *maps;
    uint32_t n_caps;
    uint32_t size_bytes; /* of the object, for kfree */
};

/* Threads waiting for one thing, oldest first. A thread is on at most one. */
struct waitq {
    struct list_node threads;
};

/* "Post this bit to that Task": embedded in the event's source, listed in the Task that receives. */
struct binding {
    struct list_node node; /* in task->bindings */
    struct task *task;     /* nullptr: unbound */
    uint32_t bit;
    uint32_t irq_line; /* of an IRQ binding */
};

/* Allocates a zeroed object of `size` from `home` and enters it in its list. ERR_NO_MEMORY. */
status_t object_create(struct reticle *home, uint8_t type, size_t size, struct object **out);
/* Undoes object_create, before the object has capabilities. */
void object_abandon(struct object *o);
/* Ends the object: tombstones its capabilities, unmaps it, wakes its waiters, returns its memory. */
void object_destroy(struct object *o);
/* Destroys every object of a Reticle; used when the Reticle itself goes. */
void object_destroy_all(struct reticle *r);
/* Called when the last capability went. Destruction is put off to the outermost caller, so that a chain of Rings that
 * carry each other's ends costs a loop and no stack. */
void object_unreferenced(struct object *o);
/* Brackets around work that may free many objects: nested calls only queue, the outermost leave drains the queue. */
void object_enter(void);
void object_leave(void);
