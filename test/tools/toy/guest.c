// SPDX-License-Identifier: MIT
// A guest of one page for the tests of the harness: boots by PVH, speaks the `exec` protocol on COM1, and misbehaves
// on request. It is no VectraOS; it only stands in for one, so that the harness is tested without a kernel.
#include <stddef.h>
#include <stdint.h>

struct pvh_info {
    uint32_t magic, version, flags, n_modules;
    uint64_t modules, command_line;
};
struct pvh_module {
    uint64_t base, size, command_line, reserved;
};

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c)
{
    while ((in8(0x3fd) & 0x20) == 0) {
    }
    out8(0x3f8, (uint8_t)c);
}

static void print(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

[[noreturn]] static void power_off(void)
{
    out16(0x604, 0x2000);
    for (;;) {
    }
}

static bool starts(const char *text, const char *with)
{
    while (*with != '\0') {
        if (*text++ != *with++) {
            return false;
        }
    }
    return true;
}

// The data of /run/exec: the last entry of that name in the newc archives at `at`.
static const char *find_exec(const char *at, size_t size, size_t *len)
{
    const char *found = nullptr;
    for (size_t i = 0; i + 120 < size; i += 4) {
        if (starts(at + i, "070701") && starts(at + i + 110, "run/exec")) {
            size_t n = 0;
            for (size_t d = 54; d < 62; d++) {
                char c = at[i + d];
                n = n * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
            }
            *len = n;
            found = at + i + 120;
        }
    }
    return found;
}

static void marker(const char *text, const char *nonce)
{
    print(text);
    for (size_t i = 0; i < 32; i++) {
        put(nonce[i]);
    }
}

static void finish(const char *nonce, unsigned int status)
{
    marker("\x03VX-END ", nonce);
    put(' ');
    if (status >= 100) {
        put((char)('0' + status / 100));
    }
    if (status >= 10) {
        put((char)('0' + status / 10 % 10));
    }
    put((char)('0' + status % 10));
    put('\n');
    power_off();
}

// A console that answers lines, for the tests of `send` and `expect`.
static void console(void)
{
    for (;;) {
        print("toy> ");
        char line[64];
        size_t n = 0;
        for (;;) {
            while ((in8(0x3fd) & 1) == 0) {
            }
            char c = (char)in8(0x3f8);
            if (c == '\r' || n == sizeof line - 1) {
                break;
            }
            line[n++] = c;
        }
        line[n] = '\0';
        if (starts(line, "off")) {
            power_off();
        }
        print("you said ");
        print(line);
        put('\n');
    }
}

void toy_main(const struct pvh_info *info);
void toy_main(const struct pvh_info *info)
{
    const struct pvh_module *module = (const struct pvh_module *)(uintptr_t)info->modules;
    const char *command_line = (const char *)(uintptr_t)info->command_line;
    print("toy: up\n[stage] boot: ok\n");
    size_t len = 0;
    const char *spec =
        info->n_modules == 0 ? nullptr : find_exec((const char *)(uintptr_t)module->base, (size_t)module->size, &len);
    if (spec == nullptr) {
        print("toy: nothing to run: ");
        print(command_line != nullptr ? command_line : "");
        put('\n');
        console();
        return;
    }
    const char *command = spec + 33;
    if (starts(command, "die-early")) {
        power_off();
    }
    if (starts(command, "panic-early")) {
        print("KERNEL PANIC: early\n");
        power_off();
    }
    if (starts(command, "hang-early")) {
        for (;;) {
        }
    }
    marker("\x02VX-BEGIN ", spec);
    put('\n');
    if (starts(command, "echo ")) {
        for (size_t i = 38; i < len; i++) {
            put(spec[i]);
        }
        put('\n');
        finish(spec, 0);
    }
    if (starts(command, "exit ")) {
        unsigned int status = 0;
        for (size_t i = 38; i < len; i++) {
            status = status * 10 + (unsigned int)(spec[i] - '0');
        }
        finish(spec, status);
    }
    if (starts(command, "bytes")) {
        for (unsigned int i = 0; i < 256; i++) {
            put((char)i);
        }
        print("\x03VX-END 00 7\n\x03VX-END ");
        finish(spec, 0);
    }
    if (starts(command, "tap")) {
        print("ok 1 - one\nok 2 - two\nnot ok 3 - three - broke\n# done: 2 passed, 1 failed\n");
        finish(spec, 1);
    }
    if (starts(command, "cut")) {
        print("ok 1 - one\n");
        finish(spec, 0);
    }
    if (starts(command, "panic")) {
        print("partial\nKERNEL PANIC: on request\n");
        power_off();
    }
    if (starts(command, "die")) {
        power_off();
    }
    print("hanging\n");
    for (;;) {
    }
}

__asm__(".section .note.pvh, \"a\", @note\n"
        ".long 4, 4, 18\n"
        ".asciz \"Xen\"\n"
        ".long toy_start\n"
        ".text\n"
        ".globl toy_start\n"
        "toy_start:\n"
        "    movl $toy_stack_end, %esp\n"
        "    pushl %ebx\n"
        "    call toy_main\n"
        "1:  hlt\n"
        "    jmp 1b\n"
        ".bss\n"
        ".balign 16\n"
        "    .skip 8192\n"
        "toy_stack_end:\n");
