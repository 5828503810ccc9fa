/* SPDX-License-Identifier: MIT
 * See shm.h: files, their bytes, and lending them. */
#include "shm.h"
#include <fs/copy.h>
#include <vectra/string.h>

enum : uint64_t { PAGE = 4096, ROOT = 1 };

static uint64_t page_up(uint64_t bytes)
{
    return (bytes + PAGE - 1) & ~(PAGE - 1);
}

/* --- files --- */

status_t shm_object(struct shm *s, struct fs_node n, struct shm_object **out)
{
    struct shm_object *o = n.object == ROOT ? &s->root : &s->object[n.object % SHM_OBJECTS_MAX];
    struct fs_node is = shm_node(s, o);
    if (o->generation == 0 || is.object != n.object || is.generation != n.generation)
        return ERR_STALE;
    *out = o;
    return OK;
}

struct fs_node shm_node(const struct shm *s, const struct shm_object *o)
{
    uint64_t number = o == &s->root ? ROOT : o->generation * SHM_OBJECTS_MAX + (uint64_t)(o - s->object);
    return (struct fs_node){ number, o->generation };
}

status_t shm_object_new(struct shm *s, uint32_t mode, struct shm_object **out)
{
    for (unsigned i = 0; i < SHM_OBJECTS_MAX; i++) {
        struct shm_object *o = &s->object[i];
        if (o->generation != 0)
            continue;
        int64_t now = s->now_ns();
        *o = (struct shm_object){ .generation = ++s->generations,
                                  .mode = mode,
                                  .accessed_ns = now,
                                  .modified_ns = now,
                                  .changed_ns = now,
                                  .created_ns = now };
        *out = o;
        return OK;
    }
    return ERR_NO_SPACE;
}

void shm_changed(struct shm *s, struct shm_object *o, bool data)
{
    o->version++;
    o->changed_ns = s->now_ns();
    if (data)
        o->modified_ns = o->changed_ns;
}

static uint64_t held(const struct shm_object *o)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < o->n_pieces; i++)
        bytes += o->piece[i].bytes;
    return bytes;
}

void shm_attributes(const struct shm *s, const struct shm_object *o, struct vx_fs_attributes *out)
{
    struct fs_node n = shm_node(s, o);
    *out = (struct vx_fs_attributes){ .volume = s->volume,
                                      .object = n.object,
                                      .generation = n.generation,
                                      .size = o->size,
                                      .allocated = held(o),
                                      .version = o->version,
                                      .accessed_ns = o->accessed_ns,
                                      .modified_ns = o->modified_ns,
                                      .changed_ns = o->changed_ns,
                                      .created_ns = o->created_ns,
                                      .mode = o->mode,
                                      .links = o->links,
                                      .user = o->user,
                                      .group = o->group,
                                      .block_bytes = PAGE };
}

static status_t attributes(struct fs_backend *b, struct fs_node n, struct vx_fs_attributes *out)
{
    struct shm_object *o;
    status_t st = shm_object(shm_of(b), n, &o);
    if (st == OK)
        shm_attributes(shm_of(b), o, out);
    return st;
}

static status_t file(struct fs_backend *b, struct fs_node n, struct shm_object **out)
{
    status_t st = shm_object(shm_of(b), n, out);
    return st == OK && *out == &shm_of(b)->root ? ERR_IS_DIRECTORY : st;
}

/* --- pieces --- */

static bool is_lent(const struct shm *s, const struct shm_object *o)
{
    for (uint32_t i = 0; i < o->n_pieces; i++)
        if (s->memory->is_lent(o->piece[i].mem))
            return true;
    return false;
}

static void pieces_cut(struct shm *s, struct shm_object *o, uint32_t keep)
{
    while (o->n_pieces > keep)
        s->memory->end(o->piece[--o->n_pieces].mem);
}

void shm_object_forget(struct shm *s, struct shm_object *o)
{
    if (o->links != 0 || o->holds != 0)
        return;
#ifdef MUTATE_SHM_KEEP_PIECES
    o->n_pieces = 0;
#endif
    pieces_cut(s, o, 0);
    *o = (struct shm_object){};
}

/* All pieces become one, with room for `bytes`. Only while nobody has one of them. */
static status_t pieces_join(struct shm *s, struct shm_object *o, uint64_t bytes)
{
    struct shm_piece whole = { .bytes = bytes };
    uint64_t at = 0;
    if (s->memory->make(bytes, &whole.mem, &whole.at) != OK)
        return ERR_NO_SPACE;
    for (uint32_t i = 0; i < o->n_pieces; i++) {
        fs_copy(whole.at + at, o->piece[i].at, o->piece[i].bytes);
        at += o->piece[i].bytes;
    }
    pieces_cut(s, o, 0);
    o->piece[0] = whole;
    o->n_pieces = 1;
    return OK;
}

