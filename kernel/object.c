/* SPDX-License-Identifier: MIT
 * Birth and death of kernel objects. Dying is queued: whoever is outermost drains the queue in a loop, so that no chain
 * of objects that hold each other's capabilities can exhaust the kernel stack. Locking: the kernel is entered with
 * interrupts masked on its one hart. */
#include <kernel/cap.h>
#include <kernel/irq.h>
#include <kernel/mem.h>
#include <kernel/object.h>
#include <kernel/reticle.h>
#include <kernel/ring.h>
#include <kernel/sync.h>
#include <kernel/task.h>
#include <kernel/vm.h>
#include <base/kassert.h>

static struct list_node graveyard = { &graveyard, &graveyard };
static uint32_t depth;
static uint32_t last_id;

status_t object_create(struct reticle *home, uint8_t type, size_t size, struct object **out)
{
    void *p;
    status_t st = reticle_kalloc(home, size, &p);
    if (st != OK)
        return st;
    struct object *o = p;
    o->type = type;
    o->id = ++last_id;
    o->home = home;
    o->size_bytes = (uint32_t)size;
    list_push_back(&home->objects, &o->home_node);
    list_init(&o->grave_node);
    *out = o;
    return OK;
}

void object_abandon(struct object *o)
{
    kassert(o->n_caps == 0 && o->maps == nullptr);
    list_remove(&o->home_node);
    list_remove(&o->grave_node);
    reticle_kfree(o->home, o, o->size_bytes);
}

static void fini_by_type(struct object *o)
{
    switch (o->type) {
    case VX_CAP_TASK:
        task_forget(task_of(o));
        break;
    case VX_CAP_RETICLE:
        reticle_object_fini(o);
        break;
    case VX_CAP_RING_TX:
        ring_fini(ring_of(o));
        break;
    case VX_CAP_SEM:
        sem_fini(sem_of(o));
        break;
    case VX_CAP_MEM:
    case VX_CAP_SURFACE:
        mem_fini((struct mem *)(void *)o);
        break;
    default: /* devices, lines, console, entropy: nothing beyond the record */
        break;
    }
}

void object_destroy(struct object *o)
{
    object_enter();
    o->dying = 1;
    list_remove(&o->grave_node);
    vm_unmap_object(o, nullptr);
    cap_tombstone_all(o);
    fini_by_type(o);
    object_abandon(o);
    object_leave();
}

void object_destroy_all(struct reticle *r)
{
    object_enter();
    struct list_node *n;
    while ((n = list_first(&r->objects)) != nullptr)
        object_destroy(container_of(n, struct object, home_node));
    object_leave();
}

void object_unreferenced(struct object *o)
{
    if (o->dying)
        return;
    object_enter();
    if (list_is_empty(&o->grave_node))
        list_push_back(&graveyard, &o->grave_node);
    object_leave();
}

void object_enter(void)
{
    depth++;
}

void object_leave(void)
{
    struct list_node *n;
    if (depth > 1) {
        depth--;
        return;
    }
    while ((n = list_first(&graveyard)) != nullptr)
        object_destroy(container_of(n, struct object, grave_node));
    depth--;
}
