/* SPDX-License-Identifier: MIT
 * The Arm generic interrupt controller, versions 2 and 3. They share the distributor; a GICv3 adds a redistributor for
 * each hart, and is acknowledged through system registers in place of a second device.
 *
 * All interrupts have one priority. Those of devices go to the boot hart; each hart has its own timer's, and one that
 * the others raise. A line is masked until somebody asks for it. What an ITS makes of a device's message is an LPI:
 * they are the lines behind the shared ones, enabled for ever, and the ITS itself is the user's to drive. Locking:
 * none. After the boot hart's gic_init() only registers are written that change no more than the bits that are written
 * as 1, and those that each hart has for itself. Context: interrupts masked. Sources: [GICv2] "Programmers' Model";
 * [GICv3] "Programmers' Model", "Register descriptions". */
#include "virt.h"
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/io.h>
#include <arch/mmu.h>
#include <base/string.h>
#include <isa/plat.h>
#include <kernel/entry.h>
#include <kernel/irqchip.h>

// clang-format off
enum : uint32_t {
    GICD_CTLR = 0x000, GICD_TYPER = 0x004, GICD_IGROUPR = 0x080, GICD_ISENABLER = 0x100, GICD_ICENABLER = 0x180,
    GICD_ICPENDR = 0x280, GICD_IPRIORITYR = 0x400, GICD_ITARGETSR = 0x800, GICD_ICFGR = 0xc00, GICD_SGIR = 0xf00,
    GICD_IROUTER = 0x6000,
    GICC_CTLR = 0x00, GICC_PMR = 0x04, GICC_IAR = 0x0c, GICC_EOIR = 0x10,
    GICR_CTLR = 0x00, GICR_TYPER = 0x08, GICR_WAKER = 0x14, GICR_PROPBASER = 0x70, GICR_PENDBASER = 0x78,
    GICR_SGI_FRAME = 0x10000,
    ITS_TRANSLATER = 0x10040,
};
// clang-format on
static constexpr uint32_t CTLR_ENABLE_V2 = 1, CTLR_ENABLE_V3 = 0x13 /* both groups, affinity routing */;
static constexpr uint32_t CTLR_WRITE_PENDING = 1u << 31; /* of a GICv2 always 0: reading it is the wait */
static constexpr uint32_t WAKER_SLEEP = 1u << 1, WAKER_ASLEEP = 1u << 2;
static constexpr uint32_t PRIORITY_ALL = 0xa0a0a0a0; /* of four lines */
static constexpr uint32_t FIRST_PRIVATE = 16;        /* below: raised by harts */
static constexpr uint32_t FIRST_SHARED = 32;         /* below: one for each hart */
static constexpr uint32_t IPI_LINE = 0;
static constexpr uint32_t LINES_MAX = 1020; /* above: special, 1023 is "none" */
static constexpr uint32_t WAIT_POLLS = 1'000'000;
static constexpr uint32_t FIRST_LPI = 8192, LPI_BITS = 14, LPI_ENABLED = 0xa1;
static constexpr uint64_t LPI_CACHED = 15 << 7 /* inner shareable, write-back */, LPI_NONE_PENDING = UINT64_C(1) << 62;

SEALED static const struct gic_info *gic;
SEALED static char *dist, *mapped[MACHINE_GIC_REGS_MAX]; /* where gic->regs are; dist: the first */
SEALED static bool is_v3;
SEALED static uint32_t n_lines, n_lpis, timer_line;
alignas(65536) static uint8_t lpi_pending[(1 << LPI_BITS) / 8];
alignas(4096) static uint8_t lpi_config[(1 << LPI_BITS) - FIRST_LPI];

static void wait_clear(const char *reg, uint32_t bits)
{
    for (uint32_t polls = 0; (mmio_read32(reg) & bits) != 0; polls++)
        if (polls == WAIT_POLLS)
            kernel_refuse("interrupt controller: a register never settles");
}

