/* SPDX-License-Identifier: MIT
 * df (XCU): the space of what is mounted, asked of vfsd. POSIX options -k and -P; -h writes sizes for people, -a shows
 * those without any space of their own too. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <vectra/files.h>

enum : uint64_t { POSIX_UNIT = 512, KIB = 1024 };

static struct {
    uint64_t unit;
    bool human, all;
} how = { .unit = POSIX_UNIT };

static void put_size(uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    unsigned at = 0;
    char text[32];
    if (!how.human) {
        (void)printf(" %11llu", (unsigned long long)((bytes + how.unit - 1) / how.unit));
        return;
    }
    uint64_t tenths = bytes * 10;
    for (; tenths >= 10 * KIB && at < sizeof units - 2; at++)
        tenths = (tenths + KIB - 1) / KIB;
    (void)snprintf(text, sizeof text, tenths < 100 && at != 0 ? "%.1f%c" : "%.0f%c", (double)tenths / 10, units[at]);
    (void)printf(" %11s", text);
}

static void put_row(const char *source, const char *path, const struct vx_fs_space *s)
{
    uint64_t all = s->blocks * s->block_bytes, free = s->free_blocks * s->block_bytes, used = all - free;
    (void)printf("%-14s", source);
    put_size(all);
    put_size(used);
    put_size(free);
    if (all != 0)
        (void)printf(" %7llu%% %s\n", (unsigned long long)((used * 100 + all - 1) / all), path);
    else
        (void)printf(" %8s %s\n", "-", path);
}

/* What of the mounts is shown: all, or the one with that volume. True if there was any. */
static bool show(const uint64_t *volume)
{
    char source[NAME_MAX + 1], path[NAME_MAX + 1], device[NAME_MAX + 1];
    struct vx_vfs_mounted m;
    struct fs_client *c = vx_posix_files();
    bool any = false;
    for (uint32_t index = 0; c != nullptr && fs_mounts_on(c, &index, &m, source, path, device, sizeof path) == OK;) {
        struct vx_fs_space s;
        if (m.state == 0 || fs_statfs(c, path, &s) != OK || (volume != nullptr && s.volume != *volume) ||
            (volume == nullptr && s.blocks == 0 && !how.all))
            continue;
        put_row(device[0] != '\0' ? device : source, path, &s);
        any = true;
    }
    return any;
}

static int show_path(const char *name)
{
    struct statfs s;
    if (statfs(name, &s) != 0) {
        (void)fprintf(stderr, "df: %s: ", name);
        perror(nullptr);
        return 1;
    }
    uint64_t volume = (uint32_t)s.f_fsid.__val[0] | (uint64_t)(uint32_t)s.f_fsid.__val[1] << 32;
    if (show(&volume))
        return 0;
    (void)fprintf(stderr, "df: %s: it is not among what this process can see mounted\n", name);
    return 1;
}

int main(int argc, char **argv)
{
    int status = 0;
    for (int c; (c = getopt(argc, argv, "kPha")) != -1;) {
        if (c == '?') {
            (void)fputs("usage: df [-kPha] [FILE...]\n", stderr);
            return 2;
        }
        how.unit = c == 'k' ? KIB : how.unit;
        how.human = c == 'h' || (how.human && c != 'k');
        how.all = how.all || c == 'a';
    }
    (void)printf("%-14s %11s %11s %11s %8s %s\n", "Filesystem",
                 how.human         ? "Size"
                 : how.unit == KIB ? "1024-blocks"
                                   : "512-blocks",
                 "Used", "Available", "Capacity", "Mounted on");
    for (int i = optind; i < argc; i++)
        status |= show_path(argv[i]);
    if (optind == argc)
        (void)show(nullptr);
    return ferror(stdout) != 0 || fflush(stdout) != 0 ? 1 : status;
}
