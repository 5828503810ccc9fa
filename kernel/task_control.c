/* SPDX-License-Identifier: MIT
 * TASK_CONTROL: looking at and steering Tasks that the caller holds a capability to, or its own.
 * Locking: it runs alone, behind the closed gate. */
#include <kernel/syscall.h>
#include <base/string.h>

/* What it has been charged, and what it ran since, if it runs: it is charged at the next switch. */
uint64_t thread_cpu_cycles(const struct thread *t)
{
    const struct hart *at = harts[__atomic_load_n(&t->home, __ATOMIC_RELAXED)];
    uint64_t cycles = __atomic_load_n(&t->cpu_cycles, __ATOMIC_RELAXED); /* sched_charge() */
    if (thread_state(t) != THREAD_RUNNING)
        return cycles;
    uint64_t now = arch_cycles(), since = __atomic_load_n(&at->sched.switched_cycles, __ATOMIC_RELAXED);
    return now > since ? cycles + (now - since) : cycles;
}

uint64_t task_cpu_cycles(const struct task *t)
{
    uint64_t sum = t->cpu_cycles; /* of threads that ended */
    for (struct tree_node *n = t->threads.first; n != nullptr; n = tree_next(n)) {
        const struct thread *th = container_of(n, struct thread, by_id);
        if (thread_state(th) != THREAD_ENDED)
            sum += thread_cpu_cycles(th);
    }
    return sum;
}

static struct sysret info(struct task *t, uint64_t to, uint64_t size)
{
    if (size != sizeof(struct vx_task_info))
        return sys_status(ERR_BAD_ARGUMENT);
    bool alive = t->state != VX_TASK_DEAD;
    uint64_t waits = t->n_waits, switches = t->n_switches;
    if (alive)
        vm_settle(&t->vm);
    for (struct tree_node *n = t->threads.first; n != nullptr; n = tree_next(n)) {
        const struct thread *th = container_of(n, struct thread, by_id);
        waits += th->state != THREAD_ENDED ? th->n_waits : 0;
        switches += th->state != THREAD_ENDED ? th->n_switches : 0;
    }
    struct vx_task_info i = {
        .id = t->id,
        .parent_id = t->parent != nullptr ? t->parent->id : 0,
        .state = t->state,
        .band = t->band,
        .threads = t->n_live,
        .exit_status = t->exit_status,
        .cause = t->cause,
        .cap_slots = t->caps.n_slots,
        .caps_used = t->caps.used,
        .fault_address = t->fault_address,
        .fault_pc = t->fault_pc,
        .image_base = t->image_base,
        .cpu_ns = sched_cycles_to_ns(task_cpu_cycles(t)),
        .start_ns = t->start_ns,
        .memory_bytes = alive ? t->reticle.total_pages * ARCH_PAGE_SIZE : 0,
        .memory_free = alive ? t->reticle.free_pages * ARCH_PAGE_SIZE : 0,
        .waits = waits,
        .faults = t->n_faults,
        .switches = switches,
    };
    memcpy(i.name, t->name, sizeof i.name);
    return sys_status(copy_to_user(to, &i, sizeof i));
}

/* How many entries one call lists at most, of so many slots: whoever lists asks again from the second result. */
#define LIST_AT_ONCE 64u
#define SLOTS_AT_ONCE 512u

static struct sysret list_caps(struct task *t, uint64_t to, uint64_t room, uint64_t first)
{
    uint64_t n = 0, i = first;
    room = room < LIST_AT_ONCE ? room : LIST_AT_ONCE;
    for (; i < t->caps.high && i - first < SLOTS_AT_ONCE && n < room; i++) {
        struct vx_cap_facts f;
        if (t->caps.slots[i].type == VX_CAP_NONE)
            continue;
        cap_facts(&t->caps, &t->caps.slots[i], &f);
        status_t st = copy_to_user(to + n * sizeof f, &f, sizeof f);
        if (st != OK)
            return sys_status(st);
        n++;
    }
    return sys_ok(n, i < t->caps.high ? i : 0);
}

static struct sysret list_threads(struct task *t, uint64_t to, uint64_t room, uint64_t first)
{
    uint64_t n = 0;
    struct tree_node *node = tree_find_le(&t->threads, first);
    node = node == nullptr ? t->threads.first : node->key < first ? tree_next(node) : node;
    room = room < LIST_AT_ONCE ? room : LIST_AT_ONCE;
    for (; node != nullptr && n < room; node = tree_next(node), n++) {
        const struct thread *th = container_of(node, struct thread, by_id);
        struct vx_thread_info i = {
            .id = th->id,
            .state = th->state == THREAD_BLOCKED && th->stop_pending ? THREAD_STOPPED : th->state,
            .band = th->effective_band,
            .syscall = th->parked || (th->progress | th->making) != 0 ? (uint32_t)arch_frame_syscall_nr(&th->frame)
                                                                      : UINT32_MAX,
            .pc = arch_frame_pc(&th->frame),
            .sp = arch_frame_sp(&th->frame),
            .cpu_ns = sched_cycles_to_ns(thread_cpu_cycles(th)),
            .deadline_ns = th->timer.in_tree ? th->timer.key : UINT64_MAX,
        };
        status_t st = copy_to_user(to + n * sizeof i, &i, sizeof i);
        if (st != OK)
            return sys_status(st);
    }
    return sys_ok(n, node != nullptr ? node->key : 0);
}

