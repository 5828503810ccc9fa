/* SPDX-License-Identifier: MIT
 * From the first instruction to main, and out again: relocation, the Bundle, thread-local storage, the argument vector.
 */
#include "start.h"
#include <abi/bundle.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/panic.h>
#include <vectra/string.h>
#include <vectra/syscall.h>

static const struct vx_bundle *own_bundle;

const struct vx_bundle *vx_bundle(void)
{
    return own_bundle;
}

vx_handle_t vx_bundle_cap(const char *name, vx_cap_type_t type)
{
    const struct vx_slot *slot = vx_bundle_find(own_bundle, name);
    return slot != nullptr && slot->kind == VX_SLOT_CAP && slot->length == type ? (vx_handle_t)slot->value
                                                                                : VX_HANDLE_NONE;
}

uint64_t vx_bundle_int(const char *name, uint64_t fallback)
{
    const struct vx_slot *slot = vx_bundle_find(own_bundle, name);
    return slot != nullptr && slot->kind == VX_SLOT_INT ? slot->value : fallback;
}

const void *vx_bundle_bytes(const char *name, size_t *len)
{
    return vx_bundle_bytes_in(own_bundle, name, len);
}

const char *vx_env(const char *name)
{
    size_t left = 0, name_len = strlen(name);
    const char *at = vx_bundle_bytes("env", &left);
    if (left == 0 || at[left - 1] != '\0')
        return nullptr;
    while (left != 0) {
        size_t len = strlen(at) + 1;
        if (len > name_len + 1 && memcmp(at, name, name_len) == 0 && at[name_len] == '=')
            return at + name_len + 1;
        at += len;
        left -= len;
    }
    return nullptr;
}

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

[[noreturn]] void vx_exit(unsigned status)
{
    vx_sys_task_exit(status);
}

[[noreturn]] void vx_panic_at(const char *file, int line, const char *what)
{
    vx_printf("%s:%d: %s\n", file, line, what);
    vx_sys_task_exit(VX_PANIC_STATUS);
}

[[noreturn]] void vx_start(const struct vx_bundle *bundle)
{
    if (!vx_relocate(bundle))
        vx_sys_task_exit(VX_PANIC_STATUS);
    own_bundle = bundle;
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
