/* SPDX-License-Identifier: MIT
 * Files and directories of the initial RAM disk, which the Bundle may hold as "initrd": all that there is for a process
 * without a connection to vfsd. Its files are mapped memory, so a read is a copy. Symbolic links at the end of a path
 * only. Directories come from the paths: the archive need not name them.
 *
 * A directory is listed by walking the archive. Its position is the number of names told so far: "." and "..", the
 * devices below "/", then each first appearance of a name in the archive's order, so a position stays good. */
#define _GNU_SOURCE
#include "file.h"
#include "listing.h"
#include "records.h"
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <vectra/cpio.h>

enum : uint64_t { DEVICE = 1, ROOT_INODE = 1, BLOCK = 512 };

static bool archive_of_bundle(struct vx_cpio *archive)
{
    static struct vx_mutex lock;
    vx_mutex_lock(&lock);
    status_t st = vx_initrd(archive);
    vx_mutex_unlock(&lock);
    return st == OK;
}

/* If the entry lies below the directory (absolute, clean): the next component of its name. 0: it does not. */
static size_t component_below(const char *dir, const char *name, const char **part)
{
    size_t len = strlen(dir + 1); /* without the leading slash, as in the archive */
    if (len != 0) {
        if (strncmp(name, dir + 1, len) != 0 || name[len] != '/')
            return 0;
        name += len + 1;
    }
    size_t n = 0;
    while (name[n] != '\0' && name[n] != '/')
        n++;
    *part = name;
    return n == 1 && name[0] == '.' ? 0 : n;
}

typedef enum found : uint8_t { FOUND_NOTHING, FOUND_FILE, FOUND_DIRECTORY, FOUND_PREFIX_IS_FILE } found_t;

/* What the path names. The last entry of a path counts. */
static found_t search(const char *path, struct vx_cpio_entry *out, uint32_t *inode)
{
    struct vx_cpio archive;
    struct vx_cpio_entry e;
    size_t cursor = 0;
    found_t found = path[1] == '\0' ? FOUND_DIRECTORY : FOUND_NOTHING;
    *inode = ROOT_INODE;
    if (!archive_of_bundle(&archive))
        return found;
    for (uint32_t n = 2; vx_cpio_next(&archive, &cursor, &e) == OK; n++) {
        const char *part;
        if (path[1] != '\0' && strcmp(e.name, path + 1) == 0) {
            *out = e;
            *inode = n;
            found = VX_CPIO_IS_DIR(e.mode) ? FOUND_DIRECTORY : FOUND_FILE;
        } else if (component_below(path, e.name, &part) != 0) {
            if (found != FOUND_FILE)
                found = FOUND_DIRECTORY;
        } else if (found == FOUND_NOTHING && VX_CPIO_IS_REG(e.mode) && strncmp(path + 1, e.name, e.name_len) == 0 &&
                   path[1 + e.name_len] == '/') {
            found = FOUND_PREFIX_IS_FILE;
        }
    }
    return found;
}

/* The archive never changes, so what was found stays found: the latest few files, each in the place that its path says.
 */
static found_t look_up(const char *path, bool follow, struct vx_cpio_entry *out, uint32_t *inode)
{
    enum : uint32_t { PLACES = 16 };
    static struct vx_mutex lock;
    static struct known {
        struct vx_cpio_entry entry; /* name: nullptr if the place is empty */
        uint32_t inode;
    } known[PLACES];
    uint32_t hash = 0;
    for (const char *at = path; *at != '\0'; at++)
        hash = hash * 31 + (uint8_t)*at;
    struct known *k = &known[hash % PLACES];
    vx_mutex_lock(&lock);
    bool hit = k->entry.name != nullptr && strcmp(k->entry.name, path + 1) == 0;
    if (hit) {
        *out = k->entry;
        *inode = k->inode;
    }
    vx_mutex_unlock(&lock);
    if (hit)
        return FOUND_FILE;
    found_t found = search(path, out, inode);
    if (found == FOUND_FILE && VX_CPIO_IS_LNK(out->mode)) {
        struct vx_cpio archive;
        if (!follow)
            return found;
        return archive_of_bundle(&archive) && vx_cpio_find(&archive, path, out) == OK ? found : FOUND_NOTHING;
    }
    if (found == FOUND_FILE) {
        vx_mutex_lock(&lock);
        *k = (struct known){ .entry = *out, .inode = *inode };
        vx_mutex_unlock(&lock);
    }
    return found;
}

