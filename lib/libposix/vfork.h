/* SPDX-License-Identifier: MIT
 * vfork: one thread plays its own child until it becomes another program or exits. */
#pragma once
#include "posix.h"

enum : unsigned { PX_VFORK_REGISTERS = 21 };

/* From assembly: remembers where vfork returns to; 0, or a negated errno. */
long px_vfork(const uint64_t registers[PX_VFORK_REGISTERS]);
/* To assembly: vfork returns once more, with that value. */
[[noreturn]] void px_vfork_again(const uint64_t registers[PX_VFORK_REGISTERS], long value);

/* True while the calling thread plays its child. */
bool px_is_child(void);
/* What the child asks for that the program it becomes will have. */
void px_child_wants_group(int group);
void px_child_wants_session(void);
/* The child becomes a program: does not return unless that failed. */
long px_child_becomes(const char *path, char *const *argv, char *const *envp);
[[noreturn]] void px_child_exits(int status);
