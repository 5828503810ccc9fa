/* SPDX-License-Identifier: MIT
 * `mount` and `umount`. They are commands of the shell since the authority is the shell's: its connection to vfsd may
 * mount, its line to initd may start a service; programs get neither (docs/decisions/0018). A disk's volume is served
 * by one of the services that the graph leaves to be started by hand, `volume0` and so on. */
#include "tools.h"
#include <block/name.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>
#include <vectra/files.h>

enum : uint64_t { START_NS = 30 * VX_NS_PER_S, LOOK_NS = 5'000'000 };
static const char volume_prefix[] = "volume";

struct mounted {
    uint32_t index, flags;
    bool answers;
    char source[PATH_MAX], path[PATH_MAX], device[PATH_MAX];
};

/* The next of what is mounted; false after the last. All zero at first. */
static bool next_mounted(struct mounted *m)
{
    struct fs_client *c = vx_posix_files();
    struct vx_vfs_mounted head;
    if (c == nullptr || fs_mounts_on(c, &m->index, &head, m->source, m->path, m->device, sizeof m->path) != OK)
        return false;
    m->flags = head.flags;
    m->answers = head.state != 0;
    return true;
}

/* --- the service of a volume --- */

static uint32_t state_of(const char *name)
{
    uint32_t next = 0;
    for (;;) {
        struct vx_init_service_reply a = {};
        size_t len = 0;
        if (vx_init_service(&tools.init, next, &next, &a.state, nullptr, nullptr, nullptr, nullptr, nullptr, a.name,
                            &len) != OK)
            return VX_INIT_STATE_FAILED;
        if (len == strlen(name) && memcmp(a.name, name, len) == 0)
            return a.state;
    }
}

/* The first of the services for volumes that does nothing takes the disk. */
static status_t start_volume(const char *disk, char name[static sizeof(struct vx_init_service_reply)])
{
    uint32_t next = 0;
    for (;;) {
        uint32_t state = 0;
        size_t len = 0;
        status_t st =
            vx_init_service(&tools.init, next, &next, &state, nullptr, nullptr, nullptr, nullptr, nullptr, name, &len);
        if (st != OK)
            return st == ERR_NOT_FOUND ? ERR_TABLE_FULL : st;
        name[len] = '\0';
        if (strncmp(name, volume_prefix, sizeof volume_prefix - 1) != 0)
            continue;
        st = vx_init_start_with(&tools.init, name, len, disk, strlen(disk));
        if (st != ERR_BUSY && st != ERR_BAD_ARGUMENT)
            return st;
    }
}

static int wait_for(const char *name, const char *disk)
{
    uint64_t until = vx_deadline_in(START_NS);
    for (;;) {
        uint32_t state = state_of(name);
        if (state == VX_INIT_STATE_READY)
            return 0;
        if (state == VX_INIT_STATE_STOPPED)
            return tool_fail(1, "mount: %s: there is no FAT volume on it", disk);
        if (state == VX_INIT_STATE_FAILED || state == VX_INIT_STATE_BACKOFF || vx_clock_monotonic_ns() >= until)
            return tool_fail(1, "mount: %s: cannot be served", disk);
        if (tool_pause(LOOK_NS, false))
            return 130;
    }
}

static void end_service(const char *name)
{
    if (tools.has_init)
        (void)vx_init_stop(&tools.init, name, strlen(name)); /* no service of ours, or no authority: it stays */
}

/* --- mount --- */

static int list(void)
{
    struct mounted m = {};
    while (next_mounted(&m) && !tool_interrupted()) {
        struct vx_fs_space space = {};
        bool up = m.answers && fs_statfs(vx_posix_files(), m.path, &space) == OK;
        out_format("%s on %s type %s (%s)\n", m.device[0] != '\0' ? m.device : m.source, m.path,
                   up ? space.kind : "unknown", (m.flags & VX_FS_IS_READ_ONLY) != 0 ? "ro" : "rw");
    }
    return 0;
}

static int failed(const char *what, const char *path)
{
    return tool_fail(1, "%s: %s: %s", what, path, errno == EPERM ? "this shell may not mount" : strerror(errno));
}

static int mount_disk(const char *disk, const char *path, unsigned long flags)
{
    char name[sizeof(struct vx_init_service_reply)];
    struct mounted m = {};
    while (next_mounted(&m)) {
        if (block_names_overlap(m.device, disk))
            return tool_fail(1, "mount: %s: Resource busy: %s is mounted at %s", disk, m.device, m.path);
    }
    status_t st = tools.has_init ? start_volume(disk, name) : ERR_NO_RIGHTS;
    if (st == ERR_NO_RIGHTS)
        return tool_fail(1, "mount: this shell has no authority to start a service for %s", disk);
    if (st != OK)
        return tool_fail(1, "mount: %s: %s", disk,
                         st == ERR_TABLE_FULL ? "all services for volumes are taken" : vx_status_text(st));
    int status = wait_for(name, disk);
    if (status == 0 && mount(name, path, "", flags, nullptr) != 0)
        status = failed("mount", path);
    if (status != 0)
        end_service(name);
    return status;
}

int tool_mount(int argc, char **argv)
{
    unsigned long flags = 0;
    char path[PATH_MAX];
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        bool read_only = strcmp(argv[at], "-r") == 0;
        if (!read_only && strcmp(argv[at], "-o") == 0 && at + 1 < argc && strcmp(argv[at + 1], "ro") == 0) {
            read_only = true;
            at++;
        }
        if (!read_only)
            return tool_usage("mount");
        flags = MS_RDONLY;
    }
    if (argc == 1)
        return list();
    if (argc - at != 2)
        return tool_usage("mount");
    const char *source = argv[at], *directory = argv[at + 1];
    if (realpath(directory, path) == nullptr)
        return failed("mount", directory);
    if (block_name_ok(source))
        return mount_disk(source, path, flags);
    return mount(source, path, "", flags, nullptr) == 0 ? 0 : failed("mount", directory);
}

/* --- umount --- */

/* The last that was mounted there, or on that disk. */
static bool find_mounted(const char *what, const char *path, struct mounted *found)
{
    struct mounted m = {};
    bool any = false;
    while (next_mounted(&m)) {
        if (strcmp(m.path, path) != 0 && strcmp(m.device, what) != 0)
            continue;
        *found = m;
        any = true;
    }
    return any;
}

static bool is_within(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

int tool_umount(int argc, char **argv)
{
    bool force = argc == 3 && strcmp(argv[1], "-f") == 0;
    struct mounted m = {};
    char path[PATH_MAX], here[PATH_MAX];
    if (argc != (force ? 3 : 2))
        return tool_usage("umount");
    const char *what = argv[argc - 1];
    if (realpath(what, path) == nullptr)
        path[0] = '\0';
    if (!find_mounted(what, path, &m))
        return tool_fail(1, "umount: %s: nothing is mounted there", what);
    bool inside = !force && getcwd(here, sizeof here) != nullptr && is_within(here, m.path);
    if (inside)
        errno = EBUSY; /* this shell's directory */
    if (inside || umount2(m.path, force ? MNT_FORCE : 0) != 0)
        return failed("umount", what);
    if (m.device[0] != '\0')
        end_service(m.source); /* it lets go of the disk */
    return 0;
}
