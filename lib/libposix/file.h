/* SPDX-License-Identifier: MIT
 * Open files and descriptors. A descriptor is a number for an open file; dup and spawn make several of one, and they
 * share its position and flags. What kind of file it is decides its operations. */
#pragma once
#include "posix.h"
#include <sys/stat.h>

struct px_file;

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
    void (*close)(struct px_file *f);
};

struct px_file {
    const struct px_ops *ops;
    _Atomic uint32_t users;
    _Atomic int flags; /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DIRECTORY */
    struct vx_mutex lock;
    int64_t offset;
    union {
        struct {
            const uint8_t *data;
            size_t bytes;
            uint32_t mode, inode;
        } rom;
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

/* A new open file with one user, or nullptr. */
struct px_file *px_file_new(const struct px_ops *ops, int flags);
void px_file_put(struct px_file *f);
/* The open file of a descriptor with one user more, or nullptr. Give it back with px_file_put. */
struct px_file *px_fd_get(int fd);
/* The lowest free descriptor from `from` on for the file, whose user it takes over (also on an error, -EMFILE). */
long px_fd_add(struct px_file *f, int from, bool close_on_exec);
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

/* Absolute and clean ("." and ".." gone, no slash at the end), from `at` as the *at calls have it. out has PATH_MAX
 * bytes. */
long px_path(int at, const char *path, char *out);
/* What an absolute clean path names: a new open file. */
long px_open_path(const char *path, int flags, struct px_file **out);
long px_stat_path(const char *path, struct stat *out);

/* The kinds. Each opener answers -ENOENT for a path that is not its own. */
long px_rom_open(const char *path, int flags, struct px_file **out);
long px_rom_stat(const char *path, struct stat *out);
long px_device_open(const char *path, int flags, struct px_file **out);
long px_device_stat(const char *path, struct stat *out);
struct px_file *px_device_new(char kind, int flags);
struct px_file *px_console_new(int flags);
/* The start of a directory's listing and its further names; false when there are no more. */
bool px_device_name(unsigned index, const char **name);

/* Woken when something that somebody polls may have become ready; its value changes each time. */
extern _Atomic uint32_t px_poll_word;
void px_poll_wake(void);

/* The current directory, "/" or an absolute path. */
extern char px_cwd[4096];
void px_cwd_copy(char *out);
