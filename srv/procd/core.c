/* SPDX-License-Identifier: MIT
 * The file: header, program headers (the notes, then each range of memory), the notes, and from the next page on the
 * ranges one after the other. Layouts of notes are those of Linux for the architecture that the frame names. */
#include "core.h"
#include "program.h"
#include <abi/timepage.h>
#include <base/format.h>
#include <fs/client.h>
#include <vectra/io.h>
#include <vectra/string.h>

enum : uint32_t {
    EM_X86_64 = 62,
    ET_CORE = 4,
    PT_LOAD = 1,
    PT_NOTE = 4,
    NT_PRSTATUS = 1,
    NT_PRPSINFO = 3,
    NT_AUXV = 6
};
enum : uint32_t { PF_X = 1, PF_W = 2, PF_R = 4, AT_ONCE = 8, CHUNK = 32768 };
static constexpr uint64_t PAGE = 4096;

struct file_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, programs_at, sections_at;
    uint32_t flags;
    uint16_t bytes, program_bytes, programs, section_bytes, sections, names;
};
static_assert(sizeof(struct file_header) == 64);

struct program_header {
    uint32_t type, flags;
    uint64_t at, address, physical, file_bytes, memory_bytes, alignment;
};
static_assert(sizeof(struct program_header) == 56);

struct note_header {
    uint32_t name_bytes, bytes, type;
    char name[8];
};

/* The 112 bytes before the registers in struct elf_prstatus. */
struct status_head {
    uint32_t signal, code, error;
    uint16_t current, unused;
    uint64_t pending, held;
    uint32_t pid, parent, group, session;
    uint64_t times[8];
};
static_assert(sizeof(struct status_head) == 112);

struct process_info { /* struct elf_prpsinfo */
    char state, letter, zombie, nice;
    uint32_t unused;
    uint64_t flags;
    uint32_t uid, gid, pid, parent, group, session;
    char name[16], arguments[80];
};
static_assert(sizeof(struct process_info) == 136);

struct range {
    uint64_t from, bytes;
    uint32_t flags;
};

/* One dump at a time: procd has one thread. */
static struct {
    const struct proc *p;
    const struct vx_bundle *bundle;
    struct range range[CORE_RANGES_MAX];
    uint32_t n_ranges;
    uint64_t bytes; /* of all ranges */
    uint32_t thread[CORE_THREADS_MAX];
    uint32_t n_threads;
    struct fs_file file;
    uint64_t at;
    status_t error;
    uint8_t chunk[CHUNK];
} core;

/* --- what there is --- */

static bool readable(uint64_t page)
{
    uint8_t byte;
    return program_read(core.p, page, &byte, sizeof byte);
}

/* Adds the pages from..to that can be read; stops after a hole of that many. */
static void look(uint64_t from, uint64_t to, uint64_t hole, uint32_t flags)
{
    struct range *r = nullptr;
    for (uint64_t at = from, last = from; at < to && core.bytes < CORE_BYTES_MAX && at - last <= hole * PAGE;
         at += PAGE) {
        if (!readable(at)) {
            r = nullptr;
            continue;
        }
        if (r == nullptr) {
            if (core.n_ranges == CORE_RANGES_MAX)
                return;
            r = &core.range[core.n_ranges++];
            *r = (struct range){ .from = at, .flags = flags };
        }
        r->bytes += PAGE;
        core.bytes += PAGE;
        last = at;
    }
}

static void look_at_image(void)
{
    const struct vx_bundle *b = core.bundle;
    struct program_header h;
    for (uint32_t i = 0; i < b->phdr_count && i < 64; i++) {
        if (!program_read(core.p, b->phdr_address + i * sizeof h, &h, sizeof h))
            return;
        uint64_t from, to;
        if (h.type == PT_LOAD && !__builtin_add_overflow(b->image_base, h.address, &from) &&
            !__builtin_add_overflow(from, h.memory_bytes, &to) && to <= VX_UADDR_LIMIT)
            look(from & ~(PAGE - 1), to, CORE_HOLE_PAGES, h.flags & (PF_R | PF_W | PF_X));
    }
}

