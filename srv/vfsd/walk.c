/* SPDX-License-Identifier: MIT
 * The path walk. Names go to the file system as many at a time as there are; what comes back is looked through for
 * mount points and symbolic links. Where names never change, what they mean is remembered. */
#include "vfsd.h"
#include <vectra/string.h>

enum { REMEMBERED = 128, NAME_KEPT = 24 };

/* A name of a file system whose names never change. */
static struct known {
    uint32_t mount;
    uint8_t bytes;
    char name[NAME_KEPT];
    uint32_t mode;
    struct node dir, node;
} known[REMEMBERED];

struct name {
    const char *at;
    uint32_t bytes;
};

static struct known *known_place(const struct place *dir, struct name n)
{
    uint32_t h = (uint32_t)(dir->node.object * 31 + dir->mount->id);
    for (uint32_t i = 0; i < n.bytes; i++)
        h = h * 33 + (uint8_t)n.at[i];
    return &known[(h ^ h >> 15) % REMEMBERED];
}

static void remember(const struct place *dir, struct name n, const struct place *found)
{
    if ((dir->mount->flags & VX_FS_IS_FIXED) == 0 || n.bytes > NAME_KEPT)
        return;
    struct known *k = known_place(dir, n);
    *k = (struct known){
        .mount = dir->mount->id, .bytes = (uint8_t)n.bytes, .mode = found->mode, .dir = dir->node, .node = found->node
    };
    memcpy(k->name, n.at, n.bytes);
}

static bool recall(const struct place *dir, struct name n, struct place *found)
{
    if ((dir->mount->flags & VX_FS_IS_FIXED) == 0 || n.bytes > NAME_KEPT)
        return false;
    const struct known *k = known_place(dir, n);
    if (k->mount != dir->mount->id || k->bytes != n.bytes || k->dir.object != dir->node.object ||
        k->dir.generation != dir->node.generation || memcmp(k->name, n.at, n.bytes) != 0)
        return false;
    *found = (struct place){ dir->mount, k->node, k->mode };
    return true;
}

/* --- the chain --- */

static struct place *top(struct op *op)
{
    return &op->chain[op->n_chain - 1];
}

static bool is_dir(const struct place *p)
{
    return (p->mode & VX_FS_TYPE) == VX_FS_DIR;
}

/* Behind a place that is covered lies what covers it. */
static bool uncover(struct place *p)
{
    bool any = false;
    for (struct mount *m; is_dir(p) && (m = mount_over(p)) != nullptr; any = true)
        *p = (struct place){ .mount = m, .mode = VX_FS_DIR };
    return any;
}

/* Places deep below the root, that no ".." may come back to, are forgotten when there are too many. */
static void push(struct op *op, const struct place *p)
{
    if (op->n_chain == VX_FS_DEPTH_MAX) {
        uint32_t gone = VX_FS_DEPTH_MAX / 2;
        memmove(&op->chain[1], &op->chain[1 + gone], (VX_FS_DEPTH_MAX - 1 - gone) * sizeof op->chain[0]);
        op->n_chain -= gone;
        op->n_lost += gone;
    }
    op->chain[op->n_chain++] = *p;
}

static status_t pop(struct op *op)
{
#ifdef MUTATE_WALK_OUT
    if (op->n_chain == 1)
        op->chain[0] = (struct place){ .mount = op->chain[0].mount, .mode = VX_FS_DIR };
#endif
    if (op->n_chain > 1)
        op->n_chain--;
    return op->n_chain == 1 && op->n_lost != 0 ? ERR_NAME_TOO_LONG : OK;
}

/* --- the path --- */

static bool at_end(const struct op *op)
{
    return op->at >= op->path_len;
}

static void skip_slashes(struct op *op)
{
    while (!at_end(op) && op->path[op->at] == '/')
        op->at++;
}

static struct name name_at(const struct op *op, uint32_t at)
{
    uint32_t end = at;
    while (end < op->path_len && op->path[end] != '/')
        end++;
    return (struct name){ op->path + at, end - at };
}

static bool is_dots(struct name n, unsigned dots)
{
    return n.bytes == dots && n.at[0] == '.' && n.at[dots - 1] == '.';
}

/* True if nothing but slashes follows. */
static bool last_before(const struct op *op, uint32_t at)
{
    while (at < op->path_len && op->path[at] == '/')
        at++;
    return at >= op->path_len;
}

