/* SPDX-License-Identifier: MIT
 * Names past vfsd: below the root of some mounts a file system answers itself, by VX_FS_OP_FIND in the session with it
 * (docs/protocols/vfs.md). Only what is found so, or is not there, is settled; vfsd is asked for all the rest. A
 * shortcut is good while the word that vfsd shows in the connection's buffer stays the same: whoever read it before
 * what is mounted changed may as well have looked before. */
#include "client.h"
#include <vectra/string.h>
#include <vectra/time.h>

static uint64_t mounts_now(const struct fs_client *c)
{
    const _Atomic uint64_t *word = (const _Atomic uint64_t *)(const void *)(c->at + VX_VFS_MOUNTS_AT);
    return atomic_load_explicit(word, memory_order_acquire); /* pairs with the release where vfsd changes it */
}

/* The session of the shortcut that the path begins with, one user more; nullptr: there is none. */
static struct fs_session *enter(struct fs_client *c, const char *path, struct fs_shortcut *out)
{
    struct fs_session *found = nullptr;
    vx_mutex_lock(&c->lock);
    for (unsigned i = 0; c->at != nullptr && i < FS_SHORTCUTS_MAX; i++) {
        struct fs_shortcut *k = &c->shortcut[i];
        if (k->file == 0 || strncmp(path, k->prefix, k->prefix_bytes) != 0)
            continue;
        struct fs_session *s = &c->session[k->session];
        if (!s->used || s->past || s->broken || s->epoch != k->epoch || k->mounts != mounts_now(c)) {
            k->file = 0;
            continue;
        }
        *out = *k;
        found = s;
        found->users++;
        break;
    }
    vx_mutex_unlock(&c->lock);
    return found;
}

static void leave(struct fs_client *c, struct fs_session *s)
{
    vx_mutex_lock(&c->lock);
    s->users--;
    vx_mutex_unlock(&c->lock);
}

/* It is of no more use. */
static void forget(struct fs_client *c, uint32_t file)
{
    vx_mutex_lock(&c->lock);
    for (unsigned i = 0; i < FS_SHORTCUTS_MAX; i++) {
        struct fs_shortcut *k = &c->shortcut[i];
        if (k->file != file)
            continue;
        c->session[k->session].named = 0;
        k->file = 0;
    }
    vx_mutex_unlock(&c->lock);
}

static status_t ask(struct fs_session *s, struct vx_fs_request *q, const char *names, size_t bytes,
                    struct vx_fs_reply *r, struct vx_fs_attributes *out)
{
    struct fs_piece p = {};
    status_t st = fs_piece_get(s, bytes > sizeof *out ? bytes : sizeof *out, &p);
    if (st != OK)
        return st;
    if (p.bytes < bytes || p.bytes < sizeof *out) {
        st = ERR_NOT_SUPPORTED; /* the buffer is full of others' pieces */
    } else {
        memcpy(p.at, names, bytes);
        q->data_bytes = (uint32_t)bytes;
        st = fs_request(s, q, &p, false, vx_deadline_in(FS_PATIENCE_NS), r);
    }
    if (st == OK && r->bytes < sizeof *out)
        st = ERR_IO;
    else if (st == OK)
        memcpy(out, p.at, sizeof *out);
    fs_piece_put(s, &p);
    return st;
}

status_t fs_find(struct fs_client *c, const char *path, uint32_t access, struct fs_file *out,
                 struct vx_fs_attributes *attributes)
{
    struct fs_shortcut k;
    struct vx_fs_attributes a;
    struct vx_fs_reply r;
    struct fs_session *s = enter(c, path, &k);
    if (s == nullptr)
        return ERR_NOT_SUPPORTED;
    const char *names = path + k.prefix_bytes;
    size_t bytes = strnlen(names, VX_FS_PATH_MAX + 1);
    struct vx_fs_request q = {
        .op = VX_FS_OP_FIND, .flags = out != nullptr ? VX_FS_OPEN : 0, .file = k.file, .argument = access
    };
    status_t st = bytes + k.prefix_bytes > VX_FS_PATH_MAX ? ERR_NOT_SUPPORTED : ask(s, &q, names, bytes, &r, &a);
    if (st == OK && out != nullptr && r.value == 0)
        st = ERR_IO;
    if (st == ERR_STALE || st == ERR_BAD_HANDLE)
        forget(c, k.file);
    if (st == OK && attributes != nullptr)
        *attributes = a;
    if (st == OK && out != nullptr) { /* the session's new user is the file */
        *out = (struct fs_file){ .client = c,
                                 .handle = { .mount = s->mount, .access = access },
                                 .mode = a.mode,
                                 .session = k.session,
                                 .number = (uint32_t)r.value,
                                 .epoch = k.epoch };
        return OK;
    }
    leave(c, s);
    return st == OK || st == ERR_NOT_FOUND || st == ERR_TIMED_OUT ? st : ERR_NOT_SUPPORTED;
}

void fs_found(struct fs_client *c, const char *path, uint32_t mount)
{
    struct vx_vfs_shortcut_request q = {};
    struct vx_vfs_shortcut_reply a = {};
    const struct fs_call call = { .op = VX_VFS_SHORTCUT, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    struct fs_session *s = fs_session_of(c, mount);
    uint64_t mounts = mounts_now(c);
    if (s == nullptr)
        return;
    if (s->named_at != mounts) {
        s->named_at = mounts;
        s->named = 0;
    }
    if (s->named > FS_SHORTCUT_AFTER || ++s->named != FS_SHORTCUT_AFTER) /* asked for once */
        return;
    if (fs_put_path(c, 0, path, &q.path_bytes) != OK || fs_call(c, &call, VX_HANDLE_NONE, nullptr) != OK)
        return;
    if (a.file == 0 || a.mount != mount || a.prefix_bytes > FS_PREFIX_MAX || a.prefix_bytes > q.path_bytes)
        return;
    struct fs_shortcut *k = &c->shortcut[c->last_shortcut++ % FS_SHORTCUTS_MAX];
    *k = (struct fs_shortcut){ .file = a.file,
                               .session = (uint16_t)(s - c->session),
                               .prefix_bytes = (uint8_t)a.prefix_bytes,
                               .mounts = mounts,
                               .epoch = s->epoch };
    memcpy(k->prefix, path, a.prefix_bytes);
}
