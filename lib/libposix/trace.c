/* SPDX-License-Identifier: MIT
 * A line is made in one piece and given to the console as one, so that those of several processes do not mix. What
 * arguments point to is read through the kernel: a bad pointer is a program's fault, and not this one's to find. */
#define _GNU_SOURCE
#include "trace.h"
#include "process.h"
#include <base/format.h>
#include <fcntl.h>
#include <sys/syscall.h>

enum : size_t { LINE_MAX_BYTES = 512, SHOWN_BYTES = 32, SHOWN_TEXT = 128, SHOWN_WORDS = 8 };

bool px_tracing;

/* --- what the tables say. Without pointers, which would make them pages of each process's own, and without gaps: they
 * are in every program, and read in few. The texts stand behind each other, in the order of their numbers. --- */

static const uint16_t call_numbers[] = {
#define DONE(name, n, text) SYS_##name,
#define REFUSED(name, error, text) SYS_##name,
#define LATER(name, error, text) SYS_##name,
#include "calls.def"
#undef DONE
#undef REFUSED
#undef LATER
};
/* The first character says how many arguments it has. */
static const char call_names[] =
#define DONE(name, n, text) #n #name "\0"
#define REFUSED(name, error, text) "0" #name "\0"
#define LATER(name, error, text) "0" #name "\0"
#include "calls.def"
#undef DONE
#undef REFUSED
#undef LATER
    ;

static const uint16_t letters_numbers[] = {
#define TRACE(name, text) SYS_##name,
#define ERROR(name)
#include "trace.def"
#undef TRACE
#undef ERROR
};
static const char letters[] =
#define TRACE(name, text) text "\0"
#define ERROR(name)
#include "trace.def"
#undef TRACE
#undef ERROR
    ;

static const uint16_t error_numbers[] = {
#define TRACE(name, text)
#define ERROR(name) name,
#include "trace.def"
#undef TRACE
#undef ERROR
};
static const char error_names[] =
#define TRACE(name, text)
#define ERROR(name) #name "\0"
#include "trace.def"
#undef TRACE
#undef ERROR
    ;

/* The text of a number, or nullptr. */
static const char *text_of(long number, const uint16_t *numbers, size_t n, const char *texts)
{
    for (size_t i = 0; i < n; i++, texts += strlen(texts) + 1)
        if (numbers[i] == number)
            return texts;
    return nullptr;
}
#define TEXT_OF(number, numbers, texts) text_of(number, numbers, sizeof(numbers) / sizeof(numbers)[0], texts)

static const struct {
    unsigned long bit;
    char name[16];
} open_flags[] = { { O_CREAT, "O_CREAT" },       { O_EXCL, "O_EXCL" },         { O_TRUNC, "O_TRUNC" },
                   { O_APPEND, "O_APPEND" },     { O_NONBLOCK, "O_NONBLOCK" }, { O_DIRECTORY, "O_DIRECTORY" },
                   { O_NOFOLLOW, "O_NOFOLLOW" }, { O_CLOEXEC, "O_CLOEXEC" },   { O_NOCTTY, "O_NOCTTY" },
                   { O_PATH, "O_PATH" } };

/* --- a line --- */

struct line {
    size_t used;
    char text[LINE_MAX_BYTES];
};

static void add(struct line *l, const char *text, size_t len)
{
    size_t room = sizeof l->text - 1 - l->used; /* one stays for the newline */
    len = len < room ? len : room;
    memcpy(l->text + l->used, text, len);
    l->used += len;
}

[[gnu::format(printf, 2, 3)]] static void say(struct line *l, const char *format, ...)
{
    char text[64];
    va_list args;
    va_start(args, format);
    size_t len = format_into_va(text, sizeof text, format, args);
    va_end(args);
    add(l, text, len < sizeof text ? len : sizeof text - 1);
}

static void print(struct line *l)
{
    uint64_t taken = 0;
    vx_console console = vx_bundle_console("console");
    l->text[l->used++] = '\n';
    if (console.raw != VX_HANDLE_NONE)
        (void)vx_sys_console_write(console.raw, l->text, l->used, &taken);
}

/* Up to `room` bytes, as many as can be read. */
static size_t peek(long at, char *to, size_t room)
{
    uint64_t done = 0;
    if (vx_sys_task_control(VX_SELF, VX_TASK_READ_MEM, (uint64_t)at, (uintptr_t)to, room, &done, nullptr) == OK)
        return (size_t)done;
    /* not all of it: up to the end of the page */
    room = (size_t)(-at & (long)(PX_PAGE - 1)) < room ? (size_t)(-at & (long)(PX_PAGE - 1)) : 0;
    return room != 0 && vx_sys_task_control(VX_SELF, VX_TASK_READ_MEM, (uint64_t)at, (uintptr_t)to, room, &done,
                                            nullptr) == OK
               ? (size_t)done
               : 0;
}

static void add_escaped(struct line *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        if (c == '\n')
            add(l, "\\n", 2);
        else if (c == '"' || c == '\\')
            say(l, "\\%c", c);
        else if (c >= ' ' && c <= '~')
            add(l, &c, 1);
        else
            say(l, "\\x%02x", (unsigned char)c);
    }
}

