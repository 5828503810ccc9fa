/* SPDX-License-Identifier: MIT
 * What a child gets of this process's files: a connection to vfsd of its own with this one's root and rights, and leave
 * to open again what it inherits. */
#pragma once
#include "records.h"
#include <vectra/bundle.h>
#include <vectra/rpc.h>

/* What "posix.files" holds for each inherited file, at px_fd_record.a; the path of a directory follows. */
struct px_given_file {
    struct vx_vfs_handle handle;
    uint32_t path_bytes, reserved;
};
static_assert(sizeof(struct px_given_file) == 56);

enum : uint16_t { PX_NO_PAGE = UINT16_MAX };

/* For one child; all zero at first. */
struct px_inheritance {
    struct vx_client vfs; /* the child's connection */
    uint32_t number;      /* vfsd's, for fs_give */
    bool connected;
    uint16_t n_pages;
    vx_mem page[PX_RECORDS_MAX]; /* of positions; kept by the files */
    uint8_t *bytes;              /* "posix.files" */
    size_t used, room;
};

/* Makes the child's connection, if this process has one and vfsd is there. */
long px_inherit_begin(struct px_inheritance *h);
/* The record of a file or directory of kind 'F' or 'D'. */
long px_inherit_file(struct px_inheritance *h, struct px_file *f, struct px_fd_record *r);
void px_inherit_slots(struct px_inheritance *h, struct vx_spec *spec);
/* started: the child has the connection. */
void px_inherit_end(struct px_inheritance *h, bool started);

/* In the child: the file of a record, not opened yet; nullptr if the record makes no sense. */
struct px_file *px_inherited(const struct px_fd_record *r);