bool px_rom_find(const char *path, struct vx_cpio_entry *out)
{
    uint32_t inode;
    return look_up(path, true, out, &inode) == FOUND_FILE;
}

static void fill_stat(struct stat *out, uint32_t mode, uint64_t bytes, uint32_t inode)
{
    memset(out, 0, sizeof *out);
    out->st_dev = DEVICE;
    out->st_ino = inode;
    out->st_mode = mode;
    out->st_nlink = S_ISDIR(mode) ? 2 : 1;
    out->st_size = (off_t)bytes;
    out->st_blksize = (blksize_t)PX_PAGE;
    out->st_blocks = (blkcnt_t)((bytes + BLOCK - 1) / BLOCK);
}

static long file_read(struct px_file *f, void *to, size_t bytes, int64_t at)
{
    bool own = at < 0;
    if (own)
        vx_mutex_lock(&f->lock);
    uint64_t from = (uint64_t)(own ? f->offset : at);
    size_t n = from >= f->rom.bytes ? 0 : f->rom.bytes - from;
    n = n < bytes ? n : bytes;
    memcpy(to, f->rom.data + from, n);
    if (own) {
        f->offset += (int64_t)n;
        vx_mutex_unlock(&f->lock);
    }
    return (long)n;
}

static long file_seek(struct px_file *f, int64_t offset, int whence)
{
    int64_t to, size = (int64_t)f->rom.bytes;
    vx_mutex_lock(&f->lock);
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->offset : size;
    long answer = 0;
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        to = whence == SEEK_DATA ? offset : size;
        answer = offset < 0 || offset >= size ? -ENXIO : 0;
    } else if (whence < SEEK_SET || whence > SEEK_END) {
        answer = -EINVAL;
    } else if (__builtin_add_overflow(base, offset, &to)) {
        answer = -EOVERFLOW;
    } else if (to < 0) {
        answer = -EINVAL;
    }
    if (answer == 0) {
        f->offset = to;
        answer = to;
    }
    vx_mutex_unlock(&f->lock);
    return answer;
}

static long file_stat(struct px_file *f, struct stat *out)
{
    fill_stat(out, f->rom.mode, f->rom.bytes, f->rom.inode);
    return 0;
}

static unsigned file_poll(struct px_file *f, bool sleep)
{
    (void)f;
    (void)sleep;
    return 0x41; /* POLLIN and POLLRDNORM: a file never makes anybody wait */
}

static const struct px_ops file_ops = {
    .kind = 'f', .read = file_read, .seek = file_seek, .stat = file_stat, .poll = file_poll
};

struct px_file *px_rom_file(const uint8_t *data, size_t bytes, uint32_t mode, uint32_t inode, int flags)
{
    struct px_file *f = px_file_new(&file_ops, flags);
    if (f != nullptr) {
        f->rom.data = data;
        f->rom.bytes = bytes;
        f->rom.mode = mode;
        f->rom.inode = inode;
    }
    return f;
}

/* --- directories --- */

/* True if an entry before `end` already told of this name of the directory. */
static bool told_before(const struct vx_cpio *archive, const char *dir, const char *part, size_t len, size_t end)
{
    struct vx_cpio_entry e;
    const char *other;
    size_t cursor = 0;
    while (cursor < end && vx_cpio_next(archive, &cursor, &e) == OK && cursor < end) {
        if (component_below(dir, e.name, &other) == len && memcmp(other, part, len) == 0)
            return true;
    }
    return false;
}

static void tell_archive(struct px_listing *l, const char *dir)
{
    struct vx_cpio archive;
    struct vx_cpio_entry e;
    size_t cursor = 0;
    if (!archive_of_bundle(&archive))
        return;
    for (uint64_t n = 2; vx_cpio_next(&archive, &cursor, &e) == OK; n++) {
        const char *part;
        size_t len = component_below(dir, e.name, &part);
        if (len == 0 || told_before(&archive, dir, part, len, cursor))
            continue;
        bool leaf = part[len] == '\0' && !VX_CPIO_IS_DIR(e.mode);
        px_listing_tell(l, part, len, n, !leaf ? DT_DIR : VX_CPIO_IS_LNK(e.mode) ? DT_LNK : DT_REG);
    }
}

