/* SPDX-License-Identifier: MIT
 * Sessions of a file system: their making, their open files, their end; and the calls of the connection. */
#include "parts.h"
#include <vectra/alloc.h>
#include <vectra/rpc_fs.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum { PAGE = 4096, FILES_FIRST = 8 };

struct fs_server fs_server;

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone already is as good */
}

uint32_t fs_session_number(const struct fs_server_session *s)
{
    return (uint32_t)s->generation << 16 | (uint32_t)(s->index + 1);
}

struct fs_server_session *fs_session_find(uint32_t number)
{
    uint32_t index = (number & 0xffff) - 1;
    struct fs_server_session *s = index < FS_SERVER_SESSIONS_MAX ? fs_server.session[index] : nullptr;
    return s != nullptr && s->used && !s->ended && s->generation == number >> 16 ? s : nullptr;
}

static status_t session_new(uint32_t kind, struct fs_server_session **out)
{
    for (uint16_t i = 0; i < FS_SERVER_SESSIONS_MAX; i++) {
        struct fs_server_session *s = fs_server.session[i];
        if (s != nullptr && s->used)
            continue;
        if (s == nullptr && (s = fs_server.session[i] = vx_alloc_zero(1, sizeof *s)) == nullptr)
            return ERR_NO_MEMORY;
        *s = (struct fs_server_session){
            .used = true, .index = i, .generation = (uint16_t)(s->generation + 1), .kind = kind
        };
        fs_server.n_sessions++;
        if (i >= fs_server.n_used)
            fs_server.n_used = i + 1u;
        *out = s;
        return OK;
    }
    return ERR_TABLE_FULL;
}

/* --- open files --- */

struct fs_server_file *fs_file_find(struct fs_server_session *s, uint32_t number)
{
    uint32_t index = (number & 0xffff) - 1;
    if (index >= s->n_files || s->files[index].open == nullptr || s->files[index].generation != number >> 16)
        return nullptr;
    return &s->files[index];
}

static status_t files_grow(struct fs_server_session *s)
{
    uint32_t room = s->room == 0 ? FILES_FIRST : s->room * 2;
    if (s->room >= FS_SERVER_FILES_MAX)
        return ERR_TABLE_FULL;
    struct fs_server_file *files = vx_alloc_zero(room, sizeof *files);
    if (files == nullptr)
        return ERR_NO_MEMORY;
    if (s->n_files != 0)
        memcpy(files, s->files, s->n_files * sizeof *files);
    vx_free(s->files);
    s->files = files;
    s->room = room;
    return OK;
}

status_t fs_file_add(struct fs_server_session *s, struct fs_node node, uint32_t access, uint32_t *number)
{
    uint32_t i = 0;
    while (i < s->n_files && s->files[i].open != nullptr)
        i++;
    status_t st = i == s->room ? files_grow(s) : OK;
    if (st != OK)
        return st;
    struct fs_open *o = fs_open_get(node);
    if (o == nullptr)
        return ERR_NO_MEMORY;
    struct fs_server_file *f = &s->files[i];
    bool names = (access & VX_FS_NAMES) != 0;
    *f = (struct fs_server_file){ .open = o,
                                  .node = node,
                                  .access = names ? 0 : access,
                                  .names = names ? access & (VX_FS_READ | VX_FS_WRITE | VX_FS_CHANGE) : 0,
                                  .names_since = fs_server.names_epoch,
                                  .generation = (uint16_t)(f->generation + 1) };
    if (i == s->n_files)
        s->n_files++;
    s->n_open++;
    *number = (uint32_t)f->generation << 16 | (i + 1);
    return OK;
}

void fs_file_remove(struct fs_server_session *s, struct fs_server_file *f)
{
    struct fs_open *o = f->open;
    f->open = nullptr;
    s->n_open--;
    fs_open_put(o);
}

/* --- the end of a session --- */

static unsigned session_bit(const struct fs_server_session *s)
{
    return FS_BIT_FIRST + s->index % FS_BITS;
}

void fs_session_end(struct fs_server_session *s)
{
    if (s->ended)
        return;
    s->ended = true;
    s->serving = false;
    fs_server.names_epoch += s->kind == VX_FS_NAMESPACE; /* who answered for them has gone */
    drop(s->rx.raw);
    drop(s->tx.raw);
    s->rx = (vx_ring_rx){};
    s->tx = (vx_ring_tx){};
    s->busy++; /* until what waits is gone */
    for (uint32_t i = 0; i < s->n_files; i++) {
        struct fs_open *o = s->files[i].open;
        if (o == nullptr)
            continue;
        o->pins++;
        fs_open_forget(o, s);
        fs_open_unlock(o, s, nullptr);
        fs_open_put(o);
    }
    if (--s->busy == 0)
        fs_session_idle(s);
}

void fs_session_idle(struct fs_server_session *s)
{
    s->busy = 1;
    s->last = (struct fs_job){ .session = s, .q = { .op = FS_JOB_RELEASE_ALL } };
    fs_job_start(&s->last);
}

