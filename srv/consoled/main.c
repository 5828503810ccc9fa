/* SPDX-License-Identifier: MIT
 * consoled: the terminal on the serial port. Bytes come by interrupt and pass the line discipline (ldisc.c) to the
 * session in front; output goes through the kernel's console. One thread, nothing allocated after the start. */
#include "term.h"
#include "uart.h"
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/time.h>

enum : uint32_t { BIT_UART = VX_SERVICE_BIT_FIRST, SESSIONS_MAX = 32 };

static void on_signal(struct vx_service *svc, uint64_t bits)
{
    (void)svc;
    (void)bits;
    uint8_t bytes[64];
    size_t n;
    do {
        n = uart_read(bytes, sizeof bytes);
        term_input(bytes, n);
    } while (n == sizeof bytes);
}

static void on_deadline(struct vx_service *svc, uint64_t now_ns)
{
    (void)svc;
    term_expire(now_ns);
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    struct con *c = s->state;
    term_cancel(s); /* a client that asks again has given up waiting for the answer before */
    c->sequence = vx_rpc_sequence(in->message.word[0]);
    return vx_console_dispatch(&term_ops, s, in);
}

static const struct vx_need needs[] = {
    { "console", VX_CAP_CONSOLE, false },
    { "uart", VX_CAP_DEVICE, true },
    { "uart.irq", VX_CAP_IRQ, true },
};

static struct vx_service service = {
    .name = "consoled",
    .needs = needs,
    .n_needs = sizeof needs / sizeof needs[0],
    .session_bytes = sizeof(struct con),
    .sessions_max = SESSIONS_MAX,
    .dispatch = dispatch,
    .opened = term_opened,
    .closed = term_closed,
    .on_signal = on_signal,
    .own_bits = UINT64_C(1) << BIT_UART,
    .on_deadline = on_deadline,
    .deadline_ns = VX_FOREVER,
};

/* Without a serial port that it can drive, the terminal still writes. */
static status_t open_input(void)
{
    vx_device uart = vx_bundle_device("uart");
    vx_irq irq = vx_bundle_irq("uart.irq");
    if (uart.raw == 0 || irq.raw == 0)
        return ERR_NOT_FOUND;
    status_t st = uart_open(uart);
    return st == OK ? vx_sys_device_bind_irq(irq, BIT_UART) : st;
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    term.service = &service;
    term.console = vx_bundle_console("console");
    ldisc_init(&term.ldisc);
    winsize_init(&term.size);
    status_t st = open_input();
    if (st != OK)
        vx_printf("consoled: no input from the serial port: %s\n", vx_status_text(st));
    else
        on_signal(&service, service.own_bits); /* what came before the interrupt was bound */
    return vx_service_run(&service) == OK ? 0 : 1;
}
