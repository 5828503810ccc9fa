/* SPDX-License-Identifier: MIT
 * vfsd: one tree of names over many file systems, and for each program the part of it that it was given. It is on the
 * way of names, not of bytes. Arguments are PATH=SOURCE, PATH=SOURCE:ro or PATH=SOURCE:optional, the root first: what
 * is mounted from the start; optional, as soon as its file system is there. Started anew, we mount what was mounted
 * when we ended instead. */
#include "vfsd.h"
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/string.h>
#include <vectra/time.h>

struct vfsd vfsd;

enum : uint32_t { BIT_FIRST = VX_SERVICE_BIT_FIRST + 8 };

static void on_deadline(struct vx_service *, uint64_t now)
{
    mounts_deadline(now);
    ops_deadline(now);
}

static void on_signal(struct vx_service *, uint64_t bits)
{
    for (unsigned i = 0; i < vfsd.n_mounts; i++) {
        struct mount *m = &vfsd.mount[i];
        if ((bits & UINT64_C(1) << (BIT_FIRST + i)) != 0 && m->state != MOUNT_FREE)
            mount_turn(m);
        /* One that went is looked for again soon. */
        if (m->state == MOUNT_DOWN && vfsd.service.deadline_ns > m->retry_at)
            vfsd.service.deadline_ns = m->retry_at;
    }
}

/* What is mounted from the start, one after the other: the arguments that are left. */
static char **left;
static struct record_entry recorded[VFS_MOUNTS_MAX];
static uint32_t n_recorded, next_recorded;
static struct connection boot;

static bool split(const char *argument, char *path, char *source, bool *read_only, bool *optional)
{
    const char *equals = strchr(argument, '='), *colon = strrchr(argument, ':');
    *read_only = colon != nullptr && vx_streq(colon, ":ro");
    *optional = colon != nullptr && vx_streq(colon, ":optional");
    size_t path_bytes = equals == nullptr ? 0 : (size_t)(equals - argument);
    size_t source_bytes =
        equals == nullptr ? 0 : (*read_only || *optional ? (size_t)(colon - equals - 1) : strlen(equals + 1));
    if (path_bytes == 0 || path_bytes > VFS_MOUNT_PATH_MAX || source_bytes == 0 || source_bytes > VFS_SOURCE_MAX)
        return false;
    memcpy(path, argument, path_bytes);
    path[path_bytes] = '\0';
    memcpy(source, equals + 1, source_bytes);
    source[source_bytes] = '\0';
    return true;
}

void boot_next(void)
{
    char path[VFS_MOUNT_PATH_MAX + 1], source[VFS_SOURCE_MAX + 1];
    bool read_only, optional;
    if (next_recorded < n_recorded) {
        const struct record_entry *e = &recorded[next_recorded++];
        (void)boot_mount(&boot, e->path, e->source, e->read_only, e->optional);
        return;
    }
    if (n_recorded != 0 || *left == nullptr) {
        vfsd.started = true;
        record_write();
        ops_start_held();
        return;
    }
    (void)split(*left++, path, source, &read_only, &optional); /* looked at before */
    (void)boot_mount(&boot, path, source, read_only, optional);
}

static bool mount_root(const char *argument)
{
    char path[VFS_MOUNT_PATH_MAX + 1], source[VFS_SOURCE_MAX + 1];
    bool read_only, optional;
    struct mount *m;
    return argument != nullptr && split(argument, path, source, &read_only, &optional) &&
           mount_add(source, path, nullptr, read_only, false, &m) == OK;
}

int main(int argc, char **argv)
{
    static const struct vx_need needs[] = { { "inbox.rx", VX_CAP_RING_RX, false }, { "pool", VX_CAP_RETICLE, false } };
    uint64_t got;
    vfsd.epoch = vx_clock_monotonic_ns();
    vfsd.pool = vx_bundle_reticle("pool");
    if (vx_sys_getrandom(vfsd.key, sizeof vfsd.key, &got) != OK) {
        vx_printf("%s: no random bytes\n", argv[0]);
        return 1;
    }
    vfsd.service = (struct vx_service){ .name = argv[0],
                                        .needs = needs,
                                        .n_needs = sizeof needs / sizeof needs[0],
                                        .session_bytes = sizeof(struct connection),
                                        .zeroed_bytes = offsetof(struct connection, op.chain),
                                        .sessions_max = VFS_CONNECTIONS_MAX,
                                        .dispatch = vfs_dispatch,
                                        .opened = vfs_opened,
                                        .closed = vfs_closed,
                                        .own_bits = ((UINT64_C(1) << VFS_MOUNTS_MAX) - 1) << BIT_FIRST,
                                        .on_signal = on_signal,
                                        .on_deadline = on_deadline,
                                        .deadline_ns = VX_FOREVER };
    vfsd.boot = &boot;
    for (int i = 1; i < argc; i++) {
        char path[VFS_MOUNT_PATH_MAX + 1], source[VFS_SOURCE_MAX + 1];
        bool read_only, optional;
        if (!split(argv[i], path, source, &read_only, &optional)) {
            vx_printf("%s: what is '%s'? PATH=SOURCE, PATH=SOURCE:ro or PATH=SOURCE:optional is wanted\n", argv[0],
                      argv[i]);
            return 2;
        }
    }
    if (!mount_root(argc > 1 ? argv[1] : nullptr)) {
        vx_printf("%s: there is no root\n", argv[0]);
        return 2;
    }
    left = argv + 2;
    n_recorded = record_open(recorded);
    boot_next();
    on_deadline(&vfsd.service, 0);
    return vx_service_run(&vfsd.service) == OK ? 0 : 1;
}
