// sources: kernel/firmware/elf.c
/* SPDX-License-Identifier: MIT
 * Executables: the linker's own, ones made to break each rule, and damaged ones. */
#include "support.h"
#include <abi/timepage.h>
#include <kernel/firmware/elf.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wsign-conversion" /* clang 19 warns of the bytes that #embed makes */
static const uint8_t x86_static[] = {
#embed "../../data/firmware/x86_64-static.elf"
};
static const uint8_t x86_pie[] = {
#embed "../../data/firmware/x86_64-pie.elf"
};
static const uint8_t arm_static[] = {
#embed "../../data/firmware/aarch64-static.elf"
};
static const uint8_t arm_pie[] = {
#embed "../../data/firmware/aarch64-pie.elf"
};
#pragma clang diagnostic pop

enum : uint64_t { PAGE = 4096 };

struct image {
    const uint8_t *bytes;
    size_t len;
    size_t n_reads;
    size_t fail_at_read;
};

static status_t read_image(void *ctx, uint64_t offset, void *buf, size_t len)
{
    struct image *im = ctx;
    assert_true(offset <= im->len && len <= im->len - offset);
    if (++im->n_reads == im->fail_at_read)
        return ERR_PEER_CLOSED;
    memcpy(buf, im->bytes + offset, len);
    return OK;
}

static struct elf_plan plan;

/* The rules that a plan keeps whatever the image was. */
static void assert_plan_keeps_its_promises(const struct elf_source *source)
{
    uint64_t last = 0;
    bool entry_ok = false;
    assert_true(plan.n_segments >= 1 && plan.n_segments <= ELF_SEGMENTS_MAX);
    for (uint32_t i = 0; i < plan.n_segments; i++) {
        const struct elf_segment *s = &plan.segment[i];
        uint64_t end = s->vaddr + s->mem_len_bytes;
        assert_true(s->mem_len_bytes > 0 && end > s->vaddr && end <= VX_UADDR_LIMIT);
        assert_true(plan.is_pie || s->vaddr >= VX_UADDR_MIN);
        assert_true((s->vaddr & ~(PAGE - 1)) >= last && s->vaddr >= plan.low && end <= plan.high);
        last = (end + PAGE - 1) & ~(PAGE - 1);
        assert_true(s->file_len_bytes <= s->mem_len_bytes);
        assert_true(s->file_off <= source->image_len_bytes &&
                    s->file_len_bytes <= source->image_len_bytes - s->file_off);
        assert_int_equal(s->file_off % PAGE, s->vaddr % PAGE);
        assert_true((s->prot & (ELF_WRITE | ELF_EXEC)) != (ELF_WRITE | ELF_EXEC));
        if (plan.entry >= s->vaddr && plan.entry < end)
            entry_ok = s->prot & ELF_EXEC;
    }
    assert_true(entry_ok && plan.memory_bytes <= source->max_memory_bytes);
    uint64_t bias = 0; /* as the loader chooses it */
    if (plan.is_pie && plan.low < VX_UADDR_MIN)
        bias = (VX_UADDR_MIN - plan.low + plan.align_bytes - 1) / plan.align_bytes * plan.align_bytes;
    assert_true(plan.high <= VX_UADDR_LIMIT && bias <= VX_UADDR_LIMIT - plan.high);
    assert_null(plan.error.what);
}

static status_t check_with(const uint8_t *bytes, size_t len, enum elf_machine machine, uint64_t max_memory)
{
    void *copy = exact_copy(bytes, len);
    struct image im = { .bytes = copy, .len = len };
    struct elf_source source = { read_image, &im, len, machine, max_memory };
    plan = (struct elf_plan){};
    status_t st = elf_plan(&source, &plan);
    if (st == OK)
        assert_plan_keeps_its_promises(&source);
    else
        assert_non_null(plan.error.what);
    free(copy);
    return st;
}

static status_t check(const uint8_t *bytes, size_t len, enum elf_machine machine)
{
    return check_with(bytes, len, machine, 1 << 30);
}

/* ---- what the linker makes ---- */

