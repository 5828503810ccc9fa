/* SPDX-License-Identifier: MIT
 * consoled with hostile clients while keys arrive: any messages, any capabilities, any failing calls. The foreground is
 * nobody or a session that is open, and no capability is lost. */
// sources: lib/libvectra/service.c lib/libvectra/rpc.c lib/libvectra/names.c lib/libvectra/string.c
// sources: srv/consoled/ops.c srv/consoled/term.c srv/consoled/ldisc.c srv/consoled/winsize.c
#define HOST_OPS 19
#include "service_host.h"
#include <srv/consoled/term.h>

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    struct con *c = s->state;
    term_cancel(s);
    c->sequence = vx_rpc_sequence(in->message.word[0]);
    return vx_console_dispatch(&term_ops, s, in);
}

static void check_foreground(void)
{
    bool found = term.foreground == 0;
    for (struct vx_session *s = vx_session_next(term.service, nullptr); s != nullptr;
         s = vx_session_next(term.service, s))
        found |= ((struct con *)s->state)->id == term.foreground;
    require(found);
}

static void on_signal(struct vx_service *, uint64_t)
{
    uint8_t keys[8];
    size_t n = host_byte() % sizeof keys;
    for (size_t i = 0; i < n; i++)
        keys[i] = host_byte();
    term_input(keys, n);
    check_foreground();
}

static void on_deadline(struct vx_service *, uint64_t now_ns)
{
    term_expire(now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vx_service svc = { .name = "consoled",
                              .session_bytes = sizeof(struct con),
                              .dispatch = dispatch,
                              .opened = term_opened,
                              .closed = term_closed,
                              .on_signal = on_signal,
                              .own_bits = UINT64_C(1) << VX_SERVICE_BIT_FIRST,
                              .on_deadline = on_deadline };
    term = (struct term){ .service = &svc };
    ldisc_init(&term.ldisc);
    winsize_init(&term.size);
    host_begin(&svc, data, size);
    svc.inbox = (vx_ring_rx){ host_new() };
    (void)host_client(&svc, 1);
    (void)host_client(&svc, 2);
    host_serve(&svc);
    require(host_live() == 0);
    return 0;
}
