/* SPDX-License-Identifier: MIT
 * Tracing of system calls: a second dispatch table, so that nothing is paid for it when it is off. */
#pragma once

/* trace=all or trace=NAME on the command line turns it on, for every Task or those of that name. */
void trace_init(const char *cmdline);
