/* SPDX-License-Identifier: MIT
 * Shared maps of files: memory that the file system lends (fs_map), mapped here. A mapping lasts as long as its
 * capability is held, so this remembers which range came from which, and drops a capability with its last page.
 *
 *  1. The records do not overlap; each says what is mapped through one capability, and a capability may have several.
 *  2. What is mapped and the records change together, under the lock. A process without records takes no lock. */
#define _GNU_SOURCE
#include "shared.h"
#include "file.h"
#include <fcntl.h>
#include <sys/mman.h>

struct range {
    struct range *next;
    uintptr_t at;
    size_t bytes;
    vx_mem mem;
};

static struct vx_mutex lock;
static struct range *ranges, *free_ranges;
static _Atomic uint32_t n_ranges;

/* --- records: with the lock --- */

static bool reserve_ranges(unsigned n)
{
    unsigned have = 0;
    for (const struct range *r = free_ranges; r != nullptr && have < n; r = r->next)
        have++;
    if (have >= n)
        return true;
    struct range *fresh = px_pages(PX_PAGE);
    for (size_t i = 0; fresh != nullptr && i < PX_PAGE / sizeof *fresh; i++) {
        fresh[i].next = free_ranges;
        free_ranges = &fresh[i];
    }
    return fresh != nullptr;
}

static void range_add(uintptr_t at, size_t bytes, vx_mem mem)
{
    struct range *r = free_ranges;
    free_ranges = r->next;
    *r = (struct range){ .next = ranges, .at = at, .bytes = bytes, .mem = mem };
    ranges = r;
    atomic_fetch_add_explicit(&n_ranges, 1, memory_order_relaxed);
}

static void drop_if_last(vx_mem mem)
{
    for (const struct range *r = ranges; r != nullptr; r = r->next)
        if (r->mem.raw == mem.raw)
            return;
    (void)vx_sys_cap_drop(mem.raw);
}

/* [at, end) is mapped no more. One record may become two. */
static void forget(uintptr_t at, uintptr_t end)
{
    for (struct range **p = &ranges; *p != nullptr;) {
        struct range *r = *p;
        uintptr_t r_end = r->at + r->bytes;
        if (r->at >= end || r_end <= at) {
            p = &r->next;
            continue;
        }
        if (r_end > end && r->at < at)
            range_add(end, r_end - end, r->mem); /* the only one that this range lies in */
        if (r->at < at) {
            r->bytes = at - r->at;
            p = &r->next;
        } else if (r_end > end) {
            r->at = end;
            r->bytes = r_end - end;
            p = &r->next;
        } else {
            vx_mem mem = r->mem;
            *p = r->next;
            r->next = free_ranges;
            free_ranges = r;
            atomic_fetch_sub_explicit(&n_ranges, 1, memory_order_relaxed);
            drop_if_last(mem);
        }
    }
}

static status_t unmap_locked(uintptr_t at, size_t bytes)
{
    if (!reserve_ranges(1))
        return ERR_NO_MEMORY;
    status_t st = vx_sys_mem_free(VX_NO_MEM, at, bytes);
    if (st == OK || st == ERR_NOT_FOUND)
        forget(at, at + bytes);
    return st;
}

status_t px_unmap(uintptr_t at, size_t bytes)
{
    /* relaxed: a record for this range was made before the range was known to whoever unmaps it */
    if (atomic_load_explicit(&n_ranges, memory_order_relaxed) == 0)
        return vx_sys_mem_free(VX_NO_MEM, at, bytes);
    vx_mutex_lock(&lock);
    status_t st = unmap_locked(at, bytes);
    vx_mutex_unlock(&lock);
    return st;
}

bool px_is_shared(uintptr_t at, size_t bytes)
{
    bool found = false;
    if (atomic_load_explicit(&n_ranges, memory_order_relaxed) == 0)
        return false;
    vx_mutex_lock(&lock);
    for (const struct range *r = ranges; r != nullptr && !found; r = r->next)
        found = r->at < at + bytes && at < r->at + r->bytes;
    vx_mutex_unlock(&lock);
    return found;
}

/* --- mapping --- */

/* Addresses for all of it, where nothing is yet: pages behind the end of the file stay so. */
static status_t take_addresses(uintptr_t *at, size_t bytes, bool fixed)
{
    void *got = nullptr;
    if (fixed) {
        status_t st = unmap_locked(*at, bytes);
        if (st != OK && st != ERR_NOT_FOUND)
            return st;
    }
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, bytes, VX_PROT_NONE | VX_MEM_RESERVE | (fixed ? VX_MEM_FIXED : 0),
                                   fixed ? *at : 0, nullptr, &got);
    *at = (uintptr_t)got;
    return st;
}