/* The child after the one with id `after`: a capability derived from the caller's to it, or else from the authority
 * over the parent: whoever may look into a Task may look into what it started, and no more. */
static struct sysret next_child(struct task *t, uint64_t after, vx_rights_t rights)
{
    struct cap_table *table = &current_task()->caps;
    struct cap *slot;
    for (struct list_node *n = t->children.next; n != &t->children; n = n->next) {
        struct task *child = container_of(n, struct task, sibling);
        if (child->id <= after || child->state == VX_TASK_DEAD || child->obj.caps == nullptr ||
            child->obj.caps->rights == 0) /* nobody may look at what is still being made */
            continue;
        status_t st = cap_reserve(table, &slot);
        if (st != OK)
            return sys_status(st);
        struct cap *first = child->obj.caps;
        return sys_ok(cap_derive(slot, first, rights & first->rights, 0, 0), child->id);
    }
    return sys_status(ERR_NOT_FOUND);
}

static void stop(struct task *t)
{
    if (t->state == VX_TASK_DEAD)
        return;
    t->state = VX_TASK_STOPPED;
    for (struct tree_node *n = t->threads.first; n != nullptr; n = tree_next(n)) {
        struct thread *th = container_of(n, struct thread, by_id);
        bool runs = th->state == THREAD_RUNNING;
        if (th->state ==
            THREAD_BLOCKED) { /* it stays in its wait and stops on waking; its frame stands still already */
            th->stop_pending = true;
            th->receives = false;
        } else if (runs || th->state == THREAD_READY) {
            if (th == current_thread())
                arch_hart_self()->need_switch = 1;
            else if (runs)
                sched_forget(th, true);
            else
                sched_remove(th);
            th->state = THREAD_STOPPED;
        }
    }
}

static void resume(struct task *t)
{
    if (t->state == VX_TASK_DEAD)
        return;
    t->state = VX_TASK_RUNNING;
    for (struct tree_node *n = t->threads.first; n != nullptr; n = tree_next(n)) {
        struct thread *th = container_of(n, struct thread, by_id);
        th->stop_pending = false;
        if (th->state == THREAD_STOPPED)
            sched_ready(th);
    }
}

static struct sysret frame(struct task *t, uint64_t id, uint64_t at, bool write)
{
    struct thread *th = id <= UINT32_MAX ? thread_find(t, (uint32_t)id) : nullptr;
    struct vx_frame f;
    if (th == nullptr)
        return sys_status(ERR_NOT_FOUND);
    if (th->state != THREAD_STOPPED && !(th->state == THREAD_BLOCKED && th->stop_pending))
        return sys_status(ERR_BUSY);
    if (!write) {
        struct arch_frame now = th->frame;
        if (th->parked) /* T3 */
            arch_frame_restart(&now);
        arch_frame_get_regs(&now, &f);
        return sys_status(copy_to_user(at, &f, sizeof f));
    }
    if ((th->progress | th->making) != 0) /* in the middle of a call whose steps only it can end */
        return sys_status(ERR_BUSY);
    status_t st = copy_from_user(&f, at, sizeof f);
    if (st == OK)
        st = arch_frame_set_regs(&th->frame, &f);
    if (st == OK) {
        th->has_result = false; /* nothing of a call that went on in steps */
        th->parked = false;     /* it continues where it was put: no call is run again, or completed, behind its back */
        thread_stop_waiting(th);
        th->state = THREAD_STOPPED;
        signal_raise(t, 0); /* G1 */
    }
    return sys_status(st);
}

