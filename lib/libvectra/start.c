/* SPDX-License-Identifier: MIT
 * From the first instruction to main, and out again: relocation, thread-local storage, the argument vector. */
#include "start.h"
#include <abi/bundle.h>
#include <vectra/bundle.h>
#include <vectra/panic.h>
#include <vectra/string.h>
#include <vectra/syscall.h>

/* Counts the NUL-terminated strings in bytes[0, len), and stores where they start if `out` is there. */
static size_t split_strings(const char *bytes, size_t len, char **out)
{
    size_t count = 0;
    for (size_t at = 0; at < len;) {
        size_t n = strnlen(bytes + at, len - at);
        if (n == len - at)
            break; /* no terminator: not a string */
        if (out != nullptr)
            out[count] = (char *)(uintptr_t)(bytes + at);
        count++;
        at += n + 1;
    }
    return count;
}

[[noreturn]] void vx_start(const struct vx_bundle *bundle)
{
    if (!vx_relocate(bundle))
        vx_sys_task_exit(VX_PANIC_STATUS);
    vx_bundle_adopt(bundle);
    size_t tls = vx_tls_bytes();
    if (tls != 0) {
        void *block = __builtin_alloca_with_align(tls, 64 * 8);
        if (vx_sys_set_tls(vx_tls_init(block, tls)) != OK)
            vx_sys_task_exit(VX_PANIC_STATUS);
    }
    size_t len = 0;
    const char *bytes = vx_bundle_bytes("argv", &len);
    size_t argc = split_strings(bytes, len, nullptr);
    char **argv = __builtin_alloca((argc + 1) * sizeof *argv);
    split_strings(bytes, len, argv);
    argv[argc] = nullptr;
    vx_sys_task_exit((uint32_t)main((int)argc, argv));
}
