/* SPDX-License-Identifier: MIT
 * The server's half of FS_BACKEND_V1, for whatever keeps the files: sessions, open files, checks, byte-range locks,
 * watching. A file system fills in a struct fs_backend with functions that do one thing each and return; nothing of the
 * protocol reaches it.
 *
 *  1. Every field of a request was read once and checked before a function sees what it means: names are 1 to name_max
 *     bytes without '/' and NUL, never "." or "..", access was granted, pieces lie in the buffer.
 *  2. The functions are called one at a time. With `slow` they run on a thread of their own and may wait for a disk;
 * without, on the thread that serves, and must not.
 *  3. hold and release are called once for each file that is opened and closed, release also for those of a program
 * that died. An object without a name lives until it is released. Context: fs_server_init, then vx_service_run, by the
 * service's thread. */
#pragma once
#include <abi/fs.h>
#include <vectra/handles.h>
#include <vectra/service.h>

enum {
    FS_SERVER_SESSIONS_MAX = 128, /* one more is TABLE_FULL */
    FS_SERVER_FILES_MAX = 4096,   /* open in one session; one more is TABLE_FULL */
    FS_SERVER_LOCKS_MAX = 4096,   /* in one session, with those that wait; one more is TABLE_FULL */
    FS_SERVER_JOBS_MAX = 256,     /* requests under way; more wait in their Rings */
    /* LOCK and WATCH that wait, of all sessions; of one, half of its depth. One more is TABLE_FULL: else those who wait
     * would keep out CANCEL, and everybody else. */
    FS_SERVER_WAITS_MAX = FS_SERVER_JOBS_MAX / 2,
};
/* Signal bits of the runtime's own range: a file system may use those below FS_BIT_FIRST. */
enum { FS_BIT_FIRST = VX_SERVICE_BIT_FIRST + 8, FS_BITS = 23, FS_BIT_DONE = FS_BIT_FIRST + FS_BITS };

struct fs_node {
    uint64_t object, generation;
};

struct fs_name {
    const char *at;
    size_t bytes;
};

/* What CREATE makes. */
struct fs_new {
    uint32_t mode, user, group; /* mode: with the type */
    uint64_t device;
    struct fs_name target; /* of a symbolic link */
};

struct fs_rename {
    struct fs_node from, to; /* the two directories */
    struct fs_name name, new_name;
    struct fs_node child, replaced; /* what the names must mean; replaced.object 0: nothing */
    bool no_replace, exchange;
};

/* Where LIST puts entries. */
struct fs_listing {
    uint8_t *at;
    size_t room, used;
    bool full;
};

struct fs_backend {
    const char *kind;   /* "ramfs": of STATFS */
    const char *device; /* what it is kept on: a disk or partition of BLOCK_V1; nullptr: none */
    uint64_t volume;    /* the same whenever it is started anew; of VX_FS_IS_VOLATILE ones, another each time */
    struct fs_node root;
    _Atomic uint32_t flags; /* VX_FS_IS_*; READ_ONLY may be set later, by any thread */
    uint32_t name_max;      /* at most VX_FS_NAME_MAX */
    bool slow;
    void *state; /* the file system's own */

    /* Missing functions are answered NOT_SUPPORTED, but for hold, release and sync, which are nothing to do. A node
     * that is gone, or whose number means another by now: STALE. On an error nothing has changed. */
    status_t (*attributes)(struct fs_backend *b, struct fs_node n, struct vx_fs_attributes *out);
    status_t (*lookup)(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out);
    status_t (*change)(struct fs_backend *b, struct fs_node n, const struct vx_fs_change *change);
    status_t (*create)(struct fs_backend *b, struct fs_node dir, struct fs_name name, const struct fs_new *what,
                       struct vx_fs_attributes *out); /* EXISTS */
    status_t (*link)(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child);
    /* The name must mean the child, or BUSY. directory: an empty directory, else anything but one. */
    status_t (*unlink)(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child,
                       bool directory);
    status_t (*rename)(struct fs_backend *b, const struct fs_rename *r);
    status_t (*readlink)(struct fs_backend *b, struct fs_node n, char *to, size_t room, size_t *bytes);
    /* *done: fewer than asked for at the end of the file only. The memory can change while it is read. */
    status_t (*read)(struct fs_backend *b, struct fs_node n, uint64_t offset, void *to, size_t bytes, size_t *done);
    status_t (*write)(struct fs_backend *b, struct fs_node n, uint64_t offset, const void *from, size_t bytes,
                      size_t *done);
    /* Calls fs_list_add for entries behind the cookie until that says false. An entry that is neither added nor removed
     * while somebody lists is seen exactly once. */
    status_t (*list)(struct fs_backend *b, struct fs_node dir, uint64_t cookie, struct fs_listing *to);
    status_t (*seek)(struct fs_backend *b, struct fs_node n, uint64_t offset, bool hole, uint64_t *out);
    status_t (*allocate)(struct fs_backend *b, struct fs_node n, uint64_t offset, uint64_t length, uint32_t flags);
    /* Memory in which the file's bytes from *at on lie, offset among them, as a capability for the program (handle, the
     * caller's from then on): writable if `writes`. It must be what read and write work on. NOT_FOUND: the offset lies
     * behind the last page. */
    status_t (*map)(struct fs_backend *b, struct fs_node n, uint64_t offset, bool writes, vx_handle_t *handle,
                    uint64_t *at);
    /* The memory in which all who have the FIFO open meet, as a capability for the program (as with map), which may
     * hand it on. Zeroed, if nobody has it. */
    status_t (*meet)(struct fs_backend *b, struct fs_node n, vx_handle_t *handle);
    /* Extended attributes. *bytes: of the whole value, however little there is room for. NOT_FOUND: no such name. */
    status_t (*getxattr)(struct fs_backend *b, struct fs_node n, struct fs_name name, void *to, size_t room,
                         size_t *bytes);
    /* flags: VX_FS_EXCLUSIVE (EXISTS), VX_FS_REPLACE (NOT_FOUND), VX_FS_REMOVE (NOT_FOUND), or 0. */
    status_t (*setxattr)(struct fs_backend *b, struct fs_node n, struct fs_name name, const void *value, size_t bytes,
                         uint32_t flags);
    /* Whole names behind the first `skip`, each with a NUL. TOO_BIG: not even one fits. */
    status_t (*listxattr)(struct fs_backend *b, struct fs_node n, uint64_t skip, char *to, size_t room, size_t *used);
    status_t (*sync)(struct fs_backend *b, const struct fs_node *n);  /* nullptr: everything */
    status_t (*space)(struct fs_backend *b, struct vx_fs_space *out); /* blocks and objects */
    void (*hold)(struct fs_backend *b, struct fs_node n);
    void (*release)(struct fs_backend *b, struct fs_node n);
};

/* Puts dispatch, opened, closed, on_signal and the bits into the service. The backend lives as long as the service. */
status_t fs_server_init(struct vx_service *svc, struct fs_backend *backend);
/* From the service's on_signal if it has one of its own: fs_server_init put one there that only calls this. */
void fs_server_signal(struct vx_service *svc, uint64_t bits);

/* One entry; cookie: where to go on behind it, never 0. False: no room, it was not taken. */
bool fs_list_add(struct fs_listing *l, uint64_t cookie, uint64_t object, uint32_t mode, struct fs_name name);
