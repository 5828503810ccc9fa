/* SPDX-License-Identifier: MIT
 * The system's errors as errno, and pages for libposix itself. */
#include "posix.h"

long px_error(status_t st)
{
    switch (st) {
    case OK:
        return 0;
    case ERR_NO_MEMORY:
        return -ENOMEM;
    case ERR_TABLE_FULL:
        return -EAGAIN;
    case ERR_WOULD_BLOCK:
        return -EAGAIN;
    case ERR_TIMED_OUT:
        return -ETIMEDOUT;
    case ERR_INTERRUPTED:
        return -EINTR;
    case ERR_NO_RIGHTS:
        return -EACCES;
    case ERR_BAD_ADDRESS:
        return -EFAULT;
    case ERR_PEER_CLOSED:
    case ERR_DESTROYED:
    case ERR_BAD_HANDLE:
    case ERR_WRONG_TYPE:
        return -EIO;
    case ERR_BAD_IMAGE:
        return -ENOEXEC;
    case ERR_BUSY:
        return -EBUSY;
    case ERR_TOO_BIG:
        return -E2BIG;
    case ERR_NOT_FOUND:
        return -ENOENT;
    case ERR_NOT_SUPPORTED:
    case ERR_BAD_SYSCALL:
        return -ENOSYS;
    case ERR_IO:
        return -EIO;
    case ERR_EXISTS:
        return -EEXIST;
    case ERR_NOT_EMPTY:
        return -ENOTEMPTY;
    case ERR_NO_SPACE:
        return -ENOSPC;
    case ERR_NOT_DIRECTORY:
        return -ENOTDIR;
    case ERR_IS_DIRECTORY:
        return -EISDIR;
    case ERR_READ_ONLY:
        return -EROFS;
    case ERR_STALE:
        return -ESTALE;
    case ERR_LOOP:
        return -ELOOP;
    case ERR_NAME_TOO_LONG:
        return -ENAMETOOLONG;
    case ERR_CROSS_DEVICE:
        return -EXDEV;
    case ERR_MANY_LINKS:
        return -EMLINK;
    case ERR_FILE_TOO_BIG:
        return -EFBIG;
    case ERR_DEADLOCK:
        return -EDEADLK;
    default:
        return -EINVAL;
    }
}

void *px_pages(size_t bytes)
{
    void *at = nullptr;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, px_page_up(bytes), VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT, 0,
                                   nullptr, &at);
    return st == OK ? at : nullptr;
}

void px_pages_free(void *at, size_t bytes)
{
    if (at != nullptr)
        (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, px_page_up(bytes));
}
