/* SPDX-License-Identifier: MIT
 * kprintf and the kernel log ring. Each line starts with the time since boot. Addresses of kernel memory are not
 * printed outside panics: the ring is readable by whoever initd gives it to. */
#include <abi/klog.h>
#include <abi/limits.h>
#include <base/format.h>
#include <kernel/entry.h>
#include <kernel/lock.h>
#include <kernel/log.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include <arch/timer.h>
#include <stdarg.h>

static union {
    struct vx_klog log;
    alignas(ARCH_PAGE_SIZE) uint8_t bytes[KERNEL_LOG_BYTES];
} ring; /* zero until the first text: 64 KiB that the image need not carry */
static log_level_t level = LOG_NORMAL;
static bool line_start = true;
static struct spinlock lock; /* LOCK_LOG: the ring, the line, the console */
static bool seized;

void log_set_level(log_level_t l)
{
    level = l;
}

static void console_write(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        arch_early_putc(bytes[i]);
}

/* Part of a line, with its end or not: a format_sink_t. */
static void put(void *ctx, const char *text, size_t len)
{
    const bool *echo = ctx;
    uint64_t at = atomic_load_explicit(&ring.log.written, memory_order_relaxed);
    if (at == 0) {
        ring.log.magic = VX_KLOG_MAGIC;
        ring.log.size = KERNEL_LOG_BYTES - sizeof(struct vx_klog);
    }
    for (size_t i = 0; i < len; i++, at++)
        ring.log.bytes[at % ring.log.size] = (uint8_t)text[i];
    /* release: a reader that sees the count sees the text. */
    atomic_store_explicit(&ring.log.written, at, memory_order_release);
    if (!*echo)
        return;
    bool newline = len != 0 && text[len - 1] == '\n'; /* pieces end at a newline, see sink() */
    console_write(text, newline ? len - 1 : len);
    if (newline)
        console_write("\r\n", 2);
}

static void put_format(bool *echo, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_va(put, echo, format, args);
    va_end(args);
}

static void sink(void *ctx, const char *text, size_t len)
{
    while (len != 0) {
        size_t n = 0;
        if (line_start) {
            unsigned long long us = arch_timer_now_ns() / 1000;
            put_format(ctx, "[%5llu.%06llu] ", us / 1000000, us % 1000000);
            line_start = false;
        }
        while (n < len && text[n] != '\n')
            n++;
        if (n < len) {
            n++;
            line_start = true;
        }
        put(ctx, text, n);
        text += n;
        len -= n;
    }
}

void log_va(log_level_t at, const char *format, va_list args)
{
    bool echo = level >= at;
    if (!seized)
        lock_take(&lock, LOCK_LOG);
    format_va(sink, &echo, format, args);
    if (!seized)
        lock_release(&lock, LOCK_LOG);
}

void log_seize(void)
{
    seized = true;
    level = LOG_NORMAL;
}

void log_console(const char *text, size_t len)
{
    lock_take(&lock, LOCK_LOG);
    console_write(text, len);
    lock_release(&lock, LOCK_LOG);
}

void log_at(log_level_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_va(at, format, args);
    va_end(args);
}

paddr_t log_ring(size_t *bytes)
{
    *bytes = sizeof ring;
    return arch_virt_to_phys(&ring);
}
