/* SPDX-License-Identifier: MIT
 * SPAWN, in steps. The specification is copied once into a block of the caller's Reticle and checked there; the child
 * is built completely in its own Reticle, which a capability without rights in the caller's table holds; what it is to
 * have is derived into its table. In the last step capabilities move, all or none, and the child starts. Until then
 * undoing is forgetting the child, and that is also what happens if the caller ends on the way: the block is the
 * caller's, and the child goes with the capability. Locking: each step runs alone. model: test/model/spawn.pml */
#include <kernel/entropy.h>
#include <kernel/mem.h>
#include <kernel/spawn.h>
#include <kernel/syscall.h>
#include <kernel/wallclock.h>
#include <base/kassert.h>
#include <base/string.h>

#define PAGE_MASK ((uint64_t)ARCH_PAGE_SIZE - 1)
#define WORK_PLAN 40 /* reading the program headers */
#define WORK_MAP 8   /* an area */
#define WORK_COPY 42 /* a page of the specification: perhaps two have to come first, and it is copied again */

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

/* The next thing in the child's address space: a step of it. */
static status_t map_at(struct spawn_build *b, uint64_t addr, struct vm_spec s)
{
    uint64_t at;
    s.addr = addr;
    s.fixed = true;
    status_t st = vm_map(&b->task->vm, &s, &b->progress, &at);
    b->stage += st == OK && b->progress == 0;
    (void)work_spend(WORK_MAP + (s.fill != nullptr ? (int32_t)(s.len / ARCH_PAGE_SIZE) * WORK_PAGE : 0));
    return st;
}

/* A part of a segment: what it shares with the image, then what is its own. */
static status_t load_part(struct spawn_build *b, const struct elf_segment *s, bool is_own)
{
    const struct image *image = &b->image;
    uint64_t low = (s->vaddr + b->bias) & ~PAGE_MASK, high = page_up(s->vaddr + b->bias + s->mem_len_bytes);
    uint64_t lead = s->vaddr + b->bias - low, shared = shared_bytes(image, s, lead);
    const struct filling f = { image, s->file_off, s->file_len_bytes, lead, shared };
    struct vm_spec own = { .len = high - low - shared, .state = VX_MEM_COMMIT, .prot = prot_of(s->prot) };
    own.fill = fill_page;
    own.ctx = &f;
    if ((is_own ? own.len : shared) == 0) {
        b->stage++;
        return OK;
    }
    status_t st = is_own ? map_at(b, low + shared, own)
                         : map_at(b, low,
                                  vm_of_object(image->cap->obj, image->cap, mem_frame,
                                               image->offset + s->file_off - lead, shared, own.prot));
    return st == ERR_BUSY ? ERR_BAD_IMAGE : st; /* it wants addresses that a Task starts with */
}

static status_t map_stack(struct spawn_build *b)
{
    struct vm *vm = &b->task->vm;
    uint64_t guard = ARCH_PAGE_SIZE, bytes = page_up(b->plan.stack_bytes), progress = 0, at;
    bool usual = bytes <= VX_STACK_TOP / 2;
    struct vm_spec spec = { .len = bytes + guard, .state = VX_MEM_RESERVE, .fixed = usual };
    spec.addr = usual ? VX_STACK_TOP - bytes - guard : 0;
    status_t st = vm_map(vm, &spec, &progress, &at);
    if (st == OK) /* nothing is there: one step */
        st = vm_protect(vm, at + guard, bytes, VX_PROT_READ | VX_PROT_WRITE, VX_MEM_LAZY, &progress);
    if (st == OK) /* the first touch is certain */
        st = vm_fault(vm, at + bytes + guard - 1, VX_PROT_WRITE);
    (void)work_spend(2 * WORK_MAP);
    b->spec->stack_low = at + guard;
    b->spec->stack_high = at + guard + bytes;
    b->stage++;
    return st;
}

static void fill_bundle(const void *ctx, uint64_t offset, void *page)
{
    const struct vx_bundle *spec = ctx;
    uint64_t n = spec->bytes - offset < ARCH_PAGE_SIZE ? spec->bytes - offset : ARCH_PAGE_SIZE;
    memcpy(page, (const char *)spec + offset, n);
    memset((char *)page + n, 0, ARCH_PAGE_SIZE - n);
}

