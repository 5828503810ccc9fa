/* SPDX-License-Identifier: MIT
 * Open files and descriptors. A descriptor is a number for an open file; dup and spawn make several of one, and they
 * share its position and flags. What kind of file it is decides its operations. */
#pragma once
#include "posix.h"
#include <fs/client.h>
#include <sys/stat.h>

struct px_file;
struct statfs;

/* An operation that is missing answers as POSIX has it for a file that cannot (EINVAL, ESPIPE, ENOTTY, EBADF). */
struct px_ops {
    char kind; /* how a child is told of it: see process.c */
    /* at < 0: at the file's own position, which moves */
    long (*read)(struct px_file *f, void *to, size_t bytes, int64_t at);
    long (*write)(struct px_file *f, const void *from, size_t bytes, int64_t at);
    long (*seek)(struct px_file *f, int64_t offset, int whence);
    long (*stat)(struct px_file *f, struct stat *out);
    long (*list)(struct px_file *f, void *to, size_t bytes);
    long (*control)(struct px_file *f, unsigned long request, void *argument);
    unsigned (*poll)(struct px_file *f, bool sleep); /* POLL* that hold now; sleep: wake px_poll_word when it changes */
    long (*sync)(struct px_file *f, bool data_only);
    long (*truncate)(struct px_file *f, int64_t bytes);
    long (*allocate)(struct px_file *f, int mode, int64_t at, int64_t bytes);
    long (*change)(struct px_file *f, const struct vx_fs_change *change);
    long (*space)(struct px_file *f, struct statfs *out);
    void (*close)(struct px_file *f);
};

struct px_file {
    const struct px_ops *ops;
    _Atomic uint32_t users;
    _Atomic int flags; /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DIRECTORY, O_PATH, O_SYNC */
    struct vx_mutex lock;
    int64_t offset;
    union {
        struct {
            const uint8_t *data;
            size_t bytes;
            uint32_t mode, inode;
        } rom;
        struct {
            struct fs_file file;
            _Atomic bool open;         /* false: inherited, and not used yet; file.handle is what was given */
            _Atomic int64_t *position; /* `own`, or in a page that is shared with other processes */
            _Atomic int64_t own;
            bool has_locked; /* with an owner of its own (lock.c) */
            vx_mem page;     /* that page */
        } fs;
        struct px_pipe *pipe;
        struct px_counter *counter;
        struct px_watch *watch;
        struct px_socket *socket;
        int device;
    };
    char *path; /* of a directory: absolute; a page of its own */
    struct px_file *next_free;
};

enum : int { PX_FD_MAX = 1024 };
enum : uint64_t { PX_TERMINAL_INODE = UINT32_MAX - 32 }; /* never 0: that says there is nothing */

/* A new open file with one user, or nullptr. */
struct px_file *px_file_new(const struct px_ops *ops, int flags);
void px_file_put(struct px_file *f);
/* The open file of a descriptor with one user more, or nullptr. Give it back with px_file_put. */
struct px_file *px_fd_get(int fd);
/* The lowest free descriptor from `from` on for the file, whose user it takes over (also on an error, -EMFILE). */
long px_fd_add(struct px_file *f, int from, bool close_on_exec);
/* The same for two, either of which may be nullptr (-ENOMEM): both become descriptors, or neither lives on. */
long px_fd_add_pair(struct px_file *one, struct px_file *other, bool close_on_exec, int out[static 2]);
long px_fd_close(int fd);
/* At the start of the program, before there are threads. */
void px_fd_set(int fd, struct px_file *f);
/* The whole table, for vfork: a user more of each open file; and back, where those that are not in it are closed. */
struct px_fd_state {
    struct px_file *file[PX_FD_MAX];
    uint8_t close_on_exec[PX_FD_MAX];
};
void px_fd_save(struct px_fd_state *to);
void px_fd_restore(const struct px_fd_state *from);
/* Calls visit for each descriptor that is open. */
void px_fd_visit(void (*visit)(void *ctx, int fd, struct px_file *f, bool close_on_exec), void *ctx);

/* Absolute, from `at` as the *at calls have it, without "." and slashes that say nothing. A ".." stays where a symbolic
 * link may stand before it, which only vfsd knows. out has PATH_MAX bytes. */
