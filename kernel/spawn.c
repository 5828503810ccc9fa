/* SPDX-License-Identifier: MIT
 * SPAWN. The specification is copied once into a block of the caller's Reticle and checked there; the child is built
 * completely in its own Reticle; then come the capabilities: all are looked up and reserved before the first one moves.
 * Until that commit line, undoing is forgetting the child. Locking: it runs alone. */
#include <kernel/entropy.h>
#include <kernel/firmware/elf.h>
#include <kernel/mem.h>
#include <kernel/spawn.h>
#include <kernel/syscall.h>
#include <kernel/wallclock.h>
#include <base/kassert.h>
#include <base/string.h>

#define PAGE_MASK ((uint64_t)ARCH_PAGE_SIZE - 1)

static status_t read_image(void *ctx, uint64_t offset, void *buf, size_t len)
{
    const struct image *i = ctx;
    if (offset > i->bytes || len > i->bytes - offset)
        return ERR_BAD_IMAGE;
    mem_read(i->mem, i->offset + offset, buf, len);
    return OK;
}

/* A segment of an image, while its pages are filled. */
struct filling {
    const struct image *image;
    uint64_t file_off, file_len, lead; /* lead: what of the first page is before it */
    uint64_t skip;                     /* where the area that is filled begins, in the segment's */
};

/* Fills a new page of the child, which is `offset` bytes into the segment's area: what the image has is copied, the
 * rest is zero. */
static void fill_page(const void *ctx, uint64_t offset, void *page)
{
    const struct filling *f = ctx;
    offset += f->skip;
    uint64_t from = offset > f->lead ? offset : f->lead, end = f->lead + f->file_len;
    uint64_t to = end < offset + ARCH_PAGE_SIZE ? end : offset + ARCH_PAGE_SIZE;
    if (from >= to || to - from < ARCH_PAGE_SIZE)
        arch_page_zero(page);
    if (from < to)
        mem_read(f->image->mem, f->image->offset + f->file_off + (from - f->lead), (char *)page + (from - offset),
                 to - from);
}

static uint32_t prot_of(uint8_t elf)
{
    return ((elf & ELF_READ) != 0 ? VX_PROT_READ : 0u) | ((elf & ELF_WRITE) != 0 ? VX_PROT_WRITE : 0u) |
           ((elf & ELF_EXEC) != 0 ? VX_PROT_EXEC : 0u);
}

/* How many bytes of a segment, from its first page on, can be the image's own pages: nobody writes to it, and they lie
 * in memory as they are wanted. None of them has a byte that is not the image's. */
static uint64_t shared_bytes(const struct image *image, const struct elf_segment *s, uint64_t lead)
{
    if (image->cap == nullptr || (s->prot & ELF_WRITE) != 0 || s->file_len_bytes != s->mem_len_bytes ||
        s->file_off < lead || ((image->offset + s->file_off - lead) & PAGE_MASK) != 0)
        return 0;
    uint64_t wanted = page_up(lead + s->file_len_bytes), there = image->bytes - (s->file_off - lead);
    return wanted <= there ? wanted : there & ~PAGE_MASK;
}

/* In the child's address space, where nobody comes in between; addr 0: anywhere. */
static status_t map_at(struct task *t, uint64_t addr, struct vm_spec *s, uint64_t *at)
{
    uint64_t progress = 0;
    status_t st;
    s->addr = addr;
    s->fixed = addr != 0;
    do
        st = vm_map(&t->vm, s, &progress, at);
    while (progress != 0);
    return st;
}

