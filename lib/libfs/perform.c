/* SPDX-License-Identifier: MIT
 * A job and the functions of the file system. Runs where those may run: one job at a time, so that what is between a
 * look and a change cannot be changed by anybody. Texts are copied out of the shared buffer before they are looked at.
 */
#include "parts.h"
#include <vectra/string.h>

enum { TEXT_MAX = VX_FS_PATH_MAX + VX_FS_NAME_MAX + 1 };

static uint8_t scratch[sizeof(struct vx_fs_join) + TEXT_MAX + VX_FS_WALK_MAX];

static void touch(struct fs_job *j, struct fs_node n, uint32_t events)
{
    if (n.object != 0 && j->n_touched < FS_TOUCHED_MAX)
        j->touched[j->n_touched++] = (struct fs_touched){ n, events };
}

static struct fs_node node_of(const struct vx_fs_attributes *a)
{
    return (struct fs_node){ a->object, a->generation };
}

static status_t check_name(const struct fs_backend *b, struct fs_name n)
{
    if (n.bytes == 0)
        return ERR_BAD_ARGUMENT;
    if (n.bytes > b->name_max)
        return ERR_NAME_TOO_LONG;
    if (n.at[0] == '.' && (n.bytes == 1 || (n.bytes == 2 && n.at[1] == '.')))
        return ERR_BAD_ARGUMENT;
    return memchr(n.at, '/', n.bytes) == nullptr && memchr(n.at, '\0', n.bytes) == nullptr ? OK : ERR_BAD_ARGUMENT;
}

/* The piece as private memory, or nullptr if it is shorter than `head` or longer than any text. */
static const void *take_text(const struct fs_job *j, size_t head)
{
    if (j->n.data_bytes < head || j->n.data_bytes > sizeof scratch)
        return nullptr;
    memcpy(scratch, j->data, j->n.data_bytes);
    return scratch;
}

static void keep_attributes(const struct fs_backend *b, struct vx_fs_attributes *a)
{
    a->volume = b->volume;
    a->reserved[0] = a->reserved[1] = 0;
}

/* What is asked for goes to the piece, which must have room for it. */
static status_t give(struct fs_job *j, const void *from, size_t bytes)
{
    if (j->q.data_bytes < bytes)
        return ERR_BAD_ARGUMENT;
    memcpy(j->data, from, bytes);
    j->bytes = (uint32_t)bytes;
    return OK;
}

static status_t give_attributes(struct fs_backend *b, struct fs_job *j, struct fs_node n)
{
    struct vx_fs_attributes a = {};
    status_t st = b->attributes(b, n, &a);
    keep_attributes(b, &a);
    return st == OK ? give(j, &a, sizeof a) : st;
}

static bool may_open(const struct fs_backend *b, uint32_t mode, uint32_t access)
{
    uint32_t type = mode & VX_FS_TYPE;
    bool fits = type == VX_FS_FILE || type == VX_FS_CHAR || (type == VX_FS_FIFO && b->meet != nullptr) ||
                (type == VX_FS_DIR && (access & VX_FS_WRITE) == 0);
    return fits && ((b->flags & VX_FS_IS_READ_ONLY) == 0 || type == VX_FS_CHAR || (access & VX_FS_WRITE) == 0);
}

static void hold(struct fs_backend *b, struct fs_job *j, struct fs_node n)
{
    if (b->hold != nullptr)
        b->hold(b, n);
    j->holds = true;
    j->node = n;
}

/* --- of names --- */

