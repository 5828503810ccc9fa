/* SPDX-License-Identifier: MIT
 * Opening: by path, by handle, and handles for others. */
#include "open.h"
#include <vectra/string.h>

/* --- handles --- */

static uint64_t seal_of(const struct vx_vfs_handle *h, uint32_t connection)
{
    struct {
        struct vx_vfs_handle handle;
        uint64_t connection;
    } sealed = { *h, connection };
    sealed.handle.seal = 0;
    return seal(vfsd.key, &sealed, sizeof sealed);
}

static struct vx_vfs_handle handle_of(const struct op *op, const struct mount *m)
{
    struct vx_vfs_handle h = { .object = { m->volume, op->attributes.object, op->attributes.generation },
                               .mount = m->id,
                               .access = op->access };
    h.seal = seal_of(&h, op->connection->number);
    return h;
}

/* Sealed for no connection: good for whoever shows it. Connections' numbers begin at 1. */
constexpr uint32_t anybody = 0;

/* A handle of the program's buffer, if this connection was given it, or anybody. */
static status_t take_handle(struct op *op, uint32_t at, struct mount **m)
{
    struct connection *c = op->connection;
    if (c->at == nullptr || at > VX_VFS_BUFFER_BYTES - sizeof op->handle)
        return ERR_BAD_ARGUMENT;
    memcpy(&op->handle, c->at + at, sizeof op->handle); /* once */
    if (seal_of(&op->handle, c->number) != op->handle.seal && seal_of(&op->handle, anybody) != op->handle.seal)
        return ERR_STALE;
    *m = mount_by_id(op->handle.mount);
    return *m == nullptr ? ERR_STALE : OK;
}

/* --- the end of opening --- */

void op_put_opened(struct op *op, const struct mount *m)
{
    struct vx_vfs_opened o = { .attributes = op->attributes, .handle = handle_of(op, m) };
    memcpy(op->connection->at, &o, sizeof o);
}

static void opened(struct op *op, uint32_t file, bool fresh)
{
    struct mount *m = op->spot.found.mount;
    const struct vx_vfs_open_reply a = { .mount = m->id, .file = file, .fresh = fresh };
    op_put_opened(op, m);
    op_answer(op, &a, sizeof a); /* a reply to reopen begins alike */
}

/* The program has to make a session first. */
static void no_session(struct op *op, const struct mount *m)
{
    const struct vx_vfs_open_reply a = { .mount = m->id };
    op_answer(op, &a, sizeof a);
}

void session_forget(struct connection *c, const struct mount *m)
{
    for (unsigned i = 0; i < VFS_SESSIONS_MAX; i++) {
        if (c->sessions[i].mount == m->id)
            c->sessions[i].lost = true;
    }
}

/* --- by path --- */

static void open_walked(struct op *op);

static void open_answered(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    struct mount *m = op->spot.found.mount;
    if (r->status == ERR_STALE) { /* the session, or what is to be opened: the program finds out */
        session_forget(op->connection, m);
        no_session(op, m);
    } else if (r->status != OK) {
        op_done(op, (status_t)r->status);
    } else {
        opened(op, (uint32_t)r->value, false);
    }
}

static void ask_open(struct op *op, uint32_t session)
{
    op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_OPEN, .session = session, .access = op->access };
    op->text_bytes = 0;
    op->repeatable = true;
    ask(op, &op->spot.found, open_answered);
}

