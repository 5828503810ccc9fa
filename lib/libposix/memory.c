/* SPDX-License-Identifier: MIT
 * Memory: the C library's maps are ranges of anonymous memory of this Task. The kernel keeps them, by page ranges, so
 * nothing is remembered here. Shared maps of files are in shared.c.
 *
 * A small map is given its pages at once, since whoever asks for it is about to write them; a large one gets each on
 * its first touch, and so does a stack, of which most is never used: Rust maps one for signals with each thread.
 * PROT_NONE is address space and costs nothing until mprotect. */
#define _GNU_SOURCE
#include "file.h"
#include "shared.h"
#include <fcntl.h>
#include <sys/mman.h>

enum : size_t { COMMIT_MAX = 16 * PX_PAGE };

static bool prot_ok(long prot)
{
    return (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) == 0;
}

static uint32_t vx_prot(long prot)
{
    return ((prot & PROT_READ) != 0 ? VX_PROT_READ : 0) |
           ((prot & PROT_WRITE) != 0 ? VX_PROT_READ | VX_PROT_WRITE : 0) |
           ((prot & PROT_EXEC) != 0 ? VX_PROT_READ | VX_PROT_EXEC : 0);
}

static long map_error(status_t st)
{
    return st == ERR_NO_MEMORY || st == ERR_TOO_BIG || st == ERR_TABLE_FULL ? -ENOMEM : px_error(st);
}

/* Whether there is so much now. A page is charged when it is touched, and a touch that finds nothing left ends the
 * process: what cannot possibly be used is refused at once. */
static bool fits(size_t bytes)
{
    struct vx_cap_facts facts = {};
    vx_reticle own = vx_bundle_reticle("reticle");
    return own.raw == VX_HANDLE_NONE || vx_sys_cap_inspect(own.raw, &facts, nullptr) != OK || bytes <= facts.b;
}

static long map_anonymous(uintptr_t at, size_t bytes, long prot, long flags)
{
    bool at_once = (bytes <= COMMIT_MAX && (flags & MAP_STACK) == 0) || (flags & MAP_POPULATE) != 0;
    uint32_t state = prot == PROT_NONE ? VX_MEM_RESERVE : at_once ? VX_MEM_COMMIT : VX_MEM_LAZY;
    void *got = nullptr;
    if (state == VX_MEM_LAZY && bytes > COMMIT_MAX && !fits(bytes))
        return -ENOMEM;
    if ((flags & MAP_FIXED) != 0) {
        if ((flags & MAP_FIXED_NOREPLACE) == 0)
            (void)px_unmap(at, bytes);
        state |= VX_MEM_FIXED;
    } else {
        at = 0;
    }
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, vx_prot(prot) | state, at, nullptr, &got);
    return st == OK ? (long)got : st == ERR_BUSY ? -EEXIST : map_error(st);
}

/* A private map of a file is its content, read into anonymous memory. */
static long map_private(struct px_file *f, uintptr_t at, size_t bytes, long prot, long flags, long offset)
{
    long answer = map_anonymous(at, bytes, PROT_READ | PROT_WRITE, flags);
    for (size_t done = 0; answer > 0 && done < bytes;) {
        long n = f->ops->read(f, (char *)answer + done, bytes - done, offset + (long)done);
        if (n < 0) {
            (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)answer, bytes);
            answer = n;
        }
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (answer > 0 && prot != (PROT_READ | PROT_WRITE))
        (void)vx_sys_mem_map(VX_NO_MEM, 0, bytes, (uintptr_t)answer, vx_prot(prot), nullptr);
    return answer;
}

static long map_file(uintptr_t at, size_t bytes, long prot, long flags, int fd, long offset)
{
    struct px_file *f = px_fd_get(fd);
    if (f == nullptr)
        return -EBADF;
    int access = f->flags & O_ACCMODE;
    bool shared = (flags & MAP_TYPE) != MAP_PRIVATE, fixed = (flags & MAP_FIXED) != 0;
    long answer;
    if (f->ops->read == nullptr || f->ops->seek == nullptr)
        answer = -ENODEV;
    else if (access == O_WRONLY || (f->flags & O_PATH) != 0 || (shared && (prot & PROT_WRITE) != 0 && access != O_RDWR))
        answer = -EACCES;
    else if (!shared)
        answer = map_private(f, at, bytes, prot, flags, offset);
    else if ((flags & MAP_FIXED_NOREPLACE) != 0 || (prot & PROT_EXEC) != 0)
        answer = -EOPNOTSUPP;
    else
        answer = px_shared_map(f, (uint64_t)offset, at, bytes, vx_prot(prot), fixed);
    px_file_put(f);
    return answer;
}

long px_mmap(long at, long length, long prot, long flags, long fd, long offset)
{
    size_t bytes = px_page_up((size_t)length);
    flags |= (flags & MAP_FIXED_NOREPLACE) != 0 ? MAP_FIXED : 0;
    if (length <= 0 || bytes == 0 || offset < 0 || (size_t)offset % PX_PAGE != 0 || !prot_ok(prot) ||
        ((flags & MAP_FIXED) != 0 && (size_t)at % PX_PAGE != 0))
        return length > 0 && bytes == 0 ? -ENOMEM : -EINVAL;
    if ((flags & MAP_TYPE) == 0)
        return -EINVAL;
    if ((prot & PROT_WRITE) != 0 && (prot & PROT_EXEC) != 0)
        return -EACCES; /* nothing is writable and executable here */
    if ((flags & MAP_ANONYMOUS) != 0)
        return map_anonymous((uintptr_t)at, bytes, prot, flags);
    return map_file((uintptr_t)at, bytes, prot, flags, (int)fd, offset);
}