static status_t walk(struct fs_backend *b, struct fs_job *j)
{
    static struct vx_fs_walked w; /* each part is written before it is given */
    size_t bytes = j->n.data_bytes;
    const char *path = take_text(j, 0);
    struct fs_node at = j->node;
    w.n = w.reserved = 0;
    if (path == nullptr)
        return ERR_NAME_TOO_LONG;
    status_t st = b->attributes(b, at, &w.last);
    bool whole = bytes == 0;
    for (size_t i = 0; st == OK && i < bytes && w.n < VX_FS_WALK_MAX;) {
        struct fs_name name = { path + i, 0 };
        struct vx_fs_attributes found = {};
        if ((w.last.mode & VX_FS_TYPE) != VX_FS_DIR)
            break;
        while (i < bytes && path[i] != '/')
            i++;
        name.bytes = (size_t)(path + i - name.at);
        i++;
        if ((st = check_name(b, name)) != OK)
            break;
        status_t met = b->lookup(b, at, name, &found);
        if (met == ERR_NOT_FOUND)
            break;
        if ((st = met) != OK)
            break;
        w.last = found;
        at = node_of(&found);
        w.step[w.n++] = (struct vx_fs_step){ at.object, at.generation, found.mode, 0 };
        whole = i >= bytes;
    }
    if (st != OK)
        return st;
    keep_attributes(b, &w.last);
    size_t used = offsetof(struct vx_fs_walked, step) + w.n * sizeof w.step[0];
    if (j->session->bytes - j->n.data_at < used)
        return ERR_BAD_ARGUMENT;
    memcpy(j->data, &w, used);
    j->bytes = (uint32_t)used;
    if (whole && (j->n.flags & VX_FS_OPEN) != 0 && may_open(b, w.last.mode, j->n.access))
        hold(b, j, at);
    return OK;
}

/* All the way down, or not at all: what it does not do itself is vfsd's. */
static status_t find(struct fs_backend *b, struct fs_job *j)
{
    size_t bytes = j->q.data_bytes;
    const char *path = take_text(j, 1);
    struct vx_fs_attributes a;
    struct fs_node at = j->node;
    if (path == nullptr)
        return ERR_BAD_ARGUMENT;
    for (size_t i = 0; i <= bytes; i++) { /* a slash at the end leaves an empty name, which there is not */
        struct fs_name name = { path + i, 0 };
        if (i != 0 && (a.mode & VX_FS_TYPE) != VX_FS_DIR)
            return ERR_NOT_SUPPORTED;
        while (i < bytes && path[i] != '/')
            i++;
        name.bytes = (size_t)(path + i - name.at);
        a = (struct vx_fs_attributes){};
        status_t st = check_name(b, name);
        if (st == OK)
            st = b->lookup(b, at, name, &a);
        if (st != OK)
            return st;
        at = node_of(&a);
    }
    bool opens = (j->q.flags & VX_FS_OPEN) != 0;
    if ((a.mode & VX_FS_TYPE) == VX_FS_LINK || (opens && !may_open(b, a.mode, j->n.access)))
        return ERR_NOT_SUPPORTED;
    if (j->session->bytes - j->q.data_at < sizeof a)
        return ERR_BAD_ARGUMENT;
    keep_attributes(b, &a);
    memcpy(j->data, &a, sizeof a);
    j->bytes = sizeof a;
    if (opens)
        hold(b, j, at);
    return OK;
}

static bool may_be_made(uint32_t mode)
{
    uint32_t type = mode & VX_FS_TYPE;
    return (mode & ~(VX_FS_TYPE | VX_FS_PERMISSIONS)) == 0 &&
           (type == VX_FS_FILE || type == VX_FS_DIR || type == VX_FS_LINK || type == VX_FS_FIFO || type == VX_FS_CHAR ||
            type == VX_FS_BLOCK || type == VX_FS_SOCKET);
}

static status_t create(struct fs_backend *b, struct fs_job *j)
{
    struct vx_fs_make m;
    struct vx_fs_attributes a = {};
    size_t head = offsetof(struct vx_fs_make, text);
    const char *text = take_text(j, head);
    if (text == nullptr || b->create == nullptr)
        return text == nullptr ? ERR_BAD_ARGUMENT : ERR_NOT_SUPPORTED;
    memcpy(&m, text, head);
    struct fs_name name = { text + head, m.name_bytes };
    struct fs_new what = { .mode = j->n.mode,
                           .user = j->n.user,
                           .group = j->n.group,
                           .device = m.device,
                           .target = { text + head + m.name_bytes, m.target_bytes } };
    bool is_link = (what.mode & VX_FS_TYPE) == VX_FS_LINK;
    if (head + m.name_bytes + m.target_bytes > j->n.data_bytes || !may_be_made(what.mode) ||
        is_link != (m.target_bytes != 0) || m.target_bytes > VX_FS_PATH_MAX)
        return ERR_BAD_ARGUMENT;
    status_t st = check_name(b, name);
    if (st == OK)
        st = b->create(b, j->node, name, &what, &a);
    if (st != OK)
        return st;
    touch(j, j->node, VX_FS_EVENT_NAMES);
    keep_attributes(b, &a);
    if (j->session->bytes - j->n.data_at < sizeof a)
        return ERR_BAD_ARGUMENT;
    memcpy(j->data, &a, sizeof a);
    j->bytes = sizeof a;
    if ((j->n.flags & VX_FS_OPEN) != 0 && may_open(b, a.mode, j->n.access))
        hold(b, j, node_of(&a));
    return OK;
}

