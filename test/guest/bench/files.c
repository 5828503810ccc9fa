/* SPDX-License-Identifier: MIT
 * The group storage: files in memory, by way of vfsd, as a native program sees them. */
#include "bench.h"
#include <fs/client.h>

enum : size_t { LARGE = 1 << 20, SMALL = 4096 };

struct fs_client bench_client;
static struct fs_file large;
static uint8_t *data; /* LARGE; not in the image, which children are started from too */
static struct samples samples;
static status_t worst; /* the last failure: a row whose operation did not work has no figure */

static void note(status_t st)
{
    worst = st != OK ? st : worst;
}

static void stat_one(void)
{
    struct vx_fs_attributes a;
    note(fs_stat(&bench_client, "/tmp/bench", 0, &a));
}

static void open_close(void)
{
    struct fs_file f;
    note(fs_open(&bench_client, "/tmp/bench", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    fs_close(&f);
}

static void open_read_close(void)
{
    struct fs_file f;
    size_t done;
    note(fs_open(&bench_client, "/tmp/bench", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    note(fs_read(&f, 0, data, SMALL, &done));
    fs_close(&f);
}

static void read_small(void)
{
    size_t done;
    note(fs_read(&large, 0, data, SMALL, &done));
}

static void read_large(void)
{
    size_t done;
    note(fs_read(&large, 0, data, LARGE, &done));
}

static void write_large(void)
{
    size_t done;
    note(fs_write(&large, 0, data, LARGE, &done));
}

static void create_unlink(void)
{
    struct fs_file f;
    note(fs_open(&bench_client, "/tmp/bench2", VX_VFS_CREATE, VX_FS_WRITE, 0600, &f, nullptr, nullptr));
    fs_close(&f);
    note(fs_unlink(&bench_client, "/tmp/bench2", 0));
}

void files_rows(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t runs, each;
        void (*run)(void);
    } rows[] = {
        { "stat", 50, 8, stat_one },
        { "open_close", 50, 8, open_close },
        { "open_read_close_4k", 50, 8, open_read_close },
        { "read_4k", 50, 8, read_small },
        { "tmp_read_1m", 20, 1, read_large },
        { "tmp_write_1m", 20, 1, write_large },
        { "create_unlink", 50, 4, create_unlink },
    };
    size_t done;
    data = (uint8_t *)check_pages(LARGE, RW_COMMIT);
    note(data != nullptr ? OK : ERR_NO_MEMORY);
    note(fs_connect(&bench_client));
    note(fs_open(&bench_client, "/tmp/bench", VX_VFS_CREATE, VX_FS_READ | VX_FS_WRITE, 0600, &large, nullptr, nullptr));
    note(fs_write(&large, 0, data, LARGE, &done));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool wanted = argc < 3;
        for (int k = 2; k < argc; k++)
            wanted |= vx_streq(argv[k], rows[i].name);
        if (!wanted)
            continue;
        BENCH(&samples, rows[i].runs, rows[i].each, rows[i].run());
        samples.n = worst == OK ? samples.n : 0;
        bench_report(rows[i].name, &samples, bench_empty(rows[i].each), 1);
    }
    fs_close(&large);
    (void)!fs_unlink(&bench_client, "/tmp/bench", 0);
}
