/* SPDX-License-Identifier: MIT
 * Shortcuts: what lets a program look for names below a mount's root at the file system itself, in one round trip.
 *
 * The file system gives a number in the program's own session, opened for FIND and nothing else, with no more than the
 * connection's rights. FIND goes down from the mount's root, through directories only, so neither "..", nor a symbolic
 * link, nor a mount below is ever its business: who meets one asks us. What is left is that the way from the
 * connection's root to the mount's root stays what it was (invariant 7), and that nothing is mounted inside. Each
 * change of the mount table ends all shortcuts twice over: honest programs see the word in their buffer change before
 * the change is answered; and file systems are told, for the others.
 *
 * A file that FIND opened has no handle, so it cannot be opened once more when its file system was started anew. Only
 * file systems that forget everything then have shortcuts. A handle to give away is asked for: `handle`. */
#include "ops.h"
#include <stdatomic.h>
#include <vectra/string.h>

/* --- their end --- */

void shortcuts_show(const struct connection *c)
{
    _Atomic uint64_t *word = (_Atomic uint64_t *)(void *)(c->at + VX_VFS_MOUNTS_AT);
    /* release: who sees what came of the change sees this; pairs with the acquire in the client */
    atomic_store_explicit(word, vfsd.mounts, memory_order_release);
}

void shortcuts_flush(struct mount *m)
{
    m->revoke = !ask_revoke(m);
}

void mounts_changed(void)
{
    vfsd.mounts++;
    record_write();
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        const struct connection *c = s->state;
        if (c->at != nullptr)
            shortcuts_show(c);
    }
    for (unsigned i = 0; i < vfsd.n_mounts; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->state == MOUNT_UP && m->shortcuts) {
            m->shortcuts = false;
            shortcuts_flush(m);
        }
    }
}

static void end_next(struct op *op);

static void ended(struct op *op, const struct vx_fs_reply *, const uint8_t *)
{
    end_next(op); /* closed by the program itself is as good */
}

/* One after the other. Those of a file system that is away went with it. */
static void end_next(struct op *op)
{
    struct connection *c = op->connection;
    for (unsigned i = 0; i < VFS_SESSIONS_MAX; i++) {
        struct program_session *s = &c->sessions[i];
        struct mount *m = s->names != 0 ? mount_by_id(s->mount) : nullptr;
        uint32_t names = s->names;
        if (op->ending != nullptr && m != op->ending)
            continue;
        s->names = 0;
        if (m == nullptr || m->state != MOUNT_UP)
            continue;
        const struct place root = { .mount = m, .mode = VX_FS_DIR };
        op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_FORGET, .session = s->number, .access = names };
        op->text_bytes = 0;
        op->repeatable = true;
        ask(op, &root, ended);
        return;
    }
    op->walked(op);
}

void shortcuts_end(struct op *op, const struct mount *only, void (*next)(struct op *op))
{
    op->ending = only;
    op->walked = next;
    end_next(op);
}

/* --- their beginning --- */

static bool has_mounts_inside(const struct mount *m)
{
    for (unsigned i = 0; i < vfsd.n_mounts; i++) {
        if (vfsd.mount[i].state != MOUNT_FREE && vfsd.mount[i].cover.mount == m)
            return true;
    }
    return false;
}

static struct program_session *program_session(struct connection *c, const struct mount *m)
{
    for (unsigned i = 0; i < VFS_SESSIONS_MAX; i++) {
        if (c->sessions[i].mount == m->id && !c->sessions[i].lost)
            return &c->sessions[i];
    }
    return nullptr;
}

static uint32_t rights_of(const struct connection *c, const struct mount *m)
{
    bool read_only = m->read_only || (m->flags & VX_FS_IS_READ_ONLY) != 0;
    uint32_t rights = c->rights & (read_only ? VX_FS_READ : VX_FS_READ | VX_FS_WRITE);
    return (rights & VX_FS_WRITE) != 0 ? rights | VX_FS_CHANGE : rights;
}

static void give_number(struct op *op, uint32_t file)
{
    const struct vx_vfs_shortcut_reply a = { .mount = op->way->id, .file = file, .prefix_bytes = op->way_bytes };
    op_answer(op, &a, sizeof a);
}