static long directory_list(struct px_file *f, void *to, size_t bytes)
{
    vx_mutex_lock(&f->lock);
    struct px_listing l = { .to = to, .room = bytes, .wanted = f->offset };
    const char *name;
    bool dev = strcmp(f->path, "/dev") == 0;
    px_listing_tell(&l, ".", 1, f->rom.inode, DT_DIR);
    px_listing_tell(&l, "..", 2, ROOT_INODE, DT_DIR);
    if (f->path[1] == '\0')
        px_listing_tell(&l, "dev", 3, UINT32_MAX, DT_DIR);
    for (unsigned i = 0; dev && px_device_name(i, &name); i++)
        px_listing_tell(&l, name, strlen(name), UINT32_MAX - 1 - i, DT_CHR);
    if (!dev)
        tell_archive(&l, f->path);
    long answer = px_listing_end(&l, &f->offset);
    vx_mutex_unlock(&f->lock);
    return answer;
}

static long directory_seek(struct px_file *f, int64_t offset, int whence)
{
    vx_mutex_lock(&f->lock);
    int64_t to = whence == SEEK_SET ? offset : whence == SEEK_CUR ? f->offset + offset : -1;
    if (to >= 0)
        f->offset = to;
    vx_mutex_unlock(&f->lock);
    return to >= 0 ? to : -EINVAL;
}

static const struct px_ops directory_ops = {
    .kind = 'd', .seek = directory_seek, .stat = file_stat, .list = directory_list, .poll = file_poll
};

static long open_directory(const char *path, int flags, uint32_t mode, uint32_t inode, struct px_file **out)
{
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0)
        return -EISDIR;
    struct px_file *f = px_file_new(&directory_ops, flags & ~(O_CLOEXEC | O_CREAT));
    char *copy = f != nullptr ? px_pages(PX_PAGE) : nullptr;
    if (copy == nullptr) {
        if (f != nullptr)
            px_file_put(f);
        return -ENOMEM;
    }
    memcpy(copy, path, strlen(path) + 1);
    f->path = copy;
    f->rom.mode = mode;
    f->rom.inode = inode;
    *out = f;
    return 0;
}

long px_rom_open(const char *path, int flags, struct px_file **out)
{
    struct vx_cpio_entry e = {};
    uint32_t inode;
    bool dev = strcmp(path, "/dev") == 0;
    switch (dev ? FOUND_DIRECTORY : look_up(path, (flags & O_NOFOLLOW) == 0, &e, &inode)) {
    case FOUND_DIRECTORY:
        return open_directory(path, flags, S_IFDIR | 0755, dev ? UINT32_MAX : inode, out);
    case FOUND_PREFIX_IS_FILE:
        return -ENOTDIR;
    case FOUND_NOTHING:
        return -ENOENT;
    case FOUND_FILE:
        break;
    }
    if ((flags & O_DIRECTORY) != 0)
        return -ENOTDIR;
    if (VX_CPIO_IS_LNK(e.mode))
        return -ELOOP;
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        return -EEXIST;
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0)
        return -EROFS;
    *out = px_rom_file(e.data, e.data_len, e.mode, inode, flags & ~(O_CLOEXEC | O_CREAT | O_EXCL));
    return *out != nullptr ? 0 : -ENOMEM;
}

long px_rom_readlink(const char *path, char *to, size_t bytes)
{
    struct vx_cpio_entry e = {};
    uint32_t inode;
    switch (look_up(path, false, &e, &inode)) {
    case FOUND_FILE:
        break;
    case FOUND_DIRECTORY:
        return -EINVAL;
    default:
        return px_rom_stat(path, false, &(struct stat){});
    }
    if (!VX_CPIO_IS_LNK(e.mode))
        return -EINVAL;
    memcpy(to, e.data, e.data_len < bytes ? e.data_len : bytes);
    return (long)e.data_len;
}

long px_rom_stat(const char *path, bool follow, struct stat *out)
{
    struct vx_cpio_entry e = {};
    uint32_t inode;
    switch (strcmp(path, "/dev") == 0 ? FOUND_DIRECTORY : look_up(path, follow, &e, &inode)) {
    case FOUND_DIRECTORY:
        fill_stat(out, S_IFDIR | 0755, 0, strcmp(path, "/dev") == 0 ? UINT32_MAX : inode);
        return 0;
    case FOUND_PREFIX_IS_FILE:
        return -ENOTDIR;
    case FOUND_FILE:
        fill_stat(out, e.mode, e.data_len, inode);
        return 0;
    default:
        return -ENOENT;
    }
}