static void add_bytes(struct line *l, long at, size_t n)
{
    char bytes[SHOWN_BYTES];
    size_t shown = peek(at, bytes, n < sizeof bytes ? n : sizeof bytes);
    if (shown == 0 && n != 0) {
        say(l, "%#lx", (unsigned long)at);
        return;
    }
    add(l, "\"", 1);
    add_escaped(l, bytes, shown);
    say(l, "\"%s", shown < n ? "..." : "");
}

static void add_text(struct line *l, long at)
{
    char text[SHOWN_TEXT];
    size_t n = at != 0 ? peek(at, text, sizeof text) : 0, len = strnlen(text, n);
    if (n == 0) {
        if (at == 0)
            add(l, "NULL", 4);
        else
            say(l, "%#lx", (unsigned long)at);
        return;
    }
    add(l, "\"", 1);
    add_escaped(l, text, len);
    say(l, "\"%s", len == n ? "..." : "");
}

static void add_open_flags(struct line *l, unsigned long flags)
{
    static const char modes[][12] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
    say(l, "%s", modes[flags & O_ACCMODE & 3]);
    flags &= ~(unsigned long)(O_ACCMODE & 3) & ~(unsigned long)O_LARGEFILE;
    for (size_t i = 0; i < sizeof open_flags / sizeof open_flags[0]; i++)
        if ((flags & open_flags[i].bit) != 0) {
            say(l, "|%s", open_flags[i].name);
            flags &= ~open_flags[i].bit;
        }
    if (flags != 0)
        say(l, "|%#lx", flags);
}

static void add_argument(struct line *l, char letter, long value, long next, const long *answer)
{
    switch (letter) {
    case 'd':
        say(l, "%d", (int)value);
        break;
    case 'u':
        say(l, "%lu", (unsigned long)value);
        break;
    case 'o':
        say(l, "%#o", (unsigned)value);
        break;
    case 'f':
        if ((int)value == AT_FDCWD)
            add(l, "AT_FDCWD", 8);
        else
            say(l, "%d", (int)value);
        break;
    case 'O':
        add_open_flags(l, (unsigned)value);
        break;
    case 's':
        add_text(l, value);
        break;
    case 'w':
        add_bytes(l, value, (size_t)next);
        break;
    case 'r':
        if (answer != nullptr && *answer >= 0)
            add_bytes(l, value, (size_t)*answer);
        else
            say(l, "%#lx", (unsigned long)value);
        break;
    default:
        if (value == 0)
            add(l, "0", 1);
        else
            say(l, "%#lx", (unsigned long)value);
        break;
    }
}

static void add_call(struct line *l, long number, const long *arguments, const long *answer)
{
    const char *name = TEXT_OF(number, call_numbers, call_names);
    const char *letter = TEXT_OF(number, letters_numbers, letters);
    size_t n = letter != nullptr ? strlen(letter) : name != nullptr ? (size_t)(name[0] - '0') : 6;
    say(l, "[%u] ", px_pid);
    if (name != nullptr)
        say(l, "%s(", name + 1);
    else
        say(l, "call_%ld(", number);
    for (size_t i = 0; i < n; i++) {
        add(l, ", ", i != 0 ? 2 : 0);
        add_argument(l, letter != nullptr ? letter[i] : 'x', arguments[i], i + 1 < 6 ? arguments[i + 1] : 0, answer);
    }
    add(l, ")", 1);
}

static void add_answer(struct line *l, long answer)
{
    const char *error = TEXT_OF(-answer, error_numbers, error_names);
    if (answer >= 0 && answer < 0x100000)
        say(l, " = %ld", answer);
    else if (answer >= 0 || answer < -4095)
        say(l, " = %#lx", (unsigned long)answer);
    else if (error != nullptr)
        say(l, " = -1 %s", error);
    else
        say(l, " = -1 errno %lu", (unsigned long)-answer);
}

/* --- the interface --- */

void px_trace_init(const char *env, size_t len)
{
    static const char name[] = "VECTRA_TRACE=1";
    for (size_t at = 0; at + sizeof name <= len; at += strnlen(env + at, len - at) + 1)
        if (memcmp(env + at, name, sizeof name) == 0)
            px_tracing = true;
}

void px_trace_call(long number, const long arguments[static 6], long answer)
{
    struct line l;
    l.used = 0;
    add_call(&l, number, arguments, &answer);
    add_answer(&l, answer);
    print(&l);
}

void px_trace_begins(long number, const long arguments[static 6])
{
    struct line l;
    l.used = 0;
    if (number != SYS_exit_group && number != SYS_execve && number != SYS_exit)
        return;
    add_call(&l, number, arguments, nullptr);
    print(&l);
}

void px_trace_spawn(const char *path, char *const *argv, long answer)
{
    struct line l;
    l.used = 0;
    say(&l, "[%u] posix_spawn(", px_pid);
    add_text(&l, (long)path);
    add(&l, ", [", 3);
    for (size_t i = 0; argv != nullptr && argv[i] != nullptr; i++) {
        if (i == SHOWN_WORDS) {
            add(&l, ", ...", 5);
            break;
        }
        add(&l, ", ", i != 0 ? 2 : 0);
        add_text(&l, (long)argv[i]);
    }
    add(&l, "])", 2);
    add_answer(&l, answer);
    print(&l);
}

void px_trace_signal(int signal)
{
    struct line l;
    l.used = 0;
    say(&l, "[%u] --- signal %d ---", px_pid, signal);
    print(&l);
}
