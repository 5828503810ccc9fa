/* SPDX-License-Identifier: MIT
 * Mounts and the connections to their file systems: found by name, asked what they are, given a session for questions,
 * and then one for each program that opens something. None of it waits; a file system that is away is looked for again.
 */
#include "vfsd.h"
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint32_t { BIT_FIRST = VX_SERVICE_BIT_FIRST + 8, RING_SLOTS = 32, NAMESPACE_BYTES = VFS_SLOTS * VFS_SLOT_BYTES };
static constexpr uint64_t retry_ns = 20'000'000;

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone already is as good */
}

/* --- the table --- */

struct mount *mount_by_id(uint32_t id)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->state != MOUNT_FREE && m->id == id && !m->leaving)
            return m;
    }
    return nullptr;
}

/* A place in a file system that was started anew and forgot everything is no place any more. */
struct mount *mount_over(const struct place *p)
{
    for (unsigned i = 1; i < vfsd.n_mounts; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->cover.mount != p->mount) /* nearly all: the others are not looked at further */
            continue;
        if (m->state != MOUNT_FREE && !m->leaving && m->cover.node.object == p->node.object &&
            m->cover.node.generation == p->node.generation &&
            (p->node.object == 0 || m->covered_volume == p->mount->volume)) {
            if (m->absent)
                mount_turn(m);
            return m->absent ? nullptr : m;
        }
    }
    return nullptr;
}

struct node mount_node(const struct place *p)
{
    return p->node.object != 0 ? p->node : p->mount->root;
}

status_t mount_add(const char *source, const char *path, const struct place *cover, bool read_only, bool optional,
                   struct mount **out)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->state != MOUNT_FREE)
            continue;
        if (i >= vfsd.n_mounts)
            vfsd.n_mounts = i + 1;
        *m = (struct mount){ .state = MOUNT_DOWN,
                             .optional = optional,
                             .absent = optional,
                             .index = (uint8_t)i,
                             .id = ++vfsd.last_mount,
                             .read_only = read_only };
        (void)vx_strcopy(m->source, sizeof m->source, source);
        (void)vx_strcopy(m->path, sizeof m->path, path);
        if (cover != nullptr) {
            m->cover = *cover;
            m->covered_volume = cover->mount->volume;
        }
        *out = m;
        mount_turn(m);
        mounts_changed();
        return OK;
    }
    return ERR_TABLE_FULL;
}

/* --- memory that is shared --- */

/* From the pool, which outlives us: a program or file system that uses the memory keeps it when we end. */
status_t pool_buffer(uint64_t bytes, vx_mem *mem, void **at)
{
    return vx_sys_mem_alloc(
        vfsd.pool, bytes,
        VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE | (at == nullptr ? VX_MEM_NO_MAP : 0), 0, mem, at);
}

status_t pool_share(vx_mem mem, vx_handle_t *out)
{
    return vx_sys_cap_narrow(mem.raw, VX_R_READ | VX_R_WRITE | VX_R_MOVE | VX_R_INSPECT, 0, 0, out);
}

/* --- coming and going --- */

static unsigned bit_of(const struct mount *m)
{
    return BIT_FIRST + m->index;
}

static void setup_drop(struct setup *s)
{
    drop(s->rx.raw);
    drop(s->tx.raw);
    drop(s->mem.raw);
    *s = (struct setup){};
}