struct join {
    struct fs_name name, new_name;
    struct fs_node child, replaced, parent;
};

static status_t take_join(const struct fs_backend *b, const struct fs_job *j, struct join *out)
{
    size_t head = offsetof(struct vx_fs_join, text);
    const char *text = take_text(j, head);
    struct vx_fs_join a;
    if (text == nullptr)
        return ERR_BAD_ARGUMENT;
    memcpy(&a, text, head);
    if (head + a.name_bytes + a.new_name_bytes > j->n.data_bytes)
        return ERR_BAD_ARGUMENT;
    out->name = (struct fs_name){ text + head, a.name_bytes };
    out->new_name = (struct fs_name){ text + head + a.name_bytes, a.new_name_bytes };
    out->child = (struct fs_node){ a.child, a.child_generation };
    out->replaced = (struct fs_node){ a.replaced, a.replaced_generation };
    out->parent = (struct fs_node){ a.parent, a.parent_generation };
    return check_name(b, out->name);
}

static status_t link(struct fs_backend *b, struct fs_job *j)
{
    struct join a;
    status_t st = take_join(b, j, &a);
    if (st == OK)
        st = b->link == nullptr ? ERR_NOT_SUPPORTED : b->link(b, j->node, a.name, a.child);
    if (st != OK)
        return st;
    touch(j, j->node, VX_FS_EVENT_NAMES);
    touch(j, a.child, VX_FS_EVENT_ATTRIBUTES);
    return OK;
}

/* What became of an object that lost a name. */
static uint32_t fate(struct fs_backend *b, struct fs_node n)
{
    struct vx_fs_attributes a = {};
    status_t st = b->attributes(b, n, &a);
    return st != OK || a.links == 0 ? VX_FS_EVENT_GONE | VX_FS_EVENT_ATTRIBUTES : VX_FS_EVENT_ATTRIBUTES;
}

static status_t unlink(struct fs_backend *b, struct fs_job *j)
{
    struct join a;
    status_t st = take_join(b, j, &a);
    if (st == OK)
        st = b->unlink == nullptr ? ERR_NOT_SUPPORTED
                                  : b->unlink(b, j->node, a.name, a.child, (j->n.flags & VX_FS_DIRECTORY) != 0);
    if (st != OK)
        return st;
    touch(j, j->node, VX_FS_EVENT_NAMES);
    touch(j, a.child, fate(b, a.child));
    return OK;
}

static status_t rename(struct fs_backend *b, struct fs_job *j)
{
    struct join a;
    status_t st = take_join(b, j, &a);
    if (st == OK)
        st = check_name(b, a.new_name);
    if (st != OK || b->rename == nullptr)
        return st != OK ? st : ERR_NOT_SUPPORTED;
    bool exchange = (j->n.flags & VX_FS_EXCHANGE) != 0;
    struct fs_rename r = { .from = j->node,
                           .to = a.parent,
                           .name = a.name,
                           .new_name = a.new_name,
                           .child = a.child,
                           .replaced = a.replaced,
                           .no_replace = (j->n.flags & VX_FS_NO_REPLACE) != 0,
                           .exchange = exchange };
    if (exchange && (r.no_replace || r.replaced.object == 0))
        return ERR_BAD_ARGUMENT;
    if ((st = b->rename(b, &r)) != OK)
        return st;
    touch(j, r.from, VX_FS_EVENT_NAMES);
    touch(j, r.to, VX_FS_EVENT_NAMES);
    touch(j, r.child, VX_FS_EVENT_ATTRIBUTES);
    if (r.replaced.object != 0 && r.replaced.object != r.child.object)
        touch(j, r.replaced, exchange ? VX_FS_EVENT_ATTRIBUTES : fate(b, r.replaced));
    return OK;
}

