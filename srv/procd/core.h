/* SPDX-License-Identifier: MIT
 * A dump of a process that a fault ends, for debuggers elsewhere: /tmp/core.PID, an ELF core file as Linux has them,
 * with every thread's whole-number registers and what could be read of its memory. It is written for a process that was
 * started with VECTRA_CORE in its environment, and nowhere else than there: procd may write more than the process may,
 * and lends it a name and no choice of one. */
#pragma once
#include "table.h"
#include <abi/service_limits.h>
#include <vectra/bundle.h>

/* What goes beyond is left out of the dump: CORE_THREADS_MAX, CORE_RANGES_MAX, CORE_BYTES_MAX, and CORE_HOLE_PAGES (the
 * kernel lists no maps, so they are looked for from where memory is handed out). */

/* The thread faulted, with those registers and that signal. The process must be about to be ended: all of it stops. */
void core_write(const struct proc *p, const struct vx_bundle *bundle, uint32_t thread, uint32_t signal,
                const struct vx_frame *f);
