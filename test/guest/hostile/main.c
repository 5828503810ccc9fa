/* SPDX-License-Identifier: MIT
 * /test/hostile: children that mean harm. Each attack ends in the named error (the child then exits with status 77) or
 * in the death of that child alone, and afterwards not one byte and not one slot of ours is missing. */
#define CHECK_DEFINE
#include "hostile.h"

enum : uint32_t { REFUSED = 77, ALIVE = 0x10000 };

static uint32_t run_attack(const struct attack *a)
{
    static struct vx_spawn s;
    const char *argv[] = { "/test/hostile", a->name };
    s = (struct vx_spawn){ .path = argv[0], .argc = 2, .argv = argv };
    struct vx_result ring = SYS(ring_create, 0, 4, VX_RING_CAPS);
    vx_spawn_begin(&s);
    vx_spec_copy(&s.spec, "initrd", vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC | VX_R_COPY);
    vx_spec_move(&s.spec, "tx", (vx_handle_t)ring.value, VX_R_SEND | VX_R_SIGNAL | VX_R_MOVE);
    vx_task task = {};
    uint32_t id, answer = 999;
    status_t st = vx_spawn_end(&s, &task, &id);
    if (st == OK) {
        (void)SYS(bind, task.raw, 9);
        if (STATUS(signal_wait, 1u << 9, vx_deadline_in(a->loops ? 50 * VX_NS_PER_MS : 20 * VX_NS_PER_S)) != OK)
            answer = ALIVE;
        (void)SYS(destroy, task.raw);
        struct vx_result r = SYS(waitpid, task.raw, 0);
        if (answer != ALIVE)
            answer = (r.second & 255) == VX_CAUSE_EXIT ? (uint32_t)r.value : 1000 + (uint32_t)(r.second & 255);
    }
    (void)SYS(cap_drop, task.raw);
    (void)SYS(signal_wait, UINT64_MAX, 0);
    /* whatever it did to the shared part of the ring, our end answers or says that the peer is gone */
    struct vx_message m;
    for (unsigned i = 0; i < 8; i++) {
        struct vx_result got = SYS(ring_try_recv_cap, ring.second, P(&m));
        if (vx_result_status(got.value) != OK)
            break;
        if (got.value != 0)
            (void)SYS(cap_drop, got.value);
    }
    (void)SYS(cap_drop, ring.second);
    return answer;
}

static bool as_expected(const struct attack *a, uint32_t answer)
{
    if (a->loops)
        return answer == ALIVE;
    if (a->causes == 0)
        return answer == REFUSED;
    return answer >= 1000 && answer < 1032 && (a->causes >> (answer - 1000) & 1) != 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < n_attacks; i++)
        if (vx_streq(attacks[i].name, argv[1]))
            return attacks[i].run() ? REFUSED : 1;
    while (argc > 1 && vx_streq(argv[1], "victim")) /* of forbidden-instructions */
        (void)SYS(nanosleep, UINT64_MAX);
    if (argc > 1)
        return 2;
    (void)run_attack(&attacks[0]); /* touches once what is charged at the first touch */
    struct check_accounts before = check_accounts();
    for (size_t i = 0; i < n_attacks; i++) {
        uint32_t answer = run_attack(&attacks[i]);
        if (!check_line(attacks[i].name, as_expected(&attacks[i], answer), "another end"))
            vx_printf("#   ended with %u (77: refused, 1000 + cause: died, 65536: lives on)\n", answer);
    }
    check_no_leak("none of it cost a byte or a slot", before);
    CHECK("the system runs on", SYS(getpid).value == vx_bundle()->task_id);
    return check_done();
}