static status_t readlink(struct fs_backend *b, struct fs_job *j)
{
    size_t bytes = 0;
    if (b->readlink == nullptr)
        return ERR_NOT_SUPPORTED;
    status_t st = b->readlink(b, j->node, (char *)j->data, j->n.data_bytes, &bytes);
    j->bytes = (uint32_t)bytes;
    return st;
}

static status_t open_node(struct fs_backend *b, struct fs_job *j)
{
    struct vx_fs_attributes a = {};
    status_t st = b->attributes(b, j->node, &a);
    if (st != OK)
        return st;
    if ((j->n.access & VX_FS_NAMES) != 0 && (a.mode & VX_FS_TYPE) != VX_FS_DIR)
        return ERR_NOT_DIRECTORY;
    if ((j->n.access & VX_FS_NAMES) == 0 && !may_open(b, a.mode, j->n.access)) {
        bool dir = (a.mode & VX_FS_TYPE) == VX_FS_DIR, wrong = (b->flags & VX_FS_IS_READ_ONLY) == 0;
        return dir ? ERR_IS_DIRECTORY : wrong ? ERR_NOT_SUPPORTED : ERR_READ_ONLY;
    }
    hold(b, j, j->node);
    return OK;
}

static status_t space(struct fs_backend *b, struct fs_job *j)
{
    struct vx_fs_space s = { .volume = b->volume, .block_bytes = 4096, .name_max = b->name_max, .flags = b->flags };
    status_t st = b->space != nullptr ? b->space(b, &s) : OK;
    (void)vx_strcopy(s.kind, sizeof s.kind, b->kind);
    return st == OK ? give(j, &s, sizeof s) : st;
}

/* --- of files --- */

static status_t change(struct fs_backend *b, struct fs_job *j)
{
    struct vx_fs_change c;
    if (j->q.data_bytes < sizeof c)
        return ERR_BAD_ARGUMENT;
    memcpy(&c, j->data, sizeof c);
    if ((c.mask & ~(uint32_t)VX_FS_SET_KNOWN) != 0 || b->change == nullptr)
        return ERR_NOT_SUPPORTED;
    if ((c.mask & VX_FS_SET_MODE) != 0 && (c.mode & ~(uint32_t)VX_FS_PERMISSIONS) != 0)
        return ERR_BAD_ARGUMENT;
    status_t st = b->change(b, j->node, &c);
    if (st == OK)
        touch(j, j->node,
              (c.mask & VX_FS_SET_SIZE) != 0 ? VX_FS_EVENT_DATA | VX_FS_EVENT_ATTRIBUTES : VX_FS_EVENT_ATTRIBUTES);
    return st;
}

static status_t read(struct fs_backend *b, struct fs_job *j)
{
    size_t done = 0;
    status_t st =
        b->read == nullptr ? ERR_NOT_SUPPORTED : b->read(b, j->node, j->q.offset, j->data, j->q.data_bytes, &done);
    j->bytes = (uint32_t)done;
    return st;
}

static status_t write(struct fs_backend *b, struct fs_job *j)
{
    size_t done = 0;
    uint64_t offset = j->q.offset;
    if (b->write == nullptr)
        return ERR_NOT_SUPPORTED;
    if (j->q.op == VX_FS_OP_APPEND) {
        struct vx_fs_attributes a = {};
        status_t st = b->attributes(b, j->node, &a);
        if (st != OK)
            return st;
        j->value = offset = a.size;
    }
    status_t st = b->write(b, j->node, offset, j->data, j->q.data_bytes, &done);
    j->bytes = (uint32_t)done;
    if (done != 0)
        touch(j, j->node, VX_FS_EVENT_DATA);
    return done != 0 ? OK : st;
}

