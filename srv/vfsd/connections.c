/* SPDX-License-Identifier: MIT
 * Connections: what they are, sessions with file systems, doubles, narrowing, mounts. */
#include "open.h"
#include <vectra/string.h>
#include <vectra/time.h>

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle);
}

static struct connection *of(struct vx_session *s)
{
    return s->state;
}

static void start_info(struct op *op)
{
    const struct vx_vfs_info_reply a = { .epoch = vfsd.epoch,
                                         .rights = op->connection->rights,
                                         .buffer_bytes = VX_VFS_BUFFER_BYTES };
    op_answer(op, &a, sizeof a);
}

/* An operation, since it waits until the connection has its root. */
static status_t call_info(struct vx_session *s, struct vx_vfs_info_reply *)
{
    struct op *op;
    status_t st = op_begin(s, VX_VFS_INFO, start_info, &op);
    return st == OK ? op_go(op) : st;
}

static status_t call_grant(struct vx_session *s, const struct vx_vfs_grant_request *q)
{
    if (s->badge != 0)
        return ERR_NO_RIGHTS;
    if (q->badge == 0 || q->path_len == 0 || memchr(q->path, '\0', q->path_len) != nullptr ||
        (q->rights & ~(VX_FS_READ | VX_FS_WRITE | VX_FS_MOUNT)) != 0)
        return ERR_BAD_ARGUMENT;
    struct grant *g = grant_of(q->badge);
    if (g == nullptr && vfsd.n_grants == VFS_GRANTS_MAX)
        return ERR_TABLE_FULL;
    if (g == nullptr)
        g = &vfsd.grant[vfsd.n_grants++];
    *g = (struct grant){ .badge = q->badge, .rights = q->rights, .path_bytes = q->path_len };
    memcpy(g->path, q->path, q->path_len);
    for (struct vx_session *t = nullptr; (t = vx_session_next(&vfsd.service, t)) != nullptr;) {
        if (t->badge == q->badge && !of(t)->rooted)
            of(t)->rights = q->rights;
    }
    ops_start_held();
    return OK;
}

static status_t call_buffer(struct vx_session *s, struct vx_vfs_buffer_reply *a, vx_mem *mem)
{
    struct connection *c = of(s);
    void *at = nullptr;
    if (c->at != nullptr)
        return ERR_BUSY;
    status_t st = pool_buffer(VX_VFS_BUFFER_BYTES, &c->mem, &at);
    if (st == OK && (st = pool_share(c->mem, &mem->raw)) != OK) {
        (void)vx_sys_mem_free(c->mem, 0, 0);
        c->mem = VX_NO_MEM;
        return st;
    }
    if (st == OK) {
        c->at = at;
        shortcuts_show(c);
    }
    a->bytes = VX_VFS_BUFFER_BYTES;
    return st;
}

/* --- sessions --- */

static status_t call_session_requests(struct vx_session *s, const struct vx_vfs_session_requests_request *q,
                                      vx_ring_rx rx)
{
    struct connection *c = of(s);
    status_t st = c->busy ? ERR_BUSY : mount_by_id(q->mount) == nullptr ? ERR_NOT_FOUND : OK;
    if (st != OK) {
        drop(rx.raw);
        return st;
    }
    drop(c->half_rx.raw);
    c->half_rx = rx;
    c->half_mount = q->mount;
    return OK;
}

static void begin_session(struct op *op)
{
    ask_session(op, mount_by_id(op->mode));
}

/* One that takes the place of another: what is not remembered any more must have ended. */
static void start_session(struct op *op)
{
    const struct mount *m = mount_by_id(op->mode);
    if (m == nullptr)
        op_done(op, ERR_NOT_FOUND);
    else
        shortcuts_end(op, m, begin_session);
}

static status_t call_session_replies(struct vx_session *s, const struct vx_vfs_session_replies_request *q,
                                     vx_ring_tx tx, struct vx_vfs_session_replies_reply *, vx_mem *)
{
    struct connection *c = of(s);
    struct op *op;
    bool matches = c->half_rx.raw != VX_HANDLE_NONE && c->half_mount == q->mount;
    status_t st = matches ? op_begin(s, VX_VFS_SESSION_REPLIES, start_session, &op) : ERR_BAD_ARGUMENT;
    if (st != OK) {
        drop(tx.raw);
        return st;
    }
    uint32_t bytes = VX_FS_BUFFER_MIN;
    while (bytes < q->bytes && bytes < VX_FS_BUFFER_MAX)
        bytes *= 2;
    drop(c->half_tx.raw);
    c->half_tx = tx;
    op->mode = q->mount;
    op->access = bytes;
    return op_go(op);
}

