/* SPDX-License-Identifier: MIT
 * Files, from a program: names by way of vfsd, bytes straight to and from the file system that has them. For native
 * programs and for libposix.
 *
 *  1. There is one connection to vfsd (a subtree with rights), and at most one session with each mounted file system,
 * made when the first file of it is opened. An open file is a number in a session.
 *  2. A piece of a session's buffer belongs to the request that names it until its reply came, also if nobody waits for
 *     that any more (TIMED_OUT).
 *  3. When a file system was started anew, each open file is opened once more by its handle, at its next use; one that
 * is gone is STALE from then on. Files stay open when vfsd is started anew; only names wait for the new one.
 *
 * Threads: every call may be made by any thread at any time, on the same file too; calls that wait (fs_lock with wait,
 * fs_watch) hold nobody up. fs_close must be the last use of a file. Every call ends within FS_PATIENCE_NS, with
 * TIMED_OUT if need be, but for those that are told to wait, which take a deadline and answer INTERRUPTED after
 * THREAD_INTERRUPT; the others go on to their end.
 * A path is bytes with a NUL: from the connection's root, whether it begins with '/' or not. */
#pragma once
#include <abi/fs.h>
#include <vectra/rpc.h>
#include <vectra/rpc_vfs.h>
#include <vectra/thread.h>

enum : uint32_t { FS_SESSIONS_MAX = 16, FS_BUFFER_DEFAULT = 262144, FS_BUFFER_UNITS = 64, FS_REQUESTS_MAX = 16 };
/* Shortcuts at a time; of longer prefixes there are none. One is asked for when so many names of a file system were. */
enum : uint32_t { FS_SHORTCUTS_MAX = 4, FS_PREFIX_MAX = 40, FS_SHORTCUT_AFTER = 3 };
static constexpr uint64_t FS_PATIENCE_NS = 30'000'000'000;

/* A request under way: of a thread that waits for it, or of nobody any more. */
struct fs_pending {
    uint8_t state;
    bool waits;             /* for others: a lock, a change */
    uint8_t first, n_units; /* its piece of the buffer */
    uint16_t generation;
    vx_handle_t cap; /* that came with it */
    struct vx_fs_reply reply;
};

/* Names that begin with `prefix` are looked for at the file system itself, by its number for them in a session. */
struct fs_shortcut {
    uint32_t file; /* 0: none */
    uint16_t session;
    uint8_t prefix_bytes;
    char prefix[FS_PREFIX_MAX];
    uint64_t mounts; /* the word of the connection's buffer when it was given: it is good as long as that is the same */
    uint64_t epoch;  /* of the session */
};

struct fs_session {
    uint32_t mount;  /* as vfsd calls it */
    uint32_t users;  /* open files, and calls under way */
    bool used, past; /* past: of an earlier vfsd; nothing is opened in it any more */
    bool broken;     /* the file system has gone */
    uint32_t named;  /* names that vfsd found in it while what is mounted was as in `named_at` */
    uint64_t named_at;
    uint64_t epoch;
    vx_ring_tx tx;
    vx_ring_rx rx;
    vx_mem buffer;
    uint8_t *at;
    uint32_t bytes, unit_bytes, depth, n_pending, n_waits, n_closes; /* n_waits: of n_pending, that may take for ever */
    uint64_t units;                                                  /* those that are taken */
    struct vx_mutex lock;
    bool receiving;        /* a thread takes replies, for all */
    _Atomic uint32_t turn; /* changes whenever somebody who waits should look again */
    struct fs_pending pending[FS_REQUESTS_MAX];
};

struct fs_client {
    struct vx_client vfs;
    struct vx_mutex lock; /* the connection to vfsd and its buffer; which sessions there are */
    bool by_name;         /* connected through the naming service: can connect anew */
    vx_mem buffer;
    uint8_t *at;
    uint64_t epoch;
    uint32_t rights, buffer_bytes; /* buffer_bytes: of sessions, to be set before the first open */
    struct fs_session session[FS_SESSIONS_MAX];
    uint32_t last_shortcut;
    struct fs_shortcut shortcut[FS_SHORTCUTS_MAX];
};

/* An open file. No position: that is the caller's. */
struct fs_file {
    struct fs_client *client;
    struct vx_vfs_handle
        handle;    /* handle.access: what it may be used for; seal 0: found past vfsd, which has not seen it */
    uint32_t mode; /* when it was opened: type and permissions */
    uint16_t session;
    bool locked;     /* has, or had, locks */
    uint32_t number; /* 0: gone */
    uint64_t epoch;  /* of the session when the number was given */
};

