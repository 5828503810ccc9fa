/* SPDX-License-Identifier: MIT
 * Files: what goes through the queue of a file system's session, and the records that both protocols share (vfs.def: a
 * program and vfsd; fs.def: vfsd and a file system). docs/protocols/fs-backend.md and docs/protocols/vfs.md are the
 * contracts.
 *
 * A session is two Rings and a shared buffer. A file session belongs to one program: it names open files by numbers
 * that vfsd had opened for it. A namespace session belongs to vfsd: it names objects. One Ring message is one request
 * or one reply; names and data lie in the buffer. */
#pragma once
#include <abi/status.h>
#include <abi/types.h>

enum {
    VX_FS_NAME_MAX = 255,         /* bytes of a name: any but '/' and NUL */
    VX_FS_PATH_MAX = 4095,        /* bytes of a path or of a symbolic link's target */
    VX_FS_LINKS_MAX = 40,         /* symbolic links on the way of one path */
    VX_FS_DEPTH_MAX = 128,        /* directories that a path may go down before a ".." */
    VX_FS_WALK_MAX = 32,          /* names of one WALK */
    VX_FS_XATTR_NAME_MAX = 255,   /* bytes of an extended attribute's name: any but NUL */
    VX_FS_XATTR_VALUE_MAX = 3584, /* of its value */
    VX_FS_SESSION_DEPTH_MAX = 64, /* requests under way in a session */
    VX_FS_BUFFER_MIN = 16384,     /* of a session's shared buffer */
    VX_FS_BUFFER_MAX = 1 << 20,
    VX_VFS_BUFFER_BYTES = 16384,                /* of a connection's buffer to vfsd */
    VX_VFS_MOUNTS_AT = VX_VFS_BUFFER_BYTES - 8, /* in it: a word that changes whenever what is mounted does */
    VX_FS_FIFO_BYTES = 20480,                   /* where the ends of a FIFO meet */
    VX_FS_USER = 1000,                          /* the user and group of programs: there is one */
};

/* What an open file may be used for, and a connection to vfsd. */
enum vx_fs_access : uint32_t {
    VX_FS_READ = 1,   /* data, names of a directory, attributes */
    VX_FS_WRITE = 2,  /* data; for a connection: every change */
    VX_FS_CHANGE = 4, /* attributes; follows from a connection that may write */
    VX_FS_MOUNT = 8,  /* connections only: mount and umount */
    VX_FS_NAMES = 16, /* OPEN of a directory only: for FIND and nothing else, with the other bits at most */
};

/* An object, for as long as it exists, however often its file system is started anew. generation: of a reused object
 * number. */
struct vx_fs_handle {
    uint64_t volume, object, generation;
};
static_assert(sizeof(struct vx_fs_handle) == 24);

/* mode holds the type and permission bits as POSIX has them. */
enum vx_fs_mode : uint32_t {
    VX_FS_TYPE = 0170000,
    VX_FS_FIFO = 0010000,
    VX_FS_CHAR = 0020000,
    VX_FS_DIR = 0040000,
    VX_FS_BLOCK = 0060000,
    VX_FS_FILE = 0100000,
    VX_FS_LINK = 0120000,
    VX_FS_SOCKET = 0140000,
    VX_FS_PERMISSIONS = 07777,
};

struct vx_fs_attributes {
    uint64_t volume, object, generation;
    uint64_t size, allocated;                                 /* bytes */
    uint64_t version;                                         /* grows with every change of the object */
    int64_t accessed_ns, modified_ns, changed_ns, created_ns; /* since 1970; 0: not kept */
    uint32_t mode, links, user, group;
    uint64_t device; /* of VX_FS_CHAR and VX_FS_BLOCK: which */
    uint32_t block_bytes;
    uint32_t flags; /* 0 so far */
    uint64_t reserved[2];
};
static_assert(sizeof(struct vx_fs_attributes) == 128);

/* What SETATTR changes: only what the mask names. */
enum vx_fs_mask : uint32_t {
    VX_FS_SET_SIZE = 1,
    VX_FS_SET_MODE = 2, /* the permissions */
    VX_FS_SET_USER = 4,
    VX_FS_SET_GROUP = 8,
    VX_FS_SET_ACCESSED = 16,
    VX_FS_SET_MODIFIED = 32,
    VX_FS_SET_CREATED = 64,
    VX_FS_SET_ACCESSED_NOW = 128, /* the file system's own clock */
    VX_FS_SET_MODIFIED_NOW = 256,
    VX_FS_SET_KNOWN = 511,
};
struct vx_fs_change {
    uint32_t mask, mode, user, group;
    uint64_t size;
    int64_t accessed_ns, modified_ns, created_ns;
    uint64_t reserved;
};
static_assert(sizeof(struct vx_fs_change) == 56);

