/* SPDX-License-Identifier: MIT
 * vfsd's parts. One thread; nothing waits: a call of a program is an operation (struct op) that goes from one question
 * to a file system to the next, and is continued when the answer comes.
 *
 *  1. A connection has one operation under way; its `busy` says so. The operation ends in op_done, once.
 *  2. A slot of a mount's queue belongs to one question until the answer came, also if nobody waits for it any more.
 *  3. ".." is answered from the chain of places that the path came through. Its bottom is the connection's root, which
 * is never taken off: nothing outside of it can be named.
 *  4. The root of a mount is meant by object 0, so that it stays the root when the file system is started anew.
 *  5. A connection names nothing before it is `rooted`: what its badge was granted is walked to first, from the root of
 * all. Until the badge was granted something, its operations wait.
 *  6. No place of an operation under way, and no root, is in a mount that was removed: mount_remove sees to it.
 *  7. A shortcut leads to the root of a mount, on a way that nothing but a change of the mount table changes: names of
 * file systems whose names never change, and covers. When that table changes, all of them end: mounts_changed. */
#pragma once
#include <abi/fs.h>
#include <vectra/rpc_fs.h>
#include <vectra/rpc_vfs.h>
#include <vectra/service.h>

enum : uint32_t {
    VFS_MOUNTS_MAX = 16,       /* one more is TABLE_FULL */
    VFS_CONNECTIONS_MAX = 128, /* one more is refused */
    VFS_SESSIONS_MAX = 16,     /* of a connection: as many as there are mounts */
    VFS_GIFTS_MAX = 64,        /* handles given and not yet taken, of a connection */
    VFS_BEARERS_MAX = 64,      /* handles given to whoever shows them and not yet taken */
    VFS_BEARERS_OF_ONE = 32,   /* the same, by one connection that is there */
    VFS_SLOTS = 16,            /* questions to one file system under way; more wait */
    VFS_SLOT_BYTES = 8192,
    VFS_SOURCE_MAX = 24,
    VFS_MOUNT_PATH_MAX = 255, /* of mount's path; a longer one is NAME_TOO_LONG */
    VFS_GRANTS_MAX = 32,      /* badges that were told of; one more is TABLE_FULL */
    VFS_GRANT_PATH_MAX = 40,
    VFS_RACES_MAX = 8, /* how often an operation that lost a race begins again; then BUSY */
};
static constexpr uint64_t VFS_PATIENCE_NS = 30'000'000'000;

struct node {
    uint64_t object, generation;
};

struct mount;
struct connection;
struct op;

/* Where a path has come to. */
struct place {
    struct mount *mount;
    struct node node; /* object 0: the mount's root */
    uint32_t mode;
};

/* --- mounts --- */

struct slot {
    bool busy;
    uint16_t generation;
    struct op *op; /* nullptr: nobody waits */
};

enum mount_state : uint8_t { MOUNT_FREE, MOUNT_DOWN, MOUNT_ASKING, MOUNT_UP };
/* What the connection's calls are used for: making sessions, the namespace's own first. */
enum setup_step : uint8_t { SETUP_NONE, SETUP_INFO, SETUP_DEVICE, SETUP_REQUESTS, SETUP_REPLIES, SETUP_BUFFER };

struct setup {
    enum setup_step step;
    struct op *op; /* of the program that wants a session; nullptr: our own, or it has gone */
    vx_ring_rx rx; /* the file system's ends, until they are sent */
    vx_ring_tx tx;
    vx_mem mem;
    uint32_t session, kind;
    uint64_t deadline;
};

struct mount {
    enum mount_state state;
    bool read_only, leaving;
    bool optional; /* from the start; or mounted by hand, which a next life waits for in the same way */
    bool unseen;   /* by somebody whose root is not the root of all: its path means nothing to others */
    bool absent;   /* optional, and not there yet: it covers nothing, and is looked for when somebody comes by */
    uint8_t index;
    uint32_t id;
    char source[VFS_SOURCE_MAX + 1];
    char device[VFS_SOURCE_MAX + 1];   /* what the file system says that it is kept on, for people; or empty */
    char path[VFS_MOUNT_PATH_MAX + 1]; /* where it was mounted, for people */
    status_t trouble;                  /* why it could not be connected to */
    struct place cover;                /* the directory that it covers; mount nullptr: none, it is the root of all */
    uint64_t covered_volume;
    struct vx_client rpc;
    struct setup setup;
    uint64_t retry_at, epoch, volume, operations;
    struct node root;
    uint32_t flags, session; /* session: our own */
    bool complained;
    vx_ring_tx tx;
    vx_ring_rx rx;
    vx_mem mem;
    uint8_t *at;
    struct slot slot[VFS_SLOTS];
    bool shortcuts, revoke; /* some were given; the file system is to be told that they ended, when there is room */
    struct op *waiting;     /* for a slot, or for the mount to come up */
    struct op *sessions;    /* for their turn to get a session */
};

