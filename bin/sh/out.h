/* SPDX-License-Identifier: MIT
 * Standard output of the shell itself. It is gathered, and goes out when a command of the shell ends; while a command
 * substitution needs no descriptor for it, into memory. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

void out_bytes(const char *bytes, size_t len);
void out_text(const char *text);
void out_char(char c);
[[gnu::format(printf, 1, 2)]] void out_format(const char *format, ...);
void out_format_va(const char *format, va_list args);
/* A word as the shell would read it again. */
void out_quoted(const char *text);
/* Writes what was gathered. False: somebody could not take it (since the last time this was asked). */
bool out_flush(void);

/* All of it; false with errno. */
bool fd_write(int fd, const char *bytes, size_t len);

/* Output that is kept in memory. */
struct capture {
    struct capture *outer;
    char *text;
    size_t len, room;
    bool real;      /* standard output is a pipe, which a thread empties into `text` */
    bool lost;      /* no memory for all of it */
    int saved, end; /* what standard output was before (-1: closed), and the pipe's other end */
    struct reader *reader;
};
void capture_begin(struct capture *c);
/* Gives standard output back; the text is then complete. Free it. */
void capture_end(struct capture *c);
/* Makes sure that descriptor 1 is where output goes: before anything but the shell itself writes to it. Throws. */
void capture_need_descriptor(void);
