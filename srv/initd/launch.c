/* SPDX-License-Identifier: MIT
 * Turning a line of the graph into a Task: its memory, its capabilities, its rings to us and to namingd. */
#include "initd.h"
#include <vectra/alloc.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_inbox.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { SPEC_BYTES = 16384, INBOX_SLOTS = 16 };

/* Everything that a launch makes, so that a failed one can be undone in one place. Handles that moved are cleared. */
struct launch {
    struct vx_spawn spawn;
    vx_handle_t made[GRAPH_CAPS_MAX];
    struct vx_client init, naming, tty; /* the child's ends */
    vx_ring_rx inbox;
    struct vx_session *session;
};

struct unit *naming_unit(void)
{
    int i = graph_provider(&initd.graph, "naming");
    return i < 0 ? nullptr : &initd.unit[i];
}

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* one that moved is gone, and that is what we want */
}

/* A power of two: `percent` of what is free in the root Reticle, if a block of that size is. */
static uint64_t share_of_root(uint32_t percent)
{
    struct vx_cap_facts facts = {};
    if (vx_sys_cap_inspect(vx_bundle_reticle("root").raw, &facts, nullptr) != OK)
        return TASK_MEMORY_DEFAULT;
    uint64_t wanted = facts.b / 100 * percent, bytes = TASK_MEMORY_MIN;
    /* Strictly by halves, a share of exactly half of a power of two would miss it by rounding. */
    while (bytes * 2 <= wanted + wanted / 16 && bytes * 2 <= facts.c)
        bytes *= 2;
    return bytes;
}

static status_t give_caps(struct launch *l, const struct graph_service *d)
{
    for (unsigned i = 0; i < d->n_caps; i++) {
        const struct graph_cap *c = &d->cap[i];
        vx_handle_t handle = VX_HANDLE_NONE;
        bool made = false;
        status_t st = source_find(c->source, &handle, &made);
        if (st != OK && c->optional)
            continue;
        if (st != OK) {
            initd_say("initd: %s: there is no \"%s\" to hand on: %s\n", d->name, c->source, vx_status_name(st));
            return st;
        }
        l->made[i] = made ? handle : VX_HANDLE_NONE;
        vx_spec_copy(&l->spawn.spec, c->slot, handle, c->rights);
    }
    return OK;
}

static void give_client(struct vx_spec *spec, const char *tx_name, const char *rx_name, const struct vx_client *c)
{
    vx_spec_move(spec, tx_name, c->tx.raw, VX_RIGHTS_TX);
    vx_spec_move(spec, rx_name, c->rx.raw, VX_RIGHTS_RX);
}

status_t unit_new_inbox(struct unit *u, vx_ring_rx *rx)
{
    drop(u->inbox.raw);
    u->inbox = (vx_ring_tx){};
    status_t st = vx_sys_ring_create(vx_bundle_reticle("root"), INBOX_SLOTS, VX_RING_CAPS, &u->inbox, rx);
    u->unpublished = st == OK;
    return st;
}

/* Its line to us, with our ends in a session. */
static status_t give_init(struct launch *l, struct unit *u)
{
    vx_ring_rx requests = {};
    vx_ring_tx replies = {};
    status_t st = vx_rpc_pair(vx_bundle_reticle("root"), &l->init, &requests, &replies);
    if (st != OK)
        return st;
    return vx_session_add(&initd.service, requests, replies, unit_badge(u), &l->session);
}

static status_t give_rings(struct launch *l, struct unit *u)
{
    const struct graph_service *d = u->decl;
    status_t st = give_init(l, u);
    if (st == OK && d->provides.count != 0)
        st = unit_new_inbox(u, &l->inbox);
    if (st == OK && d->uses.count != 0)
        st = naming_connect_for(unit_badge(u), &l->naming);
    if (st == OK && d->session)
        st = session_open(&l->tty);
    if (st != OK)
        return st;
    struct vx_spec *spec = &l->spawn.spec;
    give_client(spec, "init.tx", "init.rx", &l->init);
    give_client(spec, "naming.tx", "naming.rx", &l->naming);
    give_client(spec, "tty.tx", "tty.rx", &l->tty);
    vx_spec_move(spec, "inbox.rx", l->inbox.raw, VX_RIGHTS_RX);
    return OK;
}