/* --- operations --- */

/* The result of walking a path. */
struct spot {
    struct place parent, found;
    bool exists, has_name; /* has_name: found is, or would be, `name` in parent */
    bool slash;            /* the path ended in one: a directory is meant */
    uint8_t name_bytes;
    char name[VX_FS_NAME_MAX];
};

typedef void op_next(struct op *op, const struct vx_fs_reply *reply, const uint8_t *data);

struct op {
    struct connection *connection;
    struct op *next; /* of a mount's list */
    uint16_t code, sequence;
    uint64_t deadline;
    void (*start)(struct op *op);
    uint8_t races;
    uint8_t answer[VX_RPC_PAYLOAD];
    vx_handle_t cap; /* to send along */
    /* the call's arguments, copied */
    uint32_t flags, mode, access, first_bytes, other_bytes;
    uint64_t device;
    struct vx_fs_change change;
    struct vx_vfs_handle handle;
    char source[VFS_SOURCE_MAX + 1];
    /* the question under way */
    struct mount *asked;
    int slot; /* -1: it waits for one */
    struct vx_fs_name_request question;
    uint32_t text_bytes; /* of `text` */
    op_next *then;
    bool repeatable; /* it changes nothing */
    /* the walk */
    bool optional;      /* a mount: it need not be there yet */
    bool held;          /* not begun: vfsd is starting, or knows nothing of the badge yet */
    bool follow, opens; /* opens: the last WALK may open what it finds */
    uint32_t links, n_chain, n_lost;
    uint32_t at, path_len; /* in path */
    uint32_t asked_names;
    uint32_t asked_end; /* where in path the names that were asked for end */
    bool asked_last;
    void (*walked)(struct op *op);
    struct spot spot, second;
    uint32_t number;    /* the file, if the walk opened it */
    bool fixed;         /* so far only names that never change, and covers */
    uint32_t way_bytes; /* of path: so much of it led to `way`, a mount's root, by such */
    struct mount *way;
    const struct mount *ending; /* whose shortcut ends now; nullptr: all of the connection's */
    struct vx_fs_attributes attributes;
    /* from here on nothing is read that was not written in the same operation */
    struct place chain[VX_FS_DEPTH_MAX];
    char path[VX_FS_PATH_MAX + 1], first[VX_FS_PATH_MAX + 1], other[VX_FS_PATH_MAX + 1];
    uint8_t text[sizeof(struct vx_fs_join) + VX_FS_PATH_MAX + VX_FS_NAME_MAX + 1];
};

struct program_session {
    uint32_t mount, number;
    uint32_t names;       /* the file of its shortcut, or 0; kept until that has ended for sure */
    uint64_t names_since; /* vfsd.mounts when it was given: it is of use as long as that is the same */
    bool lost;            /* it is no use to open anything in it: the program makes another one */
};

struct gift {
    uint32_t mount, file; /* in our own session with that mount */
    uint64_t number;
};

/* For whoever shows the handle. It outlives its giver, until its place is wanted. */
struct bearer {
    struct gift gift;
    uint32_t giver;
};

struct connection {
    struct vx_session *session;
    uint32_t rights, number;
    bool rooted;
    struct place root; /* mount nullptr: it was unmounted */
    vx_mem mem;
    uint8_t *at; /* the program's buffer */
    bool busy;
    struct program_session sessions[VFS_SESSIONS_MAX];
    uint32_t half_mount;
    vx_ring_rx half_rx;
    vx_ring_tx half_tx;
    uint32_t parent;  /* the connection that this one is a dup of, or 0 */
    uint32_t n_gifts; /* that are used */
    struct gift gift[VFS_GIFTS_MAX];
    struct op op;
};

/* What connections of a badge begin with. */
struct grant {
    uint64_t badge;
    uint32_t rights, path_bytes;
    char path[VFS_GRANT_PATH_MAX];
};

