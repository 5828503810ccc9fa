/* SPDX-License-Identifier: MIT
 * Storms on Rings: a mesh of threads, calls and mapped Rings between Tasks, capabilities that travel in a circle of
 * Tasks, and servers that are killed while others call them. */
#include "stress.h"
#include <vectra/ring.h>

struct ends {
    vx_handle_t tx, rx;
};

static struct ends ring(uint32_t slots, uint32_t flags)
{
    struct vx_result r = SYS(ring_create, 0, slots, flags);
    return vx_result_status(r.value) == OK ? (struct ends){ (vx_handle_t)r.value, (vx_handle_t)r.second }
                                           : (struct ends){};
}

#define RIGHTS_OF_TX (VX_R_SEND | VX_R_SIGNAL | VX_R_MOVE)
#define RIGHTS_OF_RX (VX_R_RECV | VX_R_SIGNAL | VX_R_BIND | VX_R_WAIT | VX_R_MOVE)

/* A part that reads from one ring and writes to another; our ends are in *ours. */
static vx_handle_t peer(struct storm *s, const char *role, uint32_t flags, struct ends *ours)
{
    struct vx_spawn spawn;
    const char *argv[] = { "/test/stress", role };
    struct ends there = ring(4, flags), back = ring(4, flags);
    play_begin(&spawn, s->image, 2, argv, 128 << 10);
    vx_spec_move(&spawn.spec, "rx", there.rx, RIGHTS_OF_RX);
    vx_spec_move(&spawn.spec, "tx", back.tx, RIGHTS_OF_TX);
    *ours = (struct ends){ there.tx, back.rx };
    vx_handle_t task = play_start(&spawn);
    if (task == 0)
        (void)storm_fail(s, "a peer could not be started", 0);
    return task;
}

static void drop(struct ends e)
{
    (void)SYS(cap_drop, e.tx);
    (void)SYS(cap_drop, e.rx);
}

/* --- parts --- */

int part_serve(void)
{
    struct vx_message m;
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw, rx = vx_bundle_ring_rx("rx").raw;
    status_t st = STATUS(ring_recv, rx, P(&m), play_soon());
    while (st == OK) {
        m.word[0]++;
        st = STATUS(ring_call, tx, P(&m), rx, P(&m), play_soon());
    }
    return st == ERR_PEER_CLOSED ? 0 : -(int)st;
}

int part_mapped(void)
{
    struct vx_ring_producer p;
    struct vx_ring_consumer c;
    struct vx_message m;
    if (vx_ring_producer_open(&p, vx_bundle_ring_tx("tx")) != OK ||
        vx_ring_consumer_open(&c, vx_bundle_ring_rx("rx")) != OK)
        return 100;
    status_t st;
    while ((st = vx_ring_pop_wait(&c, &m, play_soon())) == OK) {
        m.word[0]++;
        if ((st = vx_ring_push_wait(&p, &m, play_soon())) != OK)
            break;
    }
    return st == ERR_PEER_CLOSED ? 0 : -(int)st;
}

/* Hands every capability on; every fifth time it makes a narrower one of it first. */
int part_pass(void)
{
    struct vx_message m;
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw, rx = vx_bundle_ring_rx("rx").raw;
    for (unsigned n = 0;; n++) {
        struct vx_result r = SYS(ring_recv_cap, rx, P(&m), play_soon());
        status_t st = vx_result_status(r.value);
        if (st != OK)
            return st == ERR_PEER_CLOSED ? 0 : -(int)st;
        uint64_t cap = r.value;
        if (cap != 0 && n % 5 == 4) {
            uint64_t weak = SYS(cap_narrow, cap, VX_R_WAIT | VX_R_SIGNAL | VX_R_COPY | VX_R_MOVE, 0, 0).value;
            if (vx_result_status(weak) == OK) { /* not when it was revoked meanwhile */
                (void)SYS(cap_drop, cap);
                cap = weak;
            }
        }
        st = cap != 0 ? STATUS(ring_send_cap, tx, P(&m), cap, play_soon()) : STATUS(ring_send, tx, P(&m), play_soon());
        if (cap != 0 && st != OK && st != ERR_PEER_CLOSED) /* revoked on its way, or a tombstone */
            st = STATUS(ring_send, tx, P(&m), play_soon());
        if (cap != 0)
            (void)SYS(cap_drop, cap);
        if (st != OK)
            return st == ERR_PEER_CLOSED ? 0 : -(int)st;
    }
}

/* Answers, but takes its time, so that callers are caught in every state. */
int part_slow_server(void)
{
    struct vx_message m;
    vx_handle_t tx = vx_bundle_ring_tx("tx").raw, rx = vx_bundle_ring_rx("rx").raw;
    for (unsigned n = 0;; n++) {
        status_t st = STATUS(ring_recv, rx, P(&m), play_soon());
        if (st == OK && n % 3 == 1)
            play_nap(200 * VX_NS_PER_US);
        m.word[0]++;
        if (st == OK)
            st = STATUS(ring_send, tx, P(&m), play_soon());
        if (st != OK)
            return st == ERR_PEER_CLOSED ? 0 : -(int)st;
    }
}

