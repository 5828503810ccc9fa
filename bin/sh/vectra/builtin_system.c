/* SPDX-License-Identifier: MIT
 * Built-ins that look at the system: ps top free uptime topo dmesg, and the two that end it. */
#include "tools.h"
#include "show.h"
#include <abi/klog.h>
#include <stdlib.h>
#include <vectra/rpc_topo.h>

static const char *const band_names[] = { "driver", "person", "service", "normal", "batch", "idle" };
static const char *const state_names[] = { "runs", "stopped", "ended" };

static const char *name_in(const char *const *names, uint32_t count, uint32_t index)
{
    return index < count ? names[index] : "?";
}

static void print_task(const struct tool_task *v)
{
    const struct vx_task_info *i = &v->info;
    char memory[16], used[16];
    out_format("%5u %5u %-7s %-7s %3u %5u %8s %8s %6llu.%02llu  %*s%s\n", i->id, i->parent_id,
               name_in(band_names, VX_BAND_COUNT, i->band), name_in(state_names, 3, i->state), i->threads, i->caps_used,
               sh_bytes(i->memory_bytes - i->memory_free, used, sizeof used),
               sh_bytes(i->memory_bytes, memory, sizeof memory), (unsigned long long)(i->cpu_ns / VX_NS_PER_S),
               (unsigned long long)(i->cpu_ns / 10000000 % 100), (int)v->depth * 2, "", i->name);
}

static bool ps_visit(void *ctx, const struct tool_task *v)
{
    (void)ctx;
    print_task(v);
    return !tool_interrupted();
}

static void print_initd(void)
{
    struct tool_task v = { .info = { .name = "initd", .band = VX_BAND_SERVICE } };
    uint32_t children;
    if (tools.has_init && vx_init_self(&tools.init, &v.info.id, &v.info.threads, &v.info.caps_used, &children,
                                       &v.info.cpu_ns, &v.info.memory_bytes, &v.info.memory_free) == OK)
        print_task(&v);
}

int tool_ps(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("ps");
    out_format("%5s %5s %-7s %-7s %3s %5s %8s %8s %9s  %s\n", "ID", "PAR", "BAND", "STATE", "THR", "CAPS", "USED",
               "MEMORY", "CPU", "NAME");
    print_initd();
    tool_tasks_visit(ps_visit, nullptr);
    return 0;
}

/* --- top --- */

enum : uint32_t { TOP_MAX = 128 };
struct top_row {
    struct tool_task view;
    uint64_t spent_ns; /* since the last picture */
};
struct top {
    uint32_t n, n_before;
    uint64_t at_ns;
    struct top_row row[TOP_MAX];
    struct {
        uint32_t id;
        uint64_t cpu_ns;
    } before[TOP_MAX];
};

static bool top_visit(void *ctx, const struct tool_task *v)
{
    struct top *t = ctx;
    if (t->n == TOP_MAX)
        return false;
    struct top_row row = { .view = *v, .spent_ns = v->info.cpu_ns };
    row.view.depth = 0;
    for (uint32_t i = 0; i < t->n_before; i++)
        if (t->before[i].id == v->info.id)
            row.spent_ns = v->info.cpu_ns - t->before[i].cpu_ns;
    uint32_t at = t->n++;
    for (; at > 0 && t->row[at - 1].spent_ns < row.spent_ns; at--)
        t->row[at] = t->row[at - 1];
    t->row[at] = row;
    return true;
}

static void top_picture(struct top *t)
{
    uint64_t now = vx_clock_monotonic_ns(), span = now - t->at_ns;
    t->n = 0;
    tool_tasks_visit(top_visit, t);
    out_format("up %llu s, %u tasks%s\n\n  %%CPU", (unsigned long long)(now / VX_NS_PER_S), t->n,
               tool_at_terminal() ? "; q leaves" : "");
    out_format(" %5s %5s %-7s %-7s %3s %5s %8s %8s %9s  %s\n", "ID", "PAR", "BAND", "STATE", "THR", "CAPS", "USED",
               "MEMORY", "CPU", "NAME");
    for (uint32_t i = 0; i < t->n; i++) {
        uint64_t tenths = span > 0 ? t->row[i].spent_ns * 1000 / span : 0;
        out_format("%4llu.%llu ", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10));
        print_task(&t->row[i].view);
        t->before[i].id = t->row[i].view.info.id;
        t->before[i].cpu_ns = t->row[i].view.info.cpu_ns;
    }
    t->n_before = t->n;
    t->at_ns = now;
}

