/* SPDX-License-Identifier: MIT
 * The memory calls: MEM_ALLOC, MEM_FREE, MEM_MAP, DMA_ALLOC, SURFACE_CREATE and DEVICE_MAP_MMIO. They check what user
 * space asks for; vm.c and mem.c do it. */
#include <abi/timepage.h>
#include <arch/boot.h>
#include <kernel/mem.h>
#include <kernel/ram.h>
#include <kernel/syscall.h>
#include <kernel/vm.h>

#define PROT_BITS (VX_PROT_READ | VX_PROT_WRITE | VX_PROT_EXEC)
#define STATE_BITS (VX_MEM_RESERVE | VX_MEM_LAZY | VX_MEM_COMMIT)
#define ALLOC_BITS (PROT_BITS | STATE_BITS | VX_MEM_HANDLE | VX_MEM_FIXED | VX_MEM_NO_MAP | VX_MEM_CONTIG)
#define RIGHTS_MEM                                                                                                     \
    (VX_R_READ | VX_R_WRITE | VX_R_EXEC | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_DESTROY | VX_R_INSPECT)
#define RIGHTS_SURFACE (RIGHTS_MEM & ~VX_R_EXEC)
static_assert(VX_MEM_RESERVE == VX_MAP_RESERVE && VX_MEM_LAZY == VX_MAP_LAZY && VX_MEM_COMMIT == VX_MAP_COMMIT);

static bool is_wx(uint64_t prot)
{
    return (prot & (VX_PROT_WRITE | VX_PROT_EXEC)) == (VX_PROT_WRITE | VX_PROT_EXEC);
}

static bool is_one_bit(uint64_t bits)
{
    return bits != 0 && (bits & (bits - 1)) == 0;
}

/* 0 for what is too long to be. */
static uint64_t page_round_up(uint64_t bytes)
{
    return (bytes + ARCH_PAGE_SIZE - 1) & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
}

/* How new memory is to be made and shown to its maker. */
struct mem_spec {
    uint64_t bytes;
    uint64_t hint;
    uint32_t prot;
    vx_rights_t rights;
    uint8_t type; /* MEM or SURFACE */
    bool contiguous, map, fixed;
};

/* Makes a memory object with a capability in the caller's table, mapped if asked for. */
static status_t mem_make(struct reticle *home, const struct mem_spec *s, struct mem **out, struct sysret *result)
{
    struct task *t = current_task();
    struct cap *slot;
    struct mem *m;
    uint64_t address = 0;
    status_t st = cap_reserve(&t->caps, &slot);
    if (st != OK)
        return st;
    st = mem_create(home, s->bytes, s->contiguous, s->type, &m);
    if (st != OK)
        goto unreserve;
    if (s->map)
        st = vm_map_object(&t->vm, &m->obj, slot, mem_frame, MEM_NORMAL, 0, m->bytes, s->hint, s->prot, s->fixed,
                           &address);
    if (st != OK)
        goto destroy;
    /* --- commit: nothing below can fail --- */
    uint32_t handle = cap_make(slot, &m->obj, s->type, s->rights, 0, m->bytes);
    *out = m;
    *result = sys_ok(handle, address);
    return OK;
destroy:
    while (!mem_fini(m))
        work_begin();
    object_abandon(&m->obj);
unreserve:
    cap_unreserve(&t->caps, slot);
    return st;
}

static status_t alloc_check(uint64_t reticle, uint64_t bytes, uint64_t flags)
{
    bool handle = (flags & VX_MEM_HANDLE) != 0;
    if ((flags & ~(uint64_t)ALLOC_BITS) != 0 || !is_one_bit(flags & STATE_BITS) || is_wx(flags) || bytes == 0)
        return ERR_BAD_ARGUMENT;
    if (handle && (flags & VX_MEM_COMMIT) == 0)
        return ERR_BAD_ARGUMENT;
    if (!handle && ((flags & (VX_MEM_NO_MAP | VX_MEM_CONTIG)) != 0 || reticle != VX_HANDLE_NONE))
        return ERR_BAD_ARGUMENT;
    if ((flags & VX_MEM_NO_MAP) != 0 && (flags & VX_MEM_FIXED) != 0)
        return ERR_BAD_ARGUMENT;
    return bytes > MEM_BYTES_MAX ? ERR_TOO_BIG : OK;
}