void op_session_done(struct op *op, status_t st, uint32_t session, uint32_t bytes, uint32_t depth, vx_mem mem)
{
    struct connection *c = op->connection;
    struct mount *m = mount_by_id(op->mode);
    vx_handle_t shared = VX_HANDLE_NONE;
    if (st == OK && m == nullptr)
        st = ERR_NOT_FOUND;
    if (st == OK)
        st = pool_share(mem, &shared);
    drop(mem.raw);
    if (st != OK) {
        op_done(op, st);
        return;
    }
    unsigned i = 0, spare = 0;
    for (; i < VFS_SESSIONS_MAX && c->sessions[i].mount != m->id; i++)
        spare = c->sessions[i].number == 0 || mount_by_id(c->sessions[i].mount) == nullptr ? i : spare;
    c->sessions[i < VFS_SESSIONS_MAX ? i : spare] = (struct program_session){ .mount = m->id, .number = session };
    const struct vx_vfs_session_replies_reply a = { .bytes = bytes, .depth = depth, .epoch = m->epoch };
    op->cap = shared;
    op_answer(op, &a, sizeof a);
}

/* --- doubles --- */

static status_t call_dup(struct vx_session *s, const struct vx_vfs_dup_request *q, vx_ring_rx rx,
                         struct vx_vfs_dup_reply *a)
{
    struct connection *c = of(s);
    struct vx_session *made = nullptr;
    status_t st = vx_session_add(&vfsd.service, rx, (vx_ring_tx){}, s->badge, &made);
    if (st != OK)
        return st;
    struct connection *d = of(made);
    d->rooted = c->rooted;
    d->root = c->root;
    d->rights = c->rights & ~q->without;
    d->parent = c->number;
    a->connection = d->number;
    return OK;
}

/* --- narrowing --- */

static void narrow_to(struct op *op)
{
    struct connection *c = op->connection;
    c->root = op->spot.found;
    c->rights &= op->access;
    const struct vx_vfs_narrow_reply a = { .rights = c->rights };
    op_answer(op, &a, sizeof a);
}

/* What was good from the wide root ends before the narrow one is told. */
static void narrow_walked(struct op *op)
{
    if (!op->spot.exists || (op->spot.found.mode & VX_FS_TYPE) != VX_FS_DIR)
        op_done(op, op->spot.exists ? ERR_NOT_DIRECTORY : ERR_NOT_FOUND);
    else
        shortcuts_end(op, nullptr, narrow_to);
}

static void start_narrow(struct op *op)
{
    op->follow = true;
    walk(op, op->first, op->first_bytes, narrow_walked);
}

static status_t call_narrow(struct vx_session *s, const struct vx_vfs_narrow_request *q, struct vx_vfs_narrow_reply *)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_NARROW, start_narrow, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->access = q->rights;
    return op_go(op);
}

/* --- mounts --- */

static void mount_answered(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    struct mount *m = mount_by_id(op->mode);
    if (r->status != OK || m == nullptr) {
        if (m != nullptr)
            mount_remove(m);
        op_done(op, r->status != OK ? (status_t)r->status : ERR_NOT_FOUND);
        return;
    }
    const struct vx_vfs_mount_reply a = { .mount = m->id };
    op_answer(op, &a, sizeof a);
}

/* Its root is the root of all. */
static bool sees_all(const struct connection *c)
{
    return c->rooted && c->root.mount != nullptr && c->root.node.object == 0 && c->root.mount->cover.mount == nullptr;
}

static void mount_walked(struct op *op)
{
    struct mount *m = nullptr;
    if (!op->spot.exists || (op->spot.found.mode & VX_FS_TYPE) != VX_FS_DIR) {
        op_done(op, op->spot.exists ? ERR_NOT_DIRECTORY : ERR_NOT_FOUND);
        return;
    }
    op->first[op->first_bytes] = '\0';
    status_t st =
        mount_add(op->source, op->first, &op->spot.found, (op->flags & VX_FS_IS_READ_ONLY) != 0, op->optional, &m);
    if (st == OK && m->state == MOUNT_DOWN && !m->absent &&
        (m->trouble == ERR_NOT_FOUND || m->trouble == ERR_NO_RIGHTS)) {
        st = m->trouble;
        mount_remove(m);
    }
    if (st != OK) {
        op_done(op, st);
        return;
    }
    op->mode = m->id;
    if (op->connection != vfsd.boot) {
        m->optional = true;
        m->unseen = !sees_all(op->connection);
        record_write();
    }
    if (op->connection == vfsd.boot) { /* it may come up when it likes */
        op_done(op, OK);
        return;
    }
    struct place root = { .mount = m, .mode = VX_FS_DIR };
    ask_about(op, &root, VX_FS_OP_STAT, sizeof(struct vx_fs_attributes), mount_answered);
    op->repeatable = false; /* it was mounted: not twice */
}

