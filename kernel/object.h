/* SPDX-License-Identifier: MIT
 * What every kernel object starts with, and the small pieces objects share: wait queues and signal bindings.
 *
 * I1. An object lives in memory of its `home` Reticle and is on that Reticle's list of objects until it is destroyed.
 * I2. Every capability to it is in the tree that starts at `caps`; `n_caps` counts them all.
 * I3. Every mapping of its memory is on `maps`; a mapping never outlives the capability it was made through.
 * I4. An object whose last capability goes, or whose home dies, is destroyed (a Task: killed, then freed): it comes to
 * the graveyard, and is taken apart there in steps. A `dying` object gets no new mappings; its capabilities work until
 * they are tombstones. */
#pragma once
#include <abi/status.h>
#include <base/list.h>
#include <kernel/lock.h>

struct reticle;
struct cap;
struct task;
struct thread;

/* Why an object is in the graveyard. */
enum object_end : uint8_t {
    END_OBJECT = 1, /* it goes */
    END_TASK = 2,   /* the Task is over; its record may stay */
    END_FLIGHT = 4, /* nobody can receive from the Ring any more: what is in flight goes */
    END_CROWD = 8,  /* of the semaphore: that so many wait for it, who could have what there is. It lives on */
};

struct object {
    uint8_t type;  /* enum vx_cap_type; a Ring is VX_CAP_RING_TX, the end is the capability's business */
    uint8_t dying; /* enum object_end; 0: it lives */
    uint32_t id;   /* for people */
    struct reticle *home;
    struct list_node home_node;
    struct list_node grave_node; /* on the list of objects that wait to be destroyed */
    struct cap *caps;            /* first of the capabilities that have no parent */
    struct list_node maps;       /* of struct vma */
    uint32_t n_caps;
    struct spinlock maps_lock; /* LOCK_MAPS */
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
};

/* What is zero so far becomes an object that is in no list and has no capabilities. */
void object_init(struct object *o, uint8_t type, uint32_t id, struct reticle *home);
/* Allocates a zeroed object of `size` from `home` and enters it in its list. ERR_NO_MEMORY. */
status_t object_create(struct reticle *home, uint8_t type, size_t size, struct object **out);
/* Undoes object_create, before the object has capabilities. */
void object_abandon(struct object *o);
/* Puts it into the graveyard, where it loses its mappings, its capabilities become tombstones, its waiters wake, and
 * its memory goes back. A chain of Rings that carry each other's ends costs a loop there and no stack. */
void object_destroy(struct object *o, enum object_end how);
/* Takes objects of the graveyard apart, or all objects of a Reticle that goes, until a step's work is done. True:
 * nothing is left. By the owner of the gate, who has called work_begin(). */
bool object_reap(void);
bool object_end_all(struct reticle *r);
/* The graveyard. `came` rises with everything that comes to it. */
extern struct graves {
    struct list_node objects;
    uint64_t came;
} graves;

/* Long work is done in steps of about ten thousand instructions, and only alone; between them interrupts and other
 * harts come in. work_spend() takes units of about a hundred instructions and says whether the step may go on. */
#define WORK_STEP 80
#define WORK_PAGE 6 /* for zeroing or filling a page */
extern int32_t work_left;
static inline void work_begin(void)
{
    work_left = WORK_STEP;
}

static inline bool work_spend(int32_t units)
{
    work_left -= units;
    return work_left >= 0;
}
