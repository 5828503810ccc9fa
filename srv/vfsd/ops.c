/* SPDX-License-Identifier: MIT
 * Operations: their beginning and end, and what programs ask of names. Sessions, handles and mounts are in calls.c. */
#include "ops.h"
#include <vectra/string.h>
#include <vectra/time.h>

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle);
}

uint32_t session_with(const struct connection *c, const struct mount *m)
{
    for (unsigned i = 0; i < VFS_SESSIONS_MAX; i++) {
        if (c->sessions[i].mount == m->id && !c->sessions[i].lost)
            return c->sessions[i].number;
    }
    return 0;
}

/* --- the beginning and the end --- */

status_t op_begin(struct vx_session *s, uint16_t code, void (*start)(struct op *op), struct op **out)
{
    struct connection *c = s->state;
    struct op *op = &c->op;
    if (c->busy)
        return ERR_BUSY;
    c->busy = true;
    op->connection = c;
    op->code = code;
    op->sequence = s->sequence;
    op->deadline = vx_deadline_in(VFS_PATIENCE_NS);
    op->start = start;
    op->races = 0;
    op->cap = VX_HANDLE_NONE;
    op->asked = nullptr;
    op->opens = op->repeatable = false;
    if (vfsd.service.deadline_ns > op->deadline)
        vfsd.service.deadline_ns = op->deadline;
    *out = op;
    return OK;
}

void op_done(struct op *op, status_t st)
{
    struct connection *c = op->connection;
    struct vx_message m = { .word = { vx_rpc_head(op->code, op->sequence, st) } };
    vx_handle_t cap = op->cap;
    op->cap = VX_HANDLE_NONE;
    c->busy = false;
    if (st == OK) {
        memcpy(&m.word[1], op->answer, sizeof op->answer);
    } else {
        drop(cap);
        cap = VX_HANDLE_NONE;
    }
    memset(op->answer, 0, sizeof op->answer);
    if (c == vfsd.boot)
        boot_next();
    else
        vx_session_send(c->session, &m, cap);
}

void op_answer(struct op *op, const void *payload, size_t bytes)
{
    memcpy(op->answer, payload, bytes);
    op_done(op, OK);
}

/* --- the root of a connection --- */

struct grant *grant_of(uint64_t badge)
{
    for (uint32_t i = 0; i < vfsd.n_grants; i++) {
        if (vfsd.grant[i].badge == badge)
            return &vfsd.grant[i];
    }
    return nullptr;
}

static void op_start(struct op *op);

static void root_walked(struct op *op)
{
    struct connection *c = op->connection;
    if (!op->spot.exists || (op->spot.found.mode & VX_FS_TYPE) != VX_FS_DIR) {
        op_done(op, op->spot.exists ? ERR_NOT_DIRECTORY : ERR_NOT_FOUND);
        return;
    }
    c->root = op->spot.found;
    c->rooted = true;
    op_start(op);
}

/* Invariant 5. */
static void op_start(struct op *op)
{
    struct connection *c = op->connection;
    if (!c->rooted) {
        const struct place all = { .mount = &vfsd.mount[0], .mode = VX_FS_DIR };
        const struct grant *g = grant_of(c->session->badge);
        op->follow = true;
        op->opens = false;
        walk_from(op, &all, g->path, g->path_bytes, root_walked);
    } else if (c->root.mount == nullptr) {
        op_done(op, ERR_STALE);
    } else {
        op->start(op);
    }
}

void op_again(struct op *op)
{
    op_start(op);
}

/* Those that only looked so far look again; one whose change is under way elsewhere is over with its answer. */
void ops_forget_mount(const struct mount *m)
{
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        struct connection *c = s->state;
        if (c->root.mount == m)
            c->root.mount = nullptr;
    }
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        struct connection *c = s->state;
        if (!c->busy || c->op.asked == nullptr || c->op.asked == m || !c->op.repeatable)
            continue;
        ask_forget(&c->op);
        op_start(&c->op);
    }
}