static void disconnect(struct mount *m)
{
    struct op *op = m->setup.op;
    m->setup.op = nullptr;
    if (m->setup.kind == VX_FS_NAMESPACE)
        m->setup.mem = VX_NO_MEM; /* the mount's */
    setup_drop(&m->setup);
    vx_client_close(&m->rpc);
    drop(m->tx.raw);
    drop(m->rx.raw);
    if (m->mem.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(m->mem, 0, 0);
    m->tx = (vx_ring_tx){};
    m->rx = (vx_ring_rx){};
    m->mem = VX_NO_MEM;
    m->at = nullptr;
    m->shortcuts = m->revoke = false; /* they ended with our session */
    m->state = MOUNT_DOWN;
    m->retry_at = vx_deadline_in(retry_ns);
    if (op != nullptr) {
        op->asked = nullptr;
        op_session_done(op, ERR_IO, 0, 0, 0, VX_NO_MEM);
    }
    ask_failed(m);
}

void mount_remove(struct mount *m)
{
    m->leaving = true;
    ops_forget_mount(m);
    disconnect(m);
    while (m->waiting != nullptr || m->sessions != nullptr) {
        struct op *op = m->waiting != nullptr ? m->waiting : m->sessions;
        ask_forget(op);
        op_done(op, ERR_NOT_FOUND);
    }
    m->state = MOUNT_FREE;
    mounts_changed();
}

static status_t make_rings(struct setup *s, vx_ring_tx *tx, vx_ring_rx *rx)
{
    status_t st = vx_sys_ring_create(VX_OWN_RETICLE, RING_SLOTS, 0, tx, &s->rx);
    return st == OK ? vx_sys_ring_create(VX_OWN_RETICLE, RING_SLOTS, 0, &s->tx, rx) : st;
}

/* Found by its name: what it is comes first. */
static void connect(struct mount *m)
{
    m->retry_at = m->absent ? VX_FOREVER : vx_deadline_in(retry_ns);
    m->trouble = vx_connect(m->source, &m->rpc);
    if (m->trouble != OK)
        return;
    bool appears = m->absent;
    m->absent = false;
    if (appears)
        mounts_changed();
    m->state = MOUNT_ASKING;
    m->rpc.timeout_ns = VFS_PATIENCE_NS;
    m->setup = (struct setup){ .step = SETUP_INFO, .deadline = vx_deadline_in(VFS_PATIENCE_NS) };
    if (vx_sys_bind(m->rpc.rx.raw, bit_of(m)) != OK || vx_fs_info_start(&m->rpc) != OK)
        disconnect(m);
}

/* --- a session, in three calls --- */

static status_t setup_begin(struct mount *m, uint32_t kind)
{
    struct setup *s = &m->setup;
    s->step = SETUP_REQUESTS;
    s->kind = kind;
    s->deadline = vx_deadline_in(VFS_PATIENCE_NS);
    status_t st = vx_fs_session_requests_start(&m->rpc, kind, 0, 0, s->rx);
    if (st == OK)
        s->rx = (vx_ring_rx){};
    return st;
}

/* What it is kept on. */
static status_t setup_device(struct mount *m)
{
    m->setup.step = SETUP_DEVICE;
    return vx_fs_device_start(&m->rpc);
}

static status_t setup_own(struct mount *m)
{
    void *at = nullptr;
    status_t st = make_rings(&m->setup, &m->tx, &m->rx);
    if (st == OK)
        st = vx_sys_bind(m->rx.raw, bit_of(m));
    if (st == OK)
        st = pool_buffer(NAMESPACE_BYTES, &m->mem, &at);
    m->at = at;
    if (st == OK) {
        m->setup.mem = m->mem;
        st = setup_begin(m, VX_FS_NAMESPACE);
    }
    return st;
}

/* No program gets more than an eighth of what is left, so that there is always something for the next one. */
static uint64_t pool_portion(uint64_t wanted)
{
    struct vx_cap_facts f = {};
    if (vx_sys_cap_inspect(vfsd.pool.raw, &f, nullptr) != OK)
        return VX_FS_BUFFER_MIN;
    while (wanted > VX_FS_BUFFER_MIN && wanted > f.b / 8)
        wanted /= 2;
    return wanted;
}

/* The next program that wants a session. */
static void setup_next(struct mount *m)
{
    while (m->state == MOUNT_UP && m->setup.step == SETUP_NONE && m->sessions != nullptr) {
        struct op *op = m->sessions;
        struct connection *c = op->connection;
        m->sessions = op->next;
        m->setup = (struct setup){ .op = op, .rx = c->half_rx, .tx = c->half_tx };
        c->half_rx = (vx_ring_rx){};
        c->half_tx = (vx_ring_tx){};
        uint64_t bytes = pool_portion(op->access);
        status_t st = ERR_NO_MEMORY;
        for (; st != OK && bytes >= VX_FS_BUFFER_MIN; bytes /= 2)
            st = pool_buffer(bytes, &m->setup.mem, nullptr);
        if (st == OK)
            st = setup_begin(m, VX_FS_FILES);
        if (st != OK) {
            m->setup.op = nullptr;
            setup_drop(&m->setup);
            op->asked = nullptr;
            op_session_done(op, st, 0, 0, 0, VX_NO_MEM);
        }
    }
}

static void setup_finished(struct mount *m, uint32_t bytes, uint32_t depth)
{
    struct setup s = m->setup;
    m->setup = (struct setup){};
    if (s.kind == VX_FS_NAMESPACE) {
        m->state = MOUNT_UP;
        m->session = s.session;
        if (m->complained)
            vx_printf("vfsd: %s is back\n", m->source);
        m->complained = false;
        ask_flush(m);
        return;
    }
    if (s.op == nullptr) { /* the program has gone; its Rings tell the file system */
        drop(s.mem.raw);
        return;
    }
    s.op->asked = nullptr;
    op_session_done(s.op, OK, s.session, bytes, depth, s.mem);
}

/* What the file system refused: our own session means that it is of no use; a program's, that it gets none. */
static void setup_refused(struct mount *m, status_t st)
{
    struct op *op = m->setup.op;
    if (m->setup.kind != VX_FS_FILES || st == ERR_PEER_CLOSED) {
        disconnect(m);
        return;
    }
    m->setup.op = nullptr;
    setup_drop(&m->setup);
    if (op != nullptr) {
        op->asked = nullptr;
        op_session_done(op, st, 0, 0, 0, VX_NO_MEM);
    }
}

/* One answer of the connection's calls. WOULD_BLOCK: not yet. */
static status_t setup_step(struct mount *m)
{
    struct setup *s = &m->setup;
    struct vx_fs_info_reply a;
    uint32_t bytes = 0, depth = 0;
    vx_handle_t given = VX_HANDLE_NONE;
    uint8_t device[VFS_SOURCE_MAX] = {};
    size_t len = 0;
    status_t st;
    switch (s->step) {
    case SETUP_INFO:
        st = vx_fs_info_finish(&m->rpc, &m->volume, &m->epoch, &m->root.object, &m->root.generation, &m->operations,
                               &m->flags, &a.sessions, VX_POLL);
        return st == OK ? setup_device(m) : st;
    case SETUP_DEVICE:
        st = vx_fs_device_finish(&m->rpc, device, &len, VX_POLL);
        if (st == ERR_WOULD_BLOCK || st == ERR_PEER_CLOSED)
            return st;
        len = st == OK ? len : 0; /* an older one does not know the call */
        memcpy(m->device, device, len);
        m->device[len] = '\0';
        st = setup_own(m);
        return st == ERR_WOULD_BLOCK ? ERR_IO : st; /* it has the answer: there is nothing to wait for */
    case SETUP_REQUESTS:
        st = vx_fs_session_requests_finish(&m->rpc, &s->session, VX_POLL);
        if (st == OK)
            st = vx_fs_session_replies_start(&m->rpc, s->session, s->tx);
        if (st == OK) {
            s->tx = (vx_ring_tx){};
            s->step = SETUP_REPLIES;
        }
        return st;
    case SETUP_REPLIES:
        st = vx_fs_session_replies_finish(&m->rpc, VX_POLL);
        if (st == OK)
            st = pool_share(s->mem, &given);
        if (st == OK)
            st = vx_fs_session_buffer_start(&m->rpc, s->session, (vx_mem){ given });
        if (st == OK)
            s->step = SETUP_BUFFER;
        else
            drop(given);
        return st;
    case SETUP_BUFFER:
        st = vx_fs_session_buffer_finish(&m->rpc, &bytes, &depth, VX_POLL);
        if (st == OK)
            setup_finished(m, bytes, depth);
        return st;
    default:
        return ERR_WOULD_BLOCK;
    }
}

/* --- turns --- */

/* As many as there are slots are all that there can be; what comes meanwhile posts the bit again. */
static void take_answers(struct mount *m)
{
    struct vx_message message[VFS_SLOTS];
    uint64_t n = 0;
    if (m->state != MOUNT_UP)
        return;
    status_t st = vx_sys_ring_recv_burst(m->rx, message, VFS_SLOTS, VX_POLL, &n);
    if (st != OK && st != ERR_WOULD_BLOCK) {
        disconnect(m);
        return;
    }
    for (uint64_t i = 0; st == OK && i < n && m->state == MOUNT_UP; i++) {
        struct vx_fs_reply r;
        memcpy(&r, &message[i], sizeof r);
        ask_answer(m, &r);
    }
    if (n == VFS_SLOTS)
        (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << bit_of(m));
    if (m->state == MOUNT_UP && m->revoke)
        shortcuts_flush(m);
    if (m->state == MOUNT_UP && m->waiting != nullptr)
        ask_flush(m);
}

void mount_turn(struct mount *m)
{
    if (m->state == MOUNT_DOWN && !m->leaving)
        connect(m);
    take_answers(m);
    while (m->setup.step != SETUP_NONE) {
        enum setup_step before = m->setup.step;
        status_t st = setup_step(m);
        if (st == ERR_WOULD_BLOCK)
            break;
        if (st != OK) {
            setup_refused(m, st);
            break;
        }
        if (m->setup.step == before)
            break;
    }
    setup_next(m);
}

void mounts_deadline(uint64_t now)
{
    uint64_t next = VX_FOREVER;
    for (unsigned i = 0; i < vfsd.n_mounts; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->state == MOUNT_FREE)
            continue;
        if (m->state == MOUNT_DOWN && now >= m->retry_at)
            mount_turn(m);
        if (m->setup.step != SETUP_NONE && now >= m->setup.deadline) {
            vx_printf("vfsd: %s does not answer\n", m->source);
            m->complained = true;
            disconnect(m);
        }
        uint64_t at = m->state == MOUNT_DOWN ? m->retry_at : m->setup.step != SETUP_NONE ? m->setup.deadline : next;
        next = at < next ? at : next;
    }
    vfsd.service.deadline_ns = next;
}
