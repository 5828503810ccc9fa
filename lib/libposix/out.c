/* SPDX-License-Identifier: MIT
 * What libvectra prints (vectra/io.h), in a program that has descriptors: it goes where standard output leads. */
#include <sys/syscall.h>
#include <vectra/io.h>
#include <vectra/posix_hooks.h>

status_t vx_out(const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len != 0) {
        long n = __vectra_syscall(SYS_write, 1, (long)at, (long)len, 0, 0, 0);
        if (n <= 0)
            return ERR_PEER_CLOSED;
        at += n;
        len -= (size_t)n;
    }
    return OK;
}
