/* SPDX-License-Identifier: MIT */
#include "crash.h"
#include "core.h"
#include "program.h"
#include <vectra/io.h>
#include <vectra/string.h>

enum : uint32_t { EM_X86_64 = 62, CALLERS_MAX = 24 };

static constexpr uint64_t ADDRESS = (UINT64_C(1) << 48) - 1;

uint32_t crash_signal(uint32_t cause)
{
    enum : uint32_t { SIG_ILL = 4, SIG_TRAP = 5, SIG_ABRT = 6, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };
    switch (cause) {
    case CRASH_ABORTED:
        return SIG_ABRT;
    case VX_CAUSE_NO_MEMORY:
    case VX_CAUSE_ALIGNMENT:
    case VX_CAUSE_MACHINE:
        return SIG_BUS;
    case VX_CAUSE_ILLEGAL:
        return SIG_ILL;
    case VX_CAUSE_ARITHMETIC:
        return SIG_FPE;
    case VX_CAUSE_BREAKPOINT:
        return SIG_TRAP;
    default:
        return SIG_SEGV;
    }
}

/* The place of the fault, and those that calls return to, by the frame records: at most n of them. A program may sign
 * what it returns to (aarch64, -mbranch-protection=pac-ret): the signature lies in the bits above an address's. */
static size_t callers(const struct proc *p, const struct vx_frame *f, uint64_t *pc, size_t n)
{
    bool x86 = f->arch == EM_X86_64;
    uint64_t fp = f->reg[x86 ? 6 : 29], words[2];
    size_t used = 1;
    pc[0] = f->reg[x86 ? 16 : 32];
    while (used < n && fp != 0 && fp % 8 == 0 && program_read(p, fp, words, sizeof words) && words[1] != 0) {
        pc[used++] = words[1] & ADDRESS;
        if (words[0] <= fp) /* a caller's record lies above: hostile memory cannot make this long */
            break;
        fp = words[0];
    }
    return used;
}

/* The C library's functions make no frame record, so the records do not tell who called one: the processor does, if
 * what it would return to lies behind a call of just this function. 0: it has a record, or was not called so. */
static uint64_t caller_without_record(const struct proc *p, const struct vx_frame *f, uint64_t function)
{
    struct [[gnu::packed]] {
        uint8_t code;
        int32_t distance;
    } x86_call;
    uint64_t to = f->reg[30];
    uint32_t arm_call;
    if (f->arch == EM_X86_64)
        return program_read(p, f->reg[7], &to, sizeof to) && program_read(p, to - 5, &x86_call, sizeof x86_call) &&
                       x86_call.code == 0xe8 && to + (uint64_t)(int64_t)x86_call.distance == function
                   ? to
                   : 0;
    if (!program_read(p, to - 4, &arm_call, sizeof arm_call) || arm_call >> 26 != 0x25)
        return 0;
    return to - 4 + (uint64_t)(int64_t)((int32_t)(arm_call << 6) >> 4) == function ? to : 0;
}

void crash_report(const struct proc *p, uint32_t thread, uint32_t cause, uint64_t address, const struct vx_frame *f)
{
    static struct vx_symbol symbol[CALLERS_MAX + 1];
    struct vx_task_info info = {};
    uint64_t pc[CALLERS_MAX + 1];
    size_t n = callers(p, f, pc, CALLERS_MAX);
    const struct vx_bundle *bundle = program_bundle(p);
    for (size_t i = 0; i < n; i++) /* a call that never returns may be a function's last: it is the one before */
        symbol[i] = (struct vx_symbol){ .address = pc[i] - (i != 0) };
    if (bundle != nullptr)
        program_names(bundle, symbol, n);
    uint64_t hidden = symbol[0].name[0] != '\0' ? caller_without_record(p, f, symbol[0].start) : 0;
    if (hidden != 0 && (n == 1 || hidden != pc[1])) {
        memmove(&pc[2], &pc[1], (n - 1) * sizeof pc[0]);
        memmove(&symbol[2], &symbol[1], (n - 1) * sizeof symbol[0]);
        pc[1] = hidden;
        symbol[1] = (struct vx_symbol){ .address = hidden - 1 };
        program_names(bundle, &symbol[1], 1);
        n++;
    }
    (void)vx_sys_task_control(p->task, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
    if (cause == CRASH_ABORTED)
        vx_printf("%s[%u]: aborted, thread %u\n", info.name, p->id, thread);
    else
        vx_printf("%s[%u]: %s at 0x%llx, thread %u\n", info.name, p->id, vx_cause_name((vx_cause_t)cause),
                  (unsigned long long)address, thread);
    for (size_t i = 0; i < n; i++)
        if (symbol[i].name[0] != '\0')
            vx_printf("  #%zu 0x%llx %s+0x%llx\n", i, (unsigned long long)pc[i], symbol[i].name,
                      (unsigned long long)(pc[i] - symbol[i].start));
        else
            vx_printf("  #%zu 0x%llx\n", i, (unsigned long long)pc[i]);
    size_t len;
    if (bundle != nullptr && program_variable(bundle, "VECTRA_CORE", &len) != nullptr && len != 0)
        core_write(p, bundle, thread, crash_signal(cause), f);
}
