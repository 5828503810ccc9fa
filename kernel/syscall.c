/* SPDX-License-Identifier: MIT
 * The dispatch table, and copies between kernel and user memory.
 * A copy first tries; only when it faults are lazy pages resolved and the copy tried once more. */
#include <base/likely.h>
#include <kernel/syscall.h>
#include <base/string.h>

static struct sysret sys_bad(void)
{
    return sys_status(ERR_BAD_SYSCALL);
}

const void *const syscall_table[SYSCALL_TABLE_ENTRIES] = {
    [0 ... SYSCALL_TABLE_ENTRIES - 1] = (const void *)sys_bad,
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
#define SYSCALL(nr, name, n, args, results, errors, text) [nr] = (const void *)sys_##name,
#include <abi/syscalls.def>
#undef SYSCALL
#pragma clang diagnostic pop
};

/* Makes every page of the range present for the access. */
static status_t resolve_range(uint64_t address, size_t len, uint32_t access)
{
    struct vm *vm = &current_task()->vm;
    uint64_t end = address + len;
    for (uint64_t at = address & ~(uint64_t)(ARCH_PAGE_SIZE - 1); at < end; at += ARCH_PAGE_SIZE)
        if (vm_fault(vm, at, access) != OK)
            return ERR_BAD_ADDRESS;
    return OK;
}

status_t copy_from_user_raw(void *dst, uint64_t src, size_t len)
{
    if (!urange_ok(src, len))
        return ERR_BAD_ADDRESS;
    if (likely(arch_copy_from_user(dst, (uaddr_t){ src }, len) == OK))
        return OK;
    if (resolve_range(src, len, VX_PROT_READ) == OK)
        return arch_copy_from_user(dst, (uaddr_t){ src }, len);
    return ERR_BAD_ADDRESS;
}

status_t copy_from_user(void *dst, uint64_t src, size_t len)
{
    status_t st = copy_from_user_raw(dst, src, len);
    if (st != OK)
        memset(dst, 0, len);
    return st;
}

status_t copy_to_user(uint64_t dst, const void *src, size_t len)
{
    if (!urange_ok(dst, len))
        return ERR_BAD_ADDRESS;
    if (likely(arch_copy_to_user((uaddr_t){ dst }, src, len) == OK))
        return OK;
    if (resolve_range(dst, len, VX_PROT_WRITE) == OK)
        return arch_copy_to_user((uaddr_t){ dst }, src, len);
    return ERR_BAD_ADDRESS;
}

status_t resolve_reticle(uint64_t handle, struct reticle **out)
{
    struct task *t = current_task();
    struct cap *c;
    if (handle == VX_HANDLE_NONE) {
        *out = &t->reticle;
        return OK;
    }
    status_t st = cap_get(&t->caps, handle, VX_CAP_RETICLE, VX_R_WRITE, &c);
    if (st == OK)
        *out = reticle_of_object(c->obj);
    return st;
}
