// sources: lib/libvectra/relocate.c
/* SPDX-License-Identifier: MIT
 * An image in an array relocates itself, or says that it cannot. */
#include "host.h"
#include "lib/libvectra/start.h"
#include <isa/machine.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What the linker makes: addresses count from the start of the image. */
static struct image {
    struct elf_phdr phdr[2];
    struct {
        uint64_t tag, value;
    } dynamic[5];
    struct {
        uint64_t address, info, addend;
    } rela[3];
    uint64_t word[3];
} image;
static struct vx_bundle bundle;

static int fresh(void **)
{
    image = (struct image){
        .phdr = { { .type = 1 }, { .type = 2, .vaddr = offsetof(struct image, dynamic) } },
        .dynamic = { { 7, offsetof(struct image, rela) }, { 8, sizeof image.rela }, { 9, 24 }, { 0x6ffffffb, 1 } },
        .word = { 1, 2, 3 },
    };
    for (size_t i = 0; i < COUNT(image.rela); i++) {
        image.rela[i].address = offsetof(struct image, word) + i * 8;
        image.rela[i].info = isa_relative_relocation;
        image.rela[i].addend = 0x100 * i;
    }
    bundle = (struct vx_bundle){ .image_base = (uint64_t)(uintptr_t)&image,
                                 .phdr_address = (uint64_t)(uintptr_t)image.phdr,
                                 .phdr_count = COUNT(image.phdr) };
    return 0;
}

static void every_word_becomes_its_addend_behind_the_start_of_the_image(void **)
{
    assert_true(vx_relocate(&bundle));
    for (size_t i = 0; i < COUNT(image.word); i++)
        assert_int_equal(image.word[i], bundle.image_base + 0x100 * i);
    assert_true(vx_relocate(&bundle)); /* once more changes nothing */
    assert_int_equal(image.word[2], bundle.image_base + 0x200);
}

static void an_image_without_a_dynamic_section_stays_as_it_is(void **)
{
    image.phdr[1].type = 7;
    assert_true(vx_relocate(&bundle));
    assert_int_equal(image.word[0], 1);
    bundle.phdr_address = 0;
    assert_true(vx_relocate(&bundle));
    assert_int_equal(image.word[0], 1);
}

static void dynamic_entries_are_judged(void **)
{
    static const struct {
        uint64_t tag, value;
        bool expected;
    } cases[] = {
        { 0x6ffffffb, 0x8000000, true },
        { 2, 0, true },
        { 0, 0, true },   /* the end */
        { 1, 0, false },  /* NEEDED */
        { 2, 24, false }, /* PLTRELSZ */
        { 8, 25, false }, /* half an entry */
        { 9, 16, false }, /* entries of another size */
        { 17, 0, false }, /* REL */
        { 22, 0, false }, /* TEXTREL */
        { 36, 0, false }, /* RELR */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        fresh(nullptr);
        image.dynamic[3].tag = cases[i].tag;
        image.dynamic[3].value = cases[i].value;
        assert_int_equal(vx_relocate(&bundle), cases[i].expected);
    }
    fresh(nullptr);
    image.dynamic[3].tag = 0;
    image.dynamic[4].tag = 1; /* behind the end: not looked at */
    assert_true(vx_relocate(&bundle));
}

static void a_relocation_of_another_kind_or_with_a_symbol_is_refused(void **)
{
    static const uint64_t infos[] = { 1, 37, UINT64_C(1) << 32 | isa_relative_relocation };
    for (size_t i = 0; i < COUNT(infos); i++) {
        fresh(nullptr);
        image.rela[1].info = infos[i];
        assert_false(vx_relocate(&bundle));
        assert_int_equal(image.word[1], 2);
    }
}

int main(int, char **)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_word_becomes_its_addend_behind_the_start_of_the_image, fresh),
        cmocka_unit_test_setup(an_image_without_a_dynamic_section_stays_as_it_is, fresh),
        cmocka_unit_test_setup(dynamic_entries_are_judged, fresh),
        cmocka_unit_test_setup(a_relocation_of_another_kind_or_with_a_symbol_is_refused, fresh),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