static status_t load_segments(struct task *t, const struct image *image, const struct elf_plan *plan, uint64_t bias)
{
    for (uint32_t i = 0; i < plan->n_segments; i++) {
        const struct elf_segment *s = &plan->segment[i];
        uint64_t low = (s->vaddr + bias) & ~PAGE_MASK, high = page_up(s->vaddr + bias + s->mem_len_bytes);
        uint64_t lead = s->vaddr + bias - low, shared = shared_bytes(image, s, lead), at;
        const struct filling f = { image, s->file_off, s->file_len_bytes, lead, shared };
        status_t st = OK;
        struct vm_spec own = { .len = high - low - shared, .state = VX_MEM_COMMIT, .prot = prot_of(s->prot) };
        own.fill = fill_page;
        own.ctx = &f;
        if (shared != 0) {
            struct vm_spec file = vm_of_object(image->cap->obj, image->cap, mem_frame,
                                               image->offset + s->file_off - lead, shared, own.prot);
            st = map_at(t, low, &file, &at);
        }
        if (st == OK && own.len != 0)
            st = map_at(t, low + shared, &own, &at);
        if (st != OK)
            return st == ERR_BUSY ? ERR_BAD_IMAGE : st; /* it wants addresses that a Task starts with */
    }
    return OK;
}

static status_t map_stack(struct task *t, uint64_t bytes, uint64_t *low, uint64_t *high)
{
    uint64_t at, guard = ARCH_PAGE_SIZE, progress = 0;
    bytes = page_up(bytes);
    bool usual = bytes <= VX_STACK_TOP / 2;
    struct vm_spec spec = { .len = bytes + guard, .state = VX_MEM_RESERVE };
    status_t st = map_at(t, usual ? VX_STACK_TOP - bytes - guard : 0, &spec, &at);
    if (st == OK) /* nothing is there: one step */
        st = vm_protect(&t->vm, at + guard, bytes, VX_PROT_READ | VX_PROT_WRITE, VX_MEM_LAZY, &progress);
    if (st == OK) /* the first touch is certain */
        st = vm_fault(&t->vm, at + bytes + guard - 1, VX_PROT_WRITE);
    *low = at + guard;
    *high = at + guard + bytes;
    return st;
}

static status_t map_bundle(struct task *t, const struct vx_bundle *spec, struct vx_bundle **out)
{
    struct mem *m; /* contiguous, so that the kernel can fill in handles through one pointer */
    uint64_t at, run, bytes = page_up(spec->bytes);
    bool made = false;
    status_t st = mem_create(&t->reticle, bytes, true, VX_CAP_MEM, &m);
    for (; st == OK && !made; work_begin())
        st = mem_make_some(m, &made);
    if (st != OK)
        return st;
    struct vm_spec shown = vm_of_object(&m->obj, nullptr, mem_frame, 0, bytes, VX_PROT_READ);
    st = map_at(t, VX_BUNDLE_ADDRESS, &shown, &at);
    if (st != OK)
        return st; /* the Task is abandoned, and the object goes with its Reticle */
    *out = arch_phys_to_virt(mem_frame(&m->obj, 0, &run));
    memcpy(*out, spec, spec->bytes);
    return OK;
}

static paddr_t time_frame(const struct object *, uint64_t, uint64_t *run)
{
    *run = ARCH_PAGE_SIZE;
    return wallclock_page();
}

