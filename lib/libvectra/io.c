/* SPDX-License-Identifier: MIT
 * Output and input by whatever the Bundle gives: a terminal session, the kernel's console, or nothing. */
#include <vectra/io.h>
#include <base/format.h>
#include <vectra/bundle.h>
#include <vectra/rpc_console.h>
#include <vectra/string.h>

struct vx_client *vx_tty(void)
{
    static struct vx_client tty;
    static bool looked;
    if (!looked) {
        looked = true;
        if (vx_client_from_bundle(&tty, "tty") != OK)
            tty = (struct vx_client){};
    }
    return tty.tx.raw == VX_HANDLE_NONE ? nullptr : &tty;
}

status_t vx_puts(const char *text)
{
    return vx_out(text, strlen(text));
}

struct line_buffer {
    size_t used;
    char text[192];
};

static void buffer_flush(struct line_buffer *b)
{
    (void)vx_out(b->text, b->used); /* output that nobody takes is not the program's failure */
    b->used = 0;
}

static void buffer_sink(void *ctx, const char *text, size_t len)
{
    struct line_buffer *b = ctx;
    while (len != 0) {
        size_t room = sizeof b->text - b->used, n = len < room ? len : room;
        memcpy(b->text + b->used, text, n);
        b->used += n;
        text += n;
        len -= n;
        if (b->used == sizeof b->text)
            buffer_flush(b);
    }
}

void vx_vprintf(const char *format, va_list args)
{
    struct line_buffer b;
    b.used = 0;
    format_va(buffer_sink, &b, format, args);
    buffer_flush(&b);
}

void vx_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vx_vprintf(format, args);
    va_end(args);
}

status_t vx_read_keys(void *bytes, size_t room, size_t *len, uint64_t deadline)
{
    struct vx_client *tty = vx_tty();
    uint8_t keys[sizeof((struct vx_console_read_keys_reply *)nullptr)->data];
    static size_t held, held_at;
    static uint8_t hold[sizeof keys];
    if (tty == nullptr || room == 0)
        return tty == nullptr ? ERR_NOT_FOUND : ERR_BAD_ARGUMENT;
    if (held == 0) {
        status_t st = vx_console_read_keys(tty, deadline, keys, &held);
        if (st != OK)
            return st;
        memcpy(hold, keys, held);
        held_at = 0;
    }
    *len = held < room ? held : room;
    memcpy(bytes, hold + held_at, *len);
    held_at += *len;
    held -= *len;
    return OK;
}

status_t vx_read_line(char *line, size_t room, size_t *len)
{
    struct vx_client *tty = vx_tty();
    if (tty == nullptr || room == 0)
        return tty == nullptr ? ERR_NOT_FOUND : ERR_BAD_ARGUMENT;
    bool cut = false;
    size_t used = 0;
    for (uint32_t flags = 0; (flags & VX_CONSOLE_LINE_END) == 0;) {
        uint8_t part[sizeof((struct vx_console_read_line_reply *)nullptr)->data];
        size_t n = 0;
        status_t st = vx_console_read_line(tty, 0, &flags, part, &n);
        if (st != OK)
            return st;
        if ((flags & VX_CONSOLE_LINE_EOF) != 0)
            return ERR_NOT_FOUND;
        if (n != 0 && part[n - 1] == '\n')
            n--;
        size_t fits = n < room - 1 - used ? n : room - 1 - used;
        cut = cut || fits != n;
        memcpy(line + used, part, fits);
        used += fits;
    }
    line[used] = '\0';
    *len = used;
    return cut ? ERR_TOO_BIG : OK;
}
