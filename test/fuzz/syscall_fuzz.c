/* SPDX-License-Identifier: MIT
 * The whole system-call layer as a process: the fuzzer's bytes are the user code of every thread. Calls are made from
 * the grammar in abi/syscalls.def with mostly valid handles and addresses; between them memory is touched, time passes
 * and interrupts come. All through, every page is accounted for and the trees are whole; at the end all is torn down,
 * and every Reticle must be as it was. */
// sources: kernel/gate.c kernel/harts.c kernel/lock.c kernel/vm_unmap.c kernel/ram.c
// sources: kernel/bundle.c kernel/cap.c kernel/entropy.c kernel/irq.c kernel/mem.c kernel/object.c kernel/pt.c
// sources: kernel/reticle.c kernel/reticle_check.c kernel/ring.c kernel/sched.c kernel/signal.c kernel/spawn.c
// sources: kernel/sync.c kernel/sys_cap.c kernel/sys_mem.c kernel/sys_ring.c kernel/sys_task.c kernel/syscall.c
// sources: kernel/task.c kernel/task_control.c kernel/thread.c kernel/vm.c kernel/vm_fault.c kernel/wallclock.c
// sources: kernel/firmware/elf.c base/tree.c kernel/format.c
// sources: kernel/arch/host/cpu.c kernel/arch/host/mmu.c kernel/arch/host/ram.c
// flags: -fno-sanitize=function
#define _DEFAULT_SOURCE /* strsep */
#include "../unit/kernel/choices.h"
#include "../unit/kernel/machine.h"
#include "../unit/kernel/machine_check.h"
#include "../unit/kernel/machine_elf.h"
#include <base/kassert.h>

void kassert_fail(const char *expr, const char *file, int line)
{
    fprintf(stderr, "%s:%d: kassert(%s)\n", file, line, expr);
    abort();
}

#define STEPS_MAX 600
#define SPEC_AT (USER_BASE + USER_BYTES - 4096)
#define ARGS_MAX 5

/* --- the grammar --- */

enum kind : uint8_t { KIND_CAP, KIND_PTR, KIND_ADDR, KIND_NUMBER, KIND_DEADLINE };

struct argument {
    enum kind kind;
    uint32_t types; /* of a capability: bit per enum vx_cap_type, 0: any */
    char name[16];
};

static struct grammar {
    const char *name, *text;
    uint32_t n;
    struct argument arg[ARGS_MAX];
} grammar[SYSCALL_LIMIT] = {
#define SYSCALL(nr, name, n, args, results, errors, text) [nr] = { #name, #args, n, {} },
#include <abi/syscalls.def>
#undef SYSCALL
};

static const char *const type_names[VX_CAP_ENTROPY + 1] = {
#define TYPE(name, value, text) [value] = #name,
#include <abi/cap.def>
#undef TYPE
};

static uint32_t types_in(const char *kind)
{
    uint32_t types = 0;
    char list[64];
    snprintf(list, sizeof list, "%s", kind + strlen("cap."));
    list[strcspn(list, ".")] = '\0';
    for (char *rest = list, *word; (word = strsep(&rest, "|")) != nullptr;)
        for (uint32_t t = 1; t <= VX_CAP_ENTROPY; t++)
            if (strcmp(word, type_names[t]) == 0)
                types |= 1u << t;
    return types;
}

static void parse_grammar(void)
{
    for (uint32_t nr = 0; nr < SYSCALL_LIMIT; nr++) {
        struct grammar *g = &grammar[nr];
        if (g->name == nullptr)
            continue;
        char text[256];
        snprintf(text, sizeof text, "%s", g->text + 1);
        text[strlen(text) - 1] = '\0';
        char *rest = text;
        for (uint32_t i = 0; i < g->n; i++) {
            char *word = strsep(&rest, ","), kind[64];
            struct argument *a = &g->arg[i];
            machine_must(word != nullptr && sscanf(word, " %63s %15s", kind, a->name) == 2);
            if (strncmp(kind, "cap.", 4) == 0)
                *a = (struct argument){ KIND_CAP, types_in(kind), {} };
            else if (strncmp(kind, "ptr.", 4) == 0)
                a->kind = KIND_PTR;
            else
                a->kind = strcmp(kind, "addr") == 0       ? KIND_ADDR
                          : strcmp(kind, "deadline") == 0 ? KIND_DEADLINE
                                                          : KIND_NUMBER;
        }
    }
}