status_t spawn_build(struct task *t, const struct image *image, const struct vx_bundle *spec,
                     const struct bundle_plan *plan, struct vx_bundle **bundle, struct thread **main_thread)
{
    struct elf_plan elf;
    const struct elf_source source = { .read = read_image,
                                       .ctx = (void *)(uintptr_t)image,
                                       .image_len_bytes = image->bytes };
    const struct elf_limits limits = { .machine = ARCH_ELF_MACHINE,
                                       .user_min = VX_UADDR_MIN,
                                       .user_limit = VX_UADDR_LIMIT,
                                       .page_bytes = ARCH_PAGE_SIZE,
                                       .max_memory_bytes = plan->memory_bytes };
    uint64_t low, high, at;
    struct thread *th;
    status_t st = elf_plan(&source, &limits, &elf);
    if (st != OK)
        return st;
    uint64_t bias = 0;
    if (elf.is_pie) {
        uint64_t align = elf.align_bytes - 1, base;
        entropy_fill(&base, sizeof base);
        base = VX_IMAGE_BASE + (base & (VX_IMAGE_SPREAD - 1) & ~PAGE_MASK);
        bias = (base - (elf.low & ~align) + align) & ~align;
        if (elf.low > VX_IMAGE_BASE || elf.high > VX_UADDR_LIMIT - bias)
            return ERR_BAD_IMAGE;
    }
    struct vm_spec time = vm_of_object(nullptr, nullptr, time_frame, 0, ARCH_PAGE_SIZE, VX_PROT_READ);
    if ((st = map_at(t, VX_TIME_PAGE_ADDRESS, &time, &at)) != OK || (st = map_bundle(t, spec, bundle)) != OK ||
        (st = map_stack(t, plan->stack_bytes, &low, &high)) != OK || (st = load_segments(t, image, &elf, bias)) != OK)
        return st;
    st = thread_create(t, (uaddr_t){ elf.entry + bias }, (uaddr_t){ high }, VX_BUNDLE_ADDRESS, 0, false, &th);
    if (st != OK)
        return st;
    arch_frame_init(&th->frame, (uaddr_t){ elf.entry + bias }, (uaddr_t){ high }, VX_BUNDLE_ADDRESS,
                    VX_TIME_PAGE_ADDRESS);
    struct vx_bundle *b = *bundle;
    b->task_id = t->id;
    b->band = t->band;
    b->stack_low = low;
    b->stack_high = high;
    b->image_base = t->image_base = bias;
    b->phdr_address = elf.phdr_vaddr != 0 ? elf.phdr_vaddr + bias : 0;
    b->phdr_count = elf.phdr_count;
    *main_thread = th;
    return OK;
}

/* Looks up what slot `s` of the parent's specification names, for handing it on. */
static status_t check_gift(struct task *self, const struct vx_slot *s, struct cap **out)
{
    struct cap *c;
    status_t st = cap_get_any(&self->caps, s->value, s->rights, false, &c);
    if (st != OK)
        return st;
    if ((c->rights & (s->move ? VX_R_MOVE : VX_R_COPY)) == 0)
        return ERR_NO_RIGHTS;
    if (s->move && c->child != nullptr && s->rights != c->rights)
        return ERR_NO_RIGHTS; /* C3: what was derived from it would have more than it */
    *out = c;
    return OK;
}

void give_own_reticle(struct task *t, struct vx_slot *s)
{
    struct cap *c;
    status_t st = cap_reserve(&t->caps, &c);
    kassert(st == OK);
    s->kind = VX_SLOT_CAP;
    s->move = 0;
    s->length = VX_CAP_RETICLE;
    s->rights = VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_INSPECT;
    s->value = cap_make(c, &t->own_object, VX_CAP_RETICLE, s->rights, 0, 0);
}

/* Puts every capability of the Bundle into the child's table; slot number `own`, if any, gets the child's own Reticle.
 * First all checks and reservations, then the transfer. */
static status_t hand_over(struct task *self, struct task *child, struct vx_bundle *b, ptrdiff_t own)
{
    struct vx_slot *slots = bundle_slots(b);
    struct cap *from, *to;
    for (uint32_t i = 0; i < b->n_slots; i++) {
        struct vx_slot *s = &slots[i];
        if (s->kind != VX_SLOT_CAP || i == own)
            continue;
        status_t st = check_gift(self, s, &from);
        for (uint32_t j = 0; st == OK && s->move && j < b->n_slots; j++)
            if (j != i && slots[j].kind == VX_SLOT_CAP && slots[j].value == s->value)
                st = ERR_BAD_ARGUMENT; /* moved away, it cannot be handed over once more */
        if (st != OK)
            return st;
    }
    if (b->n_slots > child->caps.n_slots - child->caps.used)
        return ERR_TABLE_FULL;
    /* --- commit: nothing below can fail; the child's table is large enough --- */
    if (own >= 0)
        give_own_reticle(child, &slots[own]);
    for (uint32_t i = 0; i < b->n_slots; i++) {
        struct vx_slot *s = &slots[i];
        if (s->kind != VX_SLOT_CAP || i == own)
            continue;
        status_t st = check_gift(self, s, &from);
        kassert(st == OK);
        st = cap_reserve(&child->caps, &to);
        kassert(st == OK);
        vx_rights_t rights = s->rights;
        s->length = from->type;
        if (s->move) {
            s->value = cap_move(&self->caps, to, from);
            to->rights = rights;
        } else {
            s->value = cap_derive(to, from, rights, from->offset, from->length);
        }
    }
    return OK;
}

