/* SPDX-License-Identifier: MIT
 * Paths as text. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : uint32_t { SH_PATH_MAX = 256 }; /* with the NUL; the archive's own limit is CPIO_NAME_MAX */

/* Makes an absolute path without ".", ".." and doubled slashes of `path`, seen from `cwd`. False: it is too long. */
bool sh_path_join(const char *cwd, const char *path, char out[static SH_PATH_MAX]);
/* If `name` (without a leading slash) lies in the directory `dir` (absolute): the length of its next component, else 0.
 */
size_t sh_path_component(const char *dir, const char *name, const char **component);