static void static_executables_are_accepted(void **)
{
    for (uint32_t arm = 0; arm < 2; arm++) {
        assert_int_equal(arm ? check(arm_static, sizeof arm_static, ELF_AARCH64)
                             : check(x86_static, sizeof x86_static, ELF_X86_64),
                         OK);
        assert_false(plan.is_pie);
        assert_int_equal(plan.low, 0x200000);
        assert_int_equal(plan.n_segments, 4);
        assert_int_equal(plan.segment[0].prot, ELF_READ);
        assert_int_equal(plan.segment[1].prot, ELF_READ | ELF_EXEC);
        assert_int_equal(plan.segment[2].prot, ELF_READ | ELF_WRITE); /* relocated, then read-only */
        assert_int_equal(plan.segment[3].prot, ELF_READ | ELF_WRITE);
        assert_int_equal(plan.entry, plan.segment[1].vaddr);
        assert_int_equal(plan.phdr_vaddr, 0x200040);
        assert_int_equal(plan.align_bytes, arm ? 0x10000 : 0x1000);
        assert_true(plan.memory_bytes >= 70000);
    }
}

static void static_pie_executables_are_accepted(void **)
{
    for (uint32_t arm = 0; arm < 2; arm++) {
        assert_int_equal(arm ? check(arm_pie, sizeof arm_pie, ELF_AARCH64) : check(x86_pie, sizeof x86_pie, ELF_X86_64),
                         OK);
        assert_true(plan.is_pie);
        assert_int_equal(plan.low, 0);
        assert_int_equal(plan.phdr_vaddr, 0x40);
        assert_int_equal(plan.phdr_count, 9);
    }
}

static void the_wrong_machine_is_refused(void **)
{
    assert_int_equal(check(x86_pie, sizeof x86_pie, ELF_AARCH64), ERR_BAD_IMAGE);
    assert_int_equal(check(arm_static, sizeof arm_static, ELF_X86_64), ERR_BAD_IMAGE);
    assert_string_equal(plan.error.what, "ELF: for another machine");
}

static void memory_has_a_limit(void **)
{
    assert_int_equal(check(x86_static, sizeof x86_static, ELF_X86_64), OK);
    uint64_t needed = plan.memory_bytes;
    assert_int_equal(check_with(x86_static, sizeof x86_static, ELF_X86_64, needed), OK);
    assert_int_equal(check_with(x86_static, sizeof x86_static, ELF_X86_64, needed - 1), ERR_TOO_BIG);
}

static void a_failing_read_is_passed_on_wherever_it_is(void **)
{
    struct image im = { .bytes = x86_pie, .len = sizeof x86_pie };
    struct elf_source source = { read_image, &im, sizeof x86_pie, ELF_X86_64, 1 << 30 };
    assert_int_equal(elf_plan(&source, &plan), OK);
    size_t n = im.n_reads;
    for (size_t i = 1; i <= n; i++) {
        im.n_reads = 0;
        im.fail_at_read = i;
        memset(&plan, 0x55, sizeof plan);
        assert_int_equal(elf_plan(&source, &plan), ERR_PEER_CLOSED);
        assert_int_equal(plan.n_segments, 0x55555555); /* nothing but the error was written */
    }
}

/* ---- made here ---- */

enum { PT_LOAD = 1, PT_INTERP = 3, PT_GNU_STACK = 0x6474e551 };
enum { IMAGE_BYTES = 0x4000 };

static struct {
    uint8_t bytes[IMAGE_BYTES];
    uint16_t n_phdrs;
} made;

static void put(size_t at, uint64_t v, size_t size)
{
    memcpy(made.bytes + at, &v, size);
}

static void add_phdr(uint32_t type, uint32_t flags, uint64_t off, uint64_t vaddr, uint64_t filesz, uint64_t memsz,
                     uint64_t align)
{
    const uint64_t words[7] = { (uint64_t)flags << 32 | type, off, vaddr, vaddr, filesz, memsz, align };
    memcpy(made.bytes + 64 + 56 * made.n_phdrs++, words, 56);
    put(56, made.n_phdrs, 2);
}

/* The field at that offset of program header `i`. */
static void set_phdr(uint32_t i, size_t off, uint64_t v)
{
    put(64 + 56 * i + off, v, off < 8 ? 4 : 8);
}

/* Text at 0x400000 (file 0x1000), data at 0x402000 (file 0x2000) with zeros behind it. */
static void make(bool pie)
{
    uint64_t base = pie ? 0 : 0x400000;
    memset(&made, 0, sizeof made);
    memcpy(made.bytes,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, pie ? 3 : 2, 2);
    put(18, ELF_X86_64, 2);
    put(20, 1, 4);
    put(24, base + 0x10, 8);
    put(32, 64, 8);
    put(52, 64, 2);
    put(54, 56, 2);
    add_phdr(PT_LOAD, 5, 0x1000, base, 0x800, 0x800, 0x1000);
    add_phdr(PT_LOAD, 6, 0x2000, base + 0x2000, 0x1000, 0x3000, 0x1000);
}

