/* SPDX-License-Identifier: MIT
 * The root of all authority: the objects that stand for the machine, and the first Task that gets them all. */
#pragma once
struct machine;
struct reticle;

struct reticle *root_reticle(void);
/* Carves all RAM that nobody reserved into the root Reticle. Refuses a machine with too little. */
void init_memory(const struct machine *m);
/* Loads `path` from the initial RAM disk and starts it with everything. Refuses with a clear message if it cannot. */
void init_start(const struct machine *m, const char *path);