int tool_top(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("top");
    struct top *t = calloc(1, sizeof *t);
    if (t == nullptr)
        return tool_fail(1, "top: out of memory");
    do {
        if (tool_at_terminal())
            out_text("\x1b[H\x1b[2J");
        top_picture(t);
        (void)out_flush();
    } while (tool_at_terminal() && !tool_pause(VX_NS_PER_S, true));
    free(t);
    return 0;
}

/* --- memory, time --- */

static void free_row(const char *name, uint64_t total, uint64_t left, uint64_t largest, uint64_t lent)
{
    char a[16], b[16], c[16], d[16], e[16];
    out_format("%-8s %9s %9s %9s %9s %9s\n", name, sh_bytes(total, a, sizeof a), sh_bytes(total - left, b, sizeof b),
               sh_bytes(left, c, sizeof c), sh_bytes(largest, d, sizeof d), sh_bytes(lent, e, sizeof e));
}

int tool_free(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("free");
    uint64_t total, left, largest, lent;
    out_format("%-8s %9s %9s %9s %9s %9s\n", "", "total", "used", "free", "largest", "lent");
    if (tools.has_init && vx_init_memory(&tools.init, &total, &left, &largest, &lent) == OK)
        free_row("machine", total, left, largest, lent);
    struct vx_cap_facts facts;
    if (vx_sys_cap_inspect(vx_bundle_reticle("reticle").raw, &facts, nullptr) == OK)
        free_row("shell", facts.a, facts.b, facts.c, facts.d);
    return 0;
}

int tool_uptime(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("uptime");
    const struct vx_time_page *page = (const struct vx_time_page *)VX_TIME_PAGE_ADDRESS;
    uint64_t s = vx_clock_monotonic_ns() / VX_NS_PER_S;
    struct sh_date d = sh_date(vx_clock_realtime_ns() / VX_NS_PER_S);
    out_format("%04u-%02u-%02u %02u:%02u:%02u UTC, up %llu:%02llu:%02llu, %u hart%s\n", d.year, d.month, d.day, d.hour,
               d.minute, d.second, (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60),
               (unsigned long long)(s % 60), page->harts, page->harts == 1 ? "" : "s");
    return 0;
}

/* --- topo --- */

/* What drivers can have, and whether one has it. */
static void topo_devices(struct vx_client *c)
{
    static const char *const kinds[] = { "?", "net", "blk", "console", "rng" };
    uint32_t transport, kind, address, badge, generation, state, irq, irqs;
    for (uint32_t i = 0;
         vx_topo_device(c, i, &transport, &kind, &address, &badge, &generation, &state, &irq, &irqs) == OK; i++) {
        out_format("device virtio-%s ", name_in(kinds, 5, kind));
        if (transport == VX_TOPO_TRANSPORT_PCI)
            out_format("at pci %02x:%02x.%u: ", address >> 8, address >> 3 & 31, address & 7);
        else
            out_format("at virtio %u: ", address);
        out_format("%s", badge == VX_TOPO_ANY_BADGE ? "for no service" : state != 0 ? "driven" : "not driven");
        if (state != 0)
            out_format(", %s", irq == VX_TOPO_IRQ_MESSAGE ? "by messages"
                               : irq == VX_TOPO_IRQ_LINE  ? "by a line"
                                                          : "polled");
        out_format(generation > 1 ? ", claimed %u times\n" : "\n", generation);
    }
}

