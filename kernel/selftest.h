/* SPDX-License-Identifier: MIT
 * What the kernel checks of itself at every boot, before it says that a stage is reached. Each check panics with its
 * reason. */
#pragma once
struct machine;

void selftest_boot(void);
void selftest_paging(const struct machine *m);
void selftest_reticle(void);
void selftest_caps(void);
void selftest_sched(void);
void selftest_rings(void);
void selftest_entropy(void);