/* This hart's own word: a GICv3's redistributor, its second frame; a GICv2's bit in target registers. */
static uint64_t *own(struct hart *h)
{
    return &h->scratch[1];
}

/* A hart's own lines of a GICv3 live in its redistributor, with the same layout. */
static char *line_regs(uint32_t line)
{
    return is_v3 && line < FIRST_SHARED ? (char *)(uintptr_t)*own(arch_hart_self()) : dist;
}

static void set_bit(uint32_t bank, uint32_t line)
{
    if (line < n_lines)
        mmio_write32(line_regs(line) + bank + line / 32 * 4, 1u << line % 32);
}

/* Masks 32 lines, all at the same priority, level triggered unless they are private. */
static void reset_lines(char *regs, uint32_t first)
{
    mmio_write32(regs + GICD_ICENABLER + first / 8, ~0u);
    mmio_write32(regs + GICD_ICPENDR + first / 8, ~0u);
    if (is_v3)
        mmio_write32(regs + GICD_IGROUPR + first / 8, ~0u); /* group 1: the one that system registers serve as IRQ */
    for (uint32_t i = 0; i < 32; i += 4)
        mmio_write32(regs + GICD_IPRIORITYR + first + i, PRIORITY_ALL);
    if (first >= FIRST_SHARED)
        for (uint32_t i = 0; i < 32; i += 16)
            mmio_write32(regs + GICD_ICFGR + (first + i) / 4, 0);
}

static bool v2_hart_init(void)
{
    /* The target registers of private lines are read-only and name the hart that reads them. */
    uint32_t self = 0;
    for (uint32_t i = 0; i < FIRST_SHARED; i += 4)
        self |= mmio_read32(dist + GICD_ITARGETSR + i);
    *own(arch_hart_self()) = (self | self >> 8 | self >> 16 | self >> 24) & 0xff;
    reset_lines(dist, 0);
    mmio_write32(mapped[1] + GICC_PMR, 0xff);
    mmio_write32(mapped[1] + GICC_CTLR, 1);
    return true;
}

static char *v3_find_redistributor(uint32_t affinity)
{
    for (uint32_t i = 1; i < gic->n_regs; i++)
        for (uint64_t at = 0; at + 0x20000 <= gic->regs[i].len_bytes;) {
            uint64_t type = mmio_read64(mapped[i] + at + GICR_TYPER);
            if (type >> 32 == affinity)
                return mapped[i] + at;
            if ((type >> 4 & 1) != 0)
                break;                                                  /* the last of this region */
            uint64_t frames = (type >> 1 & 1) != 0 ? 0x40000 : 0x20000; /* GICv4 has two more */
            at += gic->redist_stride_bytes != 0 ? gic->redist_stride_bytes : frames;
        }
    return nullptr;
}

static bool v3_hart_init(void)
{
    uint64_t hw_id = arch_hart_self()->hw_id, sre;
    char *redist = v3_find_redistributor((uint32_t)(hw_id >> 8 & 0xff000000) | (uint32_t)(hw_id & 0xffffff));
    if (redist == nullptr)
        return false;
    mmio_write32(redist + GICR_WAKER, mmio_read32(redist + GICR_WAKER) & ~WAKER_SLEEP);
    wait_clear(redist + GICR_WAKER, WAKER_ASLEEP);
    *own(arch_hart_self()) = (uintptr_t)redist + GICR_SGI_FRAME;
    reset_lines(redist + GICR_SGI_FRAME, 0);

    __asm__ volatile("msr S3_0_C12_C12_5, %1\n\tisb\n\tmrs %0, S3_0_C12_C12_5"
                     : "=r"(sre)
                     : "r"(UINT64_C(7))); /* ICC_SRE_EL1 */
    if ((sre & 1) == 0)
        return false;
    __asm__ volatile("msr S3_0_C4_C6_0, %0\n\t"    /* ICC_PMR_EL1: everything passes */
                     "msr S3_0_C12_C12_4, xzr\n\t" /* ICC_CTLR_EL1: one write ends an interrupt */
                     "msr S3_0_C12_C12_7, %1\n\t"  /* ICC_IGRPEN1_EL1 */
                     "isb" ::"r"(UINT64_C(0xff)),
                     "r"(UINT64_C(1)));
    return true;
}