static void topo_details(struct vx_client *c)
{
    static const char *const chips[] = { "none", "GICv2", "GICv3", "APIC" };
    uint64_t hw, base, bytes;
    uint32_t node, domain, kind, lines, segment, address, vendor, device, class_code, header, pin, irq;
    char size[16];
    for (uint32_t i = 0; vx_topo_hart(c, i, &hw, &node, &domain) == OK; i++)
        out_format("hart %u: id 0x%llx, node %u, domain %u\n", i, (unsigned long long)hw, node, domain);
    for (uint32_t i = 0; vx_topo_memory(c, i, &base, &bytes, &node) == OK; i++)
        out_format("memory 0x%010llx: %s, node %u\n", (unsigned long long)base, sh_bytes(bytes, size, sizeof size),
                   node);
    if (vx_topo_irqchip(c, &kind, &lines, &base, &bytes) == OK)
        out_format("interrupt controller: %s, %u lines\n", name_in(chips, 4, kind), lines);
    for (uint32_t i = 0; vx_topo_function(c, i, &segment, &address, &vendor, &device, &class_code, &header, &pin) == OK;
         i++)
        out_format("pci %04x:%02x:%02x.%u: %04x:%04x class %06x\n", segment, address >> 8, address >> 3 & 31,
                   address & 7, vendor, device, class_code);
    for (uint32_t i = 0; vx_topo_virtio(c, i, &base, &bytes, &irq, &device) == OK; i++)
        if (device != 0)
            out_format("virtio 0x%llx: device %u, irq %u\n", (unsigned long long)base, device, irq);
    topo_devices(c);
}

int tool_topo(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("topo");
    struct vx_client c;
    status_t st = vx_connect("topo", &c);
    uint32_t harts, nodes, domains, memories, bridges, functions, virtios, chip, arch, left_out;
    uint64_t ram;
    if (st == OK)
        st = vx_topo_summary(&c, &harts, &nodes, &domains, &memories, &bridges, &functions, &virtios, &chip, &ram,
                             &arch, &left_out);
    if (st != OK)
        return tool_fail(1, "topo: the topology service cannot be reached: %s", vx_status_text(st));
    char size[16];
    out_format("%s, %u hart%s in %u node%s and %u domain%s, %s of memory\n",
               arch == 183  ? "aarch64"
               : arch == 62 ? "x86_64"
                            : "unknown architecture",
               harts, harts == 1 ? "" : "s", nodes, nodes == 1 ? "" : "s", domains, domains == 1 ? "" : "s",
               sh_bytes(ram, size, sizeof size));
    topo_details(&c);
    vx_client_close(&c);
    return 0;
}

/* --- dmesg --- */

int tool_dmesg(int argc, char **argv)
{
    (void)argv;
    if (argc != 1)
        return tool_usage("dmesg");
    static const struct vx_klog *log;
    static uint64_t log_bytes;
    vx_mem mem = vx_bundle_mem("klog");
    struct vx_cap_facts facts;
    void *at = nullptr;
    if (mem.raw == 0)
        return tool_fail(1, "dmesg: this shell was not given the kernel log");
    if (log == nullptr && vx_sys_cap_inspect(mem.raw, &facts, nullptr) == OK &&
        vx_sys_mem_map(mem, 0, facts.b, 0, VX_PROT_READ, &at) == OK) {
        log = at;
        log_bytes = facts.b;
    }
    if (log == nullptr || log->magic != VX_KLOG_MAGIC || log->size == 0 || log->size > log_bytes - sizeof *log)
        return tool_fail(1, "dmesg: the kernel log cannot be read");
    uint64_t size = log->size, end = atomic_load_explicit(&log->written, memory_order_acquire);
    uint64_t first = end > size ? end - size : 0;
    for (uint64_t n = first; n < end && !tool_interrupted();) {
        uint64_t piece = size - n % size; /* to the end of the ring */
        if (piece > end - n)
            piece = end - n;
        if (!tool_out(log->bytes + n % size, piece))
            return 1;
        n += piece;
    }
    return 0;
}

/* --- the end --- */

static int end_machine(const char *name, int argc, status_t (*call)(struct vx_client *))
{
    if (argc != 1)
        return tool_usage(name);
    status_t st = tools.has_init ? call(&tools.init) : ERR_NO_RIGHTS;
    if (st == ERR_NO_RIGHTS)
        return tool_fail(1, "%s: this shell has no authority to do that", name);
    if (st != OK)
        return tool_fail(1, "%s: %s", name, vx_status_text(st));
    (void)out_flush();
    (void)tool_pause(10 * VX_NS_PER_S, false); /* the end comes first */
    return tool_fail(1, "%s: the machine did not stop", name);
}

int tool_poweroff(int argc, char **argv)
{
    (void)argv;
    return end_machine("poweroff", argc, vx_init_poweroff);
}

int tool_reboot(int argc, char **argv)
{
    (void)argv;
    return end_machine("reboot", argc, vx_init_reboot);
}