static void look_at_memory(void)
{
    const struct vx_bundle *b = core.bundle;
    core.n_ranges = 0;
    core.bytes = 0;
    look(VX_BUNDLE_ADDRESS, VX_BUNDLE_ADDRESS + b->bytes, 0, PF_R);
    if (b->stack_low < b->stack_high && b->stack_high <= VX_UADDR_LIMIT)
        look(b->stack_low, b->stack_high, (b->stack_high - b->stack_low) / PAGE, PF_R | PF_W);
    look_at_image();
    look(VX_MAP_BASE, VX_UADDR_LIMIT, CORE_HOLE_PAGES, PF_R | PF_W);
}

static void look_at_threads(uint32_t first)
{
    struct vx_thread_info info[AT_ONCE];
    uint64_t n = 0, next = 0;
    core.thread[0] = first;
    core.n_threads = 1;
    do {
        if (vx_sys_task_control(core.p->task, VX_TASK_THREADS, (uintptr_t)info, AT_ONCE, next, &n, &next) != OK)
            return;
        for (uint64_t i = 0; i < n && core.n_threads < CORE_THREADS_MAX; i++)
            if (info[i].id != first)
                core.thread[core.n_threads++] = info[i].id;
    } while (next != 0);
}

/* --- writing --- */

static void put(const void *bytes, size_t len)
{
    size_t done = 0;
    if (core.error == OK)
        core.error = fs_write(&core.file, core.at, bytes, len, &done);
    if (core.error == OK && done != len)
        core.error = ERR_NO_MEMORY;
    core.at += len;
}

static void put_note(uint32_t type, const void *bytes, uint32_t len)
{
    struct note_header h = { .name_bytes = 5, .bytes = len, .type = type, .name = "CORE" };
    put(&h, sizeof h);
    put(bytes, len); /* all of them are multiples of 4 */
}

/* As user_regs_struct (x86-64) or user_pt_regs (AArch64) has them; the count. */
static uint32_t registers_of(const struct vx_frame *f, uint64_t to[static 34])
{
    /* r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi; orig_rax; rip */
    static const uint8_t order[] = { 15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, 0, 16 };
    if (f->arch != EM_X86_64) {
        memcpy(to, f->reg, 34 * sizeof to[0]);
        return 34;
    }
    memset(to, 0, 34 * sizeof to[0]);
    for (uint32_t i = 0; i < sizeof order; i++)
        to[i] = f->reg[order[i]];
    to[15] = UINT64_MAX; /* it is not in a call */
    to[18] = f->reg[17];
    to[19] = f->reg[7];
    return 27;
}

static uint32_t status_bytes(bool x86)
{
    return (uint32_t)sizeof(struct status_head) + (x86 ? 27 : 34) * 8 + 8;
}

static void put_thread(uint32_t thread, uint32_t signal, const struct vx_frame *f)
{
    struct {
        struct status_head head;
        uint64_t registers[34 + 1];
    } s = { .head = { .signal = signal,
                      .current = (uint16_t)signal,
                      .pid = thread,
                      .parent = core.p->parent,
                      .group = core.p->group,
                      .session = core.p->session } };
    (void)registers_of(f, s.registers);
    put_note(NT_PRSTATUS, &s, status_bytes(f->arch == EM_X86_64));
}

static void put_process(const struct vx_task_info *info)
{
    struct process_info i = { .letter = 'R',
                              .uid = 1000,
                              .gid = 1000,
                              .pid = core.p->id,
                              .parent = core.p->parent,
                              .group = core.p->group,
                              .session = core.p->session };
    size_t len;
    const char *arguments = vx_bundle_bytes_in(core.bundle, "argv", &len);
    memcpy(i.name, info->name, sizeof i.name - 1);
    for (size_t k = 0; k < len && k < sizeof i.arguments - 1; k++)
        i.arguments[k] = arguments[k] != '\0' ? arguments[k] : k + 1 < len ? ' ' : '\0';
    put_note(NT_PRPSINFO, &i, sizeof i);
}

/* Where the program lies: a debugger finds out from its headers how far it was moved. */
enum : uint32_t { AUXV_WORDS = 10 };
static void put_auxv(void)
{
    uint64_t words[AUXV_WORDS] = { 3, core.bundle->phdr_address, 4, 56, 5, core.bundle->phdr_count, 6, PAGE };
    put_note(NT_AUXV, words, sizeof words);
}