void fs_session_free(struct fs_server_session *s)
{
    for (uint32_t i = 0; i < s->n_files; i++) {
        if (s->files[i].open != nullptr)
            fs_file_remove(s, &s->files[i]);
    }
    vx_free(s->files);
    if (s->at != nullptr)
        (void)vx_sys_mem_free(s->mem, 0, 0);
    else
        drop(s->mem.raw);
    *s = (struct fs_server_session){ .index = s->index, .generation = s->generation };
    fs_server.n_sessions--;
}

/* --- the calls --- */

/* What the sessions of a connection that vfsd lost in the middle of making one are known by. */
struct connection {
    uint32_t half; /* a session that is not whole yet */
};

static void half_end(struct connection *c)
{
    struct fs_server_session *s = fs_session_find(c->half);
    c->half = 0;
    if (s != nullptr && !s->serving)
        fs_session_end(s);
}

static uint64_t operations(const struct fs_backend *b)
{
    const struct {
        bool there;
        uint8_t op;
    } known[] = {
        { b->read != nullptr, VX_FS_OP_READ },
        { b->write != nullptr, VX_FS_OP_WRITE },
        { b->write != nullptr, VX_FS_OP_APPEND },
        { true, VX_FS_OP_GETATTR },
        { b->change != nullptr, VX_FS_OP_SETATTR },
        { b->allocate != nullptr, VX_FS_OP_ALLOCATE },
        { b->seek != nullptr, VX_FS_OP_SEEK },
        { b->list != nullptr, VX_FS_OP_LIST },
        { true, VX_FS_OP_SYNC },
        { true, VX_FS_OP_LOCK },
        { true, VX_FS_OP_WATCH },
        { true, VX_FS_OP_CANCEL },
        { true, VX_FS_OP_CLOSE },
        { b->getxattr != nullptr, VX_FS_OP_GETXATTR },
        { b->setxattr != nullptr, VX_FS_OP_SETXATTR },
        { b->listxattr != nullptr, VX_FS_OP_LISTXATTR },
        { true, VX_FS_OP_FIND },
        { b->map != nullptr, VX_FS_OP_MAP },
        { b->meet != nullptr, VX_FS_OP_MEET },
        { true, VX_FS_OP_WALK },
        { b->create != nullptr, VX_FS_OP_CREATE },
        { b->link != nullptr, VX_FS_OP_LINK },
        { b->unlink != nullptr, VX_FS_OP_UNLINK },
        { b->rename != nullptr, VX_FS_OP_RENAME },
        { b->readlink != nullptr, VX_FS_OP_READLINK },
        { true, VX_FS_OP_OPEN },
        { true, VX_FS_OP_STATFS },
        { true, VX_FS_OP_SYNC_ALL },
        { true, VX_FS_OP_STAT },
        { b->change != nullptr, VX_FS_OP_CHANGE },
        { true, VX_FS_OP_FORGET },
        { true, VX_FS_OP_WHICH },
    };
    uint64_t out = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        out |= known[i].there ? UINT64_C(1) << known[i].op : 0;
    return out;
}

static status_t op_info(struct vx_session *, struct vx_fs_info_reply *a)
{
    const struct fs_backend *b = fs_server.backend;
    *a = (struct vx_fs_info_reply){ .volume = b->volume,
                                    .epoch = fs_server.epoch,
                                    .root = b->root.object,
                                    .root_generation = b->root.generation,
                                    .operations = operations(b),
                                    .flags = b->flags,
                                    .sessions = FS_SERVER_SESSIONS_MAX };
    return OK;
}

static status_t op_session_requests(struct vx_session *s, const struct vx_fs_session_requests_request *q, vx_ring_rx rx,
                                    struct vx_fs_session_requests_reply *a)
{
    struct connection *c = s->state;
    struct fs_server_session *made = nullptr;
    half_end(c);
    status_t st = q->kind != VX_FS_FILES && q->kind != VX_FS_NAMESPACE ? ERR_BAD_ARGUMENT : session_new(q->kind, &made);
    if (st != OK) {
        drop(rx.raw);
        return st;
    }
    made->rx = rx;
    made->user = q->user;
    made->group = q->group;
    a->session = c->half = fs_session_number(made);
    return OK;
}

static status_t op_session_replies(struct vx_session *s, const struct vx_fs_session_replies_request *q, vx_ring_tx tx)
{
    struct connection *c = s->state;
    struct fs_server_session *made = q->session == c->half ? fs_session_find(q->session) : nullptr;
    if (made == nullptr || made->tx.raw != VX_HANDLE_NONE) {
        drop(tx.raw);
        return made == nullptr ? ERR_NOT_FOUND : ERR_BAD_ARGUMENT;
    }
    made->tx = tx;
    return OK;
}