/* --- a mesh of threads, and peers in other Tasks --- */

enum : uint32_t { MESH = 4, PEERS = 4, CALLS = 30 };

struct member {
    struct storm *storm;
    uint32_t me;
    struct ends (*mesh)[MESH]; /* mesh[from][to] */
};

static uint32_t mesh_member(void *argument)
{
    struct member *m = argument;
    struct vx_message out = {}, in;
    for (uint64_t n = 0; n < CALLS; n++) {
        for (uint32_t to = 0; to < MESH; to++) {
            out.word[0] = m->me * 1000 + n;
            status_t st = to == m->me ? OK : STATUS(ring_send, m->mesh[m->me][to].tx, P(&out), play_soon());
            if (st != OK)
                return storm_fail(m->storm, "mesh: a send failed", (uint64_t)-(int)st);
        }
        for (uint32_t from = 0; from < MESH; from++) {
            status_t st = from == m->me ? OK : STATUS(ring_recv, m->mesh[from][m->me].rx, P(&in), play_soon());
            if (st != OK)
                return storm_fail(m->storm, "mesh: a receive failed", (uint64_t)-(int)st);
            if (from != m->me && in.word[0] != from * UINT64_C(1000) + n)
                return storm_fail(m->storm, "mesh: another message came", in.word[0]);
        }
    }
    return 1;
}

static bool mesh(struct storm *s)
{
    static struct ends all[MESH][MESH];
    struct vx_thread thread[MESH];
    struct member member[MESH];
    bool good = true;
    for (uint32_t i = 0; i < MESH * MESH; i++)
        if (i / MESH != i % MESH)
            all[i / MESH][i % MESH] = ring(2, 0);
    for (uint32_t i = 0; i < MESH; i++) {
        member[i] = (struct member){ s, i, all };
        if (vx_thread_create(&thread[i], mesh_member, &member[i], 16384) != OK)
            return storm_fail(s, "mesh: no thread", i);
    }
    for (uint32_t i = 0; i < MESH; i++) {
        uint32_t status = 0;
        if (!play_join(&thread[i], &status))
            return storm_fail(s, "mesh: a thread does not end", i);
        good &= status == 1;
    }
    for (uint32_t i = 0; i < MESH * MESH; i++)
        if (i / MESH != i % MESH)
            drop(all[i / MESH][i % MESH]);
    return good;
}

struct caller {
    struct storm *storm;
    struct ends ends;
    bool mapped, may_close; /* may_close: the server is killed some time */
};

static status_t ask(struct caller *c, struct vx_ring_producer *p, struct vx_ring_consumer *from, struct vx_message *m)
{
    if (!c->mapped)
        return STATUS(ring_call, c->ends.tx, P(m), c->ends.rx, P(m), play_soon());
    status_t st = vx_ring_push_wait(p, m, play_soon());
    return st == OK ? vx_ring_pop_wait(from, m, play_soon()) : st;
}

static uint32_t call_many(void *argument)
{
    struct caller *c = argument;
    struct vx_ring_producer p;
    struct vx_ring_consumer from;
    struct vx_message m = {};
    if (c->mapped && (vx_ring_producer_open(&p, (vx_ring_tx){ c->ends.tx }) != OK ||
                      vx_ring_consumer_open(&from, (vx_ring_rx){ c->ends.rx }) != OK))
        return storm_fail(c->storm, "calls: a ring cannot be mapped", 0);
    for (uint64_t n = 0; n < CALLS * UINT64_C(100); n++) {
        if (n == CALLS && !c->may_close)
            return 1;
        m.word[0] = n * 7;
        status_t st = ask(c, &p, &from, &m);
        if (st == ERR_PEER_CLOSED && c->may_close)
            return 1;
        if (st != OK)
            return storm_fail(c->storm, "calls: a call failed", (uint64_t)-(int)st);
        if (m.word[0] != n * 7 + 1)
            return storm_fail(c->storm, "calls: another answer came", m.word[0]);
    }
    return c->may_close ? 1 : 0;
}

