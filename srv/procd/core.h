/* SPDX-License-Identifier: MIT
 * A dump of a process that a fault ends, for debuggers elsewhere: /tmp/core.PID, an ELF core file as Linux has them,
 * with every thread's whole-number registers and what could be read of its memory. It is written for a process that was
 * started with VECTRA_CORE in its environment, and nowhere else than there: procd may write more than the process may,
 * and lends it a name and no choice of one. */
#pragma once
#include "table.h"
#include <vectra/bundle.h>

/* What goes beyond is left out of the dump: threads, ranges of memory, bytes, and ranges behind a hole of that many
 * pages (the kernel lists no maps, so they are looked for from where memory is handed out). */
enum : uint32_t { CORE_THREADS_MAX = 128, CORE_RANGES_MAX = 256, CORE_BYTES_MAX = 64 << 20, CORE_HOLE_PAGES = 1024 };

/* The thread faulted, with those registers and that signal. The process must be about to be ended: all of it stops. */
void core_write(const struct proc *p, const struct vx_bundle *bundle, uint32_t thread, uint32_t signal,
                const struct vx_frame *f);
