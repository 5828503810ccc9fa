/* SPDX-License-Identifier: MIT
 * The portable kernel's way from the platform's hands to the first Task. A stage is announced after it has checked
 * itself. */
#include <kernel/cmdline.h>
#include <kernel/entropy.h>
#include <kernel/entry.h>
#include <kernel/firmware/machine.h>
#include <kernel/gate.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/selftest.h>
#include <kernel/slide.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>
#include <kernel/wallclock.h>
#include <arch/boot.h>
#include <arch/hart.h>
#include <arch/timer.h>
#include <base/string.h>

static void stage(const char *name)
{
    kprintf("[stage] %s: ok\n", name);
}

static void report_machine(const struct machine *m)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < m->n_ram; i++)
        bytes += m->ram[i].len_bytes;
    kprintf("machine: %llu MiB RAM in %u regions, %u harts\n", (unsigned long long)(bytes >> 20), m->n_ram, m->n_harts);
    for (uint32_t i = 0; i < m->n_ram; i++)
        log_debug("machine: RAM 0x%llx, %llu KiB\n", (unsigned long long)m->ram[i].base,
                  (unsigned long long)(m->ram[i].len_bytes >> 10));
    for (uint32_t i = 0; i < m->n_reserved; i++)
        log_debug("machine: reserved 0x%llx, %llu bytes\n", (unsigned long long)m->reserved[i].base,
                  (unsigned long long)m->reserved[i].len_bytes);
    if (m->n_left_out != 0)
        kprintf("machine: %u entries of the firmware tables were left out (reasons 0x%x)\n", m->n_left_out,
                m->left_out);
}

static void seed_entropy(struct machine *m)
{
    uint64_t samples[64];
    uint32_t processor = entropy_init(), firmware = entropy_add(m->seed, m->seed_len_bytes, UINT32_MAX);
    memset(m->seed, 0, sizeof m->seed);
    m->seed_len_bytes = 0;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        (void)arch_timer_now_ns(); /* something between readings */
        samples[i] = arch_cycles();
    }
    uint32_t jitter = entropy_add_jitter(samples, sizeof samples / sizeof samples[0]);
    kprintf("entropy: %s: %u bits from the processor, %u from the firmware, %u from jitter\n",
            entropy_seeded() ? "seeded" : "not seeded", processor, firmware, jitter);
}

/* The compiler lays the guard below the return addresses of functions with arrays, and calls the other when it changed.
 */
extern uint64_t __stack_chk_guard;
SEALED uint64_t __stack_chk_guard;
[[noreturn]] void __stack_chk_fail(void);
[[noreturn]] void __stack_chk_fail(void)
{
    kernel_panic("a kernel stack was written over");
}

[[noreturn]] void kernel_main(struct machine *m, struct hart *h)
{
    static char init_path[CPIO_NAME_MAX] = "/sbin/initd", word[16];
    h->syscalls = syscall_table;
    harts[n_harts++] = h;
    atomic_store_explicit(&h->gate, GATE_IN, memory_order_relaxed);
    atomic_store_explicit(&h->phase, HART_ONLINE, memory_order_relaxed);
    if (cmdline_get(m->cmdline, "log", word, sizeof word))
        log_set_level(strncmp(word, "quiet", sizeof word) == 0   ? LOG_QUIET
                      : strncmp(word, "debug", sizeof word) == 0 ? LOG_DEBUG
                                                                 : LOG_NORMAL);
    kprintf("VectraOS\n");
    if (image_slide == 0) /* where else it is, nobody who reads the log shall know */
        kprintf("kernel: runs where it is linked: kaslr=off, or nothing random to choose by\n");
    selftest_boot();
    stage("boot");
    report_machine(m);
    stage("firmware");
    selftest_paging(m);
    stage("paging");
    init_memory(m);
    selftest_reticle();
    stage("reticle");
    selftest_caps_and_rings();
    stage("caps");
    sched_init();
    selftest_sched();
    stage("sched");
    stage("rings");
    seed_entropy(m);
    selftest_entropy();
    uint64_t guard; /* set here: no function that returns is under way */
    entropy_fill(&guard, sizeof guard);
    __stack_chk_guard = guard & ~UINT64_C(0xff); /* no string that runs over can end with it */
    stage("entropy");
    trace_init(m->cmdline);
    arch_seal();
    selftest_sealed(m);
    if (m->n_harts > 1)
        harts_start(m);
    wallclock_init(n_harts);
#ifdef VECTRA_DEBUG
    if (cmdline_get(m->cmdline, "selftest", word, sizeof word))
        selftest_report(word);
#endif
    cmdline_get(m->cmdline, "init", init_path, sizeof init_path);
    init_start(m, init_path);
    if (cmdline_get(m->cmdline, "bench", word, sizeof word)) {
        unsigned long long now = arch_timer_now_ns();
        kprintf("bench kernel boot_to_initd instructions %llu %llu %llu 1\n", now, now, now);
    }
    sched_run();
}
