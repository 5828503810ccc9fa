/* SPDX-License-Identifier: MIT
 * A service whose `files` line of the graph gives it a directory and rights: what it can reach is that and nothing
 * else. The group `storage` starts it; the argument says which line it has:
 *
 *   reader  /sbin READ          writer  /tmp READ,WRITE          nowhere  a directory that is not there
 * guest: helper */
#define CHECK_DEFINE
#include <fs/client.h>
#include <test/guest/common/check.h>

static struct fs_client client;

/* Nothing above the root, by any way. */
static void test_walls(void)
{
    struct vx_fs_attributes a = {}, b = {};
    char name[40], path[40], source[40];
    uint32_t index = 0;
    check_status("the root", OK, fs_stat(&client, "/", 0, &a));
    check_status("above it", OK, fs_stat(&client, "/../..", 0, &b));
    CHECK("is the root", a.object == b.object && a.volume == b.volume);
    check_status("nothing of the rest", ERR_NOT_FOUND, fs_stat(&client, "/etc/services", 0, &a));
    check_status("nor by going up", ERR_NOT_FOUND, fs_stat(&client, "/../etc/services", 0, &a));
    check_status("nothing is mounted", ERR_NO_RIGHTS, fs_mount(&client, "/", "dev", 0));
    check_status("nor unmounted", ERR_NO_RIGHTS, fs_umount(&client, "/", VX_VFS_FORCE));
    struct vx_vfs_mounted m;
    check_status("nor are mounts told of", ERR_NOT_FOUND,
                 fs_mounts_on(&client, &index, &m, source, path, name, sizeof name));
}

static void test_reader(void)
{
    struct fs_file f;
    check_status("what lies in its directory", OK, fs_open(&client, "/vfsd", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
    fs_close(&f);
    check_status("is not written", ERR_NO_RIGHTS, fs_open(&client, "/vfsd", 0, VX_FS_WRITE, 0, &f, nullptr, nullptr));
    check_status("nothing is made", ERR_NO_RIGHTS,
                 fs_open(&client, "/new", VX_VFS_CREATE, VX_FS_WRITE, 0644, &f, nullptr, nullptr));
    check_status("nor taken away", ERR_NO_RIGHTS, fs_unlink(&client, "/vfsd", 0));
}

static void test_writer(void)
{
    struct fs_file f;
    size_t done = 0;
    check_status("a file is made", OK,
                 fs_open(&client, "/made", VX_VFS_CREATE, VX_FS_READ | VX_FS_WRITE, 0644, &f, nullptr, nullptr));
    check_status("and written", OK, fs_write(&f, 0, "made\n", 5, &done));
    fs_close(&f);
    check_status("a link out of it", OK, fs_symlink(&client, "/out", "/etc/services"));
    check_status("leads nowhere", ERR_NOT_FOUND, fs_open(&client, "/out", 0, VX_FS_READ, 0, &f, nullptr, nullptr));
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : "";
    status_t st = fs_connect(&client);
    vx_printf("narrowed: %s\n", role);
    if (vx_streq(role, "nowhere")) {
        check_status("there is no root", ERR_NOT_FOUND, st);
        return check_done();
    }
    check_status("connected", OK, st);
    check_equal("with its rights", client.rights, vx_streq(role, "reader") ? VX_FS_READ : VX_FS_READ | VX_FS_WRITE);
    test_walls();
    if (vx_streq(role, "reader"))
        test_reader();
    else
        test_writer();
    return check_done();
}