static paddr_t time_frame(const struct object *, uint64_t, uint64_t *run)
{
    *run = ARCH_PAGE_SIZE;
    return wallclock_page();
}

static status_t plan_image(struct spawn_build *b)
{
    const struct elf_source source = { read_image, &b->image, b->image.bytes, ARCH_ELF_MACHINE, b->plan.memory_bytes };
    struct elf_plan *elf = &b->elf;
    status_t st = elf_plan(&source, elf);
    if (st != OK || !elf->is_pie)
        return st;
    uint64_t align = elf->align_bytes - 1, base;
    entropy_fill(&base, sizeof base);
    base = VX_IMAGE_BASE + (base & (VX_IMAGE_SPREAD - 1) & ~PAGE_MASK);
    b->bias = (base - (elf->low & ~align) + align) & ~align;
    return elf->low > VX_IMAGE_BASE || elf->high > VX_UADDR_LIMIT - b->bias ? ERR_BAD_IMAGE : OK;
}

status_t spawn_build_some(struct spawn_build *b, bool *made)
{
    enum { PLAN, TIME, BUNDLE, STACK, SEGMENTS };
    const struct vm_spec bundle = { .len = page_up(b->spec->bytes),
                                    .state = VX_MEM_COMMIT,
                                    .prot = VX_PROT_READ,
                                    .fill = fill_bundle,
                                    .ctx = b->spec };
    status_t st = OK;
    while (st == OK && !*made && work_left >= WORK_STEP / 2) { /* a step of vm_map() may come on top of it */
        uint32_t part = b->stage - SEGMENTS;
        if (b->stage == PLAN) {
            st = plan_image(b);
            (void)work_spend(WORK_PLAN);
            b->stage++;
        } else if (b->stage == TIME) {
            st = map_at(b, VX_TIME_PAGE_ADDRESS,
                        vm_of_object(nullptr, nullptr, time_frame, 0, ARCH_PAGE_SIZE, VX_PROT_READ));
        } else if (b->stage == BUNDLE) {
            st = map_at(b, VX_BUNDLE_ADDRESS, bundle);
        } else if (b->stage == STACK) {
            st = map_stack(b);
        } else if (part < 2 * b->elf.n_segments) {
            st = load_part(b, &b->elf.segment[part / 2], part % 2 != 0);
        } else {
            *made = true;
        }
    }
    return st;
}

status_t spawn_finish(struct spawn_build *b, struct thread **main_thread)
{
    struct task *t = b->task;
    struct vx_bundle *spec = b->spec;
    uint64_t entry = b->elf.entry + b->bias;
    status_t st = thread_create(t, (uaddr_t){ entry }, (uaddr_t){ spec->stack_high }, 0, 0, false, main_thread);
    if (st != OK)
        return st;
    arch_frame_init(&(*main_thread)->frame, (uaddr_t){ entry }, (uaddr_t){ spec->stack_high }, VX_BUNDLE_ADDRESS,
                    VX_TIME_PAGE_ADDRESS);
    task_set_name(t, b->plan.name, b->plan.name_len);
    spec->task_id = t->id;
    spec->band = t->band;
    spec->image_base = t->image_base = b->bias;
    spec->phdr_address = b->elf.phdr_vaddr != 0 ? b->elf.phdr_vaddr + b->bias : 0;
    spec->phdr_count = b->elf.phdr_count;
    return OK;
}