static status_t list(struct fs_backend *b, struct fs_job *j)
{
    struct fs_listing l = { .at = j->data, .room = j->q.data_bytes };
    if (b->list == nullptr)
        return ERR_NOT_SUPPORTED;
    status_t st = b->list(b, j->node, j->q.offset, &l);
    j->bytes = (uint32_t)l.used;
    return st == OK && l.full && l.used == 0 ? ERR_TOO_BIG : st;
}

bool fs_list_add(struct fs_listing *l, uint64_t cookie, uint64_t object, uint32_t mode, struct fs_name name)
{
    size_t bytes = (offsetof(struct vx_fs_entry, name) + name.bytes + 1 + 7) & ~(size_t)7;
    if (l->full || l->room - l->used < bytes || (uintptr_t)(l->at + l->used) % 8 != 0) {
        l->full = true;
        return false;
    }
    struct vx_fs_entry e = { .cookie = cookie,
                             .object = object,
                             .bytes = (uint16_t)bytes,
                             .name_bytes = (uint8_t)name.bytes,
                             .type = (uint8_t)(mode >> 12) };
    uint8_t *to = l->at + l->used;
    memset(to, 0, bytes);
    memcpy(to, &e, offsetof(struct vx_fs_entry, name));
    memcpy(to + offsetof(struct vx_fs_entry, name), name.at, name.bytes);
    l->used += bytes;
    return true;
}

static status_t allocate(struct fs_backend *b, struct fs_job *j)
{
    uint64_t end;
    if (b->allocate == nullptr || (j->q.flags & ~(VX_FS_KEEP_SIZE | VX_FS_PUNCH)) != 0)
        return ERR_NOT_SUPPORTED;
    if (j->q.length == 0 || __builtin_add_overflow(j->q.offset, j->q.length, &end))
        return ERR_BAD_ARGUMENT;
    status_t st = b->allocate(b, j->node, j->q.offset, j->q.length, j->q.flags);
    if (st == OK)
        touch(j, j->node, VX_FS_EVENT_DATA);
    return st;
}

/* A name of 1 to VX_FS_XATTR_NAME_MAX bytes that ends with the text or with a NUL. */
static status_t xattr_name(const char *text, size_t bytes, struct fs_name *out)
{
    const char *end = memchr(text, '\0', bytes);
    *out = (struct fs_name){ text, end != nullptr ? (size_t)(end - text) : bytes };
    return out->bytes == 0 ? ERR_BAD_ARGUMENT : out->bytes > VX_FS_XATTR_NAME_MAX ? ERR_NAME_TOO_LONG : OK;
}

static status_t get_xattr(struct fs_backend *b, struct fs_job *j)
{
    const char *text = take_text(j, 1);
    struct fs_name name;
    size_t bytes = 0, room = j->q.length;
    if (b->getxattr == nullptr)
        return ERR_NOT_SUPPORTED;
    if (text == nullptr || room > j->session->bytes - j->q.data_at)
        return ERR_BAD_ARGUMENT;
    status_t st = xattr_name(text, j->q.data_bytes, &name);
    if (st == OK)
        st = b->getxattr(b, j->node, name, j->data, room, &bytes);
    j->value = bytes;
    j->bytes = (uint32_t)(bytes < room ? bytes : room);
    return st;
}

static status_t set_xattr(struct fs_backend *b, struct fs_job *j)
{
    const char *text = take_text(j, 1);
    struct fs_name name;
    uint32_t flags = j->q.flags, bytes = j->q.data_bytes;
    if (b->setxattr == nullptr || (flags & ~(VX_FS_EXCLUSIVE | VX_FS_REPLACE | VX_FS_REMOVE)) != 0)
        return ERR_NOT_SUPPORTED;
    if ((flags & (flags - 1)) != 0)
        return ERR_BAD_ARGUMENT;
    if (text == nullptr)
        return bytes == 0 ? ERR_BAD_ARGUMENT : ERR_TOO_BIG;
    status_t st = xattr_name(text, bytes, &name);
    if (st != OK)
        return st;
    if (name.bytes == bytes) /* a name without its NUL: is something missing? */
        return ERR_BAD_ARGUMENT;
    size_t n_value = bytes - name.bytes - 1;
    if (n_value > VX_FS_XATTR_VALUE_MAX)
        return ERR_TOO_BIG;
    st = b->setxattr(b, j->node, name, name.at + name.bytes + 1, n_value, flags);
    if (st == OK)
        touch(j, j->node, VX_FS_EVENT_ATTRIBUTES);
    return st;
}

