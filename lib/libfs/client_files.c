/* SPDX-License-Identifier: MIT
 * Open files: sessions with file systems, made when they are needed and made anew when one was started anew; bytes. */
#include "client.h"
#include <fs/copy.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint32_t { RING_SLOTS = 32, HANDLE_AT = 8192, TRIES = 4, PAGE = 4096 };

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone already is as good */
}

/* --- sessions: with the client's lock --- */

static void session_free(struct fs_session *s)
{
    drop(s->tx.raw);
    drop(s->rx.raw);
    if (s->buffer.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(s->buffer, 0, 0);
    uint32_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);
    *s = (struct fs_session){};
    atomic_store_explicit(&s->turn, turn, memory_order_relaxed);
}

struct fs_session *fs_session_of(struct fs_client *c, uint32_t mount)
{
    for (unsigned i = 0; i < FS_SESSIONS_MAX; i++) {
        struct fs_session *s = &c->session[i];
        if (s->used && !s->past && !s->broken && s->mount == mount)
            return s;
    }
    return nullptr;
}

static struct fs_session *session_place(struct fs_client *c)
{
    struct fs_session *spare = nullptr;
    for (unsigned i = 0; i < FS_SESSIONS_MAX; i++) {
        struct fs_session *s = &c->session[i];
        if (!s->used)
            return s;
        if (s->users == 0 && (spare == nullptr || s->broken || s->past))
            spare = s; /* nobody has a file there any more */
    }
    if (spare != nullptr)
        session_free(spare);
    return spare;
}

static status_t session_rings(struct fs_client *c, struct fs_session *s, uint32_t mount,
                              struct vx_vfs_session_replies_reply *a, vx_handle_t *mem)
{
    vx_ring_tx replies = {};
    vx_ring_rx requests = {};
    const struct vx_vfs_session_requests_request first = { .mount = mount };
    const struct vx_vfs_session_replies_request second = { .mount = mount, .bytes = c->buffer_bytes };
    status_t st = vx_sys_ring_create(VX_OWN_RETICLE, RING_SLOTS, 0, &s->tx, &requests);
    if (st == OK)
        st = vx_sys_ring_create(VX_OWN_RETICLE, RING_SLOTS, VX_RING_CAPS, &replies, &s->rx);
    if (st == OK)
        st = fs_call(c, &(struct fs_call){ .op = VX_VFS_SESSION_REQUESTS, .q = &first, .q_bytes = sizeof first },
                     requests.raw, nullptr);
    if (st == OK)
        st = fs_call(
            c,
            &(struct fs_call){
                .op = VX_VFS_SESSION_REPLIES, .q = &second, .q_bytes = sizeof second, .a = a, .a_bytes = sizeof *a },
            replies.raw, mem);
    if (st != OK) {
        drop(requests.raw); /* BAD_HANDLE for one that went */
        drop(replies.raw);
    }
    return st;
}

static status_t session_make(struct fs_client *c, uint32_t mount)
{
    struct vx_vfs_session_replies_reply a = {};
    vx_handle_t mem = VX_HANDLE_NONE;
    void *at = nullptr;
    struct fs_session *s = session_place(c);
    if (s == nullptr)
        return ERR_TABLE_FULL;
    status_t st = session_rings(c, s, mount, &a, &mem);
    if (st == OK) {
        s->buffer = (vx_mem){ mem };
        st = a.bytes < VX_FS_BUFFER_MIN || a.bytes > VX_FS_BUFFER_MAX || a.bytes % (FS_BUFFER_UNITS * 8) != 0 ||
                     a.depth == 0
                 ? ERR_PEER_CLOSED
                 : vx_sys_mem_map(s->buffer, 0, a.bytes, 0, VX_PROT_READ | VX_PROT_WRITE, &at);
    }
    if (st != OK) {
        session_free(s);
        return st;
    }
    for (struct fs_session *before; (before = fs_session_of(c, mount)) != nullptr;)
        before->past = true; /* vfsd knows the last one */
    s->mount = mount;
    s->epoch = a.epoch;
    s->at = at;
    s->bytes = a.bytes;
    s->unit_bytes = a.bytes / FS_BUFFER_UNITS;
    s->depth = a.depth < FS_REQUESTS_MAX ? a.depth : FS_REQUESTS_MAX;
    s->used = true;
    return OK;
}