void spawn_start(struct spawn_build *b, struct thread *main_thread)
{
    struct vx_bundle *spec = b->spec;
    size_t done, slots = spec->n_slots * sizeof(struct vx_slot);
    status_t st = vm_copy(&b->task->vm, VX_BUNDLE_ADDRESS, spec, sizeof *spec, true, &done);
    kassert(st == OK);
    st = vm_copy(&b->task->vm, VX_BUNDLE_ADDRESS + spec->slots_at, bundle_slots(spec), slots, true, &done);
    kassert(st == OK);
    thread_start(main_thread);
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

/* Puts a capability of the Bundle that its giver keeps into the child's table, which has room. */
static status_t give(struct task *self, struct task *child, struct vx_slot *s)
{
    struct cap *from, *to;
    if (s->kind != VX_SLOT_CAP)
        return OK;
    status_t st = check_gift(self, s, &from);
    if (st != OK || s->move)
        return st;
    st = cap_reserve(&child->caps, &to);
    kassert(st == OK);
    s->length = from->type;
    s->value = cap_derive(to, from, s->rights, from->offset, from->length);
    return OK;
}

/* One that moves. If another thread took it away since it was looked up, the child's handle is of nothing, as if it had
 * gone later. */
static void move(struct task *self, struct task *child, struct vx_slot *s)
{
    struct cap *from, *to;
    if (check_gift(self, s, &from) != OK || cap_reserve(&child->caps, &to) != OK) {
        s->value = VX_HANDLE_NONE;
        return;
    }
    s->length = from->type;
    s->value = cap_move(&self->caps, to, from);
    to->rights = s->rights;
}

/* What SPAWN has done so far, with a copy of the specification behind it, in a block of the caller's Reticle. */
struct spawning {
    struct spawn_build build;
    uint64_t copied;
    uint32_t checked, given, moved; /* slots */
    uint32_t handle;                /* of the child, without rights; 0: there is none yet */
    struct thread *main_thread;     /* nothing can fail any more */
};

static status_t create_child(struct task *self, struct spawning *s, struct cap *image)
{
    struct spawn_build *b = &s->build;
    struct reticle *payer;
    struct cap *slot;
    uint64_t band = b->plan.band == VX_BAND_COUNT ? self->band : b->plan.band;
    if (band < self->band)
        return ERR_NO_RIGHTS;
    status_t st = resolve_reticle(b->plan.reticle != nullptr ? b->plan.reticle->value : VX_HANDLE_NONE, &payer);
    if (st != OK)
        return st;
    if ((st = cap_reserve(&self->caps, &slot)) != OK)
        return st;
    st = task_create(payer, order_for(b->plan.memory_bytes), (uint32_t)b->plan.cap_slots, self, &b->task);
    if (st != OK) {
        cap_unreserve(&self->caps, slot);
        return st;
    }
    s->handle = cap_make(slot, &b->task->obj, VX_CAP_TASK, 0, 0, 0);
    b->task->band = (uint8_t)band;
    b->image = (struct image){ (const struct mem *)(const void *)image->obj, image->offset, image->length, nullptr };
    if ((image->rights & VX_R_COPY) != 0 && (st = cap_reserve(&b->task->caps, &b->image.cap)) == OK)
        (void)cap_derive(b->image.cap, image, VX_R_READ | VX_R_EXEC, image->offset, image->length);
    if (st == OK && b->spec->n_slots > b->task->caps.n_slots - b->task->caps.used)
        st = ERR_TABLE_FULL;
    if (st == OK && b->plan.reticle != nullptr)
        give_own_reticle(b->task, b->plan.reticle);
    return st;
}

/* The specification: copied, then checked. */
static status_t read_spec(struct spawning *s, uint64_t from, uint64_t len, bool *read)
{
    struct spawn_build *b = &s->build;
    while (s->copied < len) {
        size_t n = len - s->copied < ARCH_PAGE_SIZE ? len - s->copied : ARCH_PAGE_SIZE;
        status_t st = copy_from_user_raw((char *)b->spec + s->copied, from + s->copied, n);
        s->copied += n;
        if (st == OK && s->copied == len)
            st = bundle_begin(b->spec, len, &b->plan);
        if (st != OK || !work_spend((int32_t)(WORK_COPY * n / ARCH_PAGE_SIZE) + 1))
            return st;
    }
    for (; s->checked < b->spec->n_slots; s->checked++) {
        status_t st = bundle_take(b->spec, s->checked, &b->plan);
        if (st != OK || !work_spend(2 + (int32_t)s->checked / 5))
            return s->checked++, st;
    }
    *read = true;
    return OK;
}

/* What the caller keeps is handed over, then all is looked up that moves, in one step; nothing can fail after that. */
static status_t give_all(struct task *self, struct spawning *s)
{
    struct spawn_build *b = &s->build;
    struct vx_slot *slots = bundle_slots(b->spec);
    struct cap *from;
    status_t st = OK;
    for (; s->given < b->spec->n_slots; s->given++)
        if (!work_spend(2) ||
            (&slots[s->given] != b->plan.reticle && (st = give(self, b->task, &slots[s->given])) != OK))
            return st;
    int32_t needed = 20 + b->spec->n_slots / 2;
    if (work_left < (needed < WORK_STEP ? needed : WORK_STEP))
        return OK;
    for (uint32_t i = 0; st == OK && i < b->spec->n_slots; i++)
        st = slots[i].move ? check_gift(self, &slots[i], &from) : OK;
    work_left = 0;
    return st == OK ? spawn_finish(b, &s->main_thread) : st;
}

/* A step. Between two of them the child is a Task that nobody has a right to, whose thread does not run. */
static status_t spawn_some(struct task *self, struct spawning *s, uint64_t image, uint64_t from, uint64_t len,
                           bool *over)
{
    struct spawn_build *b = &s->build;
    struct cap *c, *child;
    bool made = s->handle != 0;
    status_t st = cap_get(&self->caps, image, VX_CAP_MEM, VX_R_READ | VX_R_EXEC, &c);
    if (st == OK && !made) {
        st = read_spec(s, from, len, &made);
        if (st == OK && made)
            st = create_child(self, s, c);
    }
    if ((st != OK && s->main_thread == nullptr) || !made)
        return st;
    if ((st = cap_get(&self->caps, s->handle, VX_CAP_TASK, 0, &child)) != OK)
        return st; /* another thread dropped it, or who pays for it is gone */
    if (b->task->state == VX_TASK_DEAD)
        return ERR_DESTROYED;
    if (s->main_thread == nullptr) {
        made = false;
        if ((const void *)b->image.mem != c->obj || b->image.offset != c->offset || b->image.bytes != c->length ||
            (b->image.cap != nullptr && b->image.cap->obj != c->obj))
            return ERR_DESTROYED; /* revoked; or another capability has come to have its handle */
        st = spawn_build_some(b, &made);
        if (st == OK && made)
            st = give_all(self, s);
        if (st != OK || s->main_thread == nullptr)
            return st;
    }
    /* --- committed --- */
    for (; s->moved < b->spec->n_slots; s->moved++) {
        struct vx_slot *slot = &bundle_slots(b->spec)[s->moved];
        if (slot->move && !work_spend(3))
            return OK;
        if (slot->move)
            move(self, b->task, slot);
    }
    child->rights =
        VX_R_WAIT | VX_R_SIGNAL | VX_R_BIND | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_DESTROY | VX_R_INSPECT;
    spawn_start(b, s->main_thread);
    *over = true;
    return OK;
}

struct sysret sys_spawn(uint64_t image, uint64_t spec, uint64_t len)
{
    struct task *self = current_task();
    struct spawning *s = (struct spawning *)(uintptr_t)progress_take();
    struct cap *c;
    paddr_t block;
    bool over = false;
    if (len > BUNDLE_MAX_BYTES)
        return sys_status(ERR_TOO_BIG);
    if (len < sizeof(struct vx_bundle))
        return sys_status(ERR_BAD_ARGUMENT);
    uint32_t order = order_for(sizeof *s + len);
    status_t st = OK;
    if (s == nullptr && (st = reticle_alloc(&self->reticle, order, PAGE_KERNEL, &block)) == OK) {
        s = arch_phys_to_virt(block);
        *s = (struct spawning){ .build.spec = (struct vx_bundle *)(void *)(s + 1) };
    }
    if (st == OK)
        st = spawn_some(self, s, image, spec, len, &over);
    if (st == OK && !over)
        return sys_step((uintptr_t)s, sys_ok(0, 0));
    struct sysret r = st == OK ? sys_ok(s->handle, s->build.task->id) : sys_status(st);
    if (s == nullptr)
        return r;
    if (st != OK && cap_get_any(&self->caps, s->handle, 0, true, &c) == OK)
        cap_delete(&self->caps, c); /* and the child with it, if it is not a tombstone already */
    reticle_free(&self->reticle, arch_virt_to_phys(s), order);
    return r;
}
