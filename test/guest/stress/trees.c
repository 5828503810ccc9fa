/* SPDX-License-Identifier: MIT
 * The storm on trees: a Task with children of its own and a thread in every state there is, ended at any moment. */
#include "stress.h"

struct state_page {
    _Atomic uint32_t entered; /* threads that are about to be in their state */
};

static struct state_page *page;
static vx_handle_t full_tx, silent_rx, open_tx, empty_sem;
static _Atomic uint32_t never;

static void enter(void)
{
    atomic_fetch_add_explicit(&page->entered, 1, memory_order_release);
}

static uint32_t be_in_state(void *argument)
{
    struct vx_message m = {};
    enter();
    switch ((uintptr_t)argument) {
    case 0: /* running */
        for (;;)
            vx_relax();
    case 1:
        return (uint32_t)SYS(ring_recv, silent_rx, P(&m), VX_FOREVER).value;
    case 2:
        return (uint32_t)SYS(sem_wait, empty_sem, 1, VX_FOREVER).value;
    case 3:
        return (uint32_t)SYS(futex_wait, P(&never), 0, VX_FOREVER).value;
    case 4:
        return (uint32_t)SYS(signal_wait, 8, VX_FOREVER).value;
    case 5:
        return (uint32_t)SYS(nanosleep, vx_deadline_in(1000 * VX_NS_PER_S)).value;
    case 6:
        return (uint32_t)SYS(thread_join, 1, VX_FOREVER).value;
    case 7: /* RING_CALL, its first half: the ring is full */
        return (uint32_t)SYS(ring_call, full_tx, P(&m), silent_rx, P(&m), VX_FOREVER).value;
    case 8: { /* its second half */
        struct vx_result own = SYS(ring_create, 0, 2, 0);
        return (uint32_t)SYS(ring_call, open_tx, P(&m), own.second, P(&m), VX_FOREVER).value;
    }
    case 9: /* futex with a deadline: on two queues */
        return (uint32_t)SYS(futex_wait, P(&never), 0, vx_deadline_in(1000 * VX_NS_PER_S)).value;
    default: /* ends at once, and is never joined */
        return 0;
    }
}

enum : uintptr_t { STATES = 11 };

int part_states(void)
{
    struct vx_message m = {};
    vx_mem image = {};
    page = play_shared("page", 4096);
    struct vx_result full = SYS(ring_create, 0, 1, 0), silent = SYS(ring_create, 0, 1, 0),
                     open = SYS(ring_create, 0, 4, 0);
    if (page == nullptr || vx_image_find("/test/stress", &image) != OK)
        return 1;
    full_tx = (vx_handle_t)full.value;
    silent_rx = (vx_handle_t)silent.second;
    open_tx = (vx_handle_t)open.value;
    empty_sem = (vx_handle_t)SYS(sem_create, 0, 0).value;
    (void)SYS(ring_send, full_tx, P(&m), 0);
    for (uintptr_t i = 0; i < STATES; i++) {
        struct vx_thread t;
        if (vx_thread_create(&t, be_in_state, (void *)i, 8192) != OK)
            return 2;
    }
    vx_handle_t sleeps = play_child(image, "/test/stress", "leaf-sleep", 128 << 10);
    vx_handle_t spins = play_child(image, "/test/stress", "leaf-spin", 128 << 10);
    vx_handle_t ended = play_child(image, "/test/stress", "leaf-exit", 128 << 10);
    if (sleeps == 0 || spins == 0 || ended == 0 || STATUS(task_control, spins, VX_TASK_STOP) != OK)
        return 3;
    enter();
    (void)SYS(waitpid, sleeps, 0); /* the main thread's own state */
    return 4;
}

bool storm_trees(struct storm *s)
{
    do {
        struct vx_spawn spawn;
        const char *argv[] = { "/test/stress", "states" };
        struct play_memory shared = play_share(4096);
        struct state_page *p = shared.at;
        play_begin(&spawn, s->image, 2, argv, 1 << 20);
        play_family(&spawn);
        vx_spec_copy(&spawn.spec, "page", shared.mem, PLAY_SHARED);
        vx_handle_t tree = play_start(&spawn);
        if (p == nullptr || tree == 0)
            return storm_fail(s, "trees: no Task", 0);
        uint32_t how = play_below(&s->random, 4);
        if (how == 0) /* in the middle of its birth */
            play_nap(play_below(&s->random, 3000) * VX_NS_PER_US);
        else if (!play_reaches(&p->entered, STATES + 1))
            return storm_fail(s, "trees: not every state was reached", p->entered);
        if (how == 2)
            (void)SYS(task_control, tree, VX_TASK_STOP);
        if (how == 3) {
            (void)SYS(task_control, tree, VX_TASK_STOP);
            (void)SYS(task_control, tree, VX_TASK_RESUME);
        }
        if (STATUS(destroy, tree) != OK)
            return storm_fail(s, "trees: DESTROY failed", how);
        if (!storm_ended_by(s, tree, VX_CAUSE_DESTROYED, "trees: a tree ended otherwise"))
            return false;
        (void)SYS(mem_free, shared.mem, 0, 0);
    } while (storm_again(s));
    return true;
}
