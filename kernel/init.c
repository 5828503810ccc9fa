/* SPDX-License-Identifier: MIT
 * Boot: all RAM into the root Reticle, the machine's parts into capabilities, and both into the first Task.
 * The root objects are static and hold one count of themselves, so that no drop of a capability can end them. */
#include <kernel/entry.h>
#include <kernel/firmware/cpio.h>
#include <kernel/firmware/machine.h>
#include <kernel/init.h>
#include <kernel/irqchip.h>
#include <kernel/log.h>
#include <kernel/mem.h>
#include <kernel/ram.h>
#include <kernel/spawn.h>
#include <kernel/wallclock.h>
#include <arch/mmu.h>
#include <base/kassert.h>
#include <base/string.h>

#define INIT_MEMORY_BYTES (UINT64_C(4) << 20)
#define PAGE_MASK ((uint64_t)ARCH_PAGE_SIZE - 1)
#define PHYS_LIMIT (UINT64_C(1) << 48)

static struct reticle_object root;
static struct device mmio, ports;
static struct object irqs, console, entropy;

struct reticle *root_reticle(void)
{
    return &root.reticle;
}

void *kernel_boot_pages(uint32_t order)
{
    paddr_t pa;
    if (reticle_alloc(&root.reticle, order, PAGE_KERNEL, &pa) != OK)
        return nullptr;
    for (uint32_t i = 0; i < 1u << order; i++)
        arch_page_zero((char *)arch_phys_to_virt(pa) + (size_t)i * ARCH_PAGE_SIZE);
    return arch_phys_to_virt(pa);
}

static void root_object(struct object *o, uint8_t type)
{
    static uint32_t id = UINT32_MAX - 16; /* apart from ids that object_create gives */
    object_init(o, type, id++, &root.reticle);
    o->n_caps = 1;
}

/* The end of the whole pages of free RAM that begin at `at`. */
static uint64_t run_end(const struct machine *m, uint64_t at)
{
    uint64_t end = UINT64_MAX;
    for (uint32_t i = 0; i < m->n_ram; i++)
        if (m->ram[i].base <= at && at < m->ram[i].base + m->ram[i].len_bytes)
            end = (m->ram[i].base + m->ram[i].len_bytes) & ~PAGE_MASK;
    for (uint32_t i = 0; i < m->n_reserved; i++) {
        uint64_t base = m->reserved[i].base & ~PAGE_MASK;
        if (base > at && base < end)
            end = base;
    }
    return end;
}

void init_memory(const struct machine *m)
{
    static struct ram_range ranges[MEMORY_REGION_MAX + RESERVED_REGION_MAX];
    size_t n = 0;
    uint64_t at = machine_free_from(m, 0, ARCH_PAGE_SIZE, ARCH_PAGE_SIZE);
    while (at != UINT64_MAX && n < sizeof ranges / sizeof ranges[0]) {
        uint64_t end = run_end(m, at);
        ranges[n++] = (struct ram_range){ at, end - at };
        at = machine_free_from(m, end, ARCH_PAGE_SIZE, ARCH_PAGE_SIZE);
    }
    ram_init(m);
    root_object(&root.obj, VX_CAP_RETICLE);
    if (n == 0 || reticle_boot(&root.reticle, ranges, n) != OK)
        kernel_refuse("too little memory: give the machine at least 64 MiB (-m 64M)");
    root.reticle.owner = &root.obj;
    if (root.reticle.free_pages * ARCH_PAGE_SIZE < 11 * INIT_MEMORY_BYTES)
        kernel_refuse("too little memory: %llu MiB are free, 44 are needed; give the machine at least 64 MiB (-m 64M)",
                      (unsigned long long)(root.reticle.free_pages >> 8));
}

static struct vx_slot *add_slot(struct vx_bundle *b, const char *name, vx_slot_kind_t kind)
{
    struct vx_slot *s = &bundle_slots(b)[b->n_slots++];
    *s = (struct vx_slot){ .kind = kind };
    size_t n = strlen(name);
    kassert(n < sizeof s->name);
    memcpy(s->name, name, n);
    return s;
}