/* Room for `bytes`. spare: at least as much again as there is, if it can be had, for who comes again and again. */
static status_t reserve(struct shm *s, struct shm_object *o, uint64_t bytes, bool spare)
{
    uint64_t have = held(o);
    if (bytes <= have)
        return OK;
    if (bytes > MEM_BYTES_MAX)
        return ERR_FILE_TOO_BIG;
    uint64_t wanted = page_up(bytes) - have;
    if (o->n_pieces == SHM_PIECES_MAX)
        return is_lent(s, o) ? ERR_NO_SPACE : pieces_join(s, o, have + (spare && wanted < have ? have : wanted));
    struct shm_piece p = { .bytes = spare && wanted < have ? have : wanted };
    status_t st = s->memory->make(p.bytes, &p.mem, &p.at);
    if (st != OK && p.bytes != wanted)
        st = s->memory->make(p.bytes = wanted, &p.mem, &p.at);
    if (st != OK)
        return ERR_NO_SPACE;
    o->piece[o->n_pieces++] = p;
    return OK;
}

/* Calls for what lies in [offset, offset + bytes), all of which the pieces hold. */
enum pass { COPY_OUT, COPY_IN, CLEAR };
static void each_piece(struct shm_object *o, uint64_t offset, uint64_t bytes, enum pass what, uint8_t *out,
                       const uint8_t *in)
{
    uint64_t begin = 0;
    for (uint32_t i = 0; i < o->n_pieces && bytes != 0; begin += o->piece[i++].bytes) {
        const struct shm_piece *p = &o->piece[i];
        if (offset - begin >= p->bytes)
            continue;
        uint64_t in_piece = offset - begin, n = p->bytes - in_piece < bytes ? p->bytes - in_piece : bytes;
        if (what == COPY_OUT)
            fs_copy(out, p->at + in_piece, n);
        else if (what == COPY_IN)
            fs_copy(p->at + in_piece, in, n);
        else
            memset(p->at + in_piece, 0, n);
        out = what == COPY_OUT ? out + n : out;
        in = what == COPY_IN ? in + n : in;
        offset += n;
        bytes -= n;
    }
}

/* What comes behind the old end reads as zeroes, whatever was there before or came there through a map; so does the
 * rest of the last page. What a smaller size leaves over is given back unless somebody has it (invariant 3). */
static status_t resize(struct shm *s, struct shm_object *o, uint64_t size)
{
    uint64_t had = held(o), from = size < o->size ? size : o->size, to = size;
    status_t st = reserve(s, o, size, false);
    if (st != OK)
        return st;
    if (size < o->size) {
        uint32_t keep = 0;
        for (uint64_t bytes = 0; bytes < size; keep++)
            bytes += o->piece[keep].bytes;
        if (!is_lent(s, o))
            pieces_cut(s, o, keep);
        to = page_up(size);
    }
    to = to < had ? to : had; /* behind that it is new */
#ifndef MUTATE_SHM_KEEP_TAIL
    if (from < to)
        each_piece(o, from, to - from, CLEAR, nullptr, nullptr);
#else
    (void)from;
#endif
    o->size = size;
    return OK;
}

/* --- what is done to files --- */

static status_t change(struct fs_backend *b, struct fs_node n, const struct vx_fs_change *c)
{
    struct shm *s = shm_of(b);
    struct shm_object *o;
    bool sized = (c->mask & VX_FS_SET_SIZE) != 0;
    status_t st = sized ? file(b, n, &o) : shm_object(s, n, &o);
    if (st == OK && sized)
        st = resize(s, o, c->size);
    if (st != OK)
        return st;
    shm_changed(s, o, sized);
    int64_t now = o->changed_ns;
    if ((c->mask & VX_FS_SET_MODE) != 0)
        o->mode = (o->mode & VX_FS_TYPE) | c->mode;
    if ((c->mask & VX_FS_SET_USER) != 0)
        o->user = c->user;
    if ((c->mask & VX_FS_SET_GROUP) != 0)
        o->group = c->group;
    if ((c->mask & VX_FS_SET_CREATED) != 0)
        o->created_ns = c->created_ns;
    if ((c->mask & (VX_FS_SET_ACCESSED | VX_FS_SET_ACCESSED_NOW)) != 0)
        o->accessed_ns = (c->mask & VX_FS_SET_ACCESSED) != 0 ? c->accessed_ns : now;
    if ((c->mask & (VX_FS_SET_MODIFIED | VX_FS_SET_MODIFIED_NOW)) != 0)
        o->modified_ns = (c->mask & VX_FS_SET_MODIFIED) != 0 ? c->modified_ns : now;
    return OK;
}

