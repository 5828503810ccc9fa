/* SPDX-License-Identifier: MIT
 * What a parent tells a child of ours: who it is (slot "posix.self") and what each of its descriptors is ("posix.fds").
 * Not an ABI: both are of one build. */
#pragma once
#include "file.h"

enum : unsigned { PX_RECORDS_MAX = 64, PX_RECORD_PIPES = 16, PX_RANDOM_BYTES = 16 };

struct px_self_record {
    uint32_t pid;            /* 0: the Task's id */
    uint32_t parent;         /* 0: nobody of ours */
    uint32_t group, session; /* 0: it leads one */
    uint32_t umask;
    uint32_t in_front;      /* 1: its parent is about to put it in front of the terminal; it begins when that is done */
    uint64_t mask, ignored; /* signals */
    uint8_t random[PX_RANDOM_BYTES]; /* for AT_RANDOM; all zero: none */
};

struct px_fd_record {
    int32_t fd, flags;
    uint16_t pipe_out; /* 's': what it writes */
    uint8_t holder_out;
    uint8_t kind;     /* px_ops.kind */
    uint8_t holder;   /* 'p': whom the child is to be in it */
    uint16_t pipe;    /* 'p', 's': which "pipe.N"; of 's' it is what it reads; 'F', 'D': which "position.NN" */
    uint32_t same_as; /* the first record with the same open file; its own index if there is none before */
    uint32_t mode, inode;
    uint64_t a, b; /* 'f': offset in the initial RAM disk, and length; 'F', 'D': a is the place in "posix.files"; 'p': a
                    * is what px_pipe_opens said */
    int64_t offset;
};
static_assert(sizeof(struct px_fd_record) == 56);

/* The entry of a file (not of a directory) of the initial RAM disk. */
struct vx_cpio_entry;
bool px_rom_find(const char *path, struct vx_cpio_entry *out);
/* The file of a record that says all of it: of the RAM disk, the terminal, a device. nullptr: it makes no sense here.
 */
struct px_file *px_plain_file(const struct px_fd_record *r);
/* Fills in what a record says of a file of the RAM disk. */
void px_rom_record(const struct px_file *f, struct px_fd_record *r);
/* A file of the initial RAM disk, without a path. */
struct px_file *px_rom_file(const uint8_t *data, size_t bytes, uint32_t mode, uint32_t inode, int flags);