/* Why what is there may not be opened so. */
static status_t may_open(const struct op *op)
{
    const struct spot *s = &op->spot;
    uint32_t type = s->found.mode & VX_FS_TYPE;
    bool dir = s->slash || (op->flags & VX_VFS_DIRECTORY) != 0, writes = (op->access & VX_FS_WRITE) != 0;
    const struct mount *m = s->found.mount;
    if ((op->flags & VX_VFS_CREATE) != 0 && (op->flags & VX_VFS_EXCLUSIVE) != 0)
        return ERR_EXISTS;
    if (type == VX_FS_LINK)
        return ERR_LOOP;
    if (dir && type != VX_FS_DIR)
        return ERR_NOT_DIRECTORY;
    if (type == VX_FS_DIR && (writes || (op->flags & VX_VFS_CREATE) != 0))
        return ERR_IS_DIRECTORY;
    if (writes && type != VX_FS_CHAR && (m->read_only || (m->flags & VX_FS_IS_READ_ONLY) != 0))
        return ERR_READ_ONLY;
    return OK;
}

static void created(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    struct mount *m = op->spot.parent.mount;
    op->spot.found.mount = m;
    if (r->status == ERR_EXISTS && (op->flags & VX_VFS_EXCLUSIVE) == 0) {
        op_lost(op);
    } else if (r->status == ERR_STALE) {
        session_forget(op->connection, m);
        no_session(op, m);
    } else if (r->status != OK || r->bytes < sizeof op->attributes) {
        op_done(op, r->status != OK ? (status_t)r->status : ERR_IO);
    } else {
        memcpy(&op->attributes, data, sizeof op->attributes);
        if (r->value != 0)
            opened(op, (uint32_t)r->value, true);
        else
            op_done(op, ERR_NOT_SUPPORTED);
    }
}

static void create(struct op *op)
{
    struct mount *m = op->spot.parent.mount;
    uint32_t session = session_with(op->connection, m);
    status_t st = (op->flags & VX_VFS_CREATE) == 0                        ? ERR_NOT_FOUND
                  : op->spot.slash || (op->flags & VX_VFS_DIRECTORY) != 0 ? ERR_IS_DIRECTORY
                                                                          : may_change(op, &op->spot.parent);
    if (st != OK)
        op_done(op, st);
    else if (session == 0)
        no_session(op, m);
    else
        ask_make(op, &op->spot.parent, &op->spot, VX_FS_FILE | (op->mode & VX_FS_PERMISSIONS), 0, "", 0, session,
                 created);
}

static void open_walked(struct op *op)
{
    if (!op->spot.exists) {
        create(op);
        return;
    }
    struct mount *m = op->spot.found.mount;
    uint32_t session = session_with(op->connection, m);
    status_t st = may_open(op);
    if (st != OK) {
        if (op->number != 0)
            ask_forget_file(m, session, op->number);
        op_done(op, st);
        return;
    }
    if (op->number != 0) {
        opened(op, op->number, false);
        return;
    }
    if (need_attributes(op, open_walked))
        return;
    if (session == 0)
        no_session(op, m);
    else
        ask_open(op, session);
}

static void start_open(struct op *op)
{
    bool exclusive = (op->flags & VX_VFS_CREATE) != 0 && (op->flags & VX_VFS_EXCLUSIVE) != 0;
    op->follow = !exclusive && (op->flags & VX_VFS_NO_FOLLOW) == 0;
    op->opens = !exclusive;
    walk(op, op->first, op->first_bytes, open_walked);
}

/* What a connection may be given of a file. CHANGE comes with the right to write. */
static status_t find_access(const struct connection *c, uint32_t wanted, uint32_t *access)
{
    if (wanted == 0 || (wanted & ~(VX_FS_READ | VX_FS_WRITE)) != 0)
        return ERR_BAD_ARGUMENT;
    if ((wanted & ~c->rights) != 0)
        return ERR_NO_RIGHTS;
    *access = wanted | ((c->rights & VX_FS_WRITE) != 0 ? VX_FS_CHANGE : 0);
    return OK;
}

status_t call_open(struct vx_session *s, const struct vx_vfs_open_request *q, struct vx_vfs_open_reply *)
{
    struct op *op;
    uint32_t access = 0;
    status_t st = find_access(s->state, q->access, &access);
    if (st == OK)
        st = op_with_path(s, VX_VFS_OPEN, start_open, q->path_at, q->path_bytes, &op);
    if (st != OK)
        return st;
    op->flags = q->flags;
    op->mode = q->mode;
    op->access = access;
    return op_go(op);
}