static bool hart_init(void)
{
    if (!(is_v3 ? v3_hart_init : v2_hart_init)())
        return false;
    set_bit(GICD_ISENABLER, timer_line);
    set_bit(GICD_ISENABLER, IPI_LINE);
    return true;
}

void plat_hart_init(void)
{
    if (!hart_init())
        arch_halt(); /* it is left out */
}

/* [GICv3] "LPI Configuration tables", "LPI Pending tables". */
static void receive_lpis(struct machine *m)
{
    char *redist = (char *)(uintptr_t)*own(arch_hart_self()) - GICR_SGI_FRAME;
    if (!is_v3 || m->gic.its.len_bytes == 0 || (mmio_read64(redist + GICR_TYPER) & 1) == 0) {
        m->gic.its.len_bytes = 0;
        return;
    }
    memset(lpi_config, LPI_ENABLED, sizeof lpi_config);
    io_barrier();
    mmio_write64(redist + GICR_PROPBASER, arch_virt_to_phys(lpi_config).raw | LPI_CACHED | (LPI_BITS - 1));
    mmio_write64(redist + GICR_PENDBASER, arch_virt_to_phys(lpi_pending).raw | LPI_CACHED | LPI_NONE_PENDING);
    mmio_write32(redist + GICR_CTLR, 1);
    n_lpis = IRQ_LINE_MAX - n_lines;
    m->gic.its_target = (uint32_t)mmio_read64(redist + GICR_TYPER) >> 8 & 0xffff;
    m->messages = (struct message_info){ m->gic.its.base + ITS_TRANSLATER, n_lines, n_lpis, 0 };
}

void gic_init(struct machine *m)
{
    gic = &m->gic;
    if (m->irqchip != IRQCHIP_GICV2 && m->irqchip != IRQCHIP_GICV3)
        kernel_refuse("the device tree has no interrupt controller that the kernel knows: it needs a GICv2 or GICv3");
    timer_line = m->timer.virt_line;
    if (timer_line < FIRST_PRIVATE || timer_line >= FIRST_SHARED)
        kernel_refuse("the device tree gives the virtual timer no private interrupt");
    is_v3 = m->irqchip == IRQCHIP_GICV3;
    for (uint32_t i = 0; i < gic->n_regs; i++)
        if ((mapped[i] = arch_map_device((paddr_t){ gic->regs[i].base }, gic->regs[i].len_bytes)) == nullptr)
            kernel_refuse("interrupt controller: the device tree says nothing usable of where its registers are");
    dist = mapped[0];
    mmio_write32(dist + GICD_CTLR, 0);
    wait_clear(dist + GICD_CTLR, CTLR_WRITE_PENDING);
    n_lines = ((mmio_read32(dist + GICD_TYPER) & 31) + 1) * 32;
    for (uint32_t first = FIRST_SHARED; first < n_lines; first += 32)
        reset_lines(dist, first);
    if (n_lines > LINES_MAX)
        n_lines = LINES_MAX;
    mmio_write32(dist + GICD_CTLR, is_v3 ? CTLR_ENABLE_V3 : CTLR_ENABLE_V2);
    wait_clear(dist + GICD_CTLR, CTLR_WRITE_PENDING);
    if (!hart_init())
        kernel_refuse("interrupt controller: no redistributor for this hart, or no system registers");
    /* Shared lines go to this hart. */
    for (uint32_t line = FIRST_SHARED; is_v3 && line < n_lines; line++)
        mmio_write64(dist + GICD_IROUTER + line * 8, arch_hart_self()->hw_id);
    for (uint32_t line = FIRST_SHARED; !is_v3 && line < n_lines; line += 4)
        mmio_write32(dist + GICD_ITARGETSR + line, (uint32_t)*own(arch_hart_self()) * 0x01010101);
    receive_lpis(m);
}