/* --- the connection --- */

/* By the Bundle's "vfs.tx" and "vfs.rx", else through the naming service, which is also how it connects anew when vfsd
 * was started anew: who narrows a child's connection gives it no naming service that knows vfsd. *c is all zero before,
 * and static or as long lived as its files. NOT_FOUND: this Task was given no files. */
status_t fs_connect(struct fs_client *c);
/* Over a connection that is there, whose ends it takes. */
status_t fs_connect_over(struct fs_client *c, struct vx_client vfs);
void fs_disconnect(struct fs_client *c);
/* Another connection with this one's root and rights but the right to mount, for a child: hand its end over as "vfs.tx"
 * as it is (it has no Ring for replies before its first use), or narrow it (fs_connect_over, fs_narrow) and hand both
 * ends over. *number names it for fs_give. */
status_t fs_dup(struct fs_client *c, struct vx_client *out, uint32_t *number);
/* The directory becomes the root; rights: VX_FS_*, never more than there were. */
status_t fs_narrow(struct fs_client *c, const char *path, uint32_t rights);

/* --- open files --- */

/* flags: VX_VFS_CREATE, EXCLUSIVE, DIRECTORY, NO_FOLLOW. access: VX_FS_READ, VX_FS_WRITE or both; a directory is opened
 * with VX_FS_READ (IS_DIRECTORY otherwise). mode: permissions of a new file. attributes: may be nullptr. There is no
 * flag to truncate: fs_truncate afterwards. fresh: may be nullptr; whether it was created. */
status_t fs_open(struct fs_client *c, const char *path, uint32_t flags, uint32_t access, uint32_t mode,
                 struct fs_file *out, struct vx_fs_attributes *attributes, bool *fresh);
/* Does not wait. Its locks end. */
void fs_close(struct fs_file *f);
/* Bytes at an offset. Fewer than asked for, and OK: the end of the file, for reads, or an error after some bytes were
 * moved, which the next call reports. *done is written in any case. */
status_t fs_read(struct fs_file *f, uint64_t offset, void *to, size_t bytes, size_t *done);
status_t fs_write(struct fs_file *f, uint64_t offset, const void *from, size_t bytes, size_t *done);
/* At the end, wherever that is: *at. Atomic against other appends up to half of the session's buffer, piece by piece
 * beyond. */
status_t fs_append(struct fs_file *f, const void *from, size_t bytes, uint64_t *at, size_t *done);
/* Memory that holds the file's bytes [*at, *at + *bytes), whole pages with `offset` among them, shared with all who map
 * it; the caller drops it. access: VX_FS_READ, or both, of what the file was opened for. NOT_SUPPORTED: the file system
 * lends none. NOT_FOUND: the offset is behind the last page. */
status_t fs_map(struct fs_file *f, uint64_t offset, uint32_t access, vx_mem *out, uint64_t *at, uint64_t *bytes);
/* The memory in which all who have the FIFO open meet, VX_FS_FIFO_BYTES; the caller drops it. TABLE_FULL, NO_MEMORY. */
status_t fs_meet(struct fs_file *f, vx_mem *out);
status_t fs_getattr(struct fs_file *f, struct vx_fs_attributes *out);
status_t fs_setattr(struct fs_file *f, const struct vx_fs_change *change);
status_t fs_truncate(struct fs_file *f, uint64_t size);
/* flags: VX_FS_KEEP_SIZE, VX_FS_PUNCH. */
status_t fs_allocate(struct fs_file *f, uint64_t offset, uint64_t length, uint32_t flags);
/* The next data, or hole. NOT_FOUND: none at or behind the offset. */
status_t fs_seek(struct fs_file *f, uint64_t offset, bool hole, uint64_t *out);
/* Entries (struct vx_fs_entry) of a directory from a cookie on, 0 to begin. *used 0: the end. "." and ".." are not
 * among them. TOO_BIG: not even one fits. */
status_t fs_list(struct fs_file *f, uint64_t cookie, void *to, size_t bytes, size_t *used);
/* Extended attributes, of what is open in whatever way. NOT_FOUND: none of that name; NOT_SUPPORTED: the file system
 * has none. *bytes: of the whole value, of which `room` bytes at most were written. flags: as of VX_FS_OP_SETXATTR. */