/* With the specification checked, in kernel memory. */
static status_t spawn(struct task *self, struct cap *image_cap, struct vx_bundle *spec, struct bundle_plan *plan,
                      uint32_t *handle, uint32_t *id)
{
    struct image image = { .mem = (const struct mem *)(const void *)image_cap->obj,
                           .offset = image_cap->offset,
                           .bytes = image_cap->length };
    struct reticle *payer;
    struct task *t;
    struct thread *th;
    struct vx_bundle *b;
    struct cap *slot;
    uint32_t order = order_for(plan->memory_bytes);
    if (plan->band == VX_BAND_COUNT)
        plan->band = self->band;
    if (plan->band < self->band)
        return ERR_NO_RIGHTS;
    status_t st = resolve_reticle(plan->reticle != nullptr ? plan->reticle->value : VX_HANDLE_NONE, &payer);
    if (st != OK)
        return st;
    if (order > RETICLE_ORDER_MAX)
        return ERR_NO_MEMORY;
    if ((st = cap_reserve(&self->caps, &slot)) != OK)
        return st;
    st = task_create(payer, order, (uint32_t)plan->cap_slots, self, &t);
    if (st != OK)
        goto unreserve;
    t->band = (uint8_t)plan->band;
    task_set_name(t, plan->name, plan->name_len);
    if ((image_cap->rights & VX_R_COPY) != 0 && (st = cap_reserve(&t->caps, &image.cap)) == OK)
        (void)cap_derive(image.cap, image_cap, VX_R_READ | VX_R_EXEC, image.offset, image.bytes);
    if (st == OK)
        st = spawn_build(t, &image, spec, plan, &b, &th);
    if (st == OK)
        st = hand_over(self, t, b, plan->reticle != nullptr ? plan->reticle - bundle_slots(spec) : -1);
    if (st != OK)
        goto abandon;
    constexpr vx_rights_t rights =
        VX_R_WAIT | VX_R_SIGNAL | VX_R_BIND | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_DESTROY | VX_R_INSPECT;
    *handle = cap_make(slot, &t->obj, VX_CAP_TASK, rights, 0, 0);
    *id = t->id;
    thread_start(th);
    return OK;
abandon:
    task_abandon(t);
unreserve:
    cap_unreserve(&self->caps, slot);
    return st;
}

struct sysret sys_spawn(uint64_t image, uint64_t spec, uint64_t len)
{
    struct task *self = current_task();
    struct bundle_plan plan;
    struct cap *c;
    paddr_t block;
    uint32_t handle, id;
    status_t st = cap_get(&self->caps, image, VX_CAP_MEM, VX_R_READ | VX_R_EXEC, &c);
    if (st != OK)
        return sys_status(st);
    if (len > BUNDLE_MAX_BYTES)
        return sys_status(ERR_TOO_BIG);
    if (len < sizeof(struct vx_bundle))
        return sys_status(ERR_BAD_ARGUMENT);
    uint32_t order = order_for(len);
    if ((st = reticle_alloc(&self->reticle, order, PAGE_KERNEL, &block)) != OK)
        return sys_status(st);
    struct vx_bundle *copy = arch_phys_to_virt(block);
    st = copy_from_user_raw(copy, spec, (size_t)len);
    if (st == OK)
        st = bundle_check(copy, len, &plan);
    if (st == OK)
        st = spawn(self, c, copy, &plan, &handle, &id);
    reticle_free(&self->reticle, block, order);
    return st == OK ? sys_ok(handle, id) : sys_status(st);
}
