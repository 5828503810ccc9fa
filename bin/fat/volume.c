/* SPDX-License-Identifier: MIT
 * See volume.h. */
#include "volume.h"
#include <block/name.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vectra/files.h>
#include <vectra/io.h>
#include <vectra/rpc_block.h>

enum : uint32_t { BUFFER_BYTES = 256 << 10, FILE_BLOCK = 512 };

int complain(const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "%s: ", name);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return 1;
}

static uint64_t now_ns(void *)
{
    struct timespec t = {};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1'000'000'000 + (uint64_t)t.tv_nsec;
}

/* --- a disk --- */

static fat_status_t from_status(status_t st)
{
    return st == OK ? FAT_OK : st == ERR_NO_RIGHTS ? FAT_READ_ONLY : FAT_IO;
}

/* How many blocks fit into the shared buffer, and into a request. */
static uint32_t step(const struct block_disk *d, uint32_t blocks)
{
    uint32_t most = (d->max_bytes < BUFFER_BYTES ? d->max_bytes : BUFFER_BYTES) / d->block_bytes;
    return blocks < most ? blocks : most;
}

static fat_status_t disk_read(void *ctx, uint64_t block, uint32_t blocks, void *to)
{
    struct block_disk *d = ctx;
    status_t st = OK;
    for (uint32_t n; blocks != 0 && st == OK; blocks -= n, block += n) {
        n = step(d, blocks);
        st = block_read(d, block, n, 0);
        memcpy(to, d->at, (size_t)n * d->block_bytes);
        to = (uint8_t *)to + (size_t)n * d->block_bytes;
    }
    return from_status(st);
}

static fat_status_t disk_write(void *ctx, uint64_t block, uint32_t blocks, const void *from)
{
    struct block_disk *d = ctx;
    status_t st = OK;
    for (uint32_t n; blocks != 0 && st == OK; blocks -= n, block += n) {
        n = step(d, blocks);
        memcpy(d->at, from, (size_t)n * d->block_bytes);
        st = block_write(d, block, n, 0);
        from = (const uint8_t *)from + (size_t)n * d->block_bytes;
    }
    return from_status(st);
}

static fat_status_t disk_flush(void *ctx)
{
    return from_status(block_flush(ctx));
}

/* Whether somebody has mounted these blocks. Who cannot ask must not write. */
static bool is_free(const char *name)
{
    char source[NAME_MAX + 1], path[NAME_MAX + 1], device[NAME_MAX + 1];
    struct vx_vfs_mounted m;
    struct fs_client *c = vx_posix_files();
    if (c == nullptr) {
        (void)complain(name, "cannot tell whether it is mounted");
        return false;
    }
    for (uint32_t index = 0; fs_mounts_on(c, &index, &m, source, path, device, sizeof path) == OK;) {
        if (!block_names_overlap(device, name))
            continue;
        (void)complain(name, "Resource busy: %s is mounted at %s", device, path);
        return false;
    }
    return true;
}

static bool open_disk(struct place *p, bool write)
{
    struct block_disk *d = &p->disk;
    uint64_t first, blocks;
    uint32_t number, table, kind;
    char text[24];
    size_t len = 0;
    if (write && !is_free(p->name))
        return false;
    status_t st = block_open(d, p->name, BUFFER_BYTES, 0);
    if (st != OK) {
        (void)complain(p->name, "%s",
                       st == ERR_NOT_FOUND || st == ERR_NO_RIGHTS ? "there is no such disk for this program"
                                                                  : vx_status_text(st));
        return false;
    }
    if (write && (d->flags & VX_BLOCK_READ_ONLY) == 0 && (st = block_claim(d)) != OK) {
        (void)complain(p->name, "%s", st == ERR_BUSY ? "Resource busy: somebody has claimed it" : vx_status_text(st));
        block_close(d);
        return false;
    }
    p->partitioned =
        d->partition == 0 && vx_block_partition(&d->rpc, 0, &first, &blocks, &number, &table, &kind, text, &len) == OK;
    p->fat = (struct fat_disk){ .ctx = d,
                                .blocks = d->blocks,
                                .block_bytes = d->block_bytes,
                                .read_only = !write || (d->flags & VX_BLOCK_READ_ONLY) != 0,
                                .read = disk_read,
                                .write = disk_write,
                                .flush = disk_flush,
                                .now_ns = now_ns };
    return true;
}

/* --- a file --- */

static fat_status_t file_read(void *ctx, uint64_t block, uint32_t blocks, void *to)
{
    const struct place *p = ctx;
    size_t bytes = (size_t)blocks * FILE_BLOCK;
    return pread(p->fd, to, bytes, (off_t)(block * FILE_BLOCK)) == (ssize_t)bytes ? FAT_OK : FAT_IO;
}

static fat_status_t file_write(void *ctx, uint64_t block, uint32_t blocks, const void *from)
{
    const struct place *p = ctx;
    size_t bytes = (size_t)blocks * FILE_BLOCK;
    return pwrite(p->fd, from, bytes, (off_t)(block * FILE_BLOCK)) == (ssize_t)bytes ? FAT_OK : FAT_IO;
}

static fat_status_t file_flush(void *ctx)
{
    const struct place *p = ctx;
    return fsync(p->fd) == 0 ? FAT_OK : FAT_IO;
}

static bool open_file(struct place *p, bool write)
{
    struct stat s;
    p->fd = open(p->name, write ? O_RDWR : O_RDONLY);
    if (p->fd < 0 || fstat(p->fd, &s) != 0) {
        (void)complain(p->name, "%s", strerror(errno));
        return false;
    }
    if (!S_ISREG(s.st_mode)) {
        (void)complain(p->name, "neither a disk nor a file");
        return false;
    }
    p->fat = (struct fat_disk){ .ctx = p,
                                .blocks = (uint64_t)s.st_size / FILE_BLOCK,
                                .block_bytes = FILE_BLOCK,
                                .read_only = !write,
                                .read = file_read,
                                .write = file_write,
                                .flush = file_flush,
                                .now_ns = now_ns };
    return true;
}

/* --- either --- */

bool place_open(struct place *p, const char *name, bool write)
{
    *p = (struct place){ .name = name, .fd = -1, .is_disk = block_name_ok(name) };
    return p->is_disk ? open_disk(p, write) : open_file(p, write);
}

bool place_close(struct place *p)
{
    bool well = p->fat.read_only || p->fat.flush(p->fat.ctx) == FAT_OK;
    if (!well)
        (void)complain(p->name, "not everything was written");
    if (p->is_disk)
        block_close(&p->disk);
    else
        (void)close(p->fd);
    return well;
}