static void add_bytes(struct vx_bundle *b, const char *name, const void *bytes, size_t len)
{
    struct vx_slot *s = add_slot(b, name, VX_SLOT_BYTES);
    s->value = b->bytes;
    s->length = (uint32_t)len;
    memcpy((char *)b + b->bytes, bytes, len);
    b->bytes += (uint32_t)len;
}

/* A slot with a capability that the Task gets here and now. */
static void add_cap(struct vx_bundle *b, struct task *t, const char *name, struct object *o, vx_rights_t rights,
                    uint64_t length)
{
    struct vx_slot *s = add_slot(b, name, VX_SLOT_CAP);
    struct cap *c;
    status_t st = cap_reserve(&t->caps, &c);
    kassert(st == OK);
    s->rights = rights | VX_R_COPY | VX_R_MOVE | VX_R_REVOKE | VX_R_INSPECT;
    s->length = o->type;
    s->value = cap_make(c, o, o->type, s->rights, 0, length);
}

/* Memory that the kernel keeps an interest in: it outlives every capability. */
static struct object *lasting_memory(paddr_t at, uint64_t bytes)
{
    struct mem *m;
    if (mem_create_foreign(&root.reticle, at, bytes, &m) != OK)
        kernel_refuse("too little memory for the first Task");
    m->obj.n_caps++;
    return &m->obj;
}

/* What a boot loader left begins a page, so that it can be mapped: what it put anywhere else is copied. The rest of the
 * last page is cleared: whoever maps it sees the whole page. */
static paddr_t on_pages(struct phys_range r, const char *what)
{
    paddr_t at = { r.base };
    if (at.raw % ARCH_PAGE_SIZE != 0) {
        uint32_t order = order_for(r.len_bytes);
        if (order > RETICLE_ORDER_MAX || reticle_alloc(&root.reticle, order, PAGE_KERNEL, &at) != OK)
            kernel_refuse("too little memory for the %s", what);
        memcpy(arch_phys_to_virt(at), arch_phys_to_virt((paddr_t){ r.base }), r.len_bytes);
    }
    memset((char *)arch_phys_to_virt(at) + r.len_bytes, 0, -r.len_bytes & PAGE_MASK);
    return at;
}

/* The specification of the first Bundle, with handles of the Task that it is for. */
static void fill_spec(struct vx_bundle *b, struct task *t, const struct machine *m, struct object *initrd,
                      const char *path)
{
    size_t log_bytes;
    paddr_t log_at = log_ring(&log_bytes);
    struct machine *facts = kernel_boot_pages(order_for(sizeof *m));
    if (facts == nullptr)
        kernel_refuse("too little memory for the first Task");
    *facts = *m;
    *b = (struct vx_bundle){ .magic = VX_BUNDLE_MAGIC, .version = VX_BUNDLE_VERSION, .slots_at = sizeof *b };
    b->bytes = sizeof *b + 16 * sizeof(struct vx_slot);
    add_cap(b, t, "console", &console, VX_R_WRITE, 0);
    give_own_reticle(t, add_slot(b, "reticle", VX_SLOT_CAP));
    add_cap(b, t, "root", &root.obj, VX_R_READ | VX_R_WRITE, 0);
    add_cap(b, t, "initrd", initrd, VX_R_READ | VX_R_EXEC, m->initrd.len_bytes);
    add_cap(b, t, "mmio", &mmio.obj, VX_R_READ | VX_R_WRITE | VX_R_DMA, mmio.length);
    add_cap(b, t, "irqs", &irqs, VX_R_BIND, irqchip_lines());
    add_cap(b, t, "entropy", &entropy, VX_R_WRITE, 0);
    add_cap(b, t, "klog", lasting_memory(log_at, log_bytes), VX_R_READ, log_bytes);
    add_cap(b, t, "clock", lasting_memory(wallclock_page(), ARCH_PAGE_SIZE), VX_R_READ | VX_R_WRITE, ARCH_PAGE_SIZE);
    add_cap(b, t, "machine", lasting_memory(arch_virt_to_phys(facts), sizeof *m), VX_R_READ, sizeof *m);
    if (m->device_tree.len_bytes != 0) {
        struct object *tree = lasting_memory(on_pages(m->device_tree, "device tree"), m->device_tree.len_bytes);
        add_cap(b, t, "device-tree", tree, VX_R_READ, m->device_tree.len_bytes);
    }
    if (m->console.base.space == REGISTER_IO)
        add_cap(b, t, "ports", &ports.obj, VX_R_READ | VX_R_WRITE, ports.length);
    add_bytes(b, "name", "initd", 5);
    add_bytes(b, "argv", path, strlen(path) + 1);
    add_bytes(b, "cmdline", m->cmdline, strlen(m->cmdline));
}