void op_lost(struct op *op)
{
    if (++op->races > VFS_RACES_MAX)
        op_done(op, ERR_BUSY);
    else
        op_start(op);
}

void ops_deadline(uint64_t now)
{
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        struct connection *c = s->state;
        if (!c->busy)
            continue;
        if (now < c->op.deadline) {
            if (vfsd.service.deadline_ns > c->op.deadline)
                vfsd.service.deadline_ns = c->op.deadline;
            continue;
        }
        ask_forget(&c->op);
        op_done(&c->op, ERR_TIMED_OUT);
    }
}

/* Copies a text of the program's buffer: it can change while we look at it. */
status_t take_text(const struct connection *c, uint32_t at, uint32_t bytes, char *to, uint32_t *len)
{
    if (c->at == nullptr || at > VX_VFS_BUFFER_BYTES || bytes > VX_VFS_BUFFER_BYTES - at)
        return ERR_BAD_ARGUMENT;
    if (bytes > VX_FS_PATH_MAX)
        return ERR_NAME_TOO_LONG;
    if (bytes == 0)
        return ERR_NOT_FOUND;
    memcpy(to, c->at + at, bytes);
    *len = bytes;
    return memchr(to, '\0', bytes) == nullptr ? OK : ERR_BAD_ARGUMENT;
}

status_t may_change(const struct op *op, const struct place *p)
{
    if ((op->connection->rights & VX_FS_WRITE) == 0)
        return ERR_NO_RIGHTS;
    return p->mount->read_only || (p->mount->flags & VX_FS_IS_READ_ONLY) != 0 ? ERR_READ_ONLY : OK;
}

/* --- questions with texts --- */

void ask_make(struct op *op, struct place *parent, const struct spot *spot, uint32_t mode, uint64_t device,
              const char *target, uint32_t target_bytes, uint32_t session, op_next *then)
{
    struct vx_fs_make m = { .device = device, .name_bytes = spot->name_bytes, .target_bytes = (uint16_t)target_bytes };
    size_t head = offsetof(struct vx_fs_make, text);
    memcpy(op->text, &m, head);
    memcpy(op->text + head, spot->name, spot->name_bytes);
    memcpy(op->text + head + spot->name_bytes, target, target_bytes);
    op->text_bytes = (uint32_t)(head + spot->name_bytes + target_bytes);
    op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_CREATE,
                                                .flags = session != 0 ? VX_FS_OPEN | VX_FS_EXCLUSIVE : VX_FS_EXCLUSIVE,
                                                .session = session,
                                                .data_bytes = op->text_bytes,
                                                .mode = mode,
                                                .access = op->access,
                                                .user = VX_FS_USER,
                                                .group = VX_FS_USER };
    op->repeatable = false;
    ask(op, parent, then);
}

static void ask_join(struct op *op, uint8_t code, uint16_t flags, const struct spot *spot, struct vx_fs_join *j,
                     const struct spot *to, op_next *then)
{
    size_t head = offsetof(struct vx_fs_join, text);
    uint8_t second = to != nullptr ? to->name_bytes : 0;
    j->name_bytes = spot->name_bytes;
    j->new_name_bytes = second;
    memcpy(op->text, j, head);
    memcpy(op->text + head, spot->name, spot->name_bytes);
    if (second != 0)
        memcpy(op->text + head + spot->name_bytes, to->name, second);
    op->text_bytes = (uint32_t)(head + spot->name_bytes + second);
    op->question = (struct vx_fs_name_request){ .op = code, .flags = flags, .data_bytes = op->text_bytes };
    op->repeatable = false;
    ask(op, &spot->parent, then);
}