/* --- values --- */

static uint64_t some_cap(struct choices *c, uint32_t types)
{
    uint32_t how = choose(c, 32);
    if (how == 0)
        return choose_raw(c, 8);
    if (how == 1)
        return 0;
    if (how == 2)
        types = 0;
    const struct cap_table *t = &running()->task->caps;
    uint32_t start = choose(c, 64);
    for (uint32_t i = 0; i < t->high; i++) {
        const struct cap *slot = &t->slots[(start + i) % t->high];
        if (slot->type != VX_CAP_NONE && (types == 0 || (types >> slot->type & 1) != 0))
            return slot->handle;
    }
    return 0;
}

static uint64_t some_pointer(struct choices *c)
{
    static const uint64_t odd[] = { 0,
                                    1,
                                    VX_UADDR_MIN,
                                    VX_TIME_PAGE_ADDRESS,
                                    VX_UADDR_LIMIT - 64,
                                    VX_UADDR_LIMIT,
                                    USER_BASE + USER_BYTES - 1,
                                    USER_BASE - 32,
                                    UINT64_MAX,
                                    UINT64_MAX - 63,
                                    UINT64_C(0xffff800000000000),
                                    UINT64_C(0x800000000000) };
    switch (choose(c, 16)) {
    case 0:
        return odd[choose(c, sizeof odd / sizeof *odd)];
    case 1:
        return VX_MAP_BASE + choose(c, 1 << 17);
    case 2:
        return USER_BASE + choose(c, USER_BYTES);
    default:
        return USER_BASE + choose(c, 128) * 64;
    }
}

static uint64_t some_address(struct choices *c)
{
    switch (choose(c, 8)) {
    case 0:
        return 0;
    case 1:
        return some_pointer(c);
    case 2:
        return USER_BASE + choose(c, USER_BYTES / 4096) * 4096;
    case 3:
        return UINT64_C(0x40000000) + choose(c, 8) * (UINT64_C(1) << 21); /* where large leaves fit */
    case 4:
        return USER_BASE + choose(c, 64) * 4;
    default:
        return VX_MAP_BASE + choose(c, 48) * 4096;
    }
}

static uint64_t some_number(struct choices *c, const char *name)
{
    if (strcmp(name, "rights") == 0)
        return choose(c, 4) == 0 ? choose_raw(c, 2) : choose_raw(c, 2) & VX_RIGHTS_ALL;
    if (strcmp(name, "operation") == 0)
        return choose(c, 15);
    if (strcmp(name, "flags") == 0 || strcmp(name, "protection") == 0)
        return choose(c, 3) == 0 ? choose(c, 4) : choose(c, 8) | 0x10u << choose(c, 3) | (choose_raw(c, 1) & 0x7) << 7;
    if (strstr(name, "len") != nullptr || strcmp(name, "bytes") == 0)
        switch (choose(c, 8)) {
        case 0:
            return 0;
        case 1:
            return choose_raw(c, 2);
        case 2:
            return choose_raw(c, 8);
        case 3:
            return UINT64_C(1) << choose(c, 30);
        default:
            return choose(c, 40) * UINT64_C(4096);
        }
    switch (choose(c, 8)) {
    case 0:
        return choose_raw(c, 8);
    case 1:
        return UINT64_C(1) << choose(c, 64);
    case 2:
        return choose(c, 70);
    case 3:
        return choose(c, 16) * UINT64_C(4096);
    default:
        return choose(c, 5);
    }
}

static uint64_t some_deadline(struct choices *c)
{
    switch (choose(c, 8)) {
    case 0 ... 3:
        return VX_POLL;
    case 4:
        return VX_FOREVER;
    case 5:
        return choose_raw(c, 2);
    default:
        return host_cycles + choose(c, 5000);
    }
}

static uint64_t some_value(struct choices *c, const struct argument *a)
{
    switch (a->kind) {
    case KIND_CAP:
        return some_cap(c, a->types);
    case KIND_PTR:
        return some_pointer(c);
    case KIND_ADDR:
        return some_address(c);
    case KIND_DEADLINE:
        return some_deadline(c);
    default:
        return some_number(c, a->name);
    }
}