static status_t check_made(void)
{
    return check(made.bytes, sizeof made.bytes, ELF_X86_64);
}

static void refused(const char *rule)
{
    assert_int_equal(check_made(), ERR_BAD_IMAGE);
    assert_string_equal(plan.error.what, rule);
}

static void a_plain_image_is_planned(void **)
{
    make(false);
    assert_int_equal(check_made(), OK);
    assert_int_equal(plan.entry, 0x400010);
    assert_int_equal(plan.n_segments, 2);
    assert_int_equal(plan.low, 0x400000);
    assert_int_equal(plan.high, 0x405000);
    assert_int_equal(plan.memory_bytes, 0x4000);
    assert_int_equal(plan.phdr_vaddr, 0); /* the headers are in no segment here */
    assert_int_equal(plan.segment[1].file_len_bytes, 0x1000);
    assert_int_equal(plan.segment[1].mem_len_bytes, 0x3000);
}

static void the_file_header_is_checked(void **)
{
    static const struct {
        size_t at, size;
        uint64_t v;
    } cases[] = {
        { 0, 1, 0x7e },
        { 4, 1, 1 },
        { 5, 1, 2 },
        { 6, 1, 0 },
        { 7, 1, 9 },
        { 16, 2, 1 },
        { 16, 2, 4 },
        { 20, 4, 2 },
        { 18, 2, 3 },
        { 52, 2, 65 },
        { 54, 2, 57 },
        { 54, 2, 55 },
        { 56, 2, 0 },
        { 56, 2, ELF_PHDR_MAX + 1 },
        { 56, 2, 0xffff },
        { 32, 8, UINT64_MAX - 50 },
        { 32, 8, IMAGE_BYTES - 111 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        make(false);
        put(cases[i].at, cases[i].v, cases[i].size);
        assert_int_equal(check_made(), ERR_BAD_IMAGE);
    }
    make(false);
    put(7, 3, 1); /* marked for GNU/Linux: ordinary static programs are */
    assert_int_equal(check_made(), OK);
}

static void segment_rules(void **)
{
    static const char align[] = "ELF: segment alignment", range[] = "ELF: file range of a segment",
                      beyond[] = "ELF: segment beyond the user range",
                      overlap[] = "ELF: segments overlap, share a page or are out of order";
    static const struct {
        uint32_t phdr;
        size_t off;
        uint64_t v;
        const char *rule;
    } cases[] = {
        { 1, 4, 7, "ELF: segment both writable and executable" },
        { 1, 16, 0x402001, align },
        { 1, 48, 0x1800, align },
        { 1, 48, 0x800000, align },          /* vaddr and offset are not congruent to it */
        { 1, 32, 0x3001, range },            /* more in the file than in memory */
        { 1, 8, 0x3000 + 0x1000, range },    /* beyond the image */
        { 1, 8, UINT64_MAX - 0xfff, range }, /* wraps */
        { 1, 40, UINT64_MAX - 0x401fff, beyond },
        { 1, 40, UINT64_MAX, beyond }, /* wraps */
        { 1, 16, VX_UADDR_LIMIT - 0x2000, beyond },
        { 0, 16, VX_UADDR_MIN - 0x1000, "ELF: segment below the user range" },
        { 1, 16, 0x400000, overlap },
        { 1, 16, 0x3ff000, overlap },
        { 0, 40, 0x2001, overlap }, /* shares its last page with the next */
        { 0, 4, 4, "ELF: entry is not in an executable segment" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        make(false);
        set_phdr(cases[i].phdr, cases[i].off, cases[i].v);
        refused(cases[i].rule);
    }
}

static void edges_of_the_rules_are_allowed(void **)
{
    make(false);
    set_phdr(0, 40, 0x2000); /* ends where the next begins */
    assert_int_equal(check_made(), OK);
    make(false);
    set_phdr(1, 16, VX_UADDR_LIMIT - 0x3000);
    assert_int_equal(check_made(), OK);
    make(false);
    set_phdr(0, 16, VX_UADDR_MIN);
    put(24, VX_UADDR_MIN + 0x7ff, 8);
    assert_int_equal(check_made(), OK);
    put(24, VX_UADDR_MIN + 0x800, 8);
    refused("ELF: entry is not in an executable segment");
    make(false);
    set_phdr(1, 8, 0x3000); /* up to the last byte of the image */
    assert_int_equal(check_made(), OK);
    make(false);
    set_phdr(1, 48, 0); /* no alignment wanted */
    assert_int_equal(check_made(), OK);
}

static void segments_and_headers_have_their_numbers(void **)
{
    for (uint32_t extra = 0; extra < 2; extra++) {
        make(false);
        for (uint32_t i = 2; i < ELF_SEGMENTS_MAX + extra; i++)
            add_phdr(PT_LOAD, 4, 0, 0x500000 + i * PAGE, 16, 16, 0);
        add_phdr(PT_LOAD, 4, 0, 0, 0, 0, 0); /* empty ones do not count */
        while (made.n_phdrs < ELF_PHDR_MAX)
            add_phdr(0x60000000, 0, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, 3); /* unknown ones do not matter */
        assert_int_equal(check_made(), extra == 0 ? OK : ERR_BAD_IMAGE);
    }
}

static void interpreters_and_executable_stacks_are_refused(void **)
{
    make(false);
    add_phdr(PT_GNU_STACK, 6, 0, 0, 0, 0x20000, 16);
    assert_int_equal(check_made(), OK);
    set_phdr(2, 4, 7);
    refused("ELF: wants an executable stack");
    make(false);
    add_phdr(PT_INTERP, 4, 0x1000, 0x400000, 8, 8, 1);
    refused("ELF: wants an interpreter; link it statically");
    make(false);
    set_phdr(0, 0, 6);
    set_phdr(1, 0, 6);
    refused("ELF: nothing to load");
}

static void a_position_independent_image_must_fit_at_its_alignment(void **)
{
    make(true);
    set_phdr(0, 8, 0);
    set_phdr(0, 48, 1ull << 47);
    set_phdr(0, 16, 0);
    refused("ELF: does not fit the user range at its alignment");
    set_phdr(0, 48, 1ull << 45);
    assert_int_equal(check_made(), OK);
    set_phdr(1, 40, VX_UADDR_LIMIT - 0x2000);
    assert_int_equal(check_with(made.bytes, sizeof made.bytes, ELF_X86_64, UINT64_MAX), ERR_BAD_IMAGE);
    assert_string_equal(plan.error.what, "ELF: does not fit the user range at its alignment");
}

/* ---- damage ---- */

static void an_image_cut_anywhere_is_refused_or_planned_within_its_bounds(void **)
{
    for (size_t len = 0; len < sizeof arm_pie; len++)
        (void)check(arm_pie, len, ELF_AARCH64);
    for (size_t len = 0; len < 64 + 56 * 9; len++)
        assert_int_equal(check(arm_pie, len, ELF_AARCH64), ERR_BAD_IMAGE);
}

static void an_image_damaged_anywhere_is_refused_or_planned_within_its_bounds(void **)
{
    uint8_t *copy = exact_copy(x86_pie, sizeof x86_pie);
    for (size_t i = 0; i < sizeof x86_pie; i++)
        for (uint32_t v = 0; v < 256; v += i < 64 + 56 * 9 ? 1 : 51) {
            copy[i] = (uint8_t)v;
            (void)check(copy, sizeof x86_pie, ELF_X86_64);
            copy[i] = x86_pie[i];
        }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_executables_are_accepted),
        cmocka_unit_test(static_pie_executables_are_accepted),
        cmocka_unit_test(the_wrong_machine_is_refused),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(a_failing_read_is_passed_on_wherever_it_is),
        cmocka_unit_test(a_plain_image_is_planned),
        cmocka_unit_test(the_file_header_is_checked),
        cmocka_unit_test(segment_rules),
        cmocka_unit_test(edges_of_the_rules_are_allowed),
        cmocka_unit_test(segments_and_headers_have_their_numbers),
        cmocka_unit_test(interpreters_and_executable_stacks_are_refused),
        cmocka_unit_test(a_position_independent_image_must_fit_at_its_alignment),
        cmocka_unit_test(an_image_cut_anywhere_is_refused_or_planned_within_its_bounds),
        cmocka_unit_test(an_image_damaged_anywhere_is_refused_or_planned_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
