/* SPDX-License-Identifier: MIT
 * Birth and death of kernel objects. What ends comes to the graveyard and is taken apart there, in steps: no chain of
 * objects that hold each other's capabilities can exhaust the kernel stack, and no end takes long at a stretch. Every
 * stage of an end takes things away until none is left, so it needs no record of how far it came. Locking: all of this
 * belongs to the owner of the gate. */
#include <kernel/cap.h>
#include <kernel/mem.h>
#include <kernel/object.h>
#include <kernel/reticle.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/sync.h>
#include <kernel/task.h>
#include <kernel/vm.h>
#include <base/kassert.h>
#include <base/string.h>

struct graves graves = { .objects = { &graves.objects, &graves.objects } };
int32_t work_left;
static uint32_t last_id;

void object_init(struct object *o, uint8_t type, uint32_t id, struct reticle *home)
{
    o->type = type;
    o->id = id;
    o->home = home;
    list_init(&o->home_node);
    list_init(&o->grave_node);
    list_init(&o->maps);
}

status_t object_create(struct reticle *home, uint8_t type, size_t size, struct object **out)
{
    void *p;
    status_t st = reticle_kalloc(home, size, &p);
    if (st != OK)
        return st;
    *out = memset(p, 0, size);
    object_init(*out, type, ++last_id, home);
    list_push_back(&home->objects, &(*out)->home_node);
    return OK;
}

void object_abandon(struct object *o)
{
    kassert(o->n_caps == 0 && list_is_empty(&o->maps));
    list_remove(&o->home_node);
    reticle_kfree(o->home, o);
}

static bool fini_by_type(struct object *o)
{
    switch (o->type) {
    case VX_CAP_TASK:
        return task_fini(task_of(o));
    case VX_CAP_RETICLE:
        return reticle_end_some(reticle_of_object(o));
    case VX_CAP_RING_TX:
        return ring_fini(ring_of(o));
    case VX_CAP_SEM:
        return sem_fini(sem_of(o));
    case VX_CAP_MEM:
    case VX_CAP_SURFACE:
        return mem_fini((struct mem *)(void *)o);
    default: /* devices, lines, console, entropy: nothing beyond the record */
        return true;
    }
}

/* A step of its end. True: it is over. */
static bool end_some(struct object *o)
{
    if ((o->dying & END_TASK) != 0 &&
        (!reticle_end_some(&task_of(o)->reticle) || !waitq_wake_all(&task_of(o)->exit_waiters)))
        return false;
    if ((o->dying & END_FLIGHT) != 0 && !ring_clear(ring_of(o)))
        return false;
    if ((o->dying & END_CROWD) != 0 && (!work_spend(2 * (int32_t)WAKES_AT_ONCE) || !sem_grant_some(sem_of(o))))
        return false;
    o->dying &= END_OBJECT;
    if (o->dying != 0 && (!vm_unmap_object(o, nullptr, false) || !cap_tombstone_all(o) || !fini_by_type(o)))
        return false;
    list_remove(&o->grave_node); /* if it was in there */
    if (o->dying == 0)
        return true;
    object_abandon(o);
    return work_spend(4);
}

void object_destroy(struct object *o, enum object_end how)
{
    if ((o->dying & END_OBJECT) != 0)
        return;
    o->dying |= how;
    graves.came++;
    if (list_is_empty(&o->grave_node))
        list_push_back(&graves.objects, &o->grave_node);
}

bool object_end_all(struct reticle *r)
{
    struct list_node *n;
    while ((n = list_first(&r->objects)) != nullptr) {
        struct object *o = container_of(n, struct object, home_node);
        o->dying |= END_OBJECT;
        if (!end_some(o))
            return false;
    }
    return true;
}

bool object_reap(void)
{
    struct list_node *n;
    while ((n = list_first(&graves.objects)) != nullptr)
        if (!end_some(container_of(n, struct object, grave_node)))
            return list_is_empty(&graves.objects);
    return true;
}
