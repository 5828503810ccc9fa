/* SPDX-License-Identifier: MIT
 * lsblk: disks, their partitions, and where what is on them is mounted. It asks the drivers and vfsd. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <vectra/files.h>
#include <vectra/rpc_block.h>

enum : unsigned { DISKS_MAX = 16, NAME_BYTES = 24 }; /* more than there are services for */

static void print_size(uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    unsigned unit = 0;
    uint64_t tenths = 0;
    while (bytes >= 1024 && unit < sizeof units - 2) {
        tenths = bytes % 1024 * 10 / 1024;
        bytes /= 1024;
        unit++;
    }
    char text[32];
    if (tenths != 0 && bytes < 100)
        (void)snprintf(text, sizeof text, "%llu.%llu%c", (unsigned long long)bytes, (unsigned long long)tenths,
                       units[unit]);
    else
        (void)snprintf(text, sizeof text, "%llu%c", (unsigned long long)bytes, units[unit]);
    (void)printf(" %7s", text);
}

/* Everywhere that it is mounted. */
static void print_mounts(const char *name)
{
    char source[NAME_MAX + 1], path[NAME_MAX + 1], device[NAME_MAX + 1];
    struct vx_vfs_mounted m;
    struct fs_client *c = vx_posix_files();
    const char *between = " ";
    for (uint32_t index = 0; c != nullptr && fs_mounts_on(c, &index, &m, source, path, device, sizeof path) == OK;) {
        if (strcmp(device, name) != 0)
            continue;
        (void)printf("%s%s", between, path);
        between = ",";
    }
    (void)putchar('\n');
}

static void print_row(const char *branch, const char *name, uint64_t bytes, bool read_only, const char *type)
{
    int width = 12 - (int)strlen(branch);
    (void)printf("%s%-*s", branch, width, name);
    print_size(bytes);
    (void)printf(" %2d %-4s", read_only, type);
    print_mounts(name);
}

/* The partition of that index; false: there are no more. */
static bool partition_at(struct vx_client *c, uint32_t index, uint64_t *blocks, uint32_t *number)
{
    uint64_t first;
    uint32_t table, kind;
    char text[NAME_BYTES];
    size_t len = 0;
    return vx_block_partition(c, index, &first, blocks, number, &table, &kind, text, &len) == OK;
}

static bool print_disk(const char *disk)
{
    struct vx_client c = {};
    uint64_t blocks = 0, next = 0;
    uint32_t bytes = 0, flags = 0, number = 0, next_number = 0;
    char name[NAME_BYTES];
    if (vx_connect(disk, &c) != OK)
        return false;
    if (vx_block_info(&c, &blocks, nullptr, &bytes, nullptr, &flags, nullptr, nullptr, nullptr, nullptr) != OK) {
        vx_client_close(&c);
        return false;
    }
    bool read_only = (flags & VX_BLOCK_READ_ONLY) != 0;
    print_row("", disk, blocks * bytes, read_only, "disk");
    bool more = partition_at(&c, 0, &blocks, &number);
    for (uint32_t i = 1; more; i++, blocks = next, number = next_number) {
        more = partition_at(&c, i, &next, &next_number);
        (void)snprintf(name, sizeof name, "%sp%u", disk, number);
        print_row(more ? "|-" : "`-", name, blocks * bytes, read_only, "part");
    }
    vx_client_close(&c);
    return true;
}

int main(int argc, char **argv)
{
    unsigned found = 0;
    char name[NAME_BYTES];
    (void)argv;
    if (argc != 1) {
        (void)fputs("usage: lsblk\n", stderr);
        return 2;
    }
    (void)printf("%-12s %7s %2s %-4s %s\n", "NAME", "SIZE", "RO", "TYPE", "MOUNTPOINTS");
    for (unsigned i = 0; i < DISKS_MAX; i++) {
        (void)snprintf(name, sizeof name, "blk%u", i);
        found += print_disk(name);
    }
    if (found == 0)
        (void)fputs("lsblk: there are no disks, or this program may not ask them\n", stderr);
    return found != 0 ? 0 : 1;
}
