/* SPDX-License-Identifier: MIT
 * Any bytes as a FAT volume: mounting, walking, reading, writing, moving and taking away end, touch nothing outside,
 * and a check that corrects leaves nothing to correct. The input is a list of sectors: a number in two bytes, then 512
 * bytes; the rest of the disk is zero. */
// sources: lib/libfat/boot.c lib/libfat/cache.c lib/libfat/check.c lib/libfat/directory.c lib/libfat/file.c
// sources: lib/libfat/intent.c lib/libfat/name.c lib/libfat/node.c lib/libfat/table.c
// sources: lib/libfat/time.c lib/libfat/tree.c
#include "require.h"
#include <fat/check.h>

enum { BLOCKS = 192, BLOCK = 512, CACHE = 48 * 4096, NODES = 8, DEPTH = 4, ENTRIES = 64 };

static uint8_t disk[BLOCKS][BLOCK];
static unsigned n_accesses;

static fat_status_t read_blocks(void *, uint64_t block, uint32_t blocks, void *to)
{
    require(blocks != 0 && block < BLOCKS && blocks <= BLOCKS - block && n_accesses++ < 1'000'000);
    memcpy(to, disk[block], (size_t)blocks * BLOCK);
    return FAT_OK;
}

static fat_status_t write_blocks(void *, uint64_t block, uint32_t blocks, const void *from)
{
    require(blocks != 0 && block < BLOCKS && blocks <= BLOCKS - block && n_accesses++ < 1'000'000);
    memcpy(disk[block], from, (size_t)blocks * BLOCK);
    return FAT_OK;
}

static fat_status_t flush(void *)
{
    return FAT_OK;
}

static uint64_t now(void *)
{
    return UINT64_C(1'700'000'000'000'000'000);
}

static const struct fat_disk the_disk = {
    .blocks = BLOCKS, .block_bytes = BLOCK, .read = read_blocks, .write = write_blocks, .flush = flush, .now_ns = now
};

static fat_status_t mount(struct fat_volume **v)
{
    static _Alignas(4096) uint8_t cache[CACHE];
    static void *state;
    if (state == nullptr)
        state = malloc(fat_state_bytes(CACHE, NODES));
    require(state != nullptr);
    const struct fat_memory memory = { .cache = cache, .cache_bytes = CACHE, .state = state, .nodes = NODES };
    return fat_mount(&memory, &the_disk, 0, v);
}

static void use_file(struct fat_node *n)
{
    static uint8_t bytes[20'000];
    size_t done = 0;
    if (fat_read(n, 0, bytes, sizeof bytes, &done) == FAT_OK)
        require(done <= sizeof bytes);
    struct fat_stat s;
    fat_stat(n, &s);
    (void)!fat_read(n, s.size / 2, bytes, 700, &done);
    if (fat_write(n, s.size, bytes, 3000, &done) == FAT_OK)
        require(done <= 3000);
    (void)!fat_truncate(n, s.size / 3);
}

static void walk(struct fat_node *dir, unsigned depth)
{
    static struct fat_dirent entry[DEPTH + 1];
    struct fat_dirent *e = &entry[depth];
    uint64_t cookie = 0;
    for (unsigned i = 0; i < ENTRIES && fat_readdir(dir, cookie, e) == FAT_OK; i++) {
        require(e->cookie > cookie && e->cookie <= FAT_DIRECTORY_SLOTS);
        require(e->name_bytes <= FAT_NAME_BYTES && bounded_length(e->name, sizeof e->name) == e->name_bytes);
        cookie = e->cookie;
        struct fat_node *n;
        if (fat_lookup(dir, e->name, e->name_bytes, &n) != FAT_OK)
            continue;
        if ((e->attributes & FAT_ATTR_DIRECTORY) != 0 && depth < DEPTH)
            walk(n, depth + 1);
        else
            use_file(n);
        char name[8] = "moved  ";
        name[6] = (char)('a' + i % 26);
        if (i % 3 == 0)
            (void)!fat_rename(dir, e->name, e->name_bytes, n, name, 7, 0);
        else if (i % 3 == 1)
            (void)!fat_rename(dir, e->name, e->name_bytes, dir, name, 7, 0);
        else if (fat_unlink(dir, e->name, e->name_bytes) == FAT_IS_DIRECTORY)
            (void)!fat_rmdir(dir, e->name, e->name_bytes);
        fat_put(n);
    }
    (void)!fat_create(dir, "a new file with a long name", 27, nullptr);
    (void)!fat_mkdir(dir, "new", 3, nullptr);
}

static void use(void)
{
    struct fat_volume *v;
    struct fat_statfs s;
    if (mount(&v) != FAT_OK)
        return;
    struct fat_node *root = fat_root(v);
    walk(root, 0);
    (void)!fat_statfs(v, &s);
    (void)!fat_sync(v);
    walk(root, 0);
    fat_put(root);
    (void)!fat_unmount(v);
}

static void correct(void)
{
    static uint64_t maps[1024];
    struct fat_report first, second;
    struct fat_volume *v;
    if (mount(&v) != FAT_OK)
        return;
    require(fat_check_memory(v) <= sizeof maps);
    if (fat_check(v, true, maps, sizeof maps, &first) != FAT_OK)
        return;
    require(fat_check(v, false, maps, sizeof maps, &second) == FAT_OK);
    /* Where other things stand in the place of dots, they are left. */
    require(second.cut + second.sizes + second.entries + second.ghosts + second.lost_clusters + second.surplus +
                second.copies ==
            0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(disk, 0, sizeof disk);
    for (size_t at = 0; at + 2 <= size; at += 2 + BLOCK) {
        size_t n = size - at - 2 < BLOCK ? size - at - 2 : BLOCK;
        memcpy(disk[(data[at] | data[at + 1] << 8) % BLOCKS], data + at + 2, n);
    }
    n_accesses = 0;
    static uint8_t as_it_was[BLOCKS][BLOCK];
    memcpy(as_it_was, disk, sizeof disk);
    correct();
    use();
    memcpy(disk, as_it_was, sizeof disk);
    use();
    correct();
    return 0;
}