long px_munmap(long at, long length)
{
    if ((size_t)at % PX_PAGE != 0 || length <= 0)
        return -EINVAL;
    status_t st = px_unmap((uintptr_t)at, px_page_up((size_t)length));
    return st == ERR_NOT_FOUND ? 0 : px_error(st);
}

long px_mprotect(long at, long length, long prot)
{
    if ((size_t)at % PX_PAGE != 0 || length < 0 || !prot_ok(prot))
        return -EINVAL;
    if ((prot & PROT_WRITE) != 0 && (prot & PROT_EXEC) != 0)
        return -EACCES;
    if (length == 0)
        return 0;
    size_t bytes = px_page_up((size_t)length);
    uint32_t state = prot == PROT_NONE || px_is_shared((uintptr_t)at, bytes) ? 0 : VX_MAP_LAZY;
    status_t st = vx_sys_mem_map(VX_NO_MEM, 0, bytes, (uintptr_t)at, vx_prot(prot) | state, nullptr);
    return st == ERR_NOT_FOUND ? -ENOMEM : st == ERR_NO_RIGHTS ? -EACCES : map_error(st);
}

/* The C library measures the main stack by asking to grow its pages, one after the other, until the answer is not
 * ENOMEM. */
static bool in_main_stack(uintptr_t at)
{
    const struct vx_bundle *b = vx_bundle();
    return at >= b->stack_low && at < b->stack_high;
}

long px_mremap(long at, long old_length, long new_length, long flags, long to)
{
    size_t before = px_page_up((size_t)old_length), after = px_page_up((size_t)new_length);
    (void)to;
    if ((size_t)at % PX_PAGE != 0 || old_length <= 0 || new_length <= 0 || (flags & ~MREMAP_MAYMOVE) != 0)
        return -EINVAL;
    if (in_main_stack((uintptr_t)at))
        return -ENOMEM;
    if (after == before)
        return at;
    if (after < before) {
        (void)px_unmap((uintptr_t)at + after, before - after);
        return at;
    }
    if (px_is_shared((uintptr_t)at, before))
        return -EINVAL; /* only mmap asks a file for more */
    void *got = nullptr;
    status_t st =
        vx_sys_mem_alloc(VX_OWN_RETICLE, after - before, VX_PROT_READ | VX_PROT_WRITE | VX_MEM_LAZY | VX_MEM_FIXED,
                         (uintptr_t)at + before, nullptr, &got);
    if (st == OK)
        return at;
    if ((flags & MREMAP_MAYMOVE) == 0)
        return in_main_stack((uintptr_t)at + PX_PAGE) ? -EFAULT : -ENOMEM;
    long moved = map_anonymous(0, after, PROT_READ | PROT_WRITE, 0);
    if (moved < 0)
        return moved;
    memcpy((void *)moved, (const void *)at, before);
    (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, before);
    return moved;
}

long px_madvise(long at, long length, long advice)
{
    if ((size_t)at % PX_PAGE != 0)
        return -EINVAL;
    size_t bytes = px_page_up((size_t)length);
    if (advice < MADV_NORMAL || advice > MADV_SOFT_OFFLINE || (advice > MADV_DONTNEED && advice < MADV_FREE))
        return -EINVAL;
    if (bytes == 0 || advice != MADV_DONTNEED || px_is_shared((uintptr_t)at, bytes))
        return 0;
    status_t st = vx_sys_mem_map(VX_NO_MEM, 0, bytes, (uintptr_t)at, VX_PROT_NONE | VX_MAP_RESERVE, nullptr);
    if (st == OK)
        st = vx_sys_mem_map(VX_NO_MEM, 0, bytes, (uintptr_t)at, VX_PROT_READ | VX_PROT_WRITE | VX_MAP_LAZY, nullptr);
    return st == ERR_NOT_FOUND ? -ENOMEM : map_error(st);
}

/* There is no data segment that could grow: the C library maps instead. */
long px_brk(long at)
{
    (void)at;
    return 0;
}

/* Memory is never taken away to disk, so all of it is locked. */
long px_mlock(long at, long length)
{
    (void)at;
    (void)length;
    return 0;
}

long px_munlock(long at, long length)
{
    (void)at;
    (void)length;
    return 0;
}

long px_mlock2(long at, long length, long flags)
{
    (void)at;
    (void)length;
    return flags == 0 ? 0 : -EINVAL;
}

long px_mlockall(long flags)
{
    return flags != 0 ? 0 : -EINVAL;
}

long px_munlockall(void)
{
    return 0;
}

long px_msync(long at, long length, long flags)
{
    (void)length;
    (void)flags;
    return (size_t)at % PX_PAGE == 0 ? 0 : -EINVAL;
}
