/* SPDX-License-Identifier: MIT
 * The two commands that end the machine. */
#include "sh.h"

static uint32_t end_machine(const char *name, uint32_t argc, status_t (*call)(struct vx_client *))
{
    if (argc != 1)
        return sh_usage(name);
    status_t st = sh.has_init ? call(&sh.init) : ERR_NO_RIGHTS;
    if (st == ERR_NO_RIGHTS)
        return sh_fail(1, "%s: this shell has no authority to do that", name);
    if (st != OK)
        return sh_fail(1, "%s: %s", name, vx_status_text(st));
    vx_sleep_ns(10 * VX_NS_PER_S); /* the end comes first */
    return sh_fail(1, "%s: the machine did not stop", name);
}

static uint32_t run_poweroff(uint32_t argc, const char *const *argv)
{
    (void)argv;
    return end_machine("poweroff", argc, vx_init_poweroff);
}

static uint32_t run_reboot(uint32_t argc, const char *const *argv)
{
    (void)argv;
    return end_machine("reboot", argc, vx_init_reboot);
}

const struct sh_builtin sh_builtins_system[] = {
    { "poweroff", run_poweroff, "", "stop everything and turn the machine off" },
    { "reboot", run_reboot, "", "stop everything and start again" },
    {},
};
