/* SPDX-License-Identifier: MIT
 * What the calls of a connection are made of. */
#pragma once
#include "vfsd.h"

/* BUSY: one is under way. */
status_t op_begin(struct vx_session *s, uint16_t code, void (*start)(struct op *op), struct op **out);
/* Begins, and copies the path; on an error nothing has begun. */
status_t op_with_path(struct vx_session *s, uint16_t code, void (*start)(struct op *op), uint32_t at, uint32_t bytes,
                      struct op **out);
status_t op_go(struct op *op); /* VX_RPC_LATER */
/* Leaves struct vx_vfs_opened of op->attributes, with a sealed handle for op->access. */
void op_put_opened(struct op *op, const struct mount *m);
void op_answer(struct op *op, const void *payload, size_t bytes);
void op_lost(struct op *op); /* a race: again, a bounded number of times */
status_t take_text(const struct connection *c, uint32_t at, uint32_t bytes, char *to, uint32_t *len);
status_t may_change(const struct op *op, const struct place *p);
/* True: they are being asked for, and `then` is called again with them. */
bool need_attributes(struct op *op, void (*then)(struct op *op));
void ask_about(struct op *op, const struct place *p, uint8_t code, uint32_t room, op_next *then);
void ask_make(struct op *op, struct place *parent, const struct spot *spot, uint32_t mode, uint64_t device,
              const char *target, uint32_t target_bytes, uint32_t session, op_next *then);

status_t call_stat(struct vx_session *s, const struct vx_vfs_stat_request *q, struct vx_vfs_stat_reply *a);
status_t call_change(struct vx_session *s, const struct vx_vfs_change_request *q);
status_t call_mkdir(struct vx_session *s, const struct vx_vfs_mkdir_request *q);
status_t call_mknod(struct vx_session *s, const struct vx_vfs_mknod_request *q);
status_t call_symlink(struct vx_session *s, const struct vx_vfs_symlink_request *q);
status_t call_link(struct vx_session *s, const struct vx_vfs_link_request *q);
status_t call_unlink(struct vx_session *s, const struct vx_vfs_unlink_request *q);
status_t call_rename(struct vx_session *s, const struct vx_vfs_rename_request *q);
status_t call_readlink(struct vx_session *s, const struct vx_vfs_readlink_request *q, struct vx_vfs_readlink_reply *a);
status_t call_statfs(struct vx_session *s, const struct vx_vfs_statfs_request *q, struct vx_vfs_statfs_reply *a);
status_t call_sync(struct vx_session *s, const struct vx_vfs_sync_request *q);