static status_t read(struct fs_backend *b, struct fs_node n, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    struct shm_object *o;
    status_t st = file(b, n, &o);
    if (st != OK)
        return st;
    uint64_t left = offset >= o->size ? 0 : o->size - offset;
    *done = left < bytes ? left : bytes;
    each_piece(o, offset, *done, COPY_OUT, to, nullptr);
    o->accessed_ns = shm_of(b)->now_ns();
    return OK;
}

static status_t write(struct fs_backend *b, struct fs_node n, uint64_t offset, const void *from, size_t bytes,
                      size_t *done)
{
    struct shm *s = shm_of(b);
    struct shm_object *o;
    uint64_t end;
    status_t st = file(b, n, &o);
    *done = 0;
    if (st != OK || bytes == 0)
        return st;
    if (__builtin_add_overflow(offset, bytes, &end))
        return ERR_FILE_TOO_BIG;
    st = reserve(s, o, end, true);
    if (st == OK && end > o->size)
        st = resize(s, o, end);
    if (st != OK)
        return st;
    each_piece(o, offset, bytes, COPY_IN, nullptr, from);
    *done = bytes;
    shm_changed(s, o, true);
    return OK;
}

static status_t allocate(struct fs_backend *b, struct fs_node n, uint64_t offset, uint64_t length, uint32_t flags)
{
    struct shm *s = shm_of(b);
    struct shm_object *o;
    uint64_t end = offset + length; /* does not overflow: the server looked */
    status_t st = file(b, n, &o);
    if (st != OK)
        return st;
    if ((flags & VX_FS_PUNCH) != 0) {
        end = end < o->size ? end : o->size;
        if (offset < end)
            each_piece(o, offset, end - offset, CLEAR, nullptr, nullptr);
    } else {
        st = (flags & VX_FS_KEEP_SIZE) != 0 || end <= o->size ? reserve(s, o, end, false) : resize(s, o, end);
    }
    if (st == OK)
        shm_changed(s, o, true);
    return st;
}

static status_t map(struct fs_backend *b, struct fs_node n, uint64_t offset, bool writes, vx_handle_t *handle,
                    uint64_t *at)
{
    struct shm *s = shm_of(b);
    struct shm_object *o;
    status_t st = file(b, n, &o);
    if (st != OK)
        return st;
    uint64_t begin = 0, end = page_up(o->size);
    for (uint32_t i = 0; i < o->n_pieces && offset < end; begin += o->piece[i++].bytes) {
        const struct shm_piece *p = &o->piece[i];
        if (offset - begin >= p->bytes)
            continue;
        uint64_t bytes = end - begin < p->bytes ? end - begin : p->bytes; /* what is spare is nobody's yet */
        *at = begin;
        return s->memory->lend(p->mem, bytes, writes, handle);
    }
    return ERR_NOT_FOUND;
}

static status_t space(struct fs_backend *b, struct vx_fs_space *out)
{
    struct shm *s = shm_of(b);
    uint64_t bytes = 0, left = 0;
    s->memory->space(&bytes, &left);
    out->block_bytes = PAGE;
    out->blocks = bytes / PAGE;
    out->free_blocks = left / PAGE;
    out->objects = SHM_OBJECTS_MAX;
    for (unsigned i = 0; i < SHM_OBJECTS_MAX; i++)
        out->free_objects += s->object[i].generation == 0;
    return OK;
}

static void hold(struct fs_backend *b, struct fs_node n)
{
    struct shm_object *o;
    if (shm_object(shm_of(b), n, &o) == OK)
        o->holds++;
}

static void release(struct fs_backend *b, struct fs_node n)
{
    struct shm_object *o;
    if (shm_object(shm_of(b), n, &o) != OK)
        return;
    o->holds--;
    shm_object_forget(shm_of(b), o);
}

void shm_init(struct shm *s, struct fs_backend *b, const struct shm_memory *memory, uint64_t volume,
              int64_t (*now_ns)(void))
{
    s->memory = memory;
    s->now_ns = now_ns;
    s->volume = volume;
    int64_t now = now_ns();
    s->root = (struct shm_object){ .generation = ++s->generations,
                                   .mode = VX_FS_DIR | 01777,
                                   .links = 2,
                                   .accessed_ns = now,
                                   .modified_ns = now,
                                   .changed_ns = now,
                                   .created_ns = now };
    *b = (struct fs_backend){ .kind = "shm",
                              .volume = volume,
                              .root = shm_node(s, &s->root),
                              .flags = VX_FS_IS_VOLATILE,
                              .name_max = VX_FS_NAME_MAX,
                              .state = s,
                              .attributes = attributes,
                              .lookup = shm_lookup,
                              .change = change,
                              .create = shm_create,
                              .link = shm_link,
                              .unlink = shm_unlink,
                              .rename = shm_rename,
                              .read = read,
                              .write = write,
                              .list = shm_list,
                              .allocate = allocate,
                              .map = map,
                              .space = space,
                              .hold = hold,
                              .release = release };
}