/* A question about an object, without a text of its own. */
void ask_about(struct op *op, const struct place *p, uint8_t code, uint32_t room, op_next *then)
{
    op->question = (struct vx_fs_name_request){ .op = code, .data_bytes = room };
    op->text_bytes = 0;
    op->repeatable = true;
    ask(op, p, then);
}

static void done_with(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    op_done(op, (status_t)r->status);
}

/* BUSY: the name means something else by now. */
static void done_or_lost(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    if (r->status == ERR_BUSY)
        op_lost(op);
    else
        op_done(op, r->status == ERR_STALE ? ERR_NOT_FOUND : (status_t)r->status);
}

/* What was found, with its attributes: asked for if the walk did not learn them. */
static void got_attributes(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    if (r->status != OK || r->bytes < sizeof op->attributes) {
        op_done(op, r->status != OK ? (status_t)r->status : ERR_IO);
        return;
    }
    memcpy(&op->attributes, data, sizeof op->attributes);
    op->spot.found.mode = op->attributes.mode;
    op->walked(op);
}

bool need_attributes(struct op *op, void (*then)(struct op *op))
{
    if (op->attributes.mode != 0)
        return false;
    op->walked = then;
    ask_about(op, &op->spot.found, VX_FS_OP_STAT, sizeof op->attributes, got_attributes);
    return true;
}

/* --- stat, change, statfs, sync, readlink --- */

static bool wrong_kind(struct op *op)
{
    bool dir = op->spot.slash || (op->flags & VX_VFS_DIRECTORY) != 0;
    if (!op->spot.exists)
        op_done(op, ERR_NOT_FOUND);
    else if (dir && (op->spot.found.mode & VX_FS_TYPE) != VX_FS_DIR)
        op_done(op, ERR_NOT_DIRECTORY);
    else
        return false;
    return true;
}

static void stat_walked(struct op *op)
{
    if (wrong_kind(op) || need_attributes(op, stat_walked))
        return;
    const struct vx_vfs_stat_reply a = { .mount = op->spot.found.mount->id };
    memcpy(op->connection->at, &op->attributes, sizeof op->attributes);
    op_answer(op, &a, sizeof a);
}

static void change_walked(struct op *op)
{
    if (wrong_kind(op))
        return;
    status_t st = may_change(op, &op->spot.found);
    if (st != OK) {
        op_done(op, st);
        return;
    }
    op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_CHANGE, .data_bytes = sizeof op->change };
    memcpy(op->text, &op->change, sizeof op->change);
    op->text_bytes = sizeof op->change;
    op->repeatable = false;
    ask(op, &op->spot.found, done_with);
}

static void got_space(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    const struct vx_vfs_statfs_reply a = { .mount = op->spot.found.mount->id };
    struct vx_fs_space s;
    if (r->status != OK || r->bytes < sizeof s) {
        op_done(op, r->status != OK ? (status_t)r->status : ERR_IO);
        return;
    }
    memcpy(&s, data, sizeof s);
    s.flags |= op->spot.found.mount->read_only ? VX_FS_IS_READ_ONLY : 0;
    memcpy(op->connection->at, &s, sizeof s);
    op_answer(op, &a, sizeof a);
}

static void statfs_walked(struct op *op)
{
    if (!wrong_kind(op))
        ask_about(op, &op->spot.found, VX_FS_OP_STATFS, sizeof(struct vx_fs_space), got_space);
}

static void sync_walked(struct op *op)
{
    if (!wrong_kind(op))
        ask_about(op, &op->spot.found, VX_FS_OP_SYNC_ALL, 0, done_with);
}

static void got_link(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    const struct vx_vfs_readlink_reply a = { .bytes = r->bytes };
    if (r->status != OK || r->bytes > VX_FS_PATH_MAX) {
        op_done(op, r->status != OK ? (status_t)r->status : ERR_IO);
        return;
    }
    memcpy(op->connection->at, data, r->bytes);
    op_answer(op, &a, sizeof a);
}

