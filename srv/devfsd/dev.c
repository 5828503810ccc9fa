/* SPDX-License-Identifier: MIT
 * See dev.h. A node's number is its place in the table; the numbers of the devices are those that programs know from
 * elsewhere (major << 8 | minor). */
#include "dev.h"
#include <vectra/string.h>

enum : uint64_t { ROOT = 1 };
enum kind : uint8_t { NOWHERE, NOTHING, ZEROES, FULL, RANDOM, TERMINAL, DIRECTORY };

static const struct device {
    const char *name;
    uint16_t number;
    enum kind kind;
} devices[] = {
    [2] = { "null", 0x103, NOTHING },     [3] = { "zero", 0x105, ZEROES },    [4] = { "full", 0x107, FULL },
    [5] = { "random", 0x108, RANDOM },    [6] = { "urandom", 0x109, RANDOM }, [7] = { "tty", 0x500, TERMINAL },
    [8] = { "console", 0x501, TERMINAL }, [9] = { "shm", 0, DIRECTORY }, /* empty: something is mounted there */
};
enum : uint64_t { FIRST = 2, END = sizeof devices / sizeof devices[0] };

static void (*fill_random)(void *to, size_t bytes);

static const struct device *device(struct fs_node n)
{
    return n.generation == 1 && n.object >= FIRST && n.object < END ? &devices[n.object] : nullptr;
}

static bool is_empty(struct fs_node n)
{
    const struct device *d = device(n);
    return d != nullptr && d->kind == DIRECTORY;
}

static status_t attributes(struct fs_backend *, struct fs_node n, struct vx_fs_attributes *out)
{
    const struct device *d = device(n);
    if (d == nullptr && (n.object != ROOT || n.generation != 1))
        return ERR_STALE;
    bool dir = d == nullptr || d->kind == DIRECTORY;
    *out = (struct vx_fs_attributes){ .object = n.object,
                                      .generation = 1,
                                      .version = 1,
                                      .mode = dir ? VX_FS_DIR | 0755 : VX_FS_CHAR | 0666,
                                      .links = d == nullptr ? 3
                                               : dir        ? 2
                                                            : 1,
                                      .device = d == nullptr ? 0 : d->number,
                                      .block_bytes = 4096 };
    return OK;
}

static status_t lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out)
{
    if (is_empty(dir))
        return ERR_NOT_FOUND;
    if (dir.object != ROOT)
        return ERR_NOT_DIRECTORY;
    for (uint64_t i = FIRST; i < END; i++) {
        if (strlen(devices[i].name) == name.bytes && memcmp(devices[i].name, name.at, name.bytes) == 0)
            return attributes(b, (struct fs_node){ i, 1 }, out);
    }
    return ERR_NOT_FOUND;
}

static status_t read(struct fs_backend *, struct fs_node n, uint64_t, void *to, size_t bytes, size_t *done)
{
    const struct device *d = device(n);
    if (d == nullptr || d->kind == DIRECTORY)
        return n.object == ROOT || d != nullptr ? ERR_IS_DIRECTORY : ERR_STALE;
    if (d->kind == TERMINAL)
        return ERR_NOT_SUPPORTED;
    *done = d->kind == NOTHING ? 0 : bytes;
    if (d->kind == RANDOM)
        fill_random(to, bytes);
    else
        memset(to, 0, *done);
    return OK;
}

static status_t write(struct fs_backend *, struct fs_node n, uint64_t, const void *, size_t bytes, size_t *done)
{
    const struct device *d = device(n);
    if (d == nullptr || d->kind == DIRECTORY)
        return d == nullptr ? ERR_STALE : ERR_IS_DIRECTORY;
    if (d->kind == TERMINAL)
        return ERR_NOT_SUPPORTED;
    if (d->kind == FULL)
        return ERR_NO_SPACE;
    *done = bytes; /* what is written to the random ones is not believed */
    return OK;
}

static status_t list(struct fs_backend *, struct fs_node dir, uint64_t cookie, struct fs_listing *to)
{
    if (is_empty(dir))
        return OK;
    if (dir.object != ROOT)
        return ERR_NOT_DIRECTORY;
    for (uint64_t i = cookie < FIRST ? FIRST : cookie + 1; i < END; i++) {
        if (!fs_list_add(to, i, i, devices[i].kind == DIRECTORY ? VX_FS_DIR : VX_FS_CHAR,
                         (struct fs_name){ devices[i].name, strlen(devices[i].name) }))
            break;
    }
    return OK;
}

/* What programs do to every file that they write to: the size stays nothing. */
static status_t change(struct fs_backend *, struct fs_node n, const struct vx_fs_change *c)
{
    bool sized = (c->mask & ~(uint32_t)VX_FS_SET_SIZE) == 0;
    return device(n) != nullptr && !is_empty(n) && sized ? OK : ERR_READ_ONLY;
}

void dev_init(struct fs_backend *b, void (*random)(void *to, size_t bytes))
{
    fill_random = random;
    *b = (struct fs_backend){ .kind = "dev",
                              .volume = UINT64_C(0x6465760000000001),
                              .root = { ROOT, 1 },
                              .flags = VX_FS_IS_FIXED,
                              .name_max = VX_FS_NAME_MAX,
                              .attributes = attributes,
                              .lookup = lookup,
                              .change = change,
                              .read = read,
                              .write = write,
                              .list = list };
}