/* --- by handle --- */

static struct gift *gift_of(struct connection *c, uint64_t number)
{
    for (unsigned i = 0; i < VFS_GIFTS_MAX; i++) {
        if (c->gift[i].number == number)
            return &c->gift[i];
    }
    for (unsigned i = 0; i < VFS_BEARERS_MAX; i++) {
        if (vfsd.bearer[i].gift.number == number)
            return &vfsd.bearer[i].gift;
    }
    return nullptr;
}

static void gift_taken(struct connection *c, struct mount *m, uint64_t number)
{
    struct gift *g = number != 0 ? gift_of(c, number) : nullptr;
    if (g == nullptr)
        return;
    ask_forget_file(m, m->session, g->file);
    c->n_gifts -= g >= c->gift && g < c->gift + VFS_GIFTS_MAX;
    *g = (struct gift){};
}

static void reopened(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    struct mount *m = op->spot.found.mount;
    if (r->status == ERR_STALE && op->question.op == VX_FS_OP_OPEN) {
        session_forget(op->connection, m);
        no_session(op, m);
        return;
    }
    if (r->status != OK || (op->question.op == VX_FS_OP_STAT && r->bytes < sizeof op->attributes)) {
        op_done(op, r->status == ERR_NOT_FOUND ? ERR_STALE : r->status != OK ? (status_t)r->status : ERR_IO);
        return;
    }
    if (op->question.op == VX_FS_OP_STAT) {
        uint32_t session = session_with(op->connection, m);
        memcpy(&op->attributes, data, sizeof op->attributes);
        op->spot.found.mode = op->attributes.mode;
        if (session == 0) {
            no_session(op, m);
            return;
        }
        op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_OPEN, .session = session, .access = op->access };
        op->text_bytes = 0;
        ask(op, &op->spot.found, reopened);
        return;
    }
    gift_taken(op->connection, m, op->handle.number);
    opened(op, (uint32_t)r->value, false);
}

static void start_reopen(struct op *op)
{
    struct mount *m = mount_by_id(op->handle.mount);
    if (m == nullptr || (m->state == MOUNT_UP && m->volume != op->handle.object.volume)) {
        op_done(op, ERR_STALE);
        return;
    }
    op->access = op->handle.access;
    op->spot =
        (struct spot){ .found = { m, { op->handle.object.object, op->handle.object.generation }, 0 }, .exists = true };
    ask_about(op, &op->spot.found, VX_FS_OP_STAT, sizeof op->attributes, reopened);
}

status_t call_reopen(struct vx_session *s, const struct vx_vfs_reopen_request *q, struct vx_vfs_reopen_reply *)
{
    struct op *op;
    struct mount *m;
    status_t st = op_begin(s, VX_VFS_REOPEN, start_reopen, &op);
    if (st != OK)
        return st;
    st = take_handle(op, q->handle_at, &m);
    if (st == OK && op->handle.number != 0 && gift_of(op->connection, op->handle.number) == nullptr)
        st = ERR_STALE; /* it was taken */
    if (st != OK) {
        op->connection->busy = false;
        return st;
    }
    return op_go(op);
}

/* --- for others --- */

static struct connection *child_of(const struct connection *c, uint32_t number)
{
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        struct connection *other = s->state;
        if (other->number == number && other->parent == c->number)
            return other;
    }
    return nullptr;
}

static bool connection_there(uint32_t number)
{
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        if (((const struct connection *)s->state)->number == number)
            return true;
    }
    return false;
}