static void readlink_walked(struct op *op)
{
    if (wrong_kind(op))
        return;
    if ((op->spot.found.mode & VX_FS_TYPE) != VX_FS_LINK)
        op_done(op, ERR_BAD_ARGUMENT);
    else
        ask_about(op, &op->spot.found, VX_FS_OP_READLINK, VX_FS_PATH_MAX + 1, got_link);
}

/* --- making --- */

static void made(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    op_done(op, r->status == ERR_STALE ? ERR_NOT_FOUND : (status_t)r->status);
}

static void make_walked(struct op *op)
{
    bool dir = (op->mode & VX_FS_TYPE) == VX_FS_DIR, link = (op->mode & VX_FS_TYPE) == VX_FS_LINK;
    status_t st = op->spot.exists          ? ERR_EXISTS
                  : op->spot.slash && !dir ? ERR_NOT_FOUND
                                           : may_change(op, &op->spot.parent);
    if (st != OK)
        op_done(op, st);
    else
        ask_make(op, &op->spot.parent, &op->spot, op->mode, op->device, op->other, link ? op->other_bytes : 0, 0, made);
}

/* --- unlink, link, rename --- */

/* What has a name that can be taken away: not the root, "." or "..", and nothing that something is mounted on. */
static status_t may_lose_name(const struct op *op, const struct spot *s)
{
    if (!s->exists)
        return ERR_NOT_FOUND;
    if (!s->has_name)
        return ERR_BAD_ARGUMENT;
    return s->found.mount != s->parent.mount ? ERR_BUSY : may_change(op, &s->parent);
}

static void unlink_walked(struct op *op)
{
    const struct spot *s = &op->spot;
    bool dir = (op->flags & VX_VFS_DIRECTORY) != 0, is_dir = (s->found.mode & VX_FS_TYPE) == VX_FS_DIR;
    status_t st = may_lose_name(op, s);
    if (st == OK && dir != is_dir)
        st = dir ? ERR_NOT_DIRECTORY : ERR_IS_DIRECTORY;
    if (st == OK && s->slash && !is_dir)
        st = ERR_NOT_DIRECTORY;
    if (st != OK) {
        op_done(op, st);
        return;
    }
    struct vx_fs_join j = { .child = s->found.node.object, .child_generation = s->found.node.generation };
    ask_join(op, VX_FS_OP_UNLINK, dir ? VX_FS_DIRECTORY : 0, s, &j, nullptr, done_or_lost);
}

static void link_second(struct op *op)
{
    const struct spot *from = &op->second, *to = &op->spot;
    status_t st = to->exists                              ? ERR_EXISTS
                  : to->slash                             ? ERR_NOT_FOUND
                  : to->parent.mount != from->found.mount ? ERR_CROSS_DEVICE
                                                          : may_change(op, &to->parent);
    if (st != OK) {
        op_done(op, st);
        return;
    }
    struct node child = mount_node(&from->found);
    struct vx_fs_join j = { .child = child.object, .child_generation = child.generation };
    ask_join(op, VX_FS_OP_LINK, 0, to, &j, nullptr, made);
}

static void link_walked(struct op *op)
{
    if (wrong_kind(op))
        return;
    if ((op->spot.found.mode & VX_FS_TYPE) == VX_FS_DIR) {
        op_done(op, ERR_NO_RIGHTS);
        return;
    }
    op->second = op->spot;
    op->follow = false;
    walk(op, op->other, op->other_bytes, link_second);
}

