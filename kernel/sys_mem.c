/* SPDX-License-Identifier: MIT
 * The memory calls: MEM_ALLOC, MEM_FREE, MEM_MAP, DMA_ALLOC, SURFACE_CREATE and DEVICE_MAP_MMIO. They check what user
 * space asks for; vm.c and mem.c do it. */
#include <arch/boot.h>
#include <kernel/mem.h>
#include <kernel/ram.h>
#include <kernel/syscall.h>
#include <kernel/vm.h>

#define PROT_BITS (VX_PROT_READ | VX_PROT_WRITE | VX_PROT_EXEC)
#define PROT_RW (VX_PROT_READ | VX_PROT_WRITE)
#define STATE_BITS (VX_MEM_RESERVE | VX_MEM_LAZY | VX_MEM_COMMIT)
#define ALLOC_BITS (PROT_BITS | STATE_BITS | VX_MEM_HANDLE | VX_MEM_FIXED | VX_MEM_NO_MAP | VX_MEM_CONTIG)
#define RIGHTS_MEM                                                                                                     \
    (VX_R_READ | VX_R_WRITE | VX_R_EXEC | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_DESTROY | VX_R_INSPECT)
#define RIGHTS_SURFACE (RIGHTS_MEM & ~VX_R_EXEC)
static_assert(VX_MEM_RESERVE == VX_MAP_RESERVE && VX_MEM_LAZY == VX_MAP_LAZY && VX_MEM_COMMIT == VX_MAP_COMMIT);

static bool is_state(uint64_t bits)
{
    return bits == VX_MEM_RESERVE || bits == VX_MEM_LAZY || bits == VX_MEM_COMMIT;
}

[[gnu::always_inline]] inline struct sysret thread_map(struct vm_spec *s, uint64_t progress)
{
    struct vm *vm = &current_task()->vm;
    uint64_t at;
    s->maker = current_thread()->id;
    lock_take(&vm->lock, LOCK_VM);
    status_t st = vm_map(vm, s, &progress, &at);
    lock_release(&vm->lock, LOCK_VM);
    return st == OK ? sys_step(progress, sys_ok(at, 0)) : sys_status(st);
}

static status_t mem_begin(uint64_t reticle, uint64_t bytes, bool contiguous, uint8_t type, struct cap **slot)
{
    struct cap_table *caps = &current_task()->caps;
    struct reticle *home;
    struct mem *m;
    status_t st = resolve_reticle(reticle, &home);
    if (st == OK)
        st = cap_reserve(caps, slot);
    if (st != OK)
        return st;
    if ((st = mem_create(home, bytes, contiguous, type, &m)) == OK)
        (void)cap_make(*slot, &m->obj, type, 0, 0, 0);
    else
        cap_unreserve(caps, *slot);
    return st;
}

/* A step of making a memory object of `type`, MEM or SURFACE, with a capability in the caller's table; flags and hint
 * are those of MEM_ALLOC. The capability holds what there is between the steps; it has no rights and no length before
 * all is done. */
static struct sysret mem_make(uint64_t reticle, uint64_t bytes, uint64_t flags, uint64_t hint, uint8_t type,
                              vx_rights_t rights)
{
    struct thread *t = current_thread();
    struct cap *c;
    uint64_t progress = progress_take();
    status_t st = making_take(&c);
    if (st == OK && c == nullptr)
        st = mem_begin(reticle, bytes, (flags & VX_MEM_CONTIG) != 0, type, &c);
    if (st != OK)
        return sys_status(st);
    struct mem *m = (struct mem *)(void *)c->obj;
    st = mem_make_some(m);
    bool made = st == OK && m->zeroed == m->bytes;
    struct sysret r = st == OK && !made ? thread_rerun_call() : sys_status(st);
    struct vm_spec spec = vm_of_object(c->obj, c, mem_frame, 0, m->bytes, flags & PROT_BITS);
    spec.addr = hint;
    spec.fixed = (flags & VX_MEM_FIXED) != 0;
    if (made && (flags & VX_MEM_NO_MAP) == 0)
        r = thread_map(&spec, progress);
    if (st == OK && (!made || t->progress != 0)) {
        t->making = c->handle;
        return r;
    }
    if ((int64_t)r.first < 0) {
        cap_delete(&t->task->caps, c);
        return r;
    }
    c->rights = rights;
    c->length = type == VX_CAP_MEM ? m->bytes : 0;
    return sys_ok(c->handle, r.first);
}