static status_t list_xattr(struct fs_backend *b, struct fs_job *j)
{
    size_t used = 0;
    if (b->listxattr == nullptr)
        return ERR_NOT_SUPPORTED;
    status_t st = b->listxattr(b, j->node, j->q.offset, (char *)j->data, j->q.data_bytes, &used);
    j->bytes = (uint32_t)used;
    return st;
}

static status_t meet(struct fs_backend *b, struct fs_job *j)
{
    struct vx_fs_attributes a = {};
    status_t st = b->meet == nullptr ? ERR_NOT_SUPPORTED : b->attributes(b, j->node, &a);
    if (st == OK && (a.mode & VX_FS_TYPE) != VX_FS_FIFO)
        st = ERR_NOT_SUPPORTED;
    return st == OK ? b->meet(b, j->node, &j->cap) : st;
}

static void release(struct fs_backend *b, struct fs_node n)
{
    if (b->release != nullptr)
        b->release(b, n);
}

static status_t release_all(struct fs_backend *b, struct fs_server_session *s)
{
    for (uint32_t i = 0; i < s->n_files; i++) {
        if (s->files[i].open != nullptr)
            release(b, s->files[i].node);
    }
    return OK;
}

static status_t perform(struct fs_backend *b, struct fs_job *j)
{
    switch (j->q.op) {
    case VX_FS_OP_READ:
        return read(b, j);
    case VX_FS_OP_WRITE:
    case VX_FS_OP_APPEND:
        return write(b, j);
    case VX_FS_OP_GETATTR:
    case VX_FS_OP_STAT:
    case VX_FS_OP_WHICH:
        return give_attributes(b, j, j->node);
    case VX_FS_OP_SETATTR:
    case VX_FS_OP_CHANGE:
        return change(b, j);
    case VX_FS_OP_ALLOCATE:
        return allocate(b, j);
    case VX_FS_OP_SEEK:
        return b->seek == nullptr ? ERR_NOT_SUPPORTED
                                  : b->seek(b, j->node, j->q.offset, (j->q.flags & VX_FS_HOLE) != 0, &j->value);
    case VX_FS_OP_LIST:
        return list(b, j);
    case VX_FS_OP_GETXATTR:
        return get_xattr(b, j);
    case VX_FS_OP_SETXATTR:
        return set_xattr(b, j);
    case VX_FS_OP_LISTXATTR:
        return list_xattr(b, j);
    case VX_FS_OP_MAP:
        return b->map == nullptr
                   ? ERR_NOT_SUPPORTED
                   : b->map(b, j->node, j->q.offset, (j->q.argument & VX_FS_WRITE) != 0, &j->cap, &j->value);
    case VX_FS_OP_MEET:
        return meet(b, j);
    case VX_FS_OP_SYNC:
        return b->sync == nullptr ? OK : b->sync(b, &j->node);
    case VX_FS_OP_SYNC_ALL:
        return b->sync == nullptr ? OK : b->sync(b, nullptr);
    case VX_FS_OP_CLOSE:
    case VX_FS_OP_FORGET:
        release(b, j->node);
        return OK;
    case VX_FS_OP_FIND:
        return find(b, j);
    case VX_FS_OP_WALK:
        return walk(b, j);
    case VX_FS_OP_CREATE:
        return create(b, j);
    case VX_FS_OP_LINK:
        return link(b, j);
    case VX_FS_OP_UNLINK:
        return unlink(b, j);
    case VX_FS_OP_RENAME:
        return rename(b, j);
    case VX_FS_OP_READLINK:
        return readlink(b, j);
    case VX_FS_OP_OPEN:
        return open_node(b, j);
    case VX_FS_OP_STATFS:
        return space(b, j);
    case FS_JOB_RELEASE_ALL:
        return release_all(b, j->session);
    default:
        return ERR_NOT_SUPPORTED;
    }
}

void fs_job_perform(struct fs_job *j)
{
    j->status = perform(fs_server.backend, j);
}