/* The pool is carved once, whatever becomes of the Task: others use what was made in it. */
static status_t give_pool(struct launch *l, struct unit *u)
{
    const struct graph_service *d = u->decl;
    uint64_t bytes = d->pool_percent != 0 ? share_of_root(d->pool_percent) : d->pool_bytes;
    if (bytes == 0)
        return OK;
    if (u->pool.raw == VX_HANDLE_NONE) {
        status_t st = vx_sys_reticle_carve(vx_bundle_reticle("root"), bytes, &u->pool);
        if (st != OK)
            return st;
    }
    vx_spec_copy(&l->spawn.spec, "pool", u->pool.raw, VX_R_WRITE | VX_R_INSPECT);
    return OK;
}

/* argv: the unit's name and the graph's arguments, or what somebody started it with, or `sh -c COMMAND`. */
static void set_arguments(struct launch *l, const struct unit *u, const char **argv)
{
    size_t n = 0;
    const struct graph_service *d = u->decl;
    argv[n++] = d->session ? "sh" : d->name;
    if (u->argument[0] != '\0')
        argv[n++] = u->argument;
    for (unsigned i = 0; u->argument[0] == '\0' && i < d->arguments.count; i++)
        argv[n++] = d->arguments.word[i];
    if (d->session && initd.command != nullptr) {
        argv[n++] = "-c";
        argv[n++] = initd.command;
    }
    l->spawn.argc = n;
    l->spawn.argv = argv;
}

static status_t launch(struct launch *l, struct unit *u)
{
    const struct graph_service *d = u->decl;
    const char *argv[GRAPH_NAMES_MAX + 3];
    static const char *const env[] = { "PATH=/bin:/sbin:/test", "HOME=/", "TERM=vt100", "BENCH=1" };
    set_arguments(l, u, argv);
    struct vx_spawn *s = &l->spawn;
    s->path = d->image;
    s->payer = vx_bundle_reticle("root");
    s->band = d->band + 1;
    s->memory = d->memory_percent != 0 ? share_of_root(d->memory_percent) : d->memory_bytes;
    if (d->session) {
        s->env = env;
        s->n_env = sizeof env / sizeof env[0] - (initd.bench ? 0 : 1);
    }
    vx_spawn_begin(s);
    status_t st = give_caps(l, d);
    if (st == OK)
        st = give_rings(l, u);
    if (st == OK)
        st = give_pool(l, u);
    if (st == OK)
        st = vx_spawn_end(s, &u->task, &u->task_id);
    if (st == OK)
        st = vx_sys_bind(u->task.raw, unit_bit(u));
    return st;
}

status_t unit_launch(struct unit *u)
{
    struct launch *l = vx_alloc_zero(1, sizeof *l);
    void *buffer = vx_alloc(SPEC_BYTES);
    status_t st = l != nullptr && buffer != nullptr ? OK : ERR_NO_MEMORY;
    if (st == OK) {
        l->spawn.buffer = buffer;
        l->spawn.room = SPEC_BYTES;
        st = launch(l, u);
        for (unsigned i = 0; i < GRAPH_CAPS_MAX; i++)
            drop(l->made[i]);
        if (st != OK) {
            vx_client_close(&l->init);
            vx_client_close(&l->naming);
            vx_client_close(&l->tty);
            drop(l->inbox.raw);
            if (l->session != nullptr)
                vx_session_close(l->session);
        }
    }
    if (st == OK) {
        u->starts++;
        u->session = l->session;
        u->state = VX_INIT_STATE_STARTING;
        u->started_ns = vx_clock_monotonic_ns();
        initd.service.own_bits |= UINT64_C(1) << unit_bit(u);
    }
    vx_free(buffer);
    vx_free(l);
    return st;
}