/* --- what threads do --- */

/* Writes a specification that is nearly right, and sometimes wrong, into the caller's memory. */
static uint64_t some_spec(struct choices *c)
{
    struct {
        struct vx_bundle b;
        struct vx_slot slot[6];
    } s = { .b = { .magic = VX_BUNDLE_MAGIC,
                   .version = VX_BUNDLE_VERSION,
                   .n_slots = 6,
                   .bytes = sizeof s,
                   .slots_at = sizeof s.b },
            .slot = { { .name = "memory", .kind = VX_SLOT_INT, .value = UINT64_C(65536) << choose(c, 3) },
                      { .name = "capslots", .kind = VX_SLOT_INT, .value = 64 },
                      { .name = "reticle", .kind = VX_SLOT_CAP, .value = some_cap(c, 1u << VX_CAP_RETICLE) },
                      { .name = "stack", .kind = VX_SLOT_INT, .value = 4096u << choose(c, 4) },
                      { .name = "one", .kind = VX_SLOT_CAP, .value = some_cap(c, 0), .move = (uint8_t)choose(c, 2) },
                      { .name = "band", .kind = VX_SLOT_INT, .value = choose(c, 7) } } };
    s.slot[4].rights = (vx_rights_t)(choose(c, 2) != 0 ? 0 : choose_raw(c, 2) & VX_RIGHTS_ALL);
    s.b.n_slots = (uint16_t)choose(c, 7);
    if (choose(c, 8) == 0)
        ((uint8_t *)&s)[choose(c, sizeof s)] ^= (uint8_t)choose_raw(c, 1);
    (void)!(host_user_write(SPEC_AT, &s, sizeof s) == OK); /* the child has no memory there */
    return sizeof s;
}

static host_stop_t do_call(struct choices *c)
{
    const struct thread *self = running();
    if ((self->progress | self->making) != 0 || self->has_result) /* its code does not run before that call is over */
        return host_syscall_again();
    uint64_t arg[6] = {}, nr = choose(c, SYSCALL_LIMIT + 1);
    if (choose(c, 64) == 0)
        nr = choose_raw(c, 8);
    if (nr < SYSCALL_LIMIT)
        for (uint32_t i = 0; i < grammar[nr].n; i++)
            arg[i] = some_value(c, &grammar[nr].arg[i]);
    if (nr == NR_spawn && choose(c, 8) != 0) {
        arg[2] = some_spec(c);
        arg[1] = SPEC_AT;
    }
    /* Ending is for the rare case, or nothing else would ever be reached. */
    if ((nr == NR_task_exit || nr == NR_thread_exit || nr == NR_destroy) && choose(c, 4) != 0)
        nr = NR_yield;
    if (machine_verbose)
        fprintf(stderr, "[%u.%u] %s(%llx, %llx, %llx, %llx, %llx)\n", running()->task->id, running()->id,
                nr < SYSCALL_LIMIT && grammar[nr].name != nullptr ? grammar[nr].name : "?", (unsigned long long)arg[0],
                (unsigned long long)arg[1], (unsigned long long)arg[2], (unsigned long long)arg[3],
                (unsigned long long)arg[4]);
    struct thread *t = running();
    struct task *task = t->task;
    uint32_t id = task->id;
    host_stop_t stop = host_syscall(nr, arg);
    if (machine_verbose && stop == HOST_USER && running() == t && t->task == task && task->id == id)
        fprintf(stderr, "    = %lld, %llx\n", (long long)t->frame.r[0], (unsigned long long)t->frame.r[1]);
    return stop;
}

/* Reads or writes eight bytes; a fault goes to the kernel, as from hardware. */
static host_stop_t do_touch(struct choices *c)
{
    uint64_t at = (choose(c, 2) != 0 ? some_address(c) : some_pointer(c)) & ~UINT64_C(7), word = choose_raw(c, 4);
    bool write = choose(c, 2) != 0;
    status_t st = write ? host_user_write(at, &word, sizeof word) : host_user_read(&word, at, sizeof word);
    if (st == OK || choose(c, 4) != 0 ? st == OK : false)
        return HOST_USER;
    struct trap t = {
        .cause = VX_CAUSE_PAGE_FAULT, .access = write ? VX_PROT_WRITE : VX_PROT_READ, .address = at, .name = "fuzz"
    };
    if (at >= VX_UADDR_LIMIT || at < VX_UADDR_MIN)
        return HOST_USER;
    return host_trap(&t);
}