struct vfsd {
    struct vx_service service;
    vx_reticle pool; /* pays for what is shared with programs and file systems */
    uint64_t epoch, key[2];
    uint64_t mounts;         /* counts changes of the mount table: the word at VX_VFS_MOUNTS_AT */
    bool started;            /* what is mounted from the start is: operations of programs begin */
    struct connection *boot; /* whose operations mount it */
    struct mount mount[VFS_MOUNTS_MAX];
    uint32_t last_mount, last_connection;
    uint32_t n_grants;
    struct grant grant[VFS_GRANTS_MAX];
    unsigned n_mounts; /* mount[0, n_mounts) were ever used */
    struct bearer bearer[VFS_BEARERS_MAX];
};
extern struct vfsd vfsd;

/* mounts.c */
struct mount *mount_by_id(uint32_t id);
struct mount *mount_over(const struct place *p);
/* cover: nullptr for the root of all. */
status_t mount_add(const char *source, const char *path, const struct place *cover, bool read_only, bool optional,
                   struct mount **out);
void mount_remove(struct mount *m);
void mount_turn(struct mount *m);
void mounts_deadline(uint64_t now);
struct node mount_node(const struct place *p); /* as the file system calls it */
status_t pool_buffer(uint64_t bytes, vx_mem *mem, void **at);
status_t pool_share(vx_mem mem, vx_handle_t *out); /* what may be handed on: it can be used, and no more */

/* shortcuts.c: what may go past us. */
status_t call_shortcut(struct vx_session *s, const struct vx_vfs_shortcut_request *q, struct vx_vfs_shortcut_reply *a);
status_t call_handle(struct vx_session *s, const struct vx_vfs_handle_request *q);
void mounts_changed(void);                       /* before anybody is told of the change */
void shortcuts_show(const struct connection *c); /* the word of its buffer */
void shortcuts_flush(struct mount *m);
/* The connection's shortcut into that mount, or all that it has, and then `next`. */
void shortcuts_end(struct op *op, const struct mount *only, void (*next)(struct op *op));

/* ask.c: questions. `then` is called with the answer, or with a status of our own. */
void ask(struct op *op, const struct place *about, op_next *then);
void ask_session(struct op *op, struct mount *m); /* goes on in op_session_done */
void ask_flush(struct mount *m);                  /* what waits, as far as there are slots */
void ask_answer(struct mount *m, const struct vx_fs_reply *r);
void ask_failed(struct mount *m); /* the file system has gone */
void ask_forget(struct op *op);
/* Closes a file of a session, and does not wait for it. */
void ask_forget_file(struct mount *m, uint32_t session, uint32_t file);
/* Ends all shortcuts into it. False: there is no room for the message now. */
bool ask_revoke(struct mount *m);

/* walk.c */
void walk(struct op *op, const char *path, uint32_t bytes, void (*walked)(struct op *op));
void walk_from(struct op *op, const struct place *from, const char *path, uint32_t bytes,
               void (*walked)(struct op *op));
void walk_failed(struct op *op, status_t st);

/* ops.c */
uint32_t session_with(const struct connection *c, const struct mount *m); /* its number there, or 0 */
status_t vfs_dispatch(struct vx_session *s, struct vx_incoming *in);
status_t vfs_opened(struct vx_session *s);
void vfs_closed(struct vx_session *s);
void op_done(struct op *op, status_t st);
void op_session_done(struct op *op, status_t st, uint32_t session, uint32_t bytes, uint32_t depth, vx_mem mem);
void op_again(struct op *op);                 /* from the start: nothing has changed yet */
void ops_forget_mount(const struct mount *m); /* it is being removed: invariant 6 */
void ops_deadline(uint64_t now);
void ops_start_held(void); /* those that came too early, as far as they can begin now */
struct grant *grant_of(uint64_t badge);
/* The next of what is mounted from the start. */
void boot_next(void);
status_t boot_mount(struct connection *boot, const char *path, const char *source, bool read_only, bool optional);

/* record.c */
struct record_entry {
    bool read_only, optional;
    char source[VFS_SOURCE_MAX + 1], path[VFS_MOUNT_PATH_MAX + 1];
};
/* What was mounted beside the root when our life before ended; how many. 0: this is the first. */
uint32_t record_open(struct record_entry out[VFS_MOUNTS_MAX]);
void record_write(void); /* once everything from the start is mounted; whenever that changes */

/* seal.c */
uint64_t seal(const uint64_t key[2], const void *bytes, size_t len);
