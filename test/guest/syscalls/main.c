/* SPDX-License-Identifier: MIT
 * /test/syscalls: for every system call a success, every error that its row names, and hostile arguments.
 * `/test/syscalls FAMILY` runs one family. As a child of itself it plays a role (child.c). */
#define CHECK_DEFINE
#include "syscalls.h"

static const struct {
    const char *name;
    void (*run)(void);
} families[] = {
    { "cap", test_cap },           { "ring", test_ring },
    { "ring_cap", test_ring_cap }, { "ring_rights", test_ring_rights },
    { "busy", test_busy },         { "mem", test_mem },
    { "task", test_task },         { "control", test_control },
    { "thread", test_thread },     { "signal", test_signal },
    { "device", test_device },     { "misc", test_misc },
};

static bool make_kit(void)
{
    kit.reticle = vx_bundle_reticle("reticle").raw;
    kit.console = vx_bundle_console("console").raw;
    kit.initrd = vx_bundle_mem("initrd").raw;
    kit.sem = (vx_handle_t)SYS(sem_create, 0, 0).value;
    kit.dead = kit_tombstone();
    kit.mem = (vx_handle_t)SYS(mem_alloc, 0, 4096, RW_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0).value;
    uint8_t *pages = check_pages(4 * 4096, RW_COMMIT);
    if (pages == nullptr)
        return false;
    kit.page = pages;
    kit.read_only = pages + 2 * 4096;
    kit.no_access = pages + 3 * 4096;
    return STATUS(mem_free, 0, P(pages + 4096), 4096) == OK &&
           STATUS(mem_map, 0, 0, 4096, P(kit.read_only), VX_PROT_READ) == OK &&
           STATUS(mem_map, 0, 0, 4096, P(kit.no_access), VX_PROT_NONE) == OK && kit.reticle != 0 && kit.initrd != 0 &&
           kit.console != 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "child-", 6) == 0)
        return child_main(argv[1] + 6);
    if (!make_kit()) {
        vx_printf("syscalls: the Bundle lacks reticle, console or initrd, or memory is short\n");
        return 2;
    }
    bool found = false;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (argc > 1 && !vx_streq(argv[1], families[i].name))
            continue;
        found = true;
        families[i].run();
    }
    if (!found) {
        vx_printf("syscalls: there is no family '%s'\n", argv[1]);
        return 2;
    }
    return check_done();
}