static void put_headers(const struct vx_frame *f, uint64_t notes_bytes)
{
    struct file_header h = { .ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
                             .type = ET_CORE,
                             .machine = (uint16_t)f->arch,
                             .version = 1,
                             .programs_at = sizeof h,
                             .bytes = sizeof h,
                             .program_bytes = sizeof(struct program_header),
                             .programs = (uint16_t)(core.n_ranges + 1) };
    uint64_t notes_at = sizeof h + h.programs * sizeof(struct program_header);
    uint64_t at = (notes_at + notes_bytes + PAGE - 1) & ~(PAGE - 1);
    put(&h, sizeof h);
    put(&(struct program_header){ .type = PT_NOTE, .at = notes_at, .file_bytes = notes_bytes, .alignment = 4 },
        sizeof(struct program_header));
    for (uint32_t i = 0; i < core.n_ranges; i++) {
        const struct range *r = &core.range[i];
        put(&(struct program_header){ .type = PT_LOAD,
                                      .flags = r->flags,
                                      .at = at,
                                      .address = r->from,
                                      .file_bytes = r->bytes,
                                      .memory_bytes = r->bytes,
                                      .alignment = PAGE },
            sizeof(struct program_header));
        at += r->bytes;
    }
}

static void put_memory(const struct range *r)
{
    for (uint64_t done = 0; done < r->bytes && core.error == OK;) {
        size_t n = r->bytes - done < CHUNK ? (size_t)(r->bytes - done) : CHUNK;
        if (!program_read(core.p, r->from + done, core.chunk, n))
            memset(core.chunk, 0, n); /* it can no longer be read: its place in the file is kept */
        put(core.chunk, n);
        done += n;
    }
}

static void put_all(uint32_t signal, const struct vx_frame *f)
{
    struct vx_task_info info = {};
    struct vx_frame other;
    bool x86 = f->arch == EM_X86_64;
    static_assert(sizeof(struct note_header) == 20);
    uint64_t notes = sizeof(struct note_header) * (2 + (uint64_t)core.n_threads) + sizeof(struct process_info) +
                     AUXV_WORDS * 8 + (uint64_t)core.n_threads * status_bytes(x86);
    (void)vx_sys_task_control(core.p->task, VX_TASK_INFO, (uintptr_t)&info, sizeof info, 0, nullptr, nullptr);
    put_headers(f, notes);
    put_thread(core.thread[0], signal, f);
    put_process(&info);
    put_auxv();
    for (uint32_t i = 1; i < core.n_threads; i++) {
        if (vx_sys_task_control(core.p->task, VX_TASK_READ_FRAME, core.thread[i], (uintptr_t)&other, 0, nullptr,
                                nullptr) != OK)
            other = (struct vx_frame){ .arch = f->arch }; /* it is ending */
        put_thread(core.thread[i], 0, &other);
    }
    core.at = (core.at + PAGE - 1) & ~(PAGE - 1);
    for (uint32_t i = 0; i < core.n_ranges; i++)
        put_memory(&core.range[i]);
}

void core_write(const struct proc *p, const struct vx_bundle *bundle, uint32_t thread, uint32_t signal,
                const struct vx_frame *f)
{
    char path[32];
    struct fs_client *files = program_files();
    core.p = p;
    core.bundle = bundle;
    core.at = 0;
    (void)format_into(path, sizeof path, "/tmp/core.%u", p->id);
    (void)vx_sys_task_control(p->task, VX_TASK_STOP, 0, 0, 0, nullptr, nullptr);
    look_at_threads(thread);
    look_at_memory();
    core.error = files == nullptr ? ERR_NOT_FOUND : OK;
    if (files != nullptr) {
        (void)fs_unlink(files, path, 0); /* whatever has that name, even a link, is not written through */
        core.error =
            fs_open(files, path, VX_VFS_CREATE | VX_VFS_EXCLUSIVE, VX_FS_WRITE, 0600, &core.file, nullptr, nullptr);
    }
    if (core.error == OK) {
        put_all(signal, f);
        fs_close(&core.file);
    }
    if (core.error == OK)
        vx_printf("  core: %s, %llu bytes\n", path, (unsigned long long)core.at);
    else
        vx_printf("  core: %s was not written whole: %s\n", path, vx_status_text(core.error));
}
