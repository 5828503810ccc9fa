/* SPDX-License-Identifier: MIT
 * TASK_CONTROL, call 48, every operation of it. */
#include "syscalls.h"

static vx_handle_t child;
static uint32_t child_id;
static struct vx_task_info info;

static struct vx_result info_at(uint64_t a)
{
    return SYS(task_control, child, VX_TASK_INFO, a, sizeof info);
}

static struct vx_result frame_at(uint64_t a)
{
    struct vx_thread_info t = {};
    (void)SYS(task_control, child, VX_TASK_THREADS, P(&t), 1, 0);
    return SYS(task_control, child, VX_TASK_READ_FRAME, t.id, a);
}

static void look(void)
{
    struct vx_result r = SYS(task_control, 0, VX_TASK_INFO, P(&info), sizeof info);
    S(task_control, r);
    C(task_control, ok,
      info.id == SYS(getpid).value && info.state == VX_TASK_RUNNING && info.threads == 1 &&
          info.memory_free < info.memory_bytes && info.caps_used > 0);
    (void)SYS(task_control, child, VX_TASK_INFO, P(&info), sizeof info);
    C(task_control, ok, info.id == child_id && info.parent_id == SYS(getpid).value);
    static struct vx_cap_facts caps[4];
    r = SYS(task_control, 0, VX_TASK_CAPS, P(caps), 4, 0);
    C(task_control, ok, r.value == 4 && r.second != 0 && caps[0].handle != 0 && caps[0].type != VX_CAP_NONE);
    struct vx_thread_info t = {};
    r = SYS(task_control, child, VX_TASK_THREADS, P(&t), 1, 0);
    C(task_control, ok, r.value == 1 && r.second == 0 && t.id != 0 && t.pc != 0);
    r = SYS(task_control, 0, VX_TASK_NEXT_CHILD, 0);
    C(task_control, ok, vx_result_status(r.value) == OK && r.second == child_id);
    (void)SYS(cap_drop, r.value);
    E(task_control, NOT_FOUND, SYS(task_control, 0, VX_TASK_NEXT_CHILD, child_id));
}

static void stop(void)
{
    struct vx_frame frame = {};
    struct vx_thread_info t = {};
    (void)SYS(task_control, child, VX_TASK_THREADS, P(&t), 1, 0);
    E(task_control, BUSY, SYS(task_control, child, VX_TASK_READ_FRAME, t.id, P(&frame))); /* it is not stopped */
    C(task_control, ok,
      STATUS(task_control, child, VX_TASK_STOP) == OK &&
          STATUS(task_control, child, VX_TASK_READ_FRAME, t.id, P(&frame)) == OK && frame.count > 16);
    (void)SYS(task_control, child, VX_TASK_THREADS, P(&t), 1, 0);
    C(task_control, ok, t.state == 2);
    C(task_control, ok, STATUS(task_control, child, VX_TASK_WRITE_FRAME, t.id, P(&frame)) == OK);
    kit_hostile_out("task_control.BAD_ADDRESS", sizeof frame, frame_at);
    /* its Bundle, read from here; its time page is not writable */
    uint32_t magic = 0;
    C(task_control, ok,
      SYS(task_control, child, VX_TASK_READ_MEM, VX_BUNDLE_ADDRESS, P(&magic), 4).value == 4 &&
          magic == VX_BUNDLE_MAGIC);
    E(task_control, BAD_ADDRESS, SYS(task_control, child, VX_TASK_READ_MEM, UINT64_C(0x600000000000), P(&magic), 4));
    E(task_control, BAD_ADDRESS,
      SYS(task_control, child, VX_TASK_WRITE_MEM, UINT64_C(0xffff800000000000), P(&magic), 4));
    E(task_control, BAD_ADDRESS, SYS(task_control, child, VX_TASK_WRITE_MEM, VX_TIME_PAGE_ADDRESS, P(&magic), 4));
    C(task_control, ok, STATUS(task_control, child, VX_TASK_RESUME) == OK);
}