static void rename_second(struct op *op)
{
    const struct spot *from = &op->second, *to = &op->spot;
    bool exchange = (op->flags & VX_VFS_EXCHANGE) != 0;
    bool dir = (from->found.mode & VX_FS_TYPE) == VX_FS_DIR;
    status_t st = to->has_name && to->parent.mount != from->parent.mount ? ERR_CROSS_DEVICE
                  : to->exists || exchange                               ? may_lose_name(op, to)
                                                                         : may_change(op, &to->parent);
    if (st == OK && to->slash && !dir)
        st = ERR_NOT_DIRECTORY;
    if (st == OK && to->exists && (op->flags & VX_VFS_NO_REPLACE) != 0)
        st = ERR_EXISTS;
    if (st != OK) {
        op_done(op, st);
        return;
    }
    struct node parent = mount_node(&to->parent);
    struct vx_fs_join j = { .child = from->found.node.object,
                            .child_generation = from->found.node.generation,
                            .parent = parent.object,
                            .parent_generation = parent.generation };
    if (to->exists) {
        j.replaced = to->found.node.object;
        j.replaced_generation = to->found.node.generation;
    }
    uint16_t flags =
        (uint16_t)((exchange ? VX_FS_EXCHANGE : 0) | ((op->flags & VX_VFS_NO_REPLACE) != 0 ? VX_FS_NO_REPLACE : 0));
    ask_join(op, VX_FS_OP_RENAME, flags, from, &j, to, done_or_lost);
}

static void rename_walked(struct op *op)
{
    status_t st = may_lose_name(op, &op->spot);
    if (st == OK && op->spot.slash && (op->spot.found.mode & VX_FS_TYPE) != VX_FS_DIR)
        st = ERR_NOT_DIRECTORY;
    if (st != OK) {
        op_done(op, st);
        return;
    }
    op->second = op->spot;
    walk(op, op->other, op->other_bytes, rename_second);
}

/* --- the calls --- */

/* The walk of the first path, and what comes after it. */
static void start_with(struct op *op, bool follow, void (*walked)(struct op *op))
{
    op->follow = follow;
    walk(op, op->first, op->first_bytes, walked);
}

static bool follows(const struct op *op)
{
    return (op->flags & VX_VFS_NO_FOLLOW) == 0;
}

static void start_stat(struct op *op)
{
    start_with(op, follows(op), stat_walked);
}

static void start_change(struct op *op)
{
    start_with(op, follows(op), change_walked);
}

static void start_make(struct op *op)
{
    start_with(op, false, make_walked);
}

static void start_link(struct op *op)
{
    start_with(op, (op->flags & VX_VFS_FOLLOW) != 0, link_walked);
}

static void start_unlink(struct op *op)
{
    start_with(op, false, unlink_walked);
}

static void start_rename(struct op *op)
{
    start_with(op, false, rename_walked);
}

static void start_readlink(struct op *op)
{
    start_with(op, false, readlink_walked);
}

static void start_statfs(struct op *op)
{
    start_with(op, true, statfs_walked);
}

static void start_sync(struct op *op)
{
    start_with(op, true, sync_walked);
}

/* One path or two; then it goes. What goes wrong before that is the answer at once. */
status_t op_with_path(struct vx_session *s, uint16_t code, void (*start)(struct op *op), uint32_t at, uint32_t bytes,
                      struct op **out)
{
    struct connection *c = s->state;
    status_t st = op_begin(s, code, start, out);
    if (st != OK)
        return st;
    (*out)->flags = 0;
    st = take_text(c, at, bytes, (*out)->first, &(*out)->first_bytes);
    if (st != OK)
        c->busy = false;
    return st;
}

static bool may_begin(const struct connection *c)
{
    return c == vfsd.boot || (vfsd.started && (c->rooted || grant_of(c->session->badge) != nullptr));
}

status_t op_go(struct op *op)
{
    op->held = !may_begin(op->connection);
    if (!op->held)
        op_start(op);
    return VX_RPC_LATER;
}

void ops_start_held(void)
{
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        struct connection *c = s->state;
        if (c->busy && c->op.held && may_begin(c)) {
            c->op.held = false;
            op_start(&c->op);
        }
    }
}