struct vx_fs_space {
    uint64_t volume, blocks, free_blocks, objects, free_objects; /* objects 0: not counted */
    uint32_t block_bytes, name_max;
    uint32_t flags; /* VX_FS_IS_* */
    char kind[20];  /* "ramfs", "fat32", ...; NUL-terminated */
};
static_assert(sizeof(struct vx_fs_space) == 72);
enum vx_fs_flags : uint32_t {
    VX_FS_IS_READ_ONLY = 1,
    VX_FS_IS_FIXED = 2,    /* names and attributes never change: they may be remembered */
    VX_FS_IS_VOLATILE = 4, /* gone with its service */
    VX_FS_IGNORES_CASE = 8,
};

/* An entry of LIST; the next one starts `bytes` behind it, a multiple of 8. */
struct vx_fs_entry {
    uint64_t cookie; /* where to go on behind it */
    uint64_t object;
    uint16_t bytes;
    uint8_t name_bytes;
    uint8_t type; /* bits 15:12 of the mode */
    char name[];  /* no NUL counted; one follows */
};
static_assert(offsetof(struct vx_fs_entry, name) == 20);

/* The text of LOCK: offset and length of the request (length 0: to the end of any file), this in the buffer. */
enum vx_fs_lock_kind : uint32_t { VX_FS_UNLOCK = 0, VX_FS_LOCK_SHARED = 1, VX_FS_LOCK_EXCLUSIVE = 2 };
struct vx_fs_lock {
    uint64_t owner; /* the client's choice: locks of one session with one owner never conflict */
    uint64_t offset, length;
    uint32_t kind;
    uint32_t pid; /* who, for people; of the holder in a TEST's reply */
};
static_assert(sizeof(struct vx_fs_lock) == 32);

/* What WATCH tells of an object. */
enum vx_fs_event : uint32_t {
    VX_FS_EVENT_DATA = 1,       /* content or size */
    VX_FS_EVENT_ATTRIBUTES = 2, /* anything SETATTR or a link changes */
    VX_FS_EVENT_NAMES = 4,      /* of a directory: a name came, went, or means something else */
    VX_FS_EVENT_GONE = 8,       /* the last name was removed */
    VX_FS_EVENT_LOST = 16,      /* something happened since the version given, nobody knows what */
};