static void start_mount(struct op *op)
{
    op->follow = true;
    walk(op, op->first, op->first_bytes, mount_walked);
}

static status_t call_mount(struct vx_session *s, const struct vx_vfs_mount_request *q, struct vx_vfs_mount_reply *)
{
    struct op *op;
    if ((of(s)->rights & VX_FS_MOUNT) == 0)
        return ERR_NO_RIGHTS;
    if (q->source_len == 0 || q->source_len > VFS_SOURCE_MAX || (q->flags & ~(uint32_t)VX_FS_IS_READ_ONLY) != 0)
        return ERR_BAD_ARGUMENT;
    if (q->path_bytes > VFS_MOUNT_PATH_MAX)
        return ERR_NAME_TOO_LONG;
    status_t st = op_with_path(s, VX_VFS_MOUNT, start_mount, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    memcpy(op->source, q->source, q->source_len);
    op->source[q->source_len] = '\0';
    op->flags = q->flags;
    return op_go(op);
}

status_t boot_mount(struct connection *boot, const char *path, const char *source, bool read_only, bool optional)
{
    struct op *op = &boot->op;
    if (strlen(path) > VFS_MOUNT_PATH_MAX || strlen(source) > VFS_SOURCE_MAX)
        return ERR_NAME_TOO_LONG;
    boot->rooted = true;
    boot->root = (struct place){ .mount = &vfsd.mount[0], .mode = VX_FS_DIR };
    boot->busy = true;
    *op = (struct op){ .connection = boot, .start = start_mount, .deadline = VX_FOREVER };
    op->flags = read_only ? VX_FS_IS_READ_ONLY : 0;
    op->optional = optional;
    op->first_bytes = (uint32_t)strlen(path);
    memcpy(op->first, path, op->first_bytes);
    (void)vx_strcopy(op->source, sizeof op->source, source);
    return op_go(op);
}

static bool in_use(const struct mount *m, const struct connection *but)
{
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        const struct connection *c = s->state;
        if (c->root.mount == m || (c != but && session_with(c, m) != 0))
            return true;
    }
    return false;
}

static void umount_synced(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    struct mount *m = mount_by_id(op->mode);
    bool force = (op->flags & VX_VFS_FORCE) != 0;
    if (m != nullptr && (r->status == OK || force))
        mount_remove(m);
    op_done(op, force ? OK : (status_t)r->status);
}

static void umount_walked(struct op *op)
{
    struct mount *m = op->spot.found.mount;
    bool force = (op->flags & VX_VFS_FORCE) != 0;
    status_t st = !op->spot.exists                                               ? ERR_NOT_FOUND
                  : op->spot.found.node.object != 0 || m->cover.mount == nullptr ? ERR_BAD_ARGUMENT
                  : !force && in_use(m, op->connection)                          ? ERR_BUSY
                                                                                 : OK;
    for (unsigned i = 0; i < VFS_MOUNTS_MAX && st == OK; i++) {
        if (vfsd.mount[i].state != MOUNT_FREE && vfsd.mount[i].cover.mount == m)
            st = ERR_BUSY;
    }
    if (st == OK && op->connection->root.mount == m)
        st = ERR_BUSY;
    if (st != OK) {
        op_done(op, st);
        return;
    }
    op->mode = m->id;
    if (m->state != MOUNT_UP) {
        if (force)
            mount_remove(m);
        op_done(op, force ? OK : ERR_IO);
        return;
    }
    ask_about(op, &op->spot.found, VX_FS_OP_SYNC_ALL, 0, umount_synced);
    op->repeatable = false;
}

static void start_umount(struct op *op)
{
    op->follow = true;
    walk(op, op->first, op->first_bytes, umount_walked);
}

