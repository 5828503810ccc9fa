/* SPDX-License-Identifier: MIT
 * The connection to vfsd: names. One call at a time, under the client's lock; texts and results lie in the connection's
 * buffer. */
#include <vectra/bundle.h>
#include "client.h"
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint32_t { SECOND_TEXT = 4096, THIRD = 8192 }; /* where a second path lies, and a record */
static constexpr uint64_t call_timeout_ns = FS_PATIENCE_NS + 5'000'000'000, retry_ns = 10'000'000;

static void drop(vx_handle_t handle)
{
    if (handle != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(handle); /* gone already is as good */
}

/* --- the connection --- */

static status_t get_buffer(struct fs_client *c)
{
    uint32_t bytes = 0;
    uint64_t epoch = 0;
    void *at = nullptr;
    vx_mem mem = {};
    status_t st = vx_vfs_info(&c->vfs, &epoch, &c->rights, nullptr);
    if (st == OK)
        st = vx_vfs_buffer(&c->vfs, &bytes, &mem);
    if (st != OK)
        return st;
    st = bytes < VX_VFS_BUFFER_BYTES ? ERR_PEER_CLOSED
                                     : vx_sys_mem_map(mem, 0, bytes, 0, VX_PROT_READ | VX_PROT_WRITE, &at);
    if (st != OK) {
        drop(mem.raw);
        return st;
    }
    c->buffer = mem;
    c->at = at;
    c->epoch = epoch;
    return OK;
}

static void put_buffer(struct fs_client *c)
{
    if (c->buffer.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(c->buffer, 0, 0);
    c->buffer = VX_NO_MEM;
    c->at = nullptr;
}

status_t fs_connect_over(struct fs_client *c, struct vx_client vfs)
{
    c->vfs = vfs;
    c->vfs.timeout_ns = call_timeout_ns;
    if (c->buffer_bytes == 0)
        c->buffer_bytes = FS_BUFFER_DEFAULT;
    status_t st = vx_client_begin(&c->vfs);
    if (st == OK)
        st = get_buffer(c);
    if (st != OK)
        vx_client_close(&c->vfs);
    return st;
}

status_t fs_connect(struct fs_client *c)
{
    struct vx_client vfs = {};
    status_t st = vx_client_from_bundle(&vfs, "vfs");
    c->by_name = st == ERR_NOT_FOUND || vx_bundle_ring_tx("naming.tx").raw != VX_HANDLE_NONE;
    if (st == ERR_NOT_FOUND)
        st = vx_connect("vfs", &vfs);
    return st == OK ? fs_connect_over(c, vfs) : st;
}

/* vfsd was started anew: its numbers of mounts are others. Sessions stay for what is open in them. */
static status_t reconnect(struct fs_client *c)
{
    uint64_t until = vx_deadline_in(FS_PATIENCE_NS);
    vx_client_close(&c->vfs);
    if (!c->by_name)
        return ERR_PEER_CLOSED;
    put_buffer(c);
    for (unsigned i = 0; i < FS_SESSIONS_MAX; i++)
        c->session[i].past = c->session[i].used; /* a free place is not of any vfsd */
    for (;;) {
        struct vx_client vfs = {};
        status_t st = vx_connect("vfs", &vfs);
        if (st == OK)
            st = fs_connect_over(c, vfs);
        if (st == OK || vx_clock_monotonic_ns() >= until)
            return st;
        vx_sleep_ns(retry_ns);
    }
}

static status_t call_once(struct fs_client *c, const struct fs_call *call, vx_handle_t cap, vx_handle_t *got)
{
    struct vx_message m = { .word = { call->op } };
    if (c->vfs.tx.raw == VX_HANDLE_NONE)
        return ERR_PEER_CLOSED;
    if (call->q_bytes != 0)
        memcpy(&m.word[1], call->q, call->q_bytes);
    status_t st = vx_rpc_call(&c->vfs, &m, cap, got, VX_FOREVER);
    while (st == ERR_INTERRUPTED) /* what was asked for happens: it must be known what came of it */
        st = vx_rpc_finish(&c->vfs, &m, got, VX_FOREVER);
    if (st == OK && call->a_bytes != 0)
        memcpy(call->a, &m.word[1], call->a_bytes);
    return st;
}

status_t fs_call(struct fs_client *c, const struct fs_call *call, vx_handle_t cap, vx_handle_t *got)
{
    status_t st = call_once(c, call, cap, got);
    if (st != ERR_PEER_CLOSED || c->vfs.tx.raw == VX_HANDLE_NONE)
        return st;
    st = reconnect(c);
    return st == OK ? ERR_PEER_CLOSED : st;
}

status_t fs_put_path(struct fs_client *c, uint32_t at, const char *path, uint32_t *bytes)
{
    size_t len = strnlen(path, VX_FS_PATH_MAX + 1);
    if (len > VX_FS_PATH_MAX)
        return ERR_NAME_TOO_LONG;
    if (len == 0)
        return ERR_NOT_FOUND;
    if (c->at == nullptr)
        return ERR_PEER_CLOSED;
    memcpy(c->at + at, path, len);
    *bytes = (uint32_t)len;
    return OK;
}

/* --- calls with one path or two --- */

/* What a call is made of, so that it can be made again when vfsd was started anew: texts have to be put down again. */
struct texts {
    const char *path, *second;
    const void *record;
    size_t record_bytes;
};

/* `q` begins with path_at and path_bytes, then, if there is a second text, its place. Leaves the lock held. */
static status_t call_texts(struct fs_client *c, const struct fs_call *call, const struct texts *t, uint32_t *q)
{
    status_t st = ERR_PEER_CLOSED;
    vx_mutex_lock(&c->lock);
    for (unsigned tries = 0; tries < 2 && st == ERR_PEER_CLOSED; tries++) {
        if (c->at == nullptr && (c->vfs.tx.raw != VX_HANDLE_NONE || (st = reconnect(c)) != OK))
            break;
        q[0] = 0;
        st = fs_put_path(c, 0, t->path, &q[1]);
        if (st == OK && t->second != nullptr) {
            q[2] = SECOND_TEXT;
            st = fs_put_path(c, SECOND_TEXT, t->second, &q[3]);
        }
        if (st == OK && t->record != nullptr)
            memcpy(c->at + THIRD, t->record, t->record_bytes);
        if (st == OK)
            st = fs_call(c, call, VX_HANDLE_NONE, nullptr);
    }
    return st;
}

static status_t simple(struct fs_client *c, uint16_t op, const struct texts *t, void *q, size_t q_bytes)
{
    const struct fs_call call = { .op = op, .q = q, .q_bytes = q_bytes };
    status_t st = call_texts(c, &call, t, q);
    vx_mutex_unlock(&c->lock);
    return st;
}

status_t fs_stat(struct fs_client *c, const char *path, uint32_t flags, struct vx_fs_attributes *out)
{
    struct vx_vfs_stat_request q = { .flags = flags };
    struct vx_vfs_stat_reply a = {};
    const struct fs_call call = { .op = VX_VFS_STAT, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    status_t st = fs_find(c, path, 0, nullptr, out);
    if (st != ERR_NOT_SUPPORTED)
        return st;
    st = call_texts(c, &call, &(struct texts){ .path = path }, &q.path_at);
    if (st == OK) {
        memcpy(out, c->at, sizeof *out);
        fs_found(c, path, a.mount);
    }
    vx_mutex_unlock(&c->lock);
    return st;
}

status_t fs_change(struct fs_client *c, const char *path, uint32_t flags, const struct vx_fs_change *change)
{
    struct vx_vfs_change_request q = { .flags = flags, .change_at = THIRD };
    const struct texts t = { .path = path, .record = change, .record_bytes = sizeof *change };
    return simple(c, VX_VFS_CHANGE, &t, &q, sizeof q);
}

status_t fs_mkdir(struct fs_client *c, const char *path, uint32_t mode)
{
    struct vx_vfs_mkdir_request q = { .mode = mode };
    return simple(c, VX_VFS_MKDIR, &(struct texts){ .path = path }, &q, sizeof q);
}

status_t fs_symlink(struct fs_client *c, const char *path, const char *target)
{
    struct vx_vfs_symlink_request q = {};
    return simple(c, VX_VFS_SYMLINK, &(struct texts){ .path = path, .second = target }, &q, sizeof q);
}

status_t fs_mknod(struct fs_client *c, const char *path, uint32_t mode, uint64_t device)
{
    struct vx_vfs_mknod_request q = { .mode = mode, .device = device };
    return simple(c, VX_VFS_MKNOD, &(struct texts){ .path = path }, &q, sizeof q);
}

status_t fs_link(struct fs_client *c, const char *path, const char *new_path, uint32_t flags)
{
    struct vx_vfs_link_request q = { .flags = flags };
    return simple(c, VX_VFS_LINK, &(struct texts){ .path = path, .second = new_path }, &q, sizeof q);
}

status_t fs_unlink(struct fs_client *c, const char *path, uint32_t flags)
{
    struct vx_vfs_unlink_request q = { .flags = flags };
    return simple(c, VX_VFS_UNLINK, &(struct texts){ .path = path }, &q, sizeof q);
}

status_t fs_rename(struct fs_client *c, const char *path, const char *new_path, uint32_t flags)
{
    struct vx_vfs_rename_request q = { .flags = flags };
    return simple(c, VX_VFS_RENAME, &(struct texts){ .path = path, .second = new_path }, &q, sizeof q);
}

status_t fs_readlink(struct fs_client *c, const char *path, char *to, size_t room, size_t *bytes)
{
    struct vx_vfs_readlink_request q = {};
    struct vx_vfs_readlink_reply a = {};
    const struct fs_call call = { .op = VX_VFS_READLINK, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    status_t st = call_texts(c, &call, &(struct texts){ .path = path }, &q.path_at);
    if (st == OK && a.bytes > VX_FS_PATH_MAX)
        st = ERR_IO;
    if (st == OK) {
        memcpy(to, c->at, a.bytes < room ? a.bytes : room);
        *bytes = a.bytes;
    }
    vx_mutex_unlock(&c->lock);
    return st;
}

status_t fs_statfs(struct fs_client *c, const char *path, struct vx_fs_space *out)
{
    struct vx_vfs_statfs_request q = {};
    const struct fs_call call = { .op = VX_VFS_STATFS, .q = &q, .q_bytes = sizeof q };
    status_t st = call_texts(c, &call, &(struct texts){ .path = path }, &q.path_at);
    if (st == OK) {
        memcpy(out, c->at, sizeof *out);
        out->kind[sizeof out->kind - 1] = '\0';
    }
    vx_mutex_unlock(&c->lock);
    return st;
}

status_t fs_sync_all(struct fs_client *c, const char *path)
{
    struct vx_vfs_sync_request q = {};
    return simple(c, VX_VFS_SYNC, &(struct texts){ .path = path }, &q, sizeof q);
}

status_t fs_mount(struct fs_client *c, const char *path, const char *source, uint32_t flags)
{
    struct vx_vfs_mount_request q = { .flags = flags };
    size_t len = strlen(source);
    if (len > sizeof q.source)
        return ERR_NAME_TOO_LONG;
    memcpy(q.source, source, len);
    q.source_len = (uint8_t)len;
    return simple(c, VX_VFS_MOUNT, &(struct texts){ .path = path }, &q, sizeof q);
}

/* True if a file of this client's is open in the file system that the path lies in. */
static bool in_use(struct fs_client *c, const char *path)
{
    struct vx_vfs_stat_request q = {};
    struct vx_vfs_stat_reply a = {};
    const struct fs_call call = { .op = VX_VFS_STAT, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    bool any = false;
    if (call_texts(c, &call, &(struct texts){ .path = path }, &q.path_at) == OK) {
        for (unsigned i = 0; i < FS_SESSIONS_MAX; i++) {
            const struct fs_session *s = &c->session[i];
            any = any || (s->used && !s->past && s->mount == a.mount && s->users != 0);
        }
    }
    vx_mutex_unlock(&c->lock);
    return any;
}

/* vfsd knows who has a session; what is open in our own, we know. */
status_t fs_umount(struct fs_client *c, const char *path, uint32_t flags)
{
    struct vx_vfs_umount_request q = { .flags = flags };
    if ((flags & VX_VFS_FORCE) == 0 && in_use(c, path))
        return ERR_BUSY;
    return simple(c, VX_VFS_UMOUNT, &(struct texts){ .path = path }, &q, sizeof q);
}

status_t fs_narrow(struct fs_client *c, const char *path, uint32_t rights)
{
    struct vx_vfs_narrow_request q = { .rights = rights };
    struct vx_vfs_narrow_reply a = {};
    const struct fs_call call = { .op = VX_VFS_NARROW, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    status_t st = call_texts(c, &call, &(struct texts){ .path = path }, &q.path_at);
    if (st == OK) {
        c->rights = a.rights;
        memset(c->shortcut, 0, sizeof c->shortcut); /* they began at another root */
        for (unsigned i = 0; i < FS_SESSIONS_MAX; i++)
            c->session[i].named = 0;
        c->by_name = false; /* another connection would have the wide root again */
    }
    vx_mutex_unlock(&c->lock);
    return st;
}

static status_t take_mounted(struct fs_client *c, uint32_t bytes, struct vx_vfs_mounted *out, char *source, char *path,
                             char *device, size_t room)
{
    struct vx_vfs_mounted m;
    size_t head = offsetof(struct vx_vfs_mounted, text);
    memcpy(&m, c->at, head); /* once */
    if (bytes < head || bytes > VX_VFS_BUFFER_BYTES || m.source_bytes > bytes - head ||
        m.path_bytes > bytes - head - m.source_bytes || m.device_bytes > bytes - head - m.source_bytes - m.path_bytes)
        return ERR_IO;
    if (m.source_bytes >= room || m.path_bytes >= room || m.device_bytes >= room)
        return ERR_TOO_BIG;
    memcpy(source, c->at + head, m.source_bytes);
    memcpy(path, c->at + head + m.source_bytes, m.path_bytes);
    source[m.source_bytes] = path[m.path_bytes] = '\0';
    if (device != nullptr) {
        memcpy(device, c->at + head + m.source_bytes + m.path_bytes, m.device_bytes);
        device[m.device_bytes] = '\0';
    }
    memcpy(out, &m, head);
    return OK;
}

status_t fs_mounts_on(struct fs_client *c, uint32_t *index, struct vx_vfs_mounted *out, char *source, char *path,
                      char *device, size_t room)
{
    struct vx_vfs_mounts_request q = { .index = *index };
    struct vx_vfs_mounts_reply a = {};
    const struct fs_call call = { .op = VX_VFS_MOUNTS, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a };
    vx_mutex_lock(&c->lock);
    status_t st = fs_call(c, &call, VX_HANDLE_NONE, nullptr);
    if (st == OK)
        st = take_mounted(c, a.bytes, out, source, path, device, room);
    if (st == OK)
        *index = a.next;
    vx_mutex_unlock(&c->lock);
    return st;
}

status_t fs_dup(struct fs_client *c, struct vx_client *out, uint32_t *number)
{
    const struct vx_vfs_dup_request q = { .without = VX_FS_MOUNT };
    vx_ring_rx requests = {};
    struct vx_vfs_dup_reply a = {};
    status_t st = vx_rpc_half(VX_OWN_RETICLE, out, &requests);
    if (st != OK)
        return st;
    vx_mutex_lock(&c->lock);
    st = fs_call(c, &(struct fs_call){ .op = VX_VFS_DUP, .q = &q, .q_bytes = sizeof q, .a = &a, .a_bytes = sizeof a },
                 requests.raw, nullptr);
    vx_mutex_unlock(&c->lock);
    if (st == OK) {
        *number = a.connection;
        return OK;
    }
    vx_client_close(out);
    drop(requests.raw); /* BAD_HANDLE if it went */
    return st;
}
