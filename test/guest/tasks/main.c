/* SPDX-License-Identifier: MIT
 * /test/tasks: births, ends and their causes, trees, and that 1,000 of them leave no byte behind. */
#define CHECK_DEFINE
#include <check/cpu.h>
#include <test/guest/common/check.h>

static struct vx_spawn spawn;

static vx_handle_t child(const char *role, uint64_t memory)
{
    const char *argv[] = { "/test/tasks", role };
    spawn = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv, .memory = memory };
    vx_spawn_begin(&spawn);
    vx_spec_copy(&spawn.spec, "initrd", vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC | VX_R_COPY | VX_R_MOVE);
    vx_task task = {};
    uint32_t id;
    return vx_spawn_end(&spawn, &task, &id) == OK ? task.raw : 0;
}

struct end {
    uint32_t status, cause;
    uint64_t address;
};

static struct end await(vx_handle_t task)
{
    struct vx_result r = SYS(waitpid, task, 0);
    (void)SYS(cap_drop, task);
    if (vx_result_status(r.value) != OK)
        return (struct end){ .cause = 999 };
    return (struct end){ (uint32_t)r.value, (uint32_t)(r.second & 255), r.second & ~UINT64_C(255) };
}

static uint32_t overflow(uint32_t depth)
{
    volatile uint8_t room[512];
    room[depth % 512] = (uint8_t)depth;
    return depth == UINT32_MAX ? 0 : overflow(depth + 1) + room[(depth + 1) % 512];
}

static int spawn_tree(void)
{
    for (unsigned i = 0; i < 2; i++)
        (void)child("sleep", 0);
    for (;;)
        (void)SYS(signal_wait, 1, VX_FOREVER);
}

static void touch_until_dry(void)
{
    volatile uint8_t *p = check_pages(64 << 20, RW_LAZY);
    for (size_t i = 0; p != nullptr && i < 64 << 20; i += 4096)
        p[i] = 1;
}

static constexpr uint64_t SIGNED = 0x400000;

static int play(const char *role)
{
    if (vx_streq(role, "status"))
        return 42;
    if (vx_streq(role, "where"))
        return (int)(vx_bundle()->image_base / 4096);
    if (vx_streq(role, "sign"))
        return (int)(cpu_sign(SIGNED) >> 48);
    if (vx_streq(role, "null"))
        *(volatile int *)(uintptr_t)16 = 1;
    if (vx_streq(role, "kernel"))
        return *(volatile int *)(uintptr_t)UINT64_C(0xffff800000001000);
    if (vx_streq(role, "overflow"))
        return (int)overflow(0);
    if (vx_streq(role, "illegal"))
        cpu_undefined();
    if (vx_streq(role, "breakpoint"))
        cpu_breakpoint();
    if (vx_streq(role, "privileged"))
        cpu_privileged();
    if (vx_streq(role, "dry"))
        touch_until_dry();
    if (vx_streq(role, "tree"))
        return spawn_tree();
    while (vx_streq(role, "sleep"))
        (void)SYS(signal_wait, 1, VX_FOREVER);
    while (vx_streq(role, "spin"))
        vx_relax();
    return 0;
}

static void causes(void)
{
    struct end e = await(child("status", 0));
    CHECK("an exit status arrives", e.cause == VX_CAUSE_EXIT && e.status == 42);
    e = await(child("null", 0));
    CHECK("writing near null is a page fault there", e.cause == VX_CAUSE_PAGE_FAULT && e.address == 0);
    e = await(child("kernel", 0));
    CHECK("reading kernel memory ends the reader", e.cause == VX_CAUSE_PAGE_FAULT || e.cause == VX_CAUSE_PROTECTION);
    e = await(child("overflow", 0));
    check_equal("an endless recursion runs into the guard", e.cause, VX_CAUSE_STACK);
    e = await(child("illegal", 0));
    check_equal("an undefined instruction", e.cause, VX_CAUSE_ILLEGAL);
    e = await(child("breakpoint", 0));
    check_equal("a breakpoint", e.cause, VX_CAUSE_BREAKPOINT);
    e = await(child("privileged", 0));
    CHECK("a privileged instruction", e.cause == VX_CAUSE_ILLEGAL || e.cause == VX_CAUSE_PROTECTION);
    e = await(child("dry", 0));
    check_equal("touching more lazy memory than there is", e.cause, VX_CAUSE_NO_MEMORY);
}