/* A fault that is bound stops the thread instead of ending the Task. */
static void faults(void)
{
    uint32_t id = 0;
    vx_handle_t faulty = kit_child("spin", 0, 0, &id);
    struct vx_thread_info t = {};
    struct vx_frame frame = {};
    (void)SYS(task_control, faulty, VX_TASK_BIND_FAULT, 18);
    (void)SYS(task_control, faulty, VX_TASK_STOP);
    (void)SYS(task_control, faulty, VX_TASK_THREADS, P(&t), 1, 0);
    (void)SYS(task_control, faulty, VX_TASK_READ_FRAME, t.id, P(&frame));
    frame.reg[frame.arch == 62 ? 16 : 32] = 0x3210; /* rip, or pc */
    (void)SYS(task_control, faulty, VX_TASK_WRITE_FRAME, t.id, P(&frame));
    (void)SYS(task_control, faulty, VX_TASK_RESUME);
    C(task_control, ok,
      SYS(signal_wait, 1u << 18, check_patience()).value == 1u << 18 &&
          STATUS(waitpid, faulty, VX_WAIT_NOHANG) == ERR_WOULD_BLOCK);
    (void)SYS(destroy, faulty);
    (void)SYS(cap_drop, faulty);
}

static void errors(void)
{
    E(task_control, BAD_HANDLE, SYS(task_control, FORGED, VX_TASK_INFO, P(&info), sizeof info));
    E(task_control, WRONG_TYPE, SYS(task_control, kit.sem, VX_TASK_INFO, P(&info), sizeof info));
    vx_handle_t weak = kit_without(child, VX_R_INSPECT);
    E(task_control, NO_RIGHTS, SYS(task_control, weak, VX_TASK_INFO, P(&info), sizeof info));
    (void)SYS(cap_drop, weak);
    weak = kit_without(child, VX_R_DESTROY);
    C(task_control, NO_RIGHTS,
      STATUS(task_control, weak, VX_TASK_STOP) == ERR_NO_RIGHTS &&
          STATUS(task_control, weak, VX_TASK_WRITE_MEM, P(&info), P(&info), 4) == ERR_NO_RIGHTS);
    (void)SYS(cap_drop, weak);
    E(task_control, BAD_ARGUMENT, SYS(task_control, 0, 9999));
    E(task_control, BAD_ARGUMENT, SYS(task_control, 0, VX_TASK_SET_BAND, VX_BAND_COUNT));
    E(task_control, NOT_FOUND, SYS(task_control, child, VX_TASK_READ_FRAME, 0xfffff, P(kit.page)));
    kit_hostile_out("task_control.hostile", sizeof info, info_at);
    C(task_control, hostile,
      STATUS(task_control, 0, UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX) == ERR_BAD_ARGUMENT &&
          STATUS(task_control, child, VX_TASK_READ_MEM, UINT64_MAX - 7, P(kit.page), 16) == ERR_BAD_ADDRESS &&
          STATUS(task_control, child, VX_TASK_READ_MEM, VX_BUNDLE_ADDRESS, P(kit.page), UINT64_MAX) != OK);
    static vx_handle_t taken[CAP_SLOTS_DEFAULT];
    unsigned n = 0;
    struct vx_result r;
    while (n < CAP_SLOTS_DEFAULT && vx_result_status((r = SYS(cap_narrow, kit.sem, 0, 0, 0)).value) == OK)
        taken[n++] = (vx_handle_t)r.value;
    status_t full = STATUS(task_control, 0, VX_TASK_NEXT_CHILD, 0);
    while (n > 0)
        (void)SYS(cap_drop, taken[--n]);
    C(task_control, TABLE_FULL, full == ERR_TABLE_FULL);
}

void test_control(void)
{
    struct check_accounts before = check_accounts();
    child = kit_child("sleep", 0, 0, &child_id);
    look();
    stop();
    errors();
    (void)SYS(destroy, child);
    (void)SYS(task_control, child, VX_TASK_INFO, P(&info), sizeof info); /* its last words can still be read */
    C(task_control, ok, info.state == VX_TASK_DEAD && info.cause == VX_CAUSE_DESTROYED);
    (void)SYS(cap_drop, child);
    faults();
    C(task_control, ok, kit_child_end(kit_child("control-self", 0, 0, nullptr)) == 15);
    check_no_leak("task_control leaves nothing behind", before);
}