static status_t alloc_check(uint64_t reticle, uint64_t bytes, uint64_t flags)
{
    bool handle = (flags & VX_MEM_HANDLE) != 0;
    if ((flags & ~(uint64_t)ALLOC_BITS) != 0 || !is_state(flags & STATE_BITS) || !prot_ok(flags & PROT_BITS) ||
        bytes == 0)
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
    status_t st = alloc_check(reticle, bytes, flags);
    if (st != OK)
        return sys_status(st);
    if ((flags & VX_MEM_HANDLE) == 0) {
        struct vm_spec s = { .addr = hint,
                             .len = page_up(bytes),
                             .fixed = (flags & VX_MEM_FIXED) != 0,
                             .state = (uint8_t)(flags & STATE_BITS),
                             .prot = flags & PROT_BITS };
        struct sysret result = thread_map(&s, progress_take());
        return (int64_t)result.first > 0 ? sys_ok(VX_HANDLE_NONE, result.first) : result;
    }
    if (!arch_hart_self()->alone)
        return sys_alone();
    return mem_make(reticle, bytes, flags, hint, VX_CAP_MEM, RIGHTS_MEM);
}

struct sysret sys_dma_alloc(uint64_t device, uint64_t bytes)
{
    struct cap *c;
    status_t st = cap_get(&current_task()->caps, device, VX_CAP_DEVICE, VX_R_DMA, &c);
    if (st != OK && current_thread()->making == 0)
        return sys_status(st);
    if (bytes == 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (bytes > MEM_BYTES_MAX)
        return sys_status(ERR_TOO_BIG);
    return mem_make(VX_HANDLE_NONE, bytes, PROT_RW | VX_MEM_CONTIG, 0, VX_CAP_MEM, RIGHTS_MEM | VX_R_DMA);
}

struct sysret sys_surface_create(uint64_t reticle, uint64_t width, uint64_t height, uint64_t format)
{
    struct cap *c;
    if (width == 0 || height == 0 || format != VX_FORMAT_XRGB8888)
        return sys_status(ERR_BAD_ARGUMENT);
    if (width > SURFACE_SIDE_MAX || height > SURFACE_SIDE_MAX)
        return sys_status(ERR_TOO_BIG);
    struct sysret r = mem_make(reticle, width * height * 4, PROT_RW, 0, VX_CAP_SURFACE, RIGHTS_SURFACE);
    if (cap_get(&current_task()->caps, r.first, VX_CAP_SURFACE, RIGHTS_SURFACE, &c) == OK) { /* it is made */
        struct mem *m = (struct mem *)(void *)c->obj;
        m->width = (uint16_t)width;
        m->height = (uint16_t)height;
        m->format = (uint16_t)format;
    }
    return r;
}

struct sysret sys_mem_free(uint64_t mem, uint64_t address, uint64_t length)
{
    struct task *t = current_task();
    struct cap *c = nullptr;
    uint64_t progress = progress_take();
    if (mem != VX_HANDLE_NONE) {
        status_t st = cap_get(&t->caps, mem, VX_CAP_MEM, 0, &c);
        if (st != OK)
            return sys_status(st);
        if (address == 0 && length == 0)
            return arch_hart_self()->alone ? sys_cap_drop(mem) : sys_alone();
    }
    lock_take(&t->vm.lock, LOCK_VM);
    status_t st = vm_unmap(&t->vm, address, page_up(length), c, &progress);
    lock_release(&t->vm.lock, LOCK_VM);
    return sys_step(progress, sys_status(st));
}

/* A part of what c allows. The last page of an object may be a part of one; of a narrower range it may not,
 * because the rest of the page is not the holder's to see. */
[[gnu::always_inline]] static inline bool is_part(const struct cap *c, uint64_t offset, uint64_t length)
{
    const struct mem *m = (const struct mem *)(const void *)c->obj;
    uint64_t have = c->length - offset;
    if (offset >= c->length || (c->offset + offset) % ARCH_PAGE_SIZE != 0 || length == 0)
        return false;
    return length <= (c->offset + c->length == m->bytes ? page_up(have) : have);
}

struct sysret sys_mem_map(uint64_t mem, uint64_t offset, uint64_t length, uint64_t address, uint64_t protection)
{
    struct task *t = current_task();
    struct cap *c;
    uint64_t rounded = page_up(length), progress = progress_take();
    uint64_t state = protection & STATE_BITS;
    uint32_t prot = protection & PROT_BITS;
    if ((protection & ~(uint64_t)(PROT_BITS | STATE_BITS)) != 0 || !prot_ok(prot))
        return sys_status(ERR_BAD_ARGUMENT);
    if (mem == VX_HANDLE_NONE) {
        if (offset != 0 || (state != 0 && !is_state(state)))
            return sys_status(ERR_BAD_ARGUMENT);
        lock_take(&t->vm.lock, LOCK_VM);
        status_t st = vm_protect(&t->vm, address, rounded, prot, (uint32_t)state, &progress);
        lock_release(&t->vm.lock, LOCK_VM);
        return st == OK ? sys_step(progress, sys_ok(address, 0)) : sys_status(st);
    }
    status_t st = cap_get(&t->caps, mem, VX_CAP_MEM, (vx_rights_t)prot_normal(prot), &c); /* the same bits */
    if (st != OK)
        return sys_status(st);
    if (state != 0 || !is_part(c, offset, rounded))
        return sys_status(ERR_BAD_ARGUMENT);
    struct vm_spec s = vm_of_object(c->obj, c, mem_frame, c->offset + offset, rounded, prot);
    s.addr = address;
    s.fixed = address != 0;
    return thread_map(&s, progress);
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
        uint64_t end = page_up(kernel_base.raw + kernel_length);
        if (base < end && first < base + length)
            return true;
    }
    return false;
}