/* The smaller of both Rings, and never more than there may be. */
static status_t find_depth(struct fs_server_session *s)
{
    struct vx_cap_facts rx = {}, tx = {};
    status_t st = vx_sys_cap_inspect(s->rx.raw, &rx, nullptr);
    if (st == OK)
        st = vx_sys_cap_inspect(s->tx.raw, &tx, nullptr);
    if (st == OK && (rx.type != VX_CAP_RING_RX || tx.type != VX_CAP_RING_TX || rx.a == 0 || tx.a == 0))
        st = ERR_BAD_ARGUMENT;
    if (st != OK)
        return st;
    uint64_t depth = rx.a < tx.a ? rx.a : tx.a;
    s->depth = depth < VX_FS_SESSION_DEPTH_MAX ? (uint32_t)depth : VX_FS_SESSION_DEPTH_MAX;
    return OK;
}

static status_t map_buffer(struct fs_server_session *s)
{
    struct vx_cap_facts f = {};
    void *at = nullptr;
    status_t st = vx_sys_cap_inspect(s->mem.raw, &f, nullptr);
    if (st == OK && (f.type != VX_CAP_MEM || f.b < VX_FS_BUFFER_MIN || f.b > VX_FS_BUFFER_MAX || f.b % PAGE != 0))
        st = ERR_BAD_ARGUMENT;
    if (st == OK)
        st = vx_sys_mem_map(s->mem, 0, f.b, 0, VX_PROT_READ | VX_PROT_WRITE, &at);
    if (st != OK)
        return st;
    s->at = at;
    s->bytes = (uint32_t)f.b;
    return OK;
}

static status_t op_session_buffer(struct vx_session *s, const struct vx_fs_session_buffer_request *q, vx_mem mem,
                                  struct vx_fs_session_buffer_reply *a)
{
    struct connection *c = s->state;
    struct fs_server_session *made = q->session == c->half ? fs_session_find(q->session) : nullptr;
    if (made == nullptr || made->tx.raw == VX_HANDLE_NONE) {
        drop(mem.raw);
        return made == nullptr ? ERR_NOT_FOUND : ERR_BAD_ARGUMENT;
    }
    made->mem = mem;
    status_t st = find_depth(made);
    if (st == OK)
        st = map_buffer(made);
    if (st == OK)
        st = vx_sys_bind(made->rx.raw, session_bit(made));
    if (st != OK) {
        half_end(c);
        return st;
    }
    c->half = 0;
    made->serving = true;
    a->bytes = made->bytes;
    a->depth = made->depth;
    return OK;
}

static status_t op_session_end(struct vx_session *, const struct vx_fs_session_end_request *q)
{
    struct fs_server_session *s = fs_session_find(q->session);
    if (s == nullptr)
        return ERR_NOT_FOUND;
    fs_session_end(s);
    return OK;
}

static status_t op_statistics(struct vx_session *, struct vx_fs_statistics_reply *a)
{
    *a = (struct vx_fs_statistics_reply){ .requests = fs_server.requests,
                                          .bytes_read = fs_server.bytes_read,
                                          .bytes_written = fs_server.bytes_written,
                                          .sessions = fs_server.n_sessions,
                                          .locks = fs_server.n_ranges };
    for (uint32_t i = 0; i < fs_server.n_used; i++)
        a->files += fs_server.session[i] != nullptr ? fs_server.session[i]->n_open : 0;
    return OK;
}

static status_t op_roots(struct vx_session *, const struct vx_fs_roots_request *, struct vx_fs_roots_reply *)
{
    return ERR_NOT_FOUND;
}

static status_t op_device(struct vx_session *, struct vx_fs_device_reply *a)
{
    const char *name = fs_server.backend->device;
    size_t len = name != nullptr ? strlen(name) : 0;
    if (len == 0 || len > sizeof a->name)
        return ERR_NOT_FOUND;
    *a = (struct vx_fs_device_reply){ .name_len = (uint8_t)len };
    memcpy(a->name, name, len);
    return OK;
}

static status_t dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_fs_ops ops = {
        .info = op_info,
        .session_requests = op_session_requests,
        .session_replies = op_session_replies,
        .session_buffer = op_session_buffer,
        .session_end = op_session_end,
        .statistics = op_statistics,
        .roots = op_roots,
        .device = op_device,
    };
    return vx_fs_dispatch(&ops, s, in);
}

static void closed(struct vx_session *s)
{
    half_end(s->state);
}

void fs_server_signal(struct vx_service *, uint64_t bits)
{
    fs_jobs_turn(bits);
}

status_t fs_server_init(struct vx_service *svc, struct fs_backend *backend)
{
    fs_server.backend = backend;
    fs_server.service = svc;
    fs_server.epoch = vx_clock_monotonic_ns();
    svc->session_bytes = sizeof(struct connection);
    svc->dispatch = dispatch;
    svc->closed = closed;
    if (svc->on_signal == nullptr)
        svc->on_signal = fs_server_signal;
    for (unsigned i = 0; i <= FS_BITS; i++)
        svc->own_bits |= UINT64_C(1) << (FS_BIT_FIRST + i);
    return fs_jobs_init();
}
