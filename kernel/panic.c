/* SPDX-License-Identifier: MIT
 * The end, said clearly: a panic for our own broken invariants, a refusal for a machine that cannot be used, and the
 * orderly stop when the first Task ends. */
#include <kernel/entry.h>
#include <kernel/ksyms.h>
#include <kernel/log.h>
#include <kernel/machine_stop.h>
#include <kernel/slide.h>
#include <kernel/task.h>
#include <arch/boot.h>
#include <arch/debug.h>
#include <arch/hart.h>
#include <base/kassert.h>
#include <stdarg.h>

static struct hart *_Atomic panicking;

bool kernel_is_panicking(void)
{
    return atomic_load_explicit(&panicking, memory_order_relaxed) != nullptr;
}

static void backtrace(const struct arch_frame *f)
{
    uint64_t pc[24];
    size_t n = arch_backtrace(pc, sizeof pc / sizeof pc[0], f);
    log_urgent("backtrace:\n");
    for (size_t i = 0; i < n; i++) {
        uint64_t offset = 0;
        /* A return address may lie behind the last instruction of its function; the faulting pc does not. */
        uint64_t back = f != nullptr && i == 0 ? 0 : 1;
        const char *name = ksym_find(pc[i] - back, &offset);
        log_urgent("  #%zu 0x%llx %s+0x%llx\n", i, (unsigned long long)pc[i], name != nullptr ? name : "?",
                   (unsigned long long)(offset + back));
    }
}

[[noreturn]] static void die(const struct arch_frame *f)
{
    const struct hart *h = arch_hart_self();
    if (h != nullptr && h->current != nullptr)
        log_urgent("while task %u (%s) ran\n", h->current->task->id, h->current->task->name);
    if (f != nullptr)
        arch_frame_dump(f);
    backtrace(f);
    log_urgent("the kernel runs 0x%llx above where it is linked\n", (unsigned long long)image_slide);
    log_urgent("KERNEL PANIC: end of report\n");
    arch_poweroff();
}

/* Says the kind of end it is. A fault in the report itself is not reported. The other harts stop where they next take
 * an interrupt; one that has something to report too comes too late. */
static void begin_report(void)
{
    struct hart *h = arch_hart_self(), *first = nullptr;
    if (!atomic_compare_exchange_strong(&panicking, &first, h)) {
        if (first == h)
            arch_poweroff();
        arch_halt();
    }
    for (uint32_t i = 0; i < n_harts; i++)
        if (harts[i] != h)
            arch_ipi_send(harts[i]);
    log_seize();
    log_urgent("\nKERNEL PANIC: ");
}

[[noreturn]] void kernel_panic(const char *format, ...)
{
    va_list args;
    begin_report();
    va_start(args, format);
    log_va(LOG_QUIET, format, args);
    va_end(args);
    log_urgent("\n");
    die(nullptr);
}

[[noreturn]] void kernel_trap(const struct trap *t, const struct arch_frame *f)
{
    begin_report();
    log_urgent("%s in the kernel, address 0x%llx, code 0x%llx\n", t->name, (unsigned long long)t->address,
               (unsigned long long)t->code);
    die(f);
}

[[noreturn]] void kassert_fail(const char *expr, const char *file, int line)
{
    kernel_panic("kassert(%s) at %s:%d", expr, file, line);
}

[[noreturn]] void kernel_refuse(const char *format, ...)
{
    va_list args;
    log_urgent("\nVectraOS cannot start: ");
    va_start(args, format);
    log_va(LOG_QUIET, format, args);
    va_end(args);
    log_urgent("\n");
    arch_poweroff();
}

[[noreturn]] void machine_stop(uint32_t status, uint32_t cause)
{
    if (cause == VX_CAUSE_EXIT && status == 0)
        arch_poweroff();
    if (cause == VX_CAUSE_EXIT && status == 1)
        arch_reboot();
    kernel_panic("the first Task ended (status %u, cause %u)", status, cause);
}