static void go(struct op *op);
static void answered(struct op *op, const struct vx_fs_reply *r, const uint8_t *data);

void walk_failed(struct op *op, status_t st)
{
    op_done(op, st);
}

static void found(struct op *op, bool exists)
{
    struct spot *s = &op->spot;
    s->exists = exists;
    if (exists) {
        s->found = *top(op);
        if (op->n_chain > 1)
            s->parent = op->chain[op->n_chain - 2];
        else
            s->has_name = false;
    } else {
        s->parent = *top(op);
    }
    op->walked(op);
}

/* Asks for the names from op->at on, up to "." or "..", as many as one question holds. */
static void ask_names(struct op *op)
{
    uint32_t at = op->at, bytes = 0, n = 0;
    while (at < op->path_len && n < VX_FS_WALK_MAX) {
        struct name part = name_at(op, at);
        if (is_dots(part, 1) || is_dots(part, 2))
            break;
        if (part.bytes > VX_FS_NAME_MAX) {
            walk_failed(op, ERR_NAME_TOO_LONG);
            return;
        }
        if (n != 0)
            op->text[bytes++] = '/';
        memcpy(op->text + bytes, part.at, part.bytes);
        bytes += part.bytes;
        n++;
        at += part.bytes;
        op->asked_end = at;
        while (at < op->path_len && op->path[at] == '/')
            at++;
    }
    op->asked_names = n;
    op->asked_last = at >= op->path_len;
    op->text_bytes = bytes;
    uint32_t session = op->opens && op->asked_last ? session_with(op->connection, top(op)->mount) : 0;
    const struct place *from = top(op);
    bool fixed = (from->mount->flags & VX_FS_IS_FIXED) != 0;
    if (op->fixed && !fixed && from->node.object == 0) {
        op->way = from->mount;
        op->way_bytes = op->at;
    }
    op->fixed = op->fixed && fixed;
    op->question = (struct vx_fs_name_request){
        .op = VX_FS_OP_WALK,
        .flags = session != 0 ? VX_FS_OPEN : 0,
        .session = session,
        .data_bytes = bytes,
        .access = op->access,
    };
    op->repeatable = true;
    ask(op, top(op), answered);
}

/* --- symbolic links --- */

static void link_read(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    uint32_t rest = op->path_len - op->at;
    if (r->status != OK || r->bytes > VX_FS_PATH_MAX || r->bytes == 0) {
        walk_failed(op, r->status != OK ? (status_t)r->status : ERR_NOT_FOUND);
        return;
    }
    if (r->bytes + rest > VX_FS_PATH_MAX) {
        walk_failed(op, ERR_NAME_TOO_LONG);
        return;
    }
    /* What is left of the path begins with a slash, or is nothing. */
    memmove(op->path + r->bytes, op->path + op->at, rest);
    memcpy(op->path, data, r->bytes); /* once: the file system could change it */
    op->path_len = r->bytes + rest;
    op->at = 0;
    if (memchr(op->path, '\0', r->bytes) != nullptr) {
        walk_failed(op, ERR_IO);
        return;
    }
    op->fixed = false; /* path is not what it was */
    op->n_chain--;     /* the link itself is no place to be */
    if (op->path[0] == '/') {
        op->n_chain = 1;
        op->n_lost = 0;
    }
    go(op);
}

static void follow(struct op *op)
{
    if (++op->links > VX_FS_LINKS_MAX) {
        walk_failed(op, ERR_LOOP);
        return;
    }
    op->question = (struct vx_fs_name_request){ .op = VX_FS_OP_READLINK, .data_bytes = VX_FS_PATH_MAX + 1 };
    op->text_bytes = 0;
    ask(op, top(op), link_read);
}

/* --- what came back --- */