static struct sysret memory(struct task *t, uint64_t theirs, uint64_t ours, uint64_t len, bool write)
{
    uint8_t chunk[256];
    uint64_t total = 0;
    if (t->state == VX_TASK_DEAD)
        return sys_status(ERR_NOT_FOUND);
    if (!urange_ok(theirs, len) || !urange_ok(ours, len))
        return sys_status(ERR_BAD_ADDRESS);
    if (len > CONSOLE_WRITE_MAX)
        len = CONSOLE_WRITE_MAX; /* one bound for all calls that move bytes through a buffer; says how far it got */
    while (total < len) {
        size_t n = len - total < sizeof chunk ? (size_t)(len - total) : sizeof chunk, done = 0;
        status_t st = write ? copy_from_user(chunk, ours + total, n) : OK;
        if (st == OK)
            st = vm_copy(&t->vm, theirs + total, chunk, n, write, &done);
        if (!write && done != 0 && copy_to_user(ours + total, chunk, done) != OK)
            st = ERR_BAD_ADDRESS;
        total += st == OK ? n : done;
        if (st != OK)
            return total != 0 ? sys_ok(total, 0) : sys_status(ERR_BAD_ADDRESS);
    }
    return sys_ok(total, 0);
}

static struct sysret set_name(struct task *t, uint64_t from, uint64_t len)
{
    char name[sizeof t->name] = {};
    if (len >= sizeof name)
        return sys_status(ERR_BAD_ARGUMENT);
    status_t st = copy_from_user(name, from, (size_t)len);
    if (st != OK)
        return sys_status(st);
    task_set_name(t, name, (size_t)len);
    return sys_ok(0, 0);
}

void task_set_name(struct task *t, const char *name, size_t len)
{
    if (len >= sizeof t->name)
        len = sizeof t->name - 1;
    memset(t->name, 0, sizeof t->name);
    for (size_t i = 0; i < len; i++) /* it is printed on consoles: nothing that a terminal would obey */
        t->name[i] = name[i] >= ' ' && name[i] < 127 ? name[i] : '?';
}

/* only: of its threads; nullptr: the Task, and all of them. */
static struct sysret set_band(struct task *t, uint64_t band, const struct thread *only)
{
    if (band >= VX_BAND_COUNT)
        return sys_status(ERR_BAD_ARGUMENT);
    if (band < current_task()->band)
        return sys_status(ERR_NO_RIGHTS);
    if (only == nullptr)
        t->band = (uint8_t)band;
    for (struct tree_node *n = t->threads.first; n != nullptr; n = tree_next(n)) {
        struct thread *th = container_of(n, struct thread, by_id);
        if (only != nullptr && th != only)
            continue;
        th->band = (uint8_t)band;
        sched_set_band(th, th->band);
    }
    return sys_ok(0, 0);
}

static bool changes_it(uint64_t op)
{
    return op == VX_TASK_STOP || op == VX_TASK_RESUME || op == VX_TASK_WRITE_FRAME || op == VX_TASK_WRITE_MEM ||
           op == VX_TASK_BIND_FAULT || op == VX_TASK_SET_BAND;
}

struct sysret sys_task_control(uint64_t handle, uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
    struct task *self = current_task(), *t = self;
    vx_rights_t rights = VX_R_INSPECT | VX_R_WAIT | VX_R_BIND;
    if (handle != VX_HANDLE_NONE) {
        struct cap *cap;
        vx_rights_t need = VX_R_INSPECT | (changes_it(op) ? VX_R_DESTROY : 0);
        status_t st = cap_get(&self->caps, handle, VX_CAP_TASK, need, &cap);
        if (st != OK)
            return sys_status(st);
        t = task_of(cap->obj);
        rights = cap->rights;
    }
    switch (op) {
    case VX_TASK_INFO:
        return info(t, a, b);
    case VX_TASK_CAPS:
        return list_caps(t, a, b, c);
    case VX_TASK_THREADS:
        return list_threads(t, a, b, c);
    case VX_TASK_NEXT_CHILD:
        return next_child(t, a, rights);
    case VX_TASK_STOP:
        stop(t);
        return sys_ok(0, 0);
    case VX_TASK_RESUME:
        resume(t);
        return sys_ok(0, 0);
    case VX_TASK_READ_FRAME:
    case VX_TASK_WRITE_FRAME:
        return frame(t, a, b, op == VX_TASK_WRITE_FRAME);
    case VX_TASK_READ_MEM:
    case VX_TASK_WRITE_MEM:
        return memory(t, a, b, c, op == VX_TASK_WRITE_MEM);
    case VX_TASK_BIND_FAULT:
        return a > 64 ? sys_status(ERR_BAD_ARGUMENT) : sys_status(binding_set(&t->fault_binding, self, (uint32_t)a));
    case VX_TASK_SET_BAND:
        return set_band(t, a, nullptr);
    case VX_TASK_SET_NAME:
        return t == self ? set_name(t, a, b) : sys_status(ERR_NO_RIGHTS);
    case VX_TASK_THREAD_BAND:
        return t == self ? set_band(t, a, current_thread()) : sys_status(ERR_NO_RIGHTS);
    default:
        return sys_status(ERR_BAD_ARGUMENT);
    }
}