void arch_ipi_send(const struct hart *h)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    uint64_t a = h->hw_id; /* ICC_SGI1R_EL1: Aff3 to Aff1, and which of the 16 harts of a range */
    uint64_t target = (a >> 32 & 0xff) << 48 | (a >> 4 & 15) << 44 | (a >> 16 & 0xff) << 32 | (a >> 8 & 0xff) << 16 |
                      UINT64_C(1) << (a & 15);
    if (is_v3)
        __asm__ volatile("msr S3_0_C12_C11_5, %0\n\tisb" ::"r"(target | IPI_LINE << 24) : "memory");
    else
        mmio_write32(dist + GICD_SGIR, (uint32_t)h->scratch[1] << 16 | IPI_LINE);
}

void plat_irq(void)
{
    uint64_t token;
    if (is_v3)
        __asm__ volatile("mrs %0, S3_0_C12_C12_0" : "=r"(token)::"memory"); /* ICC_IAR1_EL1 */
    else
        token = mmio_read32(mapped[1] + GICC_IAR);
    io_barrier(); /* what comes next must see what was written before the interrupt was raised */
    uint32_t line = token & (is_v3 ? 0xffffff : 0x3ff); /* above: which hart sent it */
    if (line >= FIRST_LPI)
        line += n_lines - FIRST_LPI;
    else if (line >= LINES_MAX)
        return;
    if (line == timer_line) {
        isa_timer_quiet();
        kernel_timer();
    } else if (line >= FIRST_PRIVATE) {
        kernel_irq(line);
    } else {
        kernel_ipi();
    }
    if (is_v3)
        __asm__ volatile("msr S3_0_C12_C12_1, %0\n\tisb" ::"r"(token) : "memory"); /* ICC_EOIR1_EL1 */
    else
        mmio_write32(mapped[1] + GICC_EOIR, (uint32_t)token);
}

status_t irqchip_configure(uint32_t line)
{
    if (line >= n_lines + n_lpis)
        return ERR_NOT_FOUND;
    if (line < FIRST_SHARED)
        return ERR_BUSY; /* the timer's, and those between harts */
    irqchip_mask(line);
    set_bit(GICD_ICPENDR, line);
    return OK;
}

void irqchip_wire(uint32_t line, bool edge, bool)
{
    char *reg = line_regs(line) + GICD_ICFGR + line / 16 * 4;
    uint32_t bit = 2u << line % 16 * 2;
    if (line < n_lines)
        mmio_write32(reg, (mmio_read32(reg) & ~bit) | (edge ? bit : 0));
}

void irqchip_unmask(uint32_t line)
{
    set_bit(GICD_ISENABLER, line);
}

void irqchip_mask(uint32_t line)
{
    set_bit(GICD_ICENABLER, line);
    /* Until the write has arrived the line may still interrupt; the distributor says when. */
    wait_clear(dist + GICD_CTLR, CTLR_WRITE_PENDING);
}

bool irqchip_is_level(uint32_t line)
{
    return line < n_lines && (mmio_read32(line_regs(line) + GICD_ICFGR + line / 16 * 4) >> line % 16 * 2 & 2) == 0;
}

uint32_t irqchip_lines(void)
{
    return n_lines + n_lpis;
}

bool arch_kernel_device(unsigned i, paddr_t *base, uint64_t *len_bytes)
{
    if (i >= gic->n_regs)
        return false;
    *base = (paddr_t){ gic->regs[i].base };
    *len_bytes = gic->regs[i].len_bytes;
    return true;
}
