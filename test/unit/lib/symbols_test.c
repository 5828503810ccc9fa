/* SPDX-License-Identifier: MIT
 * Names for addresses in files that are built here, whole and damaged. */
// sources: lib/libvectra/symbols.c
#include "host.h"
#include <elf.h>
#include <stdio.h>
#include <vectra/symbols.h>

enum { SYMBOLS = 70 }; /* more than are read at once */

static struct file {
    Elf64_Ehdr header;
    Elf64_Shdr section[3];
    Elf64_Sym symbol[SYMBOLS];
    char names[4096];
} file;
static unsigned n_symbols;
static size_t names_used;

static void add(const char *name, uint64_t value, uint64_t bytes, unsigned char type)
{
    file.symbol[n_symbols++] = (Elf64_Sym){
        .st_name = (Elf64_Word)names_used, .st_info = type, .st_shndx = 1, .st_value = value, .st_size = bytes
    };
    memcpy(file.names + names_used, name, strlen(name) + 1);
    names_used += strlen(name) + 1;
    file.section[1].sh_size = n_symbols * sizeof file.symbol[0];
    file.section[2].sh_size = names_used;
}

static int fresh(void **)
{
    file = (struct file){ .header = { .e_ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
                                      .e_shoff = offsetof(struct file, section),
                                      .e_shentsize = sizeof(Elf64_Shdr),
                                      .e_shnum = 3 },
                          .section = { [1] = { .sh_type = SHT_SYMTAB,
                                               .sh_offset = offsetof(struct file, symbol),
                                               .sh_entsize = sizeof(Elf64_Sym),
                                               .sh_link = 2 },
                                       [2] = { .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct file, names) } } };
    n_symbols = 0;
    names_used = 1;
    add("", 0, 0, 0);
    constexpr unsigned char function = ELF64_ST_INFO(STB_LOCAL, STT_FUNC), mark = ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE);
    add("first", 0x1000, 0x100, function);
    add("second", 0x1100, 0x80, function);
    add("$x", 0x1140, 0, mark);
    add("data", 0x1150, 8, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT));
    add("_start", 0x2000, 0, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE));
    return 0;
}

static const char *name_at(uint64_t address, uint64_t *start)
{
    static struct vx_symbol s;
    s = (struct vx_symbol){ .address = address };
    vx_symbols_find_in(&file, sizeof file, &s, 1);
    if (start != nullptr)
        *start = s.start;
    return s.name;
}

static void an_address_has_the_name_of_the_function_around_it(void **)
{
    uint64_t start = 0;
    assert_string_equal(name_at(0x1000, &start), "first");
    assert_int_equal(start, 0x1000);
    assert_string_equal(name_at(0x10ff, &start), "first");
    assert_string_equal(name_at(0x1160, &start), "second"); /* neither the mark nor the data in it */
    assert_int_equal(start, 0x1100);
    assert_string_equal(name_at(0x2010, nullptr), "_start"); /* it does not say how long it is */
}

static void between_functions_and_before_them_there_is_no_name(void **)
{
    assert_string_equal(name_at(0xfff, nullptr), "");
    assert_string_equal(name_at(0x1180, nullptr), "");
}

static void many_addresses_are_found_in_one_search(void **)
{
    struct vx_symbol s[SYMBOLS];
    char name[16];
    for (unsigned i = n_symbols; i < SYMBOLS; i++) {
        snprintf(name, sizeof name, "f%u", i);
        add(name, 0x3000 + i * 16, 16, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
    }
    for (unsigned i = 0; i < SYMBOLS; i++)
        s[i] = (struct vx_symbol){ .address = 0x3000 + i * 16 + 3 };
    vx_symbols_find_in(&file, sizeof file, s, SYMBOLS);
    assert_string_equal(s[5].name, "_start");
    for (unsigned i = 6; i < SYMBOLS; i++) {
        snprintf(name, sizeof name, "f%u", i);
        assert_string_equal(s[i].name, name);
    }
}

static void a_name_is_cut_and_nothing_of_it_is_obeyed_by_a_terminal(void **)
{
    char name[200], want[SYMBOL_NAME_MAX] = {};
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    name[1] = '\x1b';
    add(name, 0x5000, 4, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
    memset(want, 'n', sizeof want - 1);
    want[1] = '?';
    assert_string_equal(name_at(0x5000, nullptr), want);
}

static void a_table_of_too_many_symbols_is_not_searched(void **)
{
    file.section[1].sh_size = (uint64_t)(SYMBOLS_MAX + 1) * sizeof(Elf64_Sym);
    assert_string_equal(name_at(0x1000, nullptr), "");
    file.section[1].sh_size = (uint64_t)SYMBOLS_MAX * sizeof(Elf64_Sym); /* searched up to the file's end: no name */
    assert_string_equal(name_at(0x1000, nullptr), "");
}

static void a_file_cut_anywhere_has_names_or_has_none(void **)
{
    struct vx_symbol s;
    for (size_t len = 0; len < offsetof(struct file, names) + names_used; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, &file, len);
        s = (struct vx_symbol){ .address = 0x1000 };
        vx_symbols_find_in(cut, len, &s, 1);
        assert_true(s.name[0] == '\0' || strcmp(s.name, "first") == 0);
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_has_the_name_of_the_function_around_it, fresh),
        cmocka_unit_test_setup(between_functions_and_before_them_there_is_no_name, fresh),
        cmocka_unit_test_setup(many_addresses_are_found_in_one_search, fresh),
        cmocka_unit_test_setup(a_name_is_cut_and_nothing_of_it_is_obeyed_by_a_terminal, fresh),
        cmocka_unit_test_setup(a_table_of_too_many_symbols_is_not_searched, fresh),
        cmocka_unit_test_setup(a_file_cut_anywhere_has_names_or_has_none, fresh),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