struct sysret sys_mem_alloc(uint64_t reticle, uint64_t bytes, uint64_t flags, uint64_t hint)
{
    struct reticle *home;
    struct mem *m;
    struct sysret result;
    uint64_t address;
    status_t st = alloc_check(reticle, bytes, flags);
    if (st != OK)
        return sys_status(st);
    uint32_t prot = flags & PROT_BITS;
    bool fixed = (flags & VX_MEM_FIXED) != 0;
    if ((flags & VX_MEM_HANDLE) == 0) {
        struct vm *vm = &current_task()->vm;
        lock_take(&vm->lock, LOCK_VM);
        st = vm_map_anon(vm, hint, page_round_up(bytes), prot, flags & STATE_BITS, fixed, &address);
        lock_release(&vm->lock, LOCK_VM);
        return st == OK ? sys_ok(VX_HANDLE_NONE, address) : sys_status(st);
    }
    if (!arch_hart_self()->alone)
        return sys_alone();
    st = resolve_reticle(reticle, &home);
    if (st != OK)
        return sys_status(st);
    struct mem_spec spec = {
        .bytes = bytes,
        .hint = hint,
        .prot = prot,
        .rights = RIGHTS_MEM,
        .type = VX_CAP_MEM,
        .contiguous = (flags & VX_MEM_CONTIG) != 0,
        .map = (flags & VX_MEM_NO_MAP) == 0,
        .fixed = fixed,
    };
    st = mem_make(home, &spec, &m, &result);
    return st == OK ? result : sys_status(st);
}