status_t fs_getxattr(struct fs_file *f, const char *name, void *to, size_t room, size_t *bytes);
status_t fs_setxattr(struct fs_file *f, const char *name, const void *value, size_t bytes, uint32_t flags);
/* Names behind the first `skip`, each with its NUL. *used 0: the end. */
status_t fs_listxattr(struct fs_file *f, uint64_t skip, char *to, size_t room, size_t *used);
/* flags: VX_FS_DATA_ONLY or 0. */
status_t fs_sync(struct fs_file *f, uint32_t flags);

/* Byte ranges. Locks belong to (this client, lock->owner): locks of one owner replace each other where they overlap.
 * flags 0: WOULD_BLOCK if somebody stands in the way. VX_FS_WAIT: waits until the deadline; DEADLOCK. VX_FS_TEST:
 * nothing is locked, *lock tells who stands in the way, or has kind VX_FS_UNLOCK. */
status_t fs_lock(struct fs_file *f, struct vx_fs_lock *lock, uint32_t flags, uint64_t deadline);
/* Everything that an owner holds of this file. */
status_t fs_unlock_all(struct fs_file *f, uint64_t owner);
/* Waits until one of `events` (VX_FS_EVENT_*) happened since *version; tells which, and the version to go
 * on with. With *version 0 it waits for nothing: no event, and the version to begin with. */
status_t fs_watch(struct fs_file *f, uint32_t events, uint64_t *version, uint32_t *happened, uint64_t deadline);

/* A handle for a child whose connection is `number` (fs_dup): it opens the same object by fs_take, once, even if the
 * name or this file is gone by then. Plain bytes; worthless to anybody else. */
status_t fs_give(struct fs_file *f, uint32_t number, struct vx_vfs_handle *out);
status_t fs_take(struct fs_client *c, const struct vx_vfs_handle *handle, struct fs_file *out,
                 struct vx_fs_attributes *attributes);

/* --- names --- */

/* What the path names, in one round trip past vfsd, which neither a symbolic link nor ".." was met on; opened if `out`
 * is not nullptr. NOT_SUPPORTED: vfsd has to be asked. */
status_t fs_find(struct fs_client *c, const char *path, uint32_t access, struct fs_file *out,
                 struct vx_fs_attributes *attributes);
/* flags: VX_VFS_NO_FOLLOW or 0. */
status_t fs_stat(struct fs_client *c, const char *path, uint32_t flags, struct vx_fs_attributes *out);
status_t fs_change(struct fs_client *c, const char *path, uint32_t flags, const struct vx_fs_change *change);
status_t fs_mkdir(struct fs_client *c, const char *path, uint32_t mode);
status_t fs_symlink(struct fs_client *c, const char *path, const char *target);
/* mode: type and permissions, VX_FS_FIFO and the like. */
status_t fs_mknod(struct fs_client *c, const char *path, uint32_t mode, uint64_t device);
status_t fs_link(struct fs_client *c, const char *path, const char *new_path, uint32_t flags);
/* flags: VX_VFS_DIRECTORY for rmdir, else 0. */
status_t fs_unlink(struct fs_client *c, const char *path, uint32_t flags);
/* flags: VX_VFS_NO_REPLACE, VX_VFS_EXCHANGE or 0. */
status_t fs_rename(struct fs_client *c, const char *path, const char *new_path, uint32_t flags);
/* Up to `room` bytes of the target, no NUL; *bytes is its whole length. */
status_t fs_readlink(struct fs_client *c, const char *path, char *to, size_t room, size_t *bytes);
status_t fs_statfs(struct fs_client *c, const char *path, struct vx_fs_space *out);
status_t fs_sync_all(struct fs_client *c, const char *path);
status_t fs_mount(struct fs_client *c, const char *path, const char *source, uint32_t flags);
status_t fs_umount(struct fs_client *c, const char *path, uint32_t flags);
/* Entry by entry from *index 0 on, until NOT_FOUND. Texts: the source, the path and, unless nullptr, what the volume is
 * kept on ("blk0p1", or nothing); each with a NUL, in room bytes. */
status_t fs_mounts_on(struct fs_client *c, uint32_t *index, struct vx_vfs_mounted *out, char *source, char *path,
                      char *device, size_t room);
static inline status_t fs_mounts(struct fs_client *c, uint32_t *index, struct vx_vfs_mounted *out, char *source,
                                 char *path, size_t room)
{
    return fs_mounts_on(c, index, out, source, path, nullptr, room);
}
