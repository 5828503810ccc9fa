/* SPDX-License-Identifier: MIT
 * VectraOS: a process is never copied. posix_spawn, system and popen start programs. */
#define _GNU_SOURCE
#include <unistd.h>
#include <errno.h>

pid_t vfork(void)
{
    errno = ENOSYS;
    return -1;
}
