/* SPDX-License-Identifier: MIT
 * Names and grants, as tables. Pure: handles are numbers here. Names are at most TABLE_NAME_MAX - 1 bytes.
 *  1. A published name is in the table once; `inbox` is the handle that connections go to.
 *  2. Badge 0 may do everything; another badge what its grants say. */
#pragma once
#include <abi/service_limits.h>
#include <abi/status.h>
#include <abi/types.h>
#include <stddef.h>

enum { TABLE_NAME_MAX = 33 };

struct name_entry {
    char name[TABLE_NAME_MAX]; /* empty: a free place */
    vx_handle_t inbox;
};

struct name_grant {
    uint64_t badge;
    uint32_t flags; /* 0: a free place */
    char name[TABLE_NAME_MAX];
};

struct name_table {
    struct name_entry entry[NAMING_NAMES_MAX];
    struct name_grant grant[NAMING_GRANTS_MAX];
};

/* A wire name as a C string. BAD_ARGUMENT: empty, or it has a byte that is not a printable one. */
status_t name_copy(char out[TABLE_NAME_MAX], const uint8_t *bytes, size_t len);
bool name_allowed(const struct name_table *t, uint64_t badge, const char *name, uint32_t flag);
status_t name_grant(struct name_table *t, uint64_t badge, const char *name, uint32_t flags);
void name_revoke(struct name_table *t, uint64_t badge);
/* Publishes; *old is the handle that was there before, or 0. TABLE_FULL. */
status_t name_publish(struct name_table *t, const char *name, vx_handle_t inbox, vx_handle_t *old);
/* The place of a published name, or nullptr. */
struct name_entry *name_find(struct name_table *t, const char *name);
/* The first thing at or after place `index` that this badge may use: its name and flags, the next place to look.
 * Badge 0 sees the published names, another badge its grants. NOT_FOUND. */
status_t name_list(const struct name_table *t, uint64_t badge, uint32_t *index, char out[TABLE_NAME_MAX],
                   uint32_t *flags);
