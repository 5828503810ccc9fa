/* SPDX-License-Identifier: MIT
 * A file system that stops answering, for the group `storage`: three files, of which `good` is read as usual, the
 * reading of `stuck` never ends, and whoever looks for `hang` hangs all of it, its Rings too.
 * guest: helper */
#include <fs/server.h>
#include <vectra/string.h>
#include <vectra/time.h>

enum : uint64_t { ROOT = 1, GOOD = 2, STUCK = 3, END = 4 };
static const char *const names[] = { [GOOD] = "good", [STUCK] = "stuck" };
static const char text[] = "good\n";

[[noreturn]] static void hang(void)
{
    for (;;)
        vx_sleep_ns(VX_NS_PER_S);
}

static status_t attributes(struct fs_backend *, struct fs_node n, struct vx_fs_attributes *out)
{
    if (n.object < ROOT || n.object >= END || n.generation != 1)
        return ERR_STALE;
    *out = (struct vx_fs_attributes){ .object = n.object,
                                      .generation = 1,
                                      .version = 1,
                                      .mode = n.object == ROOT ? VX_FS_DIR | 0755 : VX_FS_FILE | 0644,
                                      .links = 1,
                                      .size = n.object == ROOT ? 0 : sizeof text - 1,
                                      .block_bytes = 512 };
    return OK;
}

static status_t lookup(struct fs_backend *b, struct fs_node dir, struct fs_name name, struct vx_fs_attributes *out)
{
    if (dir.object != ROOT)
        return ERR_NOT_DIRECTORY;
    for (uint64_t i = GOOD; i < END; i++) {
        if (strlen(names[i]) == name.bytes && memcmp(names[i], name.at, name.bytes) == 0)
            return attributes(b, (struct fs_node){ i, 1 }, out);
    }
    if (name.bytes == 4 && memcmp(name.at, "hang", 4) == 0)
        hang();
    return ERR_NOT_FOUND;
}

static status_t read(struct fs_backend *, struct fs_node n, uint64_t offset, void *to, size_t bytes, size_t *done)
{
    if (n.object == STUCK)
        hang();
    size_t left = offset < sizeof text - 1 ? sizeof text - 1 - (size_t)offset : 0;
    *done = bytes < left ? bytes : left;
    if (*done != 0)
        memcpy(to, text + offset, *done);
    return n.object == GOOD ? OK : ERR_IS_DIRECTORY;
}

int main(int, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false } };
    static struct vx_service service;
    static struct fs_backend backend = { .kind = "hang",
                                         .volume = UINT64_C(0x68616e67),
                                         .root = { ROOT, 1 },
                                         .name_max = VX_FS_NAME_MAX,
                                         .attributes = attributes,
                                         .lookup = lookup,
                                         .read = read };
    service = (struct vx_service){
        .name = argv[0], .needs = needs, .n_needs = 1, .sessions_max = 8, .deadline_ns = VX_FOREVER
    };
    status_t st = fs_server_init(&service, &backend);
    return st == OK && vx_service_run(&service) == OK ? 0 : 1;
}