/* A place for what anybody may take: a free one, or that of the oldest that nobody took and whose giver is gone. */
static struct gift *bearer_place(uint32_t giver)
{
    struct bearer *place = nullptr;
    unsigned n_own = 0;
    for (unsigned i = 0; i < VFS_BEARERS_MAX; i++) {
        struct bearer *b = &vfsd.bearer[i];
        n_own += b->gift.number != 0 && b->giver == giver;
        if ((place == nullptr || b->gift.number < place->gift.number) &&
            (b->gift.number == 0 || !connection_there(b->giver)))
            place = b;
    }
    if (place == nullptr || n_own >= VFS_BEARERS_OF_ONE)
        return nullptr;
    struct mount *m = place->gift.number != 0 ? mount_by_id(place->gift.mount) : nullptr;
    if (m != nullptr)
        ask_forget_file(m, m->session, place->gift.file);
    place->giver = giver;
    return &place->gift;
}

static struct gift *place_for_gift(struct connection *to)
{
    for (unsigned i = 0; i < VFS_GIFTS_MAX; i++) {
        if (to->gift[i].number == 0) {
            to->n_gifts++;
            return &to->gift[i];
        }
    }
    return nullptr;
}

static void held(struct op *op, const struct vx_fs_reply *r, const uint8_t *)
{
    static uint64_t last;
    struct mount *m = op->spot.found.mount;
    struct connection *to = op->mode != anybody ? child_of(op->connection, op->mode) : nullptr;
    if (r->status != OK) {
        op_done(op, r->status == ERR_NOT_FOUND ? ERR_STALE : (status_t)r->status);
        return;
    }
    struct gift *g = op->mode == anybody ? bearer_place(op->connection->number)
                     : to != nullptr     ? place_for_gift(to)
                                         : nullptr;
    if (g == nullptr) {
        ask_forget_file(m, m->session, (uint32_t)r->value);
        op_done(op, op->mode != anybody && to == nullptr ? ERR_NOT_FOUND : ERR_TABLE_FULL);
        return;
    }
    *g = (struct gift){ .mount = m->id, .file = (uint32_t)r->value, .number = ++last };
    struct vx_vfs_handle h = op->handle;
    h.number = last;
    h.seal = seal_of(&h, op->mode);
    memcpy(op->connection->at, &h, sizeof h);
    op_done(op, OK);
}

static void start_give(struct op *op)
{
    struct mount *m = mount_by_id(op->handle.mount);
    if (m == nullptr || m->state != MOUNT_UP || m->volume != op->handle.object.volume) {
        op_done(op, ERR_STALE);
        return;
    }
    op->spot = (struct spot){ .found = { m, { op->handle.object.object, op->handle.object.generation }, 0 } };
    op->question =
        (struct vx_fs_name_request){ .op = VX_FS_OP_OPEN, .session = m->session, .access = op->handle.access };
    op->text_bytes = 0;
    op->repeatable = false;
    ask(op, &op->spot.found, held);
}

status_t call_give(struct vx_session *s, const struct vx_vfs_give_request *q)
{
    struct op *op;
    struct mount *m;
    status_t st = op_begin(s, VX_VFS_GIVE, start_give, &op);
    if (st != OK)
        return st;
    st = take_handle(op, q->handle_at, &m);
    if (st == OK && op->handle.number != 0)
        st = ERR_STALE; /* it has to be taken before it can be given on */
    if (st == OK && q->connection != anybody && child_of(op->connection, q->connection) == nullptr)
        st = ERR_NOT_FOUND;
    if (st != OK) {
        op->connection->busy = false;
        return st;
    }
    op->mode = q->connection;
    return op_go(op);
}

void gifts_drop(struct connection *c)
{
    for (unsigned i = 0; i < VFS_GIFTS_MAX && c->n_gifts != 0; i++) {
        struct mount *m = c->gift[i].number != 0 ? mount_by_id(c->gift[i].mount) : nullptr;
        if (m != nullptr)
            ask_forget_file(m, m->session, c->gift[i].file);
        c->n_gifts -= c->gift[i].number != 0;
        c->gift[i] = (struct gift){};
    }
}
