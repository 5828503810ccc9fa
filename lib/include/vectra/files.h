/* SPDX-License-Identifier: MIT
 * For programs of the C library that want more of vfsd than POSIX has calls for: the connection that their files come
 * by. It is used from any thread, beside the C library (fs/client.h). */
#pragma once
#include <fs/client.h>

/* nullptr: this process was given none, or vfsd is away. */
struct fs_client *vx_posix_files(void);