static void names_opened(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    struct program_session *s = program_session(op->connection, op->way);
    if (r->status != OK || s == nullptr) {
        op_done(op, ERR_NOT_SUPPORTED);
    } else if (op->device != vfsd.mounts) { /* the mount table changed meanwhile */
        ask_forget_file(op->way, s->number, (uint32_t)r->value);
        op_done(op, ERR_NOT_SUPPORTED);
    } else {
        s->names = (uint32_t)r->value;
        s->names_since = vfsd.mounts;
        op->way->shortcuts = true;
        give_number(op, s->names);
    }
}

/* The one before has ended. */
static void open_names(struct op *op)
{
    const struct program_session *s = program_session(op->connection, op->way);
    const struct place root = { .mount = op->way, .mode = VX_FS_DIR };
    if (s == nullptr) {
        op_done(op, ERR_NOT_SUPPORTED);
        return;
    }
    op->device = vfsd.mounts;
    op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_OPEN,
                                                .session = s->number,
                                                .access = VX_FS_NAMES | rights_of(op->connection, op->way) };
    op->text_bytes = 0;
    op->repeatable = true;
    ask(op, &root, names_opened);
}

static void shortcut_walked(struct op *op)
{
    struct connection *c = op->connection;
    struct mount *m = op->way;
    const struct program_session *s = m != nullptr ? program_session(c, m) : nullptr;
    uint32_t rights = m != nullptr ? rights_of(c, m) : 0;
    if (s == nullptr || rights == 0 || (m->flags & VX_FS_IS_VOLATILE) == 0 || m->revoke || has_mounts_inside(m)) {
        op_done(op, ERR_NOT_SUPPORTED);
    } else if (s->names != 0 && s->names_since == vfsd.mounts) {
        give_number(op, s->names);
    } else {
        shortcuts_end(op, m, open_names);
    }
}

static void start_shortcut(struct op *op)
{
    op->follow = true;
    walk(op, op->first, op->first_bytes, shortcut_walked);
}

status_t call_shortcut(struct vx_session *s, const struct vx_vfs_shortcut_request *q, struct vx_vfs_shortcut_reply *)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_SHORTCUT, start_shortcut, q->path_at, q->path_bytes, &op);
    return st == OK ? op_go(op) : st;
}

/* --- the handle of a file that was found --- */

static void told_which(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    const struct mount *m = mount_by_id(op->mode);
    uint32_t known = VX_FS_READ | VX_FS_WRITE | VX_FS_CHANGE;
    if (r->status != OK || m == nullptr) {
        op_done(op, m == nullptr ? ERR_NOT_FOUND : (status_t)r->status);
    } else if (r->bytes < sizeof op->attributes || (r->value & ~(uint64_t)known) != 0) {
        op_done(op, ERR_IO);
    } else {
        memcpy(&op->attributes, data, sizeof op->attributes);
        op->access = (uint32_t)r->value;
        op_put_opened(op, m);
        op_done(op, OK);
    }
}

static void start_handle(struct op *op)
{
    struct mount *m = mount_by_id(op->mode);
    uint32_t session = m != nullptr ? session_with(op->connection, m) : 0;
    if (session == 0) {
        op_done(op, ERR_NOT_FOUND);
        return;
    }
    const struct place root = { .mount = m, .mode = VX_FS_DIR };
    op->question = (struct vx_fs_name_request){
        .op = VX_FS_OP_WHICH, .session = session, .access = op->flags, .data_bytes = sizeof op->attributes
    };
    op->text_bytes = 0;
    op->repeatable = true;
    ask(op, &root, told_which);
}

status_t call_handle(struct vx_session *s, const struct vx_vfs_handle_request *q)
{
    const struct connection *c = s->state;
    struct op *op;
    if (c->at == nullptr)
        return ERR_BAD_ARGUMENT;
    status_t st = op_begin(s, VX_VFS_HANDLE, start_handle, &op);
    if (st != OK)
        return st;
    op->mode = q->mount;
    op->flags = q->file;
    return op_go(op);
}