static paddr_t place_initrd(const struct machine *m)
{
    if (m->initrd.len_bytes == 0)
        kernel_refuse("there is no initial RAM disk: start the machine with -initrd build/<arch>-<mode>/initrd.cpio");
    uint64_t at = m->initrd.base, end = at; /* of the RAM that begins there; regions ascend */
    for (uint32_t i = 0; i < m->n_ram; i++)
        if (m->ram[i].base <= end && end < m->ram[i].base + m->ram[i].len_bytes)
            end = m->ram[i].base + m->ram[i].len_bytes;
    if (end - at < m->initrd.len_bytes)
        kernel_refuse("the initial RAM disk is not all in RAM (q35 with bootable disks needs -boot strict=on)");
    return on_pages(m->initrd, "initial RAM disk");
}

void init_start(const struct machine *m, const char *path)
{
    struct firmware_error error = {};
    struct cpio_file program;
    struct task *t;
    struct thread *th;
    constexpr uint32_t spec_order = 2;
    const paddr_t archive_at = place_initrd(m);
    const uint8_t *archive = arch_phys_to_virt(archive_at);
    status_t st = cpio_find(archive, m->initrd.len_bytes, path, &program, &error);
    if (st == ERR_NOT_FOUND)
        kernel_refuse("the initial RAM disk has no file '%s' (init=)", path);
    if (st != OK)
        kernel_refuse("the initial RAM disk is damaged: %s at byte %llu", error.what, (unsigned long long)error.where);
    root_object(&mmio.obj, VX_CAP_DEVICE);
    root_object(&ports.obj, VX_CAP_DEVICE);
    root_object(&irqs, VX_CAP_IRQ);
    root_object(&console, VX_CAP_CONSOLE);
    root_object(&entropy, VX_CAP_ENTROPY);
    mmio.length = PHYS_LIMIT;
    mmio.kind = VX_DEVICE_MMIO;
    ports.length = 65536;
    ports.kind = VX_DEVICE_PORTS;
    struct object *initrd = lasting_memory(archive_at, m->initrd.len_bytes);
    struct vx_bundle *spec = kernel_boot_pages(spec_order);
    if (spec == nullptr ||
        task_create(&root.reticle, order_for(INIT_MEMORY_BYTES), CAP_SLOTS_DEFAULT, nullptr, &t) != OK)
        kernel_refuse("too little memory for the first Task");
    fill_spec(spec, t, m, initrd, path);
    struct spawn_build build = { .spec = spec, .task = t };
    st = bundle_begin(spec, spec->bytes, &build.plan);
    for (uint32_t i = 0; st == OK && i < spec->n_slots; i++)
        st = bundle_take(spec, i, &build.plan);
    kassert(st == OK);
    t->obj.n_caps = 1; /* the machine's own interest in it */
    t->is_init = true;
    t->band = VX_BAND_DRIVER;
    build.plan.memory_bytes = INIT_MEMORY_BYTES;
    build.image = (struct image){ .mem = (const struct mem *)(const void *)initrd,
                                  .offset = (uint64_t)(program.data - archive),
                                  .bytes = program.len_bytes };
    for (bool made = false; st == OK && !made; work_begin())
        st = spawn_build_some(&build, &made);
    if (st == OK)
        st = spawn_finish(&build, &th);
    if (st != OK)
        kernel_refuse("%s from the initial RAM disk cannot be started: %s", path,
                      st == ERR_BAD_IMAGE ? "it is not an executable for this machine" : "too little memory");
    spawn_start(&build, th);
    reticle_free(&root.reticle, arch_virt_to_phys(spec), spec_order);
}