/* A choice among 2^18 pages: 16 of which two are the same are one in 2,000 boots, 16 of which eight are, never. */
static void places(void)
{
    uint64_t seen[16];
    unsigned good = 0, different = 0;
    for (unsigned i = 0; i < 16; i++) {
        struct vx_task_info info = {};
        vx_handle_t task = child("where", 0);
        struct vx_result end = SYS(waitpid, task, 0);
        (void)SYS(task_control, task, VX_TASK_INFO, P(&info), sizeof info);
        (void)SYS(cap_drop, task);
        good += vx_result_status(end.value) == OK && info.image_base == (uint64_t)(uint32_t)end.value * 4096 &&
                info.image_base >= VX_IMAGE_BASE && info.image_base < VX_IMAGE_BASE + VX_IMAGE_SPREAD;
        bool again = false;
        for (unsigned k = 0; k < i; k++)
            again |= seen[k] == info.image_base;
        seen[i] = info.image_base;
        different += !again;
    }
    check_equal("an image is where its Task is said to have it", good, 16);
    CHECK("static-PIE images are at places that differ from start to start", different > 8);
}

/* Seven bits or more: 16 Tasks that all sign alike have one key. Keys are switched with the address space, also when it
 * is the kernel that puts its own in between. */
static void keys(void)
{
    uint64_t mine = cpu_sign(SIGNED);
    unsigned others = 0, kept = 0;
    for (unsigned i = 0; i < 16; i++) {
        others += (uint64_t)await(child("sign", 0)).status << 48 != mine;
        kept += cpu_sign(SIGNED) == mine;
    }
    vx_printf("# %u of 16 Tasks sign otherwise than this one\n", others); /* for who reads it */
    check_equal("a Task keeps its key", kept, 16);
    CHECK("each Task signs with a key of its own, where there are any", mine == 0 || others > 8);
}

static void trees(void)
{
    struct check_accounts before = check_accounts();
    vx_handle_t top = child("tree", 4 << 20);
    struct vx_task_info info = {};
    uint64_t sub = 0;
    for (unsigned i = 0; i < 1000 && sub == 0; i++) { /* until its second child is there */
        struct vx_result first = SYS(task_control, top, VX_TASK_NEXT_CHILD, 0);
        if (vx_result_status(first.value) == OK) {
            struct vx_result second = SYS(task_control, top, VX_TASK_NEXT_CHILD, first.second);
            sub = vx_result_status(second.value) == OK ? second.value : 0;
            (void)SYS(cap_drop, first.value);
        }
        (void)SYS(nanosleep, vx_deadline_in(VX_NS_PER_MS));
    }
    CHECK("grandchildren can be seen through a child",
          sub != 0 && STATUS(task_control, sub, VX_TASK_INFO, P(&info), sizeof info) == OK &&
              info.state == VX_TASK_RUNNING);
    CHECK("destroying a Task ends what it started",
          STATUS(destroy, top) == OK &&
              (STATUS(task_control, sub, VX_TASK_INFO, P(&info), sizeof info) != OK || info.state == VX_TASK_DEAD));
    (void)SYS(cap_drop, sub);
    (void)SYS(cap_drop, top);
    check_no_leak("a destroyed tree gives back every byte", before);
    vx_handle_t spinner = child("spin", 0);
    (void)SYS(nanosleep, vx_deadline_in(30 * VX_NS_PER_MS));
    CHECK("a Task in an endless loop can be ended",
          STATUS(destroy, spinner) == OK && await(spinner).cause == VX_CAUSE_DESTROYED);
    check_no_leak("and gives back every byte", before);
}

static void cycles(void)
{
    struct check_accounts before = check_accounts();
    unsigned good = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct end e = await(child(i % 10 == 9 ? "null" : "status", 256 << 10));
        good += i % 10 == 9 ? e.cause == VX_CAUSE_PAGE_FAULT : e.cause == VX_CAUSE_EXIT && e.status == 42;
    }
    check_equal("1,000 births and ends, every tenth by a fault", good, 1000);
    check_no_leak("1,000 Tasks leave nothing behind", before);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return play(argv[1]);
    (void)await(child("status", 0)); /* touches once what is charged at the first touch */
    struct check_accounts before = check_accounts();
    causes();
    places();
    keys();
    check_no_leak("Tasks that died of faults leave nothing behind", before);
    trees();
    cycles();
    return check_done();
}