struct sysret sys_dma_alloc(uint64_t device, uint64_t bytes)
{
    struct task *t = current_task();
    struct cap *c;
    struct mem *m;
    struct sysret result;
    status_t st = cap_get(&t->caps, device, VX_CAP_DEVICE, VX_R_DMA, &c);
    if (st != OK)
        return sys_status(st);
    if (bytes == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (bytes > MEM_BYTES_MAX)
        return sys_status(ERR_TOO_BIG);
    struct mem_spec spec = {
        .bytes = bytes,
        .prot = VX_PROT_READ | VX_PROT_WRITE,
        .rights = RIGHTS_MEM | VX_R_DMA,
        .type = VX_CAP_MEM,
        .contiguous = true,
        .map = true,
    };
    st = mem_make(&t->reticle, &spec, &m, &result);
    return st == OK ? result : sys_status(st);
}

struct sysret sys_surface_create(uint64_t reticle, uint64_t width, uint64_t height, uint64_t format)
{
    struct reticle *home;
    struct mem *m;
    struct sysret result;
    status_t st = resolve_reticle(reticle, &home);
    if (st != OK)
        return sys_status(st);
    if (width == 0 || height == 0 || format != VX_FORMAT_XRGB8888)
        return sys_status(ERR_BAD_ARGUMENT);
    if (width > SURFACE_SIDE_MAX || height > SURFACE_SIDE_MAX)
        return sys_status(ERR_TOO_BIG);
    struct mem_spec spec = {
        .bytes = width * height * 4,
        .prot = VX_PROT_READ | VX_PROT_WRITE,
        .rights = RIGHTS_SURFACE,
        .type = VX_CAP_SURFACE,
        .map = true,
    };
    st = mem_make(home, &spec, &m, &result);
    if (st != OK)
        return sys_status(st);
    m->width = (uint32_t)width;
    m->height = (uint32_t)height;
    m->format = (uint32_t)format;
    return result;
}

struct sysret sys_mem_free(uint64_t mem, uint64_t address, uint64_t length)
{
    struct task *t = current_task();
    struct cap *c = nullptr;
    if (mem != VX_HANDLE_NONE) {
        status_t st = cap_get(&t->caps, mem, VX_CAP_MEM, 0, &c);
        if (st != OK)
            return sys_status(st);
        if (address == 0 && length == 0) {
            if (!arch_hart_self()->alone)
                return sys_alone();
            if (!cap_release(c))
                return thread_rerun_call();
            cap_delete(&t->caps, c);
            return sys_ok(0, 0);
        }
    }
    lock_take(&t->vm.lock, LOCK_VM);
    status_t st = vm_unmap(&t->vm, address, page_round_up(length), c);
    lock_release(&t->vm.lock, LOCK_VM);
    return sys_status(st);
}

/* A part of what c allows. The last page of an object may be a part of one; of a narrower range it may not,
 * because the rest of the page is not the holder's to see. */
static inline bool is_part(const struct cap *c, uint64_t offset, uint64_t length)
{
    const struct mem *m = (const struct mem *)(const void *)c->obj;
    uint64_t have = c->length - offset;
    if (offset >= c->length || (c->offset + offset) % ARCH_PAGE_SIZE != 0 || length == 0)
        return false;
    return length <= (c->offset + c->length == m->bytes ? page_round_up(have) : have);
}

struct sysret sys_mem_map(uint64_t mem, uint64_t offset, uint64_t length, uint64_t address, uint64_t protection)
{
    struct task *t = current_task();
    struct cap *c;
    uint64_t rounded = page_round_up(length), at;
    uint64_t state = protection & STATE_BITS;
    uint32_t prot = protection & PROT_BITS;
    if ((protection & ~(uint64_t)(PROT_BITS | STATE_BITS)) != 0 || is_wx(prot))
        return sys_status(ERR_BAD_ARGUMENT);
    if (mem == VX_HANDLE_NONE) {
        if (offset != 0 || (state != 0 && !is_one_bit(state)))
            return sys_status(ERR_BAD_ARGUMENT);
        lock_take(&t->vm.lock, LOCK_VM);
        status_t st = vm_protect(&t->vm, address, rounded, prot, (uint32_t)state);
        lock_release(&t->vm.lock, LOCK_VM);
        return st == OK ? sys_ok(address, 0) : sys_status(st);
    }
    vx_rights_t rights = (vx_rights_t)prot; /* the bits are the same; write and execute imply read */
    if (prot != VX_PROT_NONE)
        rights |= VX_R_READ;
    status_t st = cap_get(&t->caps, mem, VX_CAP_MEM, rights, &c);
    if (st != OK)
        return sys_status(st);
    if (state != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (!is_part(c, offset, rounded))
        return sys_status(ERR_BAD_ARGUMENT);
    lock_take(&t->vm.lock, LOCK_VM);
    st = vm_map_object(&t->vm, c->obj, c, mem_frame, MEM_NORMAL, c->offset + offset, rounded, address, prot,
                       address != 0, &at);
    lock_release(&t->vm.lock, LOCK_VM);
    return st == OK ? sys_ok(at, 0) : sys_status(st);
}

/* Registers that only the kernel may touch, and memory, which is never device memory. */
static bool is_forbidden(uint64_t base, uint64_t length)
{
    paddr_t kernel_base;
    uint64_t kernel_length;
    if (ram_touches(base, length))
        return true;
    for (unsigned i = 0; arch_kernel_device(i, &kernel_base, &kernel_length); i++) {
        uint64_t first = kernel_base.raw & ~(uint64_t)(ARCH_PAGE_SIZE - 1); /* a page is mapped whole or not at all */
        uint64_t end = page_round_up(kernel_base.raw + kernel_length);
        if (base < end && first < base + length)
            return true;
    }
    return false;
}

static status_t map_registers(struct task *t, struct cap *c, uint64_t offset, uint64_t length, uint64_t *out)
{
    const struct device *d = (const struct device *)(const void *)c->obj;
    uint64_t at = c->offset + offset;
    if (((d->base + at) | at | length) % ARCH_PAGE_SIZE != 0)
        return ERR_BAD_ARGUMENT;
    if (is_forbidden(d->base + at, length))
        return ERR_NO_RIGHTS;
    uint32_t prot = VX_PROT_READ | ((c->rights & VX_R_WRITE) != 0 ? VX_PROT_WRITE : VX_PROT_NONE);
    return vm_map_object(&t->vm, c->obj, c, device_frame, MEM_DEVICE, at, length, 0, prot, false, out);
}

struct sysret sys_device_map_mmio(uint64_t device, uint64_t offset, uint64_t length)
{
    struct task *t = current_task();
    struct cap *c;
    uint64_t result;
    status_t st = cap_get(&t->caps, device, VX_CAP_DEVICE, VX_R_READ, &c);
    if (st != OK)
        return sys_status(st);
    if (length == 0 || length > MEM_BYTES_MAX || offset > c->length || length > c->length - offset)
        return sys_status(ERR_BAD_ARGUMENT);
    const struct device *d = (const struct device *)(const void *)c->obj;
    if (d->kind == VX_DEVICE_PORTS) {
        result = d->base + c->offset + offset;
        st = arch_ports_grant(&t->vm.as, (uint32_t)result, (uint32_t)length, c);
    } else {
        st = map_registers(t, c, offset, length, &result);
    }
    return st == OK ? sys_ok(result, 0) : sys_status(st);
}
