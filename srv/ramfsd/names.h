/* SPDX-License-Identifier: MIT
 * What the two halves of the file system in memory share. */
#pragma once
#include "ramfs.h"

/* ramfs.c */
struct ram_node *ram_by_number(struct ramfs *fs, uint64_t number);
status_t ram_node(struct ramfs *fs, struct fs_node n, struct ram_node **out); /* STALE */
status_t ram_node_new(struct ramfs *fs, uint32_t mode, struct ram_node **out);
void ram_node_forget(struct ramfs *fs, struct ram_node *n); /* if it has neither name nor holder */
void ram_changed(struct ramfs *fs, struct ram_node *n, bool data);
void ram_attributes(const struct ramfs *fs, const struct ram_node *n, struct vx_fs_attributes *out);
status_t ram_write(struct ramfs *fs, struct ram_node *n, uint64_t offset, const void *from, size_t bytes, size_t *done);

/* xattr.c: functions of struct fs_backend */
status_t ram_getxattr(struct fs_backend *b, struct fs_node node, struct fs_name name, void *to, size_t room,
                      size_t *bytes);
status_t ram_setxattr(struct fs_backend *b, struct fs_node node, struct fs_name name, const void *value, size_t bytes,
                      uint32_t flags);
status_t ram_listxattr(struct fs_backend *b, struct fs_node node, uint64_t skip, char *to, size_t room, size_t *used);

/* names.c: functions of struct fs_backend */
status_t ram_lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out);
status_t ram_create(struct fs_backend *b, struct fs_node dir, struct fs_name name, const struct fs_new *what,
                    struct vx_fs_attributes *out);
status_t ram_link(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child);
status_t ram_unlink(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct fs_node child,
                    bool directory);
status_t ram_rename(struct fs_backend *b, const struct fs_rename *r);
status_t ram_list(struct fs_backend *b, struct fs_node dir, uint64_t cookie, struct fs_listing *to);
