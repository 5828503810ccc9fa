/* SPDX-License-Identifier: MIT
 * What a process that is about to end was started as: its Bundle, and its program's file. Nothing of it is believed:
 * the Bundle is checked like any, and the file is only searched for names. */
#pragma once
#include "table.h"
#include <vectra/bundle.h>
#include <vectra/symbols.h>

/* A copy of its Bundle, good until the next call; nullptr: there is none to be read. */
const struct vx_bundle *program_bundle(const struct proc *p);
/* Names for addresses in its memory. Without a file, or with one that has none, they are empty. */
void program_names(const struct vx_bundle *bundle, struct vx_symbol *symbol, size_t n);
/* Its memory: false unless all of it could be read. */
bool program_read(const struct proc *p, uint64_t from, void *to, size_t bytes);
/* NAME=VALUE of what it was started with; nullptr: it is not there. Not NUL-terminated: *len. */
const char *program_variable(const struct vx_bundle *bundle, const char *name, size_t *len);
/* procd's own connection to the files, made at the first use; nullptr: there are none. */
struct fs_client *program_files(void);