/* --- opening --- */

static void file_take(struct fs_client *c, struct fs_file *f, uint32_t mount, uint32_t number)
{
    struct vx_vfs_opened o;
    struct fs_session *s = fs_session_of(c, mount);
    memcpy(&o, c->at, sizeof o);
    f->client = c;
    f->handle = o.handle;
    f->mode = o.attributes.mode;
    f->session = (uint16_t)(s - c->session);
    f->number = number;
    f->epoch = s->epoch;
    s->users++;
}

status_t fs_open(struct fs_client *c, const char *path, uint32_t flags, uint32_t access, uint32_t mode,
                 struct fs_file *out, struct vx_fs_attributes *attributes, bool *fresh)
{
    struct vx_vfs_open_request q = { .flags = flags, .mode = mode, .access = access };
    struct vx_vfs_open_reply a = {};
    const struct fs_call call = { .op = VX_VFS_OPEN, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    status_t st;
    *out = (struct fs_file){};
    if ((flags & ~(uint32_t)VX_VFS_NO_FOLLOW) == 0 &&
        (st = fs_find(c, path, access, out, attributes)) != ERR_NOT_SUPPORTED) {
        if (fresh != nullptr)
            *fresh = false;
        return st;
    }
    st = ERR_PEER_CLOSED;
    vx_mutex_lock(&c->lock);
    for (unsigned tries = 0; tries < TRIES; tries++) {
        q.path_at = 0;
        if ((st = fs_put_path(c, 0, path, &q.path_bytes)) != OK)
            break;
        st = fs_call(c, &call, VX_HANDLE_NONE, nullptr);
        if (st == ERR_PEER_CLOSED && c->vfs.tx.raw != VX_HANDLE_NONE)
            continue; /* there is a new vfsd */
        if (st != OK || (a.file != 0 && fs_session_of(c, a.mount) != nullptr))
            break;
        st = session_make(c, a.mount);
        if (st != OK && st != ERR_PEER_CLOSED)
            break;
        st = ERR_PEER_CLOSED;
    }
    if (st == OK) {
        file_take(c, out, a.mount, a.file);
        if (attributes != nullptr)
            memcpy(attributes, c->at, sizeof *attributes);
        if (fresh != nullptr)
            *fresh = a.fresh != 0;
        fs_found(c, path, a.mount);
    }
    vx_mutex_unlock(&c->lock);
    return st;
}

/* With the client's lock: opens what the handle says. */
static status_t open_handle(struct fs_client *c, const struct vx_vfs_handle *handle, struct fs_file *f)
{
    const struct vx_vfs_reopen_request q = { .handle_at = HANDLE_AT };
    struct vx_vfs_reopen_reply a = {};
    const struct fs_call call = { .op = VX_VFS_REOPEN, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    for (unsigned tries = 0; tries < TRIES; tries++) {
        if (c->at == nullptr)
            return ERR_PEER_CLOSED;
        memcpy(c->at + HANDLE_AT, handle, sizeof *handle);
        status_t st = fs_call(c, &call, VX_HANDLE_NONE, nullptr);
        if (st == ERR_PEER_CLOSED && c->vfs.tx.raw != VX_HANDLE_NONE)
            return ERR_STALE; /* a new vfsd does not know the seal */
        if (st != OK)
            return st;
        if (a.file != 0 && fs_session_of(c, a.mount) != nullptr) {
            file_take(c, f, a.mount, a.file);
            return OK;
        }
        st = session_make(c, a.mount);
        if (st != OK && st != ERR_PEER_CLOSED)
            return st;
    }
    return ERR_PEER_CLOSED;
}

status_t fs_take(struct fs_client *c, const struct vx_vfs_handle *handle, struct fs_file *out,
                 struct vx_fs_attributes *attributes)
{
    *out = (struct fs_file){};
    vx_mutex_lock(&c->lock);
    status_t st = open_handle(c, handle, out);
    if (st == OK && attributes != nullptr)
        memcpy(attributes, c->at, sizeof *attributes);
    vx_mutex_unlock(&c->lock);
    return st;
}

/* Of a file that vfsd has not seen. With the client's lock. */
static status_t get_handle(struct fs_client *c, struct fs_file *f)
{
    const struct fs_session *s = &c->session[f->session];
    const struct vx_vfs_handle_request q = { .mount = s->mount, .file = f->number };
    struct vx_vfs_opened o;
    if (s->past || s->broken)
        return ERR_STALE;
    status_t st =
        fs_call(c, &(struct fs_call){ .op = VX_VFS_HANDLE, .q = &q, .q_bytes = sizeof q }, VX_HANDLE_NONE, nullptr);
    if (st == OK) {
        memcpy(&o, c->at, sizeof o);
        f->handle = o.handle;
    }
    return st;
}

status_t fs_give(struct fs_file *f, uint32_t number, struct vx_vfs_handle *out)
{
    struct fs_client *c = f->client;
    const struct vx_vfs_give_request q = { .handle_at = HANDLE_AT, .connection = number };
    const struct fs_call call = { .op = VX_VFS_GIVE, .q = &q, .q_bytes = sizeof q };
    vx_mutex_lock(&c->lock);
    status_t st = f->number == 0 ? ERR_STALE : c->at == nullptr ? ERR_PEER_CLOSED : OK;
    if (st == OK && f->handle.seal == 0)
        st = get_handle(c, f);
    if (st == OK) {
        memcpy(c->at + HANDLE_AT, &f->handle, sizeof f->handle);
        st = fs_call(c, &call, VX_HANDLE_NONE, nullptr);
    }
    if (st == OK)
        memcpy(out, c->at, sizeof *out);
    vx_mutex_unlock(&c->lock);
    return st;
}

/* Invariant 3: opens the file once more, if its file system went. The session it is in now; a user of it until
 * session_leave. */
static status_t session_enter(struct fs_file *f, struct fs_session **out)
{
    struct fs_client *c = f->client;
    vx_mutex_lock(&c->lock);
    struct fs_session *s = &c->session[f->session];
    status_t st = f->number == 0 ? ERR_STALE : OK;
    if (st == OK && s->broken) {
        struct fs_file again = *f;
        struct vx_vfs_handle handle = f->handle;
        st = handle.seal == 0 ? ERR_STALE : open_handle(c, &handle, &again);
        if (st == OK) {
            s->users--;
            *f = again;
            s = &c->session[f->session];
        } else if (st == ERR_STALE || st == ERR_NOT_FOUND) {
            s->users--;
            f->number = 0;
            st = ERR_STALE;
        }
    }
    if (st == OK) {
        s->users++;
        *out = s;
    }
    vx_mutex_unlock(&c->lock);
    return st;
}

static void session_leave(struct fs_client *c, struct fs_session *s)
{
    vx_mutex_lock(&c->lock);
    s->users--;
    vx_mutex_unlock(&c->lock);
}

void fs_close(struct fs_file *f)
{
    struct fs_client *c = f->client;
    if (c == nullptr || f->number == 0)
        return;
    struct fs_session *s = &c->session[f->session];
    struct vx_fs_request q = { .op = VX_FS_OP_CLOSE, .file = f->number };
    if (f->locked) { /* whoever hears of the close must find the locks gone */
        struct fs_piece none = {};
        struct vx_fs_reply r;
        (void)fs_request(s, &q, &none, false, vx_deadline_in(FS_PATIENCE_NS), &r);
    } else {
        fs_send_close(s, &q);
    }
    session_leave(c, s);
    *f = (struct fs_file){};
}

void fs_disconnect(struct fs_client *c)
{
    vx_mutex_lock(&c->lock);
    for (unsigned i = 0; i < FS_SESSIONS_MAX; i++) {
        if (c->session[i].used)
            session_free(&c->session[i]);
    }
    vx_client_close(&c->vfs);
    if (c->buffer.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(c->buffer, 0, 0);
    vx_mutex_unlock(&c->lock);
    *c = (struct fs_client){};
}

/* --- one request --- */

/* What goes into the piece before, and out of it after. */
struct exchange {
    const void *from;
    void *to;
    size_t from_bytes, to_bytes, room; /* room: of the piece, at least both; 0: no piece */
    uint64_t deadline;
    bool waits;
    vx_handle_t *cap; /* of the reply */
};

/* Requests that change nothing twice are made again when the file system went in between. */
static bool may_repeat(uint8_t op)
{
    return op != VX_FS_OP_APPEND && op != VX_FS_OP_LOCK && op != VX_FS_OP_SETXATTR;
}

static status_t once(struct fs_file *f, struct vx_fs_request *q, const struct exchange *x, struct vx_fs_reply *r)
{
    struct fs_session *s;
    struct fs_piece p = {};
    status_t st = session_enter(f, &s);
    if (st != OK)
        return st;
    if (x->room != 0)
        st = fs_piece_get(s, x->room, &p);
    if (st == OK) {
        size_t bytes = x->from_bytes < p.bytes ? x->from_bytes : p.bytes;
        if (bytes != 0)
            fs_copy(p.at, x->from, bytes);
        q->file = f->number;
        q->data_bytes = (uint32_t)(x->from != nullptr ? bytes : x->to_bytes < p.bytes ? x->to_bytes : p.bytes);
        st = fs_request_cap(s, q, &p, x->waits, x->waits ? x->deadline : vx_deadline_in(FS_PATIENCE_NS), r, x->cap);
        if (st == OK && x->to != nullptr) {
            if (r->bytes > x->to_bytes || r->bytes > p.bytes)
                st = ERR_IO; /* a file system that says more than it was asked is none */
            else
                fs_copy(x->to, p.at, r->bytes);
        }
        fs_piece_put(s, &p);
    }
    session_leave(f->client, s);
    return st;
}

static status_t request(struct fs_file *f, struct vx_fs_request *q, const struct exchange *x, struct vx_fs_reply *r)
{
    status_t st = once(f, q, x, r);
    for (unsigned tries = 1; st == ERR_PEER_CLOSED && tries < TRIES && may_repeat(q->op); tries++)
        st = once(f, q, x, r);
    return st;
}

/* --- bytes --- */

status_t fs_read(struct fs_file *f, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    *done = 0;
    do {
        struct vx_fs_request q = { .op = VX_FS_OP_READ, .offset = offset + *done };
        struct vx_fs_reply r;
        size_t left = bytes - *done;
        status_t st =
            request(f, &q, &(struct exchange){ .to = (char *)to + *done, .to_bytes = left, .room = left }, &r);
        if (st != OK)
            return *done != 0 ? OK : st;
        *done += r.bytes;
        if (r.bytes < q.data_bytes)
            break; /* the end */
    } while (*done < bytes);
    return OK;
}

static status_t put(struct fs_file *f, uint8_t op, uint64_t offset, const void *from, size_t bytes, uint64_t *at,
                    size_t *done)
{
    *done = 0;
    do {
        struct vx_fs_request q = { .op = op, .offset = op == VX_FS_OP_WRITE ? offset + *done : 0 };
        struct vx_fs_reply r;
        size_t left = bytes - *done;
        status_t st = request(
            f, &q, &(struct exchange){ .from = (const char *)from + *done, .from_bytes = left, .room = left }, &r);
        if (st == OK && r.bytes > q.data_bytes)
            st = ERR_IO;
        if (st != OK)
            return *done != 0 ? OK : st;
        if (*done == 0 && at != nullptr)
            *at = r.value;
        *done += r.bytes;
        if (r.bytes < q.data_bytes)
            break;
    } while (*done < bytes);
    return OK;
}

status_t fs_write(struct fs_file *f, uint64_t offset, const void *from, size_t bytes, size_t *done)
{
    return put(f, VX_FS_OP_WRITE, offset, from, bytes, nullptr, done);
}

/* Memory that the file system lends for a request, and its length. IO: what came with the reply is none. */
static status_t borrow(struct fs_file *f, struct vx_fs_request *q, struct vx_fs_reply *r, vx_mem *out, uint64_t *bytes)
{
    struct vx_cap_facts facts = {};
    vx_handle_t cap = VX_HANDLE_NONE;
    status_t st = request(f, q, &(struct exchange){ .cap = &cap }, r);
    if (st != OK)
        return st;
    if (cap == VX_HANDLE_NONE || vx_sys_cap_inspect(cap, &facts, nullptr) != OK || facts.type != VX_CAP_MEM) {
        drop(cap);
        return ERR_IO;
    }
    *out = (vx_mem){ cap };
    *bytes = facts.b;
    return OK;
}

status_t fs_map(struct fs_file *f, uint64_t offset, uint32_t access, vx_mem *out, uint64_t *at, uint64_t *bytes)
{
    struct vx_fs_request q = { .op = VX_FS_OP_MAP, .offset = offset, .argument = access };
    struct vx_fs_reply r;
    vx_mem mem;
    uint64_t length;
    status_t st = borrow(f, &q, &r, &mem, &length);
    if (st != OK)
        return st;
    if (r.value % PAGE != 0 || r.value > offset || offset - r.value >= length || length % PAGE != 0) {
        drop(mem.raw);
        return ERR_IO;
    }
    *out = mem;
    *at = r.value;
    *bytes = length;
    return OK;
}

status_t fs_meet(struct fs_file *f, vx_mem *out)
{
    struct vx_fs_request q = { .op = VX_FS_OP_MEET };
    struct vx_fs_reply r;
    vx_mem mem;
    uint64_t length;
    status_t st = borrow(f, &q, &r, &mem, &length);
    if (st == OK && length != VX_FS_FIFO_BYTES) {
        drop(mem.raw);
        return ERR_IO;
    }
    if (st == OK)
        *out = mem;
    return st;
}

status_t fs_append(struct fs_file *f, const void *from, size_t bytes, uint64_t *at, size_t *done)
{
    return put(f, VX_FS_OP_APPEND, 0, from, bytes, at, done);
}

/* --- the rest --- */

status_t fs_getattr(struct fs_file *f, struct vx_fs_attributes *out)
{
    struct vx_fs_request q = { .op = VX_FS_OP_GETATTR };
    struct vx_fs_reply r;
    return request(f, &q, &(struct exchange){ .to = out, .to_bytes = sizeof *out, .room = sizeof *out }, &r);
}

status_t fs_setattr(struct fs_file *f, const struct vx_fs_change *change)
{
    struct vx_fs_request q = { .op = VX_FS_OP_SETATTR };
    struct vx_fs_reply r;
    return request(f, &q, &(struct exchange){ .from = change, .from_bytes = sizeof *change, .room = sizeof *change },
                   &r);
}

status_t fs_truncate(struct fs_file *f, uint64_t size)
{
    return fs_setattr(f, &(struct vx_fs_change){ .mask = VX_FS_SET_SIZE, .size = size });
}

status_t fs_allocate(struct fs_file *f, uint64_t offset, uint64_t length, uint32_t flags)
{
    struct vx_fs_request q = { .op = VX_FS_OP_ALLOCATE, .flags = (uint16_t)flags, .offset = offset, .length = length };
    struct vx_fs_reply r;
    return request(f, &q, &(struct exchange){}, &r);
}

status_t fs_seek(struct fs_file *f, uint64_t offset, bool hole, uint64_t *out)
{
    struct vx_fs_request q = { .op = VX_FS_OP_SEEK, .flags = hole ? VX_FS_HOLE : 0, .offset = offset };
    struct vx_fs_reply r;
    status_t st = request(f, &q, &(struct exchange){}, &r);
    if (st == OK)
        *out = r.value;
    return st;
}

/* Whoever goes through them must be able to trust their lengths. */
static bool entries_good(const uint8_t *at, size_t bytes)
{
    size_t head = offsetof(struct vx_fs_entry, name);
    while (bytes != 0) {
        struct vx_fs_entry e;
        if (bytes < head)
            return false;
        memcpy(&e, at, head);
        if (e.bytes % 8 != 0 || e.bytes < head + e.name_bytes + 1 || e.bytes > bytes || at[head + e.name_bytes] != '\0')
            return false;
        at += e.bytes;
        bytes -= e.bytes;
    }
    return true;
}

status_t fs_list(struct fs_file *f, uint64_t cookie, void *to, size_t bytes, size_t *used)
{
    struct vx_fs_request q = { .op = VX_FS_OP_LIST, .offset = cookie };
    struct vx_fs_reply r;
    status_t st = request(f, &q, &(struct exchange){ .to = to, .to_bytes = bytes, .room = bytes }, &r);
    if (st == OK && !entries_good(to, r.bytes))
        st = ERR_IO;
    if (st == OK)
        *used = r.bytes;
    return st;
}

status_t fs_getxattr(struct fs_file *f, const char *name, void *to, size_t room, size_t *bytes)
{
    struct vx_fs_reply r;
    size_t n_name = strlen(name) + 1;
    room = room < VX_FS_XATTR_VALUE_MAX ? room : VX_FS_XATTR_VALUE_MAX;
    struct vx_fs_request q = { .op = VX_FS_OP_GETXATTR, .length = room };
    const struct exchange x = {
        .from = name, .to = to, .from_bytes = n_name, .to_bytes = room, .room = room > n_name ? room : n_name
    };
    status_t st = request(f, &q, &x, &r);
    if (st == OK)
        *bytes = r.value;
    return st;
}

status_t fs_setxattr(struct fs_file *f, const char *name, const void *value, size_t bytes, uint32_t flags)
{
    char text[VX_FS_XATTR_NAME_MAX + 1 + VX_FS_XATTR_VALUE_MAX];
    struct vx_fs_request q = { .op = VX_FS_OP_SETXATTR, .flags = (uint16_t)flags };
    struct vx_fs_reply r;
    size_t n_name = strlen(name) + 1;
    if (n_name > VX_FS_XATTR_NAME_MAX + 1)
        return ERR_NAME_TOO_LONG;
    if (bytes > VX_FS_XATTR_VALUE_MAX)
        return ERR_TOO_BIG;
    memcpy(text, name, n_name);
    memcpy(text + n_name, value, bytes);
    return request(f, &q, &(struct exchange){ .from = text, .from_bytes = n_name + bytes, .room = n_name + bytes }, &r);
}

status_t fs_listxattr(struct fs_file *f, uint64_t skip, char *to, size_t room, size_t *used)
{
    struct vx_fs_request q = { .op = VX_FS_OP_LISTXATTR, .offset = skip };
    struct vx_fs_reply r;
    status_t st = request(f, &q, &(struct exchange){ .to = to, .to_bytes = room, .room = room }, &r);
    if (st == OK && r.bytes != 0 && to[r.bytes - 1] != '\0')
        st = ERR_IO;
    if (st == OK)
        *used = r.bytes;
    return st;
}

status_t fs_sync(struct fs_file *f, uint32_t flags)
{
    struct vx_fs_request q = { .op = VX_FS_OP_SYNC, .flags = (uint16_t)flags };
    struct vx_fs_reply r;
    return request(f, &q, &(struct exchange){}, &r);
}

status_t fs_lock(struct fs_file *f, struct vx_fs_lock *lock, uint32_t flags, uint64_t deadline)
{
    struct vx_fs_request q = { .op = VX_FS_OP_LOCK, .flags = (uint16_t)flags };
    struct vx_fs_lock holder = {};
    struct vx_fs_reply r;
    bool test = (flags & VX_FS_TEST) != 0;
    struct exchange x = { .from = lock,
                          .to = test ? &holder : nullptr,
                          .from_bytes = sizeof *lock,
                          .to_bytes = sizeof *lock,
                          .room = sizeof *lock,
                          .deadline = deadline,
                          .waits = (flags & VX_FS_WAIT) != 0 };
    f->locked = f->locked || !test;
    status_t st = request(f, &q, &x, &r);
    if (st == OK && test)
        *lock = holder;
    return st;
}

status_t fs_unlock_all(struct fs_file *f, uint64_t owner)
{
    struct vx_fs_lock all = { .owner = owner, .kind = VX_FS_UNLOCK };
    return f->locked ? fs_lock(f, &all, 0, VX_FOREVER) : OK;
}

status_t fs_watch(struct fs_file *f, uint32_t events, uint64_t *version, uint32_t *happened, uint64_t deadline)
{
    struct vx_fs_request q = { .op = VX_FS_OP_WATCH, .offset = *version, .argument = events };
    struct vx_fs_reply r;
    status_t st = request(f, &q, &(struct exchange){ .deadline = deadline, .waits = true }, &r);
    if (st == OK) {
        *version = r.value;
        *happened = r.bytes;
    }
    return st;
}
