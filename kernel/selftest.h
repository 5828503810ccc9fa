/* SPDX-License-Identifier: MIT
 * What the kernel checks of itself at every boot, before it says that a stage is reached. Each check panics with its
 * reason. */
#pragma once
struct machine;

void selftest_boot(void);
void selftest_paging(const struct machine *m);
void selftest_sealed(const struct machine *m); /* after arch_seal() */
void selftest_reticle(void);
void selftest_caps_and_rings(void);
void selftest_sched(void);
void selftest_entropy(void);
#ifdef VECTRA_DEBUG
/* panic, stack, return, recurse, trap: dies that way on purpose, so that the report can be tested. Others: nothing. */
void selftest_report(const char *kind);
#endif