static bool call_peers(struct storm *s, bool kill)
{
    static const char *const roles[PEERS] = { "serve", "mapped", "slow", "serve" };
    struct vx_thread thread[PEERS];
    struct caller caller[PEERS];
    vx_handle_t task[PEERS];
    bool good = true;
    for (uint32_t i = 0; i < PEERS; i++) {
        caller[i] = (struct caller){ .storm = s, .mapped = i == 1, .may_close = kill };
        if ((task[i] = peer(s, roles[i], 0, &caller[i].ends)) == 0 ||
            vx_thread_create(&thread[i], call_many, &caller[i], 16384) != OK)
            return storm_fail(s, "calls: no thread", i);
    }
    if (kill) {
        play_nap(play_below(&s->random, 4000) * VX_NS_PER_US);
        for (uint32_t i = 0; i < PEERS; i++)
            (void)SYS(destroy, task[i]);
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        uint32_t status = 0;
        if (!play_join(&thread[i], &status))
            return storm_fail(s, "calls: a caller does not end", i);
        good &= status == 1;
        drop(caller[i].ends);
        good &= kill ? storm_ended_by(s, task[i], VX_CAUSE_DESTROYED, "calls: a killed server ended otherwise")
                     : storm_ended_well(s, task[i], "calls: a server failed");
    }
    return good;
}

bool storm_rings(struct storm *s)
{
    do {
        if (!mesh(s) || !call_peers(s, false))
            return false;
    } while (storm_again(s));
    return true;
}

/* Tasks are killed while others call into them: a call is answered or says that the peer has gone. */
bool storm_calls(struct storm *s)
{
    do {
        if (!call_peers(s, true))
            return false;
    } while (storm_again(s));
    return true;
}

/* --- capabilities in a circle --- */

enum : uint32_t { CIRCLE = 4, TURNS = 12 };

/* A semaphore goes round through CIRCLE Tasks; sometimes it is revoked on its way. */
static bool one_turn(struct storm *s, vx_handle_t tx, vx_handle_t rx)
{
    struct vx_message m = { .word = { play_random(&s->random) } };
    uint64_t word = m.word[0], sem = SYS(sem_create, 0, 3).value;
    struct vx_cap_facts sent = {}, came = {};
    (void)SYS(cap_inspect, sem, P(&sent));
    bool moves = play_below(&s->random, 2) != 0, revoke = play_below(&s->random, 4) == 0;
    uint64_t out = SYS(cap_narrow, sem, sent.rights & ~(moves ? VX_R_COPY : 0), 0, 0).value;
    status_t st = STATUS(ring_send_cap, tx, P(&m), out, play_soon());
    if (st != OK)
        return storm_fail(s, "caps: a send failed", (uint64_t)-(int)st);
    if (revoke)
        (void)SYS(cap_revoke, sem);
    struct vx_result r = SYS(ring_recv_cap, rx, P(&m), play_soon());
    st = vx_result_status(r.value);
    if (st != OK || m.word[0] != word)
        return storm_fail(s, "caps: a receive failed", (uint64_t)-(int)st);
    if (r.value == 0 && !revoke)
        return storm_fail(s, "caps: the capability was lost", 0);
    if (r.value != 0 && STATUS(cap_inspect, r.value, P(&came)) == OK && came.object_id != sent.object_id)
        return storm_fail(s, "caps: another capability came", came.object_id);
    if (!revoke && STATUS(sem_wait, r.value, 3, 0) != OK)
        return storm_fail(s, "caps: what came is not the semaphore", 0);
    if (r.value != 0)
        (void)SYS(cap_drop, r.value);
    (void)SYS(cap_drop, out);
    (void)SYS(cap_drop, sem);
    return true;
}

bool storm_caps(struct storm *s)
{
    do {
        struct ends link[CIRCLE + 1];
        vx_handle_t task[CIRCLE];
        for (uint32_t i = 0; i <= CIRCLE; i++)
            link[i] = ring(2, VX_RING_CAPS);
        for (uint32_t i = 0; i < CIRCLE; i++) {
            struct vx_spawn spawn;
            const char *argv[] = { "/test/stress", "pass" };
            play_begin(&spawn, s->image, 2, argv, 128 << 10);
            vx_spec_move(&spawn.spec, "rx", link[i].rx, RIGHTS_OF_RX);
            vx_spec_move(&spawn.spec, "tx", link[i + 1].tx, RIGHTS_OF_TX);
            if ((task[i] = play_start(&spawn)) == 0)
                return storm_fail(s, "caps: a Task could not be started", i);
        }
        for (uint32_t n = 0; n < TURNS; n++)
            if (!one_turn(s, link[0].tx, link[CIRCLE].rx))
                return false;
        if (play_below(&s->random, 2) != 0) { /* one is left on its way */
            struct vx_message m = {};
            uint64_t sem = SYS(sem_create, 0, 1).value;
            (void)SYS(ring_send_cap, link[0].tx, P(&m), sem, 0);
            (void)SYS(cap_drop, sem);
        }
        drop((struct ends){ link[0].tx, link[CIRCLE].rx });
        for (uint32_t i = 0; i < CIRCLE; i++)
            if (!storm_ended_well(s, task[i], "caps: a Task of the circle failed"))
                return false;
    } while (storm_again(s));
    return true;
}