/* `bytes` of the memory from `in` on, at `at`, where there are addresses alone so far. Takes the capability over. */
static status_t map_piece(vx_mem mem, uint64_t in, uintptr_t at, size_t bytes, uint32_t prot)
{
    vx_mutex_lock(&lock);
    status_t st = reserve_ranges(1) ? vx_sys_mem_free(VX_NO_MEM, at, bytes) : ERR_NO_MEMORY;
    /* Between the two calls another thread can be given these addresses: then it is BUSY, and all begins again. */
    if (st == OK)
        st = vx_sys_mem_map(mem, in, bytes, at, prot, nullptr);
    if (st == OK)
        range_add(at, bytes, mem);
    else
        (void)vx_sys_cap_drop(mem.raw);
    vx_mutex_unlock(&lock);
    return st;
}

/* Without the lock: the file system is asked. */
static status_t map_all(struct fs_file *file, uint64_t offset, uint32_t access, uintptr_t at, size_t bytes,
                        uint32_t prot)
{
    size_t n = 0;
    for (size_t done = 0; done < bytes; done += n) {
        vx_mem mem = {};
        uint64_t begin = 0, length = 0;
        status_t st = fs_map(file, offset + done, access, &mem, &begin, &length);
        if (st == ERR_NOT_FOUND)
            break; /* the end of the file */
        if (st != OK)
            return st;
        uint64_t in = offset + done - begin;
        n = length - in < bytes - done ? length - in : bytes - done;
        st = map_piece(mem, in, at + done, n, prot);
        if (st != OK)
            return st;
    }
    return OK;
}

long px_shared_map(struct px_file *f, uint64_t offset, uintptr_t at, size_t bytes, uint32_t prot, bool fixed)
{
    constexpr unsigned tries = 8;
    long answer = 0;
    struct fs_file *file = px_is_fs(f) ? px_fs_file(f, &answer) : nullptr;
    if (file == nullptr)
        return answer != 0 ? answer : -ENODEV;
    uint32_t access = VX_FS_READ | ((f->flags & O_ACCMODE) == O_RDWR ? VX_FS_WRITE : 0);
    status_t st = ERR_BUSY;
    for (unsigned i = 0; i < tries && st == ERR_BUSY; i++) {
        vx_mutex_lock(&lock);
        st = take_addresses(&at, bytes, fixed);
        vx_mutex_unlock(&lock);
        if (st != OK)
            break;
        st = map_all(file, offset, access, at, bytes, prot);
        if (st != OK)
            (void)px_unmap(at, bytes);
    }
    return st == OK                                                            ? (long)at
           : st == ERR_NOT_SUPPORTED                                           ? -ENODEV
           : st == ERR_NO_MEMORY || st == ERR_TABLE_FULL || st == ERR_NO_SPACE ? -ENOMEM
                                                                               : px_fs_error(st);
}

/* --- without a name --- */

long px_memfd_create(long name, long flags)
{
    constexpr size_t name_max = 249; /* as elsewhere; the name means nothing */
    char path[] = "/dev/shm/memfd-0123456789abcdef";
    struct px_file *f = nullptr;
    uint64_t number = 0;
    if (name == 0)
        return -EFAULT;
    if ((flags & ~(long)MFD_CLOEXEC) != 0 || strnlen((const char *)name, name_max + 1) > name_max)
        return -EINVAL;
    struct fs_client *c = px_fs();
    status_t st = c == nullptr ? ERR_NOT_FOUND : vx_sys_getrandom(&number, sizeof number, nullptr);
    if (st != OK)
        return c == nullptr ? -ENOSYS : px_error(st);
    for (char *at = path + sizeof path - 2; *at != '-'; at--, number >>= 4)
        *at = "0123456789abcdef"[number & 15];
    long answer = px_fs_open(c, path, O_RDWR | O_CREAT | O_EXCL, 0600, &f);
    if (answer != 0)
        return answer == -ENOENT ? -ENOSYS : answer; /* this process has no /dev/shm */
    (void)fs_unlink(c, path, 0);
    return px_fd_add(f, 0, (flags & MFD_CLOEXEC) != 0);
}