static host_stop_t do_step(struct choices *c)
{
    if (running() == nullptr) {
        if (host_timer_deadline != UINT64_MAX)
            return host_timer();
        return host_irq(MACHINE_IRQ + choose(c, 8));
    }
    switch (choose(c, 16)) {
    case 0:
        return do_touch(c);
    case 1:
        host_cycles += choose_raw(c, 2);
        return host_timer();
    case 2:
        return host_irq(choose(c, 8) == 0 ? (uint32_t)choose_raw(c, 2) : MACHINE_IRQ + choose(c, 8));
    default:
        return do_call(c);
    }
}

static void grant_everything(struct task *t, struct task *other, struct mem *image)
{
    struct object *o;
    machine_grant_console(t);
    machine_grant_device(t, MACHINE_MMIO, 4 * 4096, VX_DEVICE_MMIO);
    machine_grant_device(t, MACHINE_PORTS, 16, VX_DEVICE_PORTS);
    machine_grant_irqs(t);
    machine_grant_new(t, VX_CAP_IRQ, sizeof *o, VX_RIGHTS_ALL, MACHINE_IRQ, 1, &o); /* one line, ready to be bound */
    machine_grant_new(t, VX_CAP_ENTROPY, sizeof *o, VX_RIGHTS_ALL, 0, 0, &o);
    machine_grant(t, &other->obj, VX_CAP_TASK, VX_RIGHTS_ALL);
    struct cap *slot;
    machine_must(cap_reserve(&t->caps, &slot) == OK);
    cap_make(slot, &image->obj, VX_CAP_MEM, VX_RIGHTS_ALL, 0, image->bytes);
}

static void grant_ring(struct task *producer, struct task *consumer, uint32_t slots, bool caps)
{
    struct ring *r;
    machine_must(ring_create_whole(&producer->reticle, slots, caps, &r) == OK);
    machine_grant(producer, &r->obj, VX_CAP_RING_TX, VX_R_SEND | VX_R_SIGNAL | VX_R_MOVE | VX_R_INSPECT | VX_R_DESTROY);
    machine_grant(consumer, &r->obj, VX_CAP_RING_RX,
                  VX_R_RECV | VX_R_SIGNAL | VX_R_BIND | VX_R_MOVE | VX_R_INSPECT | VX_R_DESTROY);
}

static void start_tasks(uint32_t shape)
{
    vx_handle_t reticle;
    struct mem *image;
    struct task *a = machine_task(shape % 4 == 0 ? 11 : 8, 3, nullptr, &reticle),
                *b = machine_task(7 + shape % 2, 2 + shape % 3, a, &reticle);
    machine_must(mem_create_whole(&machine_root, 8192, false, VX_CAP_MEM, &image) == OK);
    machine_elf_write(image);
    grant_everything(a, b, image);
    grant_everything(b, a, image);
    grant_ring(a, b, 4, true);
    grant_ring(b, a, 2, true);
    grant_ring(a, a, 1, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t free_at_boot;
    if (host_hart == nullptr) {
        parse_grammar();
        machine_boot();
        free_at_boot = machine_root.free_pages;
    }
    struct choices c = { .at = data, .end = data + size };
    start_tasks(choose(&c, 256));
    host_stop_t stop = machine_run();
    for (int i = 0; i < STEPS_MAX && c.at < c.end && stop != HOST_HALT && stop != HOST_POWEROFF; i++) {
        stop = do_step(&c);
        if (i % 16 == 0)
            machine_check_all();
    }
    machine_check_all();
    machine_end_all();
    machine_check_all();
    machine_must(machine_root.free_pages == free_at_boot && machine_root.lent_pages == 0);
    machine_must(host_live_aspaces() == 0 && running() == nullptr);
    host_timer_deadline = UINT64_MAX;
    machine_must(machine_run() == HOST_IDLE);
    return 0;
}
