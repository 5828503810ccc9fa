/* SPDX-License-Identifier: MIT
 * fatfsd: the FAT volume of a disk, whole or its first partition with one, as a file system. Argument: the disk's name.
 *
 * A volume that was not left clean is checked and corrected before anybody sees it. What is written stays in the cache
 * for a moment and is then written back; fsync and sync do not wait for that. When the driver of the disk is started
 * anew, what was not answered is asked again (libblock); when this service is, it finds the volume as a cut of power
 * would have left it. */
#include "disk.h"
#include "files.h"
#include <vectra/alloc.h>
#include <vectra/io.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint32_t { NODES = OBJECTS_MAX + 16 };
static constexpr uint64_t write_back_ns = 1'000'000'000;

static struct block_disk disk;
static struct files files;
static struct fs_backend backend;
static struct vx_service service;
static char device[BLOCK_NAME_MAX]; /* the disk or partition with the volume */
static const char *self;

/* Mounts what is on the disk of that name. NOT_SUPPORTED: no FAT. */
static status_t try_mount(const char *name, struct fat_volume **out)
{
    struct fat_disk fat;
    disk = (struct block_disk){};
    status_t st = disk_open(&disk, name, &fat);
    if (st == ERR_BUSY)
        vx_printf("%s: %s: somebody else has claimed it\n", self, name);
    if (st != OK)
        return st;
    struct fat_memory memory = { .cache = disk.at,
                                 .cache_bytes = DISK_CACHE_BYTES,
                                 .state = vx_alloc(fat_state_bytes(DISK_CACHE_BYTES, NODES)),
                                 .nodes = NODES };
    fat_status_t mounted = memory.state != nullptr ? fat_mount(&memory, &fat, 0, out) : FAT_NO_MEMORY;
    if (mounted == FAT_OK) {
        (void)vx_strcopy(device, sizeof device, name);
        return OK;
    }
    vx_free(memory.state);
    block_close(&disk);
    if (mounted != FAT_NOT_FAT)
        vx_printf("%s: %s: %s\n", self, name, fat_status_text(mounted));
    return mounted == FAT_NOT_FAT ? ERR_NOT_SUPPORTED : from_fat(mounted);
}

/* The disk as a whole, or the first of its partitions that holds one. */
static status_t find_volume(const char *name, struct fat_volume **out)
{
    char partition[BLOCK_NAME_MAX];
    uint32_t index = 0;
    status_t st = try_mount(name, out);
    while (st == ERR_NOT_SUPPORTED && disk_partition(name, &index, partition) == OK)
        st = try_mount(partition, out);
    return st;
}

/* What a cut of power left is put right. */
static status_t check(struct fat_volume *v, void *maps, size_t bytes)
{
    struct fat_report r;
    if (!fat_is_dirty(v))
        return OK;
    fat_status_t st = fat_check(v, true, maps, bytes, &r);
    if (st == FAT_READ_ONLY)
        return OK;
    if (st != FAT_OK) {
        vx_printf("%s: the volume cannot be corrected: %s\n", self, fat_status_text(st));
        return from_fat(st);
    }
    vx_printf("%s: the volume was not left clean: %u lost clusters freed%s\n", self, r.lost_clusters,
              fat_report_is_serious(&r) ? ", and it was damaged" : "");
    if (fat_report_is_serious(&r))
        vx_printf("%s: %u chains cut, %u files shorter, %u entries taken out, %u directories corrected\n", self, r.cut,
                  r.sizes, r.entries, r.dots);
    return OK;
}

/* The same whenever the service is started anew; the disk's size stands in where a volume has no serial number. */
static uint64_t volume_number(struct fat_volume *v)
{
    struct fat_statfs s = {};
    (void)!fat_statfs(v, &s);
    return UINT64_C(0x6661'7400'0000'0000) ^ ((uint64_t)s.serial << 16) ^ disk.blocks;
}

static uint32_t write_back(void *)
{
    bool complained = false;
    for (uint64_t next_ns = 0;;) {
        (void)vx_sys_nanosleep(next_ns);
        next_ns = vx_deadline_in(write_back_ns); /* who changes something meanwhile waits no less, and no longer */
        bool was_given_up = files.given_up;
        status_t st = files_write_back(&files, &backend, write_back_ns, &next_ns);
        vx_mutex_lock(&files.lock);
        block_refresh(&disk);
        vx_mutex_unlock(&files.lock);
        if (st != OK && !complained)
            vx_printf("%s: cannot write back: %s\n", self, vx_status_text(st));
        if (files.given_up && !was_given_up)
            vx_printf("%s: the disk takes nothing: the volume is read-only from now on\n", self);
        complained = st != OK;
    }
}

static status_t start(const char *name)
{
    struct fat_volume *v = nullptr;
    status_t st = find_volume(name, &v);
    if (st == ERR_NOT_SUPPORTED) {
        vx_printf("%s: %s holds no FAT volume\n", self, name);
        return st;
    }
    if (st != OK)
        return st;
    size_t bytes = fat_check_memory(v);
    void *maps = vx_alloc(bytes);
    st = maps != nullptr ? check(v, maps, bytes) : ERR_NO_MEMORY;
    if (st == OK)
        st = objects_init(&files.objects, v, maps, bytes);
    if (st == OK) {
        files_init(&files, &backend, volume_number(v));
        backend.device = device;
        st = fs_server_init(&service, &backend);
    }
    return st == OK ? vx_thread_start_detached(write_back, nullptr, 0) : st;
}

int main(int argc, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    self = argv[0];
    if (argc != 2) {
        vx_printf("%s: the name of a disk is wanted\n", self);
        return 2;
    }
    service =
        (struct vx_service){ .name = self, .needs = needs, .n_needs = 1, .sessions_max = 8, .deadline_ns = VX_FOREVER };
    status_t st = start(argv[1]);
    if (st == ERR_NOT_SUPPORTED)
        return 0; /* nothing to serve: that is no failure */
    if (st != OK) {
        vx_printf("%s: cannot start: %s\n", self, vx_status_text(st));
        return 1;
    }
    return vx_service_run(&service) == OK ? 0 : 1;
}