enum vx_fs_queue_op : uint8_t {
    /* of a file session: struct vx_fs_request */
    VX_FS_OP_READ = 1,       /* offset, data → bytes: fewer than asked for only at the end */
    VX_FS_OP_WRITE = 2,      /* offset, data → bytes */
    VX_FS_OP_APPEND = 3,     /* data → bytes, value: where it went. Atomic against other appends */
    VX_FS_OP_GETATTR = 4,    /* data → struct vx_fs_attributes */
    VX_FS_OP_SETATTR = 5,    /* data: struct vx_fs_change */
    VX_FS_OP_ALLOCATE = 6,   /* offset, length; VX_FS_KEEP_SIZE, VX_FS_PUNCH */
    VX_FS_OP_SEEK = 7,       /* offset → value: of the next data, or hole with VX_FS_HOLE. NOT_FOUND: none */
    VX_FS_OP_LIST = 8,       /* offset: a cookie, 0 to begin; data → bytes of struct vx_fs_entry, 0 at the end */
    VX_FS_OP_SYNC = 9,       /* what was reported before it was sent is on stable media; VX_FS_DATA_ONLY */
    VX_FS_OP_LOCK = 10,      /* data: struct vx_fs_lock; VX_FS_WAIT, VX_FS_TEST */
    VX_FS_OP_WATCH = 11,     /* argument: events; offset: a version or 0 → value: version, bytes: events */
    VX_FS_OP_CANCEL = 12,    /* argument: the tag of a LOCK or WATCH that waits: it is answered INTERRUPTED */
    VX_FS_OP_CLOSE = 13,     /* ends the file's number, and its locks with VX_FS_UNLOCK_OWNER (argument: owner) */
    VX_FS_OP_GETXATTR = 14,  /* data: name; length: room → as many bytes of value in its place; value: all it has */
    VX_FS_OP_SETXATTR = 15,  /* data: name, NUL, value; VX_FS_EXCLUSIVE, VX_FS_REPLACE, VX_FS_REMOVE (no value) */
    VX_FS_OP_LISTXATTR = 16, /* offset: how many to skip; data → bytes: names, each with a NUL; none: the end */
    VX_FS_OP_FIND = 17, /* file: opened with VX_FS_NAMES; data: a path down from it → struct vx_fs_attributes in its
                           place. VX_FS_OPEN: and open it, argument: access → value: file. NOT_SUPPORTED: ask vfsd */
    VX_FS_OP_MAP = 18,  /* offset; argument: access → the reply brings memory that holds the file's bytes from offset
                           `value` on, for whoever maps it. NOT_FOUND: behind the last page */
    VX_FS_OP_MEET = 19, /* of a FIFO: the reply brings the VX_FS_FIFO_BYTES of memory that all who have it open share,
                           zeroed for the first of them */
    /* of a namespace session: struct vx_fs_name_request */
    VX_FS_OP_WALK = 32,     /* object; data: path → struct vx_fs_walked in its place. VX_FS_OPEN: and open the end */
    VX_FS_OP_CREATE = 33,   /* object: parent; data: struct vx_fs_make → struct vx_fs_attributes. VX_FS_OPEN too */
    VX_FS_OP_LINK = 34,     /* object: the new parent; data: struct vx_fs_join */
    VX_FS_OP_UNLINK = 35,   /* object: parent; data: struct vx_fs_join; VX_FS_DIRECTORY: an empty directory */
    VX_FS_OP_RENAME = 36,   /* object: old parent; data: struct vx_fs_join; VX_FS_NO_REPLACE, VX_FS_EXCHANGE */
    VX_FS_OP_READLINK = 37, /* object → bytes of target */
    VX_FS_OP_OPEN = 38,     /* object, session, access → value: file */
    VX_FS_OP_STATFS = 39,   /* → struct vx_fs_space */
    VX_FS_OP_SYNC_ALL = 40, /* the whole file system */
    VX_FS_OP_STAT = 41,     /* object → struct vx_fs_attributes */
    VX_FS_OP_CHANGE = 42,   /* object; data: struct vx_fs_change */
    VX_FS_OP_FORGET = 43,   /* session, access: the number of a file in it, which is closed. session 0: what was opened
                               with VX_FS_NAMES is of no more use in any session */
    VX_FS_OP_WHICH = 44,    /* session, access: the number of a file in it → struct vx_fs_attributes; value: access */
};

enum vx_fs_request_flags : uint16_t {
    VX_FS_KEEP_SIZE = 1,     /* ALLOCATE */
    VX_FS_PUNCH = 2,         /* ALLOCATE: the range reads as zeroes and is given back */
    VX_FS_HOLE = 4,          /* SEEK */
    VX_FS_DATA_ONLY = 8,     /* SYNC: no more attributes than needed to find the data */
    VX_FS_WAIT = 16,         /* LOCK */
    VX_FS_TEST = 32,         /* LOCK: → who stands in the way, kind UNLOCK if nobody */
    VX_FS_UNLOCK_OWNER = 64, /* CLOSE */
    VX_FS_EXCLUSIVE = 128,   /* CREATE, SETXATTR: EXISTS if it is there */
    VX_FS_REMOVE = 256,      /* SETXATTR */
    VX_FS_OPEN = 512,        /* WALK, CREATE, FIND: open what is found or made, as OPEN would */
    VX_FS_DIRECTORY = 1024,  /* UNLINK */
    VX_FS_NO_REPLACE = 2048, /* RENAME: EXISTS if the new name is there */
    VX_FS_EXCHANGE = 4096,   /* RENAME: the two names change places */
    VX_FS_REPLACE = 8192,    /* SETXATTR: NOT_FOUND if it is not there */
};

/* data_at and data_bytes name a piece of the session's buffer, which nobody else may touch before the reply. */
struct vx_fs_request {
    uint64_t tag; /* the client's; comes back with the reply */
    uint8_t op;
    uint8_t reserved; /* 0 */
    uint16_t flags;
    uint32_t file;
    uint64_t offset, length, argument;
    uint32_t data_at, data_bytes;
    uint64_t reserved2[2]; /* 0 */
};
static_assert(sizeof(struct vx_fs_request) == sizeof(struct vx_message));