static void answered(struct op *op, const struct vx_fs_reply *r, const uint8_t *data)
{
    static struct vx_fs_walked w;
    size_t head = offsetof(struct vx_fs_walked, step);
    if (r->status != OK) {
        status_t st = (status_t)r->status;
        if (st == ERR_STALE && op->question.session != 0 && op->opens) {
            op->opens = false; /* if it was the session that has gone, the next try tells */
            go(op);
            return;
        }
        walk_failed(op, st == ERR_STALE && op->n_chain > 1 ? ERR_NOT_FOUND : st);
        return;
    }
    if (r->bytes < head || r->bytes > sizeof w) {
        walk_failed(op, ERR_IO);
        return;
    }
    memcpy(&w, data, r->bytes); /* once */
    if (w.n > op->asked_names || w.n > (r->bytes - head) / sizeof w.step[0]) {
        walk_failed(op, ERR_IO);
        return;
    }
    struct mount *m = top(op)->mount;
    for (uint32_t i = 0; i < w.n; i++) {
        struct place dir = *top(op), p = { m, { w.step[i].object, w.step[i].generation }, w.step[i].mode };
        struct name part = name_at(op, op->at);
        bool last = last_before(op, op->at + part.bytes), is_link = (p.mode & VX_FS_TYPE) == VX_FS_LINK;
        remember(&dir, part, &p);
        op->at += part.bytes;
        bool covered = uncover(&p);
        push(op, &p);
        if (last) {
            op->spot.name_bytes = (uint8_t)part.bytes;
            memcpy(op->spot.name, part.at, part.bytes);
            op->spot.has_name = true;
        }
        if (is_link && (!last || op->follow || op->spot.slash)) {
            op->spot.has_name = false;
            follow(op);
            return;
        }
        if (covered) { /* what was found behind it lies under the cover */
            if (r->value != 0)
                ask_forget_file(m, op->question.session, (uint32_t)r->value);
            go(op);
            return;
        }
        if (last) {
            op->attributes = w.last;
            op->number = (uint32_t)r->value;
            found(op, true);
            return;
        }
        skip_slashes(op);
        if (!is_dir(&p)) {
            walk_failed(op, ERR_NOT_DIRECTORY);
            return;
        }
    }
    if (w.n == op->asked_names) {
        go(op);
        return;
    }
    if (!is_dir(top(op)) || (w.last.mode & VX_FS_TYPE) != VX_FS_DIR) {
        walk_failed(op, ERR_NOT_DIRECTORY);
        return;
    }
    struct name part = name_at(op, op->at);
    if (!last_before(op, op->at + part.bytes)) {
        walk_failed(op, ERR_NOT_FOUND);
        return;
    }
    op->spot.name_bytes = (uint8_t)part.bytes;
    memcpy(op->spot.name, part.at, part.bytes);
    op->spot.has_name = true;
    found(op, false);
}

/* From where the path has come to. */
static void go(struct op *op)
{
    for (;;) {
        struct place next;
        skip_slashes(op);
        if (at_end(op)) {
            found(op, true);
            return;
        }
        if (!is_dir(top(op))) {
            walk_failed(op, ERR_NOT_DIRECTORY);
            return;
        }
        struct name part = name_at(op, op->at);
        if (is_dots(part, 1) || is_dots(part, 2)) {
            status_t st = part.bytes == 2 ? pop(op) : OK;
            op->fixed = op->fixed && part.bytes == 1;
            if (st != OK) {
                walk_failed(op, st);
                return;
            }
            op->at += part.bytes;
            op->spot.has_name = false;
            op->number = 0;
            continue;
        }
        /* The last name is asked for, unless it is known to be covered: its attributes are wanted. */
        bool last = last_before(op, op->at + part.bytes);
        if (recall(top(op), part, &next) && is_dir(&next) && (uncover(&next) || !last)) {
            push(op, &next);
            op->at += part.bytes;
            if (last) {
                op->spot.name_bytes = (uint8_t)part.bytes;
                memcpy(op->spot.name, part.at, part.bytes);
                op->spot.has_name = true;
            }
            continue;
        }
        ask_names(op);
        return;
    }
}

void walk(struct op *op, const char *path, uint32_t bytes, void (*walked)(struct op *op))
{
    walk_from(op, &op->connection->root, path, bytes, walked);
}

void walk_from(struct op *op, const struct place *from, const char *path, uint32_t bytes, void (*walked)(struct op *op))
{
    memcpy(op->path, path, bytes);
    op->path_len = bytes;
    op->at = op->links = op->n_lost = 0;
    op->number = 0;
    op->walked = walked;
    op->spot.exists = op->spot.has_name = false; /* the rest is written where it is found */
    op->spot.name_bytes = 0;
    op->spot.slash = bytes != 0 && path[bytes - 1] == '/';
    op->attributes.mode = 0;
    op->fixed = true;
    op->way = nullptr;
    op->chain[0] = *from;
    op->n_chain = 1;
    (void)uncover(&op->chain[0]);
    go(op);
}