static struct sysret map_registers(struct cap *c, uint64_t offset, uint64_t length, uint64_t progress)
{
    const struct device *d = (const struct device *)(const void *)c->obj;
    uint64_t at = c->offset + offset;
    if (((d->base + at) | at | length) % ARCH_PAGE_SIZE != 0)
        return sys_status(ERR_BAD_ARGUMENT);
    if (is_forbidden(d->base + at, length))
        return sys_status(ERR_NO_RIGHTS);
    uint32_t prot = VX_PROT_READ | ((c->rights & VX_R_WRITE) != 0 ? VX_PROT_WRITE : VX_PROT_NONE);
    struct vm_spec s = vm_of_object(c->obj, c, device_frame, at, length, prot);
    s.type = MEM_DEVICE;
    return thread_map(&s, progress);
}

struct sysret sys_device_map_mmio(uint64_t device, uint64_t offset, uint64_t length)
{
    struct task *t = current_task();
    struct cap *c;
    uint64_t progress = progress_take();
    status_t st = cap_get(&t->caps, device, VX_CAP_DEVICE, VX_R_READ, &c);
    if (st != OK)
        return sys_status(st);
    if (length == 0 || length > MEM_BYTES_MAX || offset > c->length || length > c->length - offset)
        return sys_status(ERR_BAD_ARGUMENT);
    const struct device *d = (const struct device *)(const void *)c->obj;
    if (d->kind != VX_DEVICE_PORTS)
        return map_registers(c, offset, length, progress);
    uint64_t first = d->base + c->offset + offset;
    st = arch_ports_grant(&t->vm.as, (uint32_t)first, (uint32_t)length, c);
    return st == OK ? sys_ok(first, 0) : sys_status(st);
}