struct vx_fs_name_request {
    uint64_t tag;
    uint8_t op;
    uint8_t reserved; /* 0 */
    uint16_t flags;
    uint32_t session; /* for which a file is to be opened; or 0 */
    uint64_t object, generation;
    uint32_t mode, access;
    uint32_t data_at, data_bytes; /* where a struct vx_fs_request has them */
    uint32_t user, group;         /* on whose behalf: of new objects */
    uint64_t reserved2;           /* 0 */
};
static_assert(sizeof(struct vx_fs_name_request) == sizeof(struct vx_message));
static_assert(offsetof(struct vx_fs_name_request, data_at) == offsetof(struct vx_fs_request, data_at));

struct vx_fs_reply {
    uint64_t tag;
    int32_t status; /* status_t */
    uint32_t bytes; /* of data, or what the operation says */
    uint64_t value;
    uint64_t epoch; /* grows whenever the file system was started anew */
    uint64_t reserved[4];
};
static_assert(sizeof(struct vx_fs_reply) == sizeof(struct vx_message));

/* WALK goes down from a directory by the names of a path: 1 to VX_FS_WALK_MAX names of 1 to VX_FS_NAME_MAX bytes with
 * one '/' between. It stops behind the last name, at a symbolic link, at what is no directory, or before a name that is
 * not there. The reply says how far it came. OK: `n` names were found, each in `step`; n may be fewer than asked for.
 * The reply's value: the number of the file, if the last one was found, VX_FS_OPEN was asked for, and it is a file or a
 * directory that may be opened so. */
struct vx_fs_step {
    uint64_t object, generation;
    uint32_t mode;
    uint32_t reserved;
};
struct vx_fs_walked {
    uint32_t n, reserved;
    struct vx_fs_attributes last; /* of step[n - 1]; of the start, if n is 0 */
    struct vx_fs_step step[VX_FS_WALK_MAX];
};
static_assert(sizeof(struct vx_fs_walked) == 904);

/* FIND goes down in the same way by the names of a path, and only all the way: NOT_FOUND before a name that is not
 * there; NOT_SUPPORTED at a symbolic link, at what is no directory and has names below it, and for what may not be
 * opened so. STALE: the number is of no use any more. It never goes up, so it reaches what lies below its directory. */

/* WALK, CREATE and FIND leave more than they were given: their piece reaches as far as their answer. CREATE: mode of
 * the request has the type: VX_FS_FILE, VX_FS_DIR, VX_FS_LINK (target: its text), or a special file (device). text: the
 * name, then the target. */
struct vx_fs_make {
    uint64_t device;
    uint16_t name_bytes, target_bytes;
    uint32_t reserved;
    char text[];
};
/* LINK: child is what gets the name. UNLINK: child must be what the name means. RENAME: so too, and replaced is what
 * the new name means, or 0. A name that means something else by now: BUSY, and nothing has changed. text: the (old)
 * name, then the new name of a RENAME. */
struct vx_fs_join {
    uint64_t child, child_generation;
    uint64_t replaced, replaced_generation;
    uint64_t parent, parent_generation; /* RENAME: the new parent */
    uint16_t name_bytes, new_name_bytes;
    uint32_t reserved;
    char text[];
};

/* --- a program's side of vfsd (vfs.def) --- */

/* An open file as vfsd remembers it, kept by the program: good on the connection that it was sealed for, and for
 * whoever is given it by the call `give`. */
struct vx_vfs_handle {
    struct vx_fs_handle object;
    uint32_t mount, access;
    uint64_t number; /* of what vfsd keeps open until it is taken; 0: nothing */
    uint64_t seal;
};
static_assert(sizeof(struct vx_vfs_handle) == 48);

/* What open, reopen and stat leave at the start of the connection's buffer. */
struct vx_vfs_opened {
    struct vx_fs_attributes attributes;
    struct vx_vfs_handle handle; /* not of stat */
};
static_assert(sizeof(struct vx_vfs_opened) == 176);

/* What `mounts` leaves there. */
struct vx_vfs_mounted {
    uint32_t mount, flags; /* VX_FS_IS_*, of the mount */
    uint32_t state;        /* 1: it answers */
    uint32_t source_bytes, path_bytes, device_bytes;
    char text[]; /* the source's name, the path as seen from the asking connection's root, what the volume is kept on */
};
