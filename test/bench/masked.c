/* SPDX-License-Identifier: MIT
 * A plugin for QEMU: the longest stretch with interrupts masked of a whole run, in instructions, and what ran in it.
 * [QEMU-plugins] The kernel runs masked but for windows that it opens; so a stretch is what a hart executes at
 * addresses of the kernel's half up to
 *   - a return to user mode; what goes before a hart's first is the boot, and does not count;
 *   - an instruction that takes what is pending: sti, hlt; daifclr, wfi, and the look at isr_el1 behind which the
 *     aarch64 kernel handles an interrupt without ever unmasking.
 *
 *     -plugin libmasked.so,out=FILE
 *
 * FILE is memory, so that it is there however QEMU ends: the words of struct worst. A block that a fault ends counts
 * whole. Only for one thread of emulation, as under -icount. The interface is declared here as far as it is used: not
 * every package of QEMU has its header. tools/vectra/masked.py builds this and reads FILE. */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct info {
    const char *target_name;
    struct {
        int min, cur;
    } version;
};
typedef void (*executed_fn)(unsigned hart, void *user);

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn); /* until version 2 of the interface */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*fn)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed_fn fn, int flags, void *user);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_fn fn, int flags, void *user);

#define EXPORT [[gnu::visibility("default")]]
EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(uint64_t id, const struct info *info, int argc, char **argv);
int qemu_plugin_version = 1;

enum { HARTS = 64, BLOCKS = 1 << 16, SWAPS = 64 };

static struct worst {
    uint64_t stretches, instructions, n_blocks; /* of the longest; what is beyond BLOCKS is counted and not kept */
    uint64_t blocks[BLOCKS]; /* as they ran: the address << 16, without all its ones, and its length */
} *worst;

static struct hart {
    bool booted;
    uint64_t instructions;
    uint64_t n_blocks;
    uint64_t blocks[BLOCKS];
} harts[HARTS];

static bool is_x86;

static void end_stretch(struct hart *h, uint64_t beyond)
{
    uint64_t n = h->instructions - beyond;
    if (h->booted && n > 0) {
        worst->stretches++;
        if (n > worst->instructions) {
            worst->instructions = n;
            worst->n_blocks = h->n_blocks;
            memcpy(worst->blocks, h->blocks, h->n_blocks * sizeof h->blocks[0]);
        }
    }
    h->instructions = beyond;
    h->n_blocks = 0;
}

/* A block of the kernel's half begins; user: as in struct worst. */
static void in_kernel(unsigned hart, void *user)
{
    struct hart *h = &harts[hart % HARTS];
    uint64_t block = (uint64_t)(uintptr_t)user;
    h->instructions += block & 0xffff;
    if (h->n_blocks < BLOCKS)
        h->blocks[h->n_blocks++] = block;
}

/* A window, with that many instructions of its block behind it. */
static void in_window(unsigned hart, void *user)
{
    end_stretch(&harts[hart % HARTS], (uint64_t)(uintptr_t)user);
}

static void in_return(unsigned hart, void *)
{
    struct hart *h = &harts[hart % HARTS];
    end_stretch(h, 0);
    h->booted = true;
}

static bool is_window(const struct qemu_plugin_insn *insn)
{
    const uint8_t *data = qemu_plugin_insn_data(insn);
    uint32_t word;
    if (is_x86)
        return data[0] == 0xfb || data[0] == 0xf4;
    memcpy(&word, data, sizeof word);
    return word == 0xd503207f || (word & ~0xf00u) == 0xd50340ff || (word & ~0x1fu) == 0xd538c100;
}

/* eret, which the kernel has for nothing else; sysret, and iret right behind swapgs. */
static bool is_return(const struct qemu_plugin_insn *insn)
{
    static const uint8_t eret[] = { 0xe0, 0x03, 0x9f, 0xd6 }, sysret[] = { 0x48, 0x0f, 0x07 }, iret[] = { 0x48, 0xcf },
                         swapgs[] = { 0x0f, 0x01, 0xf8 };
    static uint64_t behind_swapgs[SWAPS];
    static unsigned n_swaps;
    const uint8_t *data = qemu_plugin_insn_data(insn);
    uint64_t at = qemu_plugin_insn_vaddr(insn);
    if (!is_x86)
        return memcmp(data, eret, sizeof eret) == 0;
    if (memcmp(data, swapgs, sizeof swapgs) == 0)
        behind_swapgs[n_swaps++ % SWAPS] = at + sizeof swapgs;
    bool user = memcmp(data, sysret, sizeof sysret) == 0;
    for (unsigned i = 0; i < SWAPS && memcmp(data, iret, sizeof iret) == 0; i++)
        user |= behind_swapgs[i] == at;
    return user;
}

static void translated(uint64_t, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    uint64_t at = qemu_plugin_tb_vaddr(tb);
    if (at >> 63 == 0)
        return;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, in_kernel, 0, (void *)(uintptr_t)(at << 16 | n));
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        if (is_window(insn))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, in_window, 0, (void *)(uintptr_t)(n - 1 - i));
        else if (is_return(insn))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, in_return, 0, nullptr);
    }
}

int qemu_plugin_install(uint64_t id, const struct info *info, int argc, char **argv)
{
    is_x86 = strcmp(info->target_name, "x86_64") == 0;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
        return 1;
    int file = open(argv[0] + 4, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof *worst) != 0)
        return 1;
    worst = mmap(nullptr, sizeof *worst, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    if (worst == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