long px_path(int at, const char *path, char *out);
/* True if the path as it was said means a directory: it ends with a slash, "." or "..". */
bool px_path_wants_directory(const char *path);
/* The last name of the path as it was said is "." or "..": its length, else 0. */
size_t px_path_ends_in_dots(const char *path);
/* The directory that the absolute path names, by a path without symbolic links: what may become the current one. */
long px_directory(const char *path, char *out);
/* What an absolute path names: a new open file. mode: of a file that it makes. */
long px_open_path(const char *path, int flags, unsigned mode, struct px_file **out);
long px_stat_path(const char *path, struct stat *out);
/* The same; flags: AT_SYMLINK_NOFOLLOW. */
long px_stat_path_as(const char *path, int flags, struct stat *out);
/* The permissions of what is made: without those of the mask. */
unsigned px_masked(unsigned mode);
unsigned px_umask_now(void);
void px_umask_set(unsigned mask);

/* Files by way of vfsd (fs.c). The connection, made when it is first asked for; nullptr: this process was given none,
 * and has the initial RAM disk alone. */
struct fs_client *px_fs(void);
/* The negated errno for what a file system answered. */
long px_fs_error(status_t st);
long px_fs_open(struct fs_client *c, const char *path, int flags, unsigned mode, struct px_file **out);
/* `given`: what fs_give left for us; opened at its first use. page: of the position, or VX_NO_MEM. */
struct px_file *px_fs_adopt(const struct vx_vfs_handle *given, bool directory, int flags, vx_mem page);
/* fs.file was opened, and is one or not. */
void px_fs_opened(struct px_file *f, bool directory);
/* The page of the file's position, from now on shared. VX_NO_MEM: there is no memory. */
vx_mem px_fs_share_position(struct px_file *f);
/* The file of the client library, open; nullptr with *error. Only for kinds 'F' and 'D'. */
struct fs_file *px_fs_file(struct px_file *f, long *error);
void px_fs_fill_stat(struct stat *out, const struct vx_fs_attributes *a);
void px_fs_fill_space(struct statfs *out, const struct vx_fs_space *space);
/* Everything of the file system that the file is in, safe. Kinds 'F' and 'D'. */
long px_fs_sync_mount(struct px_file *f);
static inline bool px_is_fs(const struct px_file *f)
{
    return f->ops->kind == 'F' || f->ops->kind == 'D';
}

/* Locks (lock.c): what closing a descriptor of a file ends, and what its last one. */
void px_locks_closed(struct px_file *f);
void px_locks_file_closed(struct px_file *f);
long px_lock_control(struct px_file *f, long command, void *argument);

/* The kinds. Each opener answers -ENOENT for a path that is not its own. */
long px_rom_open(const char *path, int flags, struct px_file **out);
long px_rom_stat(const char *path, bool follow, struct stat *out);
/* The length of a symbolic link's target and up to `bytes` of it. */
long px_rom_readlink(const char *path, char *to, size_t bytes);
long px_device_open(const char *path, int flags, struct px_file **out);
long px_device_stat(const char *path, struct stat *out);
/* By its number, as stat tells it; -ENXIO: there is no such device. */
long px_device_open_number(uint64_t number, int flags, struct px_file **out);
struct px_file *px_device_new(char kind, int flags);
/* /proc/self (proc_self.c). */
#define PX_DESCRIPTORS "/proc/self/fd"
static inline bool px_in_proc(const char *path)
{
    return path[1] == 'p' && path[2] == 'r' && path[3] == 'o' && path[4] == 'c' && (path[5] == '/' || path[5] == '\0');
}
long px_proc_self_open(const char *path, int flags, unsigned mode, struct px_file **out);
long px_proc_self_stat(const char *path, bool follow, struct stat *out);
/* The length of the link's target and up to `bytes` of it. */
long px_proc_self_readlink(const char *path, char *to, size_t bytes);
/* If the path is a link there, what it leads to takes its place. */
long px_proc_self_resolve(char path[static 4096]);
struct px_file *px_console_new(int flags);
/* The start of a directory's listing and its further names; false when there are no more. */
bool px_device_name(unsigned index, const char **name);

/* Woken when something that somebody polls may have become ready; its value changes each time. */
extern _Atomic uint32_t px_poll_word;
void px_poll_wake(void);

/* The current directory, "/" or an absolute path without symbolic links, as it was when it became that. */
extern char px_cwd[4096];
void px_cwd_copy(char *out);