static status_t with_second(struct op *op, uint32_t at, uint32_t bytes)
{
    status_t st = take_text(op->connection, at, bytes, op->other, &op->other_bytes);
    if (st != OK)
        op->connection->busy = false;
    return st == OK ? op_go(op) : st;
}

status_t call_stat(struct vx_session *s, const struct vx_vfs_stat_request *q, struct vx_vfs_stat_reply *)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_STAT, start_stat, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    return op_go(op);
}

status_t call_change(struct vx_session *s, const struct vx_vfs_change_request *q)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_CHANGE, start_change, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    if (q->change_at > VX_VFS_BUFFER_BYTES - sizeof op->change) {
        op->connection->busy = false;
        return ERR_BAD_ARGUMENT;
    }
    memcpy(&op->change, op->connection->at + q->change_at, sizeof op->change);
    return op_go(op);
}

static status_t make(struct vx_session *s, uint16_t code, uint32_t at, uint32_t bytes, uint32_t mode, uint64_t device,
                     struct op **out)
{
    status_t st = op_with_path(s, code, start_make, at, bytes, out);
    if (st == OK) {
        (*out)->mode = mode;
        (*out)->device = device;
    }
    return st;
}

status_t call_mkdir(struct vx_session *s, const struct vx_vfs_mkdir_request *q)
{
    struct op *op;
    status_t st = make(s, VX_VFS_MKDIR, q->path_at, q->path_bytes, VX_FS_DIR | (q->mode & VX_FS_PERMISSIONS), 0, &op);
    return st == OK ? op_go(op) : st;
}

status_t call_mknod(struct vx_session *s, const struct vx_vfs_mknod_request *q)
{
    struct op *op;
    uint32_t type = q->mode & VX_FS_TYPE;
    if (type == VX_FS_DIR || type == VX_FS_LINK)
        return ERR_BAD_ARGUMENT;
    status_t st = make(s, VX_VFS_MKNOD, q->path_at, q->path_bytes, q->mode, q->device, &op);
    return st == OK ? op_go(op) : st;
}

status_t call_symlink(struct vx_session *s, const struct vx_vfs_symlink_request *q)
{
    struct op *op;
    status_t st = make(s, VX_VFS_SYMLINK, q->path_at, q->path_bytes, VX_FS_LINK | 0777, 0, &op);
    return st == OK ? with_second(op, q->target_at, q->target_bytes) : st;
}

status_t call_link(struct vx_session *s, const struct vx_vfs_link_request *q)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_LINK, start_link, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    return with_second(op, q->new_at, q->new_bytes);
}

status_t call_unlink(struct vx_session *s, const struct vx_vfs_unlink_request *q)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_UNLINK, start_unlink, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    return op_go(op);
}

status_t call_rename(struct vx_session *s, const struct vx_vfs_rename_request *q)
{
    struct op *op;
    if ((q->flags & VX_VFS_NO_REPLACE) != 0 && (q->flags & VX_VFS_EXCHANGE) != 0)
        return ERR_BAD_ARGUMENT;
    status_t st = op_with_path(s, VX_VFS_RENAME, start_rename, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    return with_second(op, q->new_at, q->new_bytes);
}

status_t call_readlink(struct vx_session *s, const struct vx_vfs_readlink_request *q, struct vx_vfs_readlink_reply *)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_READLINK, start_readlink, q->path_at, q->path_bytes, &op);
    return st == OK ? op_go(op) : st;
}

status_t call_statfs(struct vx_session *s, const struct vx_vfs_statfs_request *q, struct vx_vfs_statfs_reply *)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_STATFS, start_statfs, q->path_at, q->path_bytes, &op);
    return st == OK ? op_go(op) : st;
}

status_t call_sync(struct vx_session *s, const struct vx_vfs_sync_request *q)
{
    struct op *op;
    status_t st = op_with_path(s, VX_VFS_SYNC, start_sync, q->path_at, q->path_bytes, &op);
    return st == OK ? op_go(op) : st;
}