static status_t call_umount(struct vx_session *s, const struct vx_vfs_umount_request *q)
{
    struct op *op;
    if ((of(s)->rights & VX_FS_MOUNT) == 0)
        return ERR_NO_RIGHTS;
    status_t st = op_with_path(s, VX_VFS_UMOUNT, start_umount, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    return op_go(op);
}

/* Into the program's buffer; its length. */
static uint32_t tell_mount(const struct connection *c, const struct mount *m)
{
    const struct vx_vfs_mounted r = { .mount = m->id,
                                      .flags = m->flags | (m->read_only ? VX_FS_IS_READ_ONLY : 0),
                                      .state = m->state == MOUNT_UP,
                                      .source_bytes = (uint32_t)strlen(m->source),
                                      .path_bytes = (uint32_t)strlen(m->path),
                                      .device_bytes = (uint32_t)strlen(m->device) };
    uint8_t *to = c->at + offsetof(struct vx_vfs_mounted, text);
    memcpy(c->at, &r, offsetof(struct vx_vfs_mounted, text));
    memcpy(to, m->source, r.source_bytes);
    memcpy(to + r.source_bytes, m->path, r.path_bytes);
    memcpy(to + r.source_bytes + r.path_bytes, m->device, r.device_bytes);
    return (uint32_t)(to - c->at) + r.source_bytes + r.path_bytes + r.device_bytes;
}

static void mounts_asked(struct op *op, const struct vx_fs_reply *, const uint8_t *)
{
    op->start(op);
}

/* One whose file system has just been found is waited for: what it is on is not known before. */
static void start_mounts(struct op *op)
{
    const struct connection *c = op->connection;
    for (uint32_t i = op->mode; i < VFS_MOUNTS_MAX; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->state != MOUNT_FREE && m->absent)
            mount_turn(m);
        if (m->state == MOUNT_FREE || m->absent)
            continue;
        if (m->state == MOUNT_ASKING) {
            const struct place root = { .mount = m, .mode = VX_FS_DIR };
            ask_about(op, &root, VX_FS_OP_STAT, sizeof(struct vx_fs_attributes), mounts_asked);
            return;
        }
        const struct vx_vfs_mounts_reply a = { .next = i + 1, .bytes = tell_mount(c, m) };
        op_answer(op, &a, sizeof a);
        return;
    }
    op_done(op, ERR_NOT_FOUND);
}

/* Only a connection whose root is the root of all sees them: paths of others would mean nothing. */
static status_t call_mounts(struct vx_session *s, const struct vx_vfs_mounts_request *q, struct vx_vfs_mounts_reply *)
{
    struct connection *c = of(s);
    struct op *op;
    if (c->at == nullptr)
        return ERR_BAD_ARGUMENT;
    if (!sees_all(c))
        return ERR_NOT_FOUND;
    status_t st = op_begin(s, VX_VFS_MOUNTS, start_mounts, &op);
    if (st != OK)
        return st;
    op->mode = q->index;
    return op_go(op);
}

/* --- connections come and go --- */

status_t vfs_opened(struct vx_session *s)
{
    struct connection *c = of(s);
    c->session = s;
    c->number = ++vfsd.last_connection;
    const struct grant *g = grant_of(s->badge);
    c->rooted = s->badge == 0; /* initd: all of it */
    c->rights = s->badge == 0 ? VX_FS_READ | VX_FS_WRITE | VX_FS_MOUNT : g != nullptr ? g->rights : 0;
    c->root = (struct place){ .mount = &vfsd.mount[0], .mode = VX_FS_DIR };
    return OK;
}

void vfs_closed(struct vx_session *s)
{
    struct connection *c = of(s);
    if (c->busy)
        ask_forget(&c->op);
    c->busy = false;
    drop(c->op.cap);
    drop(c->half_rx.raw);
    drop(c->half_tx.raw);
    gifts_drop(c);
    for (unsigned i = 0; i < VFS_SESSIONS_MAX; i++) {
        struct mount *m = c->sessions[i].names != 0 ? mount_by_id(c->sessions[i].mount) : nullptr;
        if (m != nullptr)
            ask_forget_file(m, c->sessions[i].number, c->sessions[i].names);
    }
    if (c->at != nullptr)
        (void)vx_sys_mem_free(c->mem, 0, 0);
    c->at = nullptr;
}

status_t vfs_dispatch(struct vx_session *s, struct vx_incoming *in)
{
    static const struct vx_vfs_ops ops = { .info = call_info,
                                           .buffer = call_buffer,
                                           .open = call_open,
                                           .reopen = call_reopen,
                                           .session_requests = call_session_requests,
                                           .session_replies = call_session_replies,
                                           .stat = call_stat,
                                           .change = call_change,
                                           .mkdir = call_mkdir,
                                           .symlink = call_symlink,
                                           .mknod = call_mknod,
                                           .link = call_link,
                                           .unlink = call_unlink,
                                           .rename = call_rename,
                                           .readlink = call_readlink,
                                           .statfs = call_statfs,
                                           .sync = call_sync,
                                           .mount = call_mount,
                                           .umount = call_umount,
                                           .mounts = call_mounts,
                                           .narrow = call_narrow,
                                           .dup = call_dup,
                                           .give = call_give,
                                           .grant = call_grant,
                                           .shortcut = call_shortcut,
                                           .handle = call_handle };
    return vx_vfs_dispatch(&ops, s, in);
}
