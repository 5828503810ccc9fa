/* SPDX-License-Identifier: MIT
 * The initial RAM disk as a read-only file system. Directories may be entries, or only implied by what lies in them. */
#include "sh.h"
#include <vectra/alloc.h>

enum : uint32_t { NAMES_MAX = 4096 }; /* of one directory */

static bool disk(struct vx_cpio *archive)
{
    static bool told;
    if (vx_initrd(archive) == OK)
        return true;
    if (!told)
        (void)sh_fail(0, "sh: this shell was given no initial RAM disk: there are no files");
    told = true;
    return false;
}

struct sh_file sh_fs_stat(const char *path)
{
    struct sh_file file = {};
    struct vx_cpio archive;
    struct vx_cpio_entry e;
    if (vx_streq(path, "/"))
        return (struct sh_file){ .kind = SH_DIRECTORY, .mode = 0040755 };
    if (!disk(&archive))
        return file;
    size_t cursor = 0;
    while (vx_cpio_next(&archive, &cursor, &e) == OK) {
        const char *unused;
        if (vx_streq(e.name, path + 1))
            file = (struct sh_file){ .kind = VX_CPIO_IS_DIR(e.mode) ? SH_DIRECTORY : SH_FILE,
                                     .data = e.data,
                                     .len = e.data_len,
                                     .mode = e.mode };
        else if (file.kind == SH_NOTHING && sh_path_component(path, e.name, &unused) > 0)
            file = (struct sh_file){ .kind = SH_DIRECTORY, .mode = 0040755 };
    }
    return file;
}

struct listing {
    char **name;
    uint32_t n;
};

/* Adds a name where it belongs; false when there is no memory or the directory is larger than NAMES_MAX. */
static bool add_name(struct listing *l, const char *text, size_t len)
{
    uint32_t at = l->n;
    for (uint32_t i = 0; i < l->n; i++) {
        int order = strncmp(l->name[i], text, len);
        if (order == 0 && l->name[i][len] == '\0')
            return true;
        if (order > 0 || (order == 0 && l->name[i][len] != '\0')) {
            at = i;
            break;
        }
    }
    char *copy = l->n < NAMES_MAX ? vx_alloc(len + 1) : nullptr;
    if (copy == nullptr)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    memmove(l->name + at + 1, l->name + at, (l->n - at) * sizeof l->name[0]);
    l->name[at] = copy;
    l->n++;
    return true;
}

bool sh_fs_list(const char *dir, void (*visit)(void *ctx, const char *name, const struct sh_file *file), void *ctx)
{
    struct vx_cpio archive;
    struct vx_cpio_entry e;
    if (!disk(&archive))
        return false;
    struct listing l = { .name = vx_alloc(NAMES_MAX * sizeof(char *)) };
    bool good = l.name != nullptr;
    size_t cursor = 0;
    status_t st = OK;
    while (good && (st = vx_cpio_next(&archive, &cursor, &e)) == OK) {
        const char *part;
        size_t len = sh_path_component(dir, e.name, &part);
        if (len > 0 && !(len == 1 && part[0] == '.'))
            good = add_name(&l, part, len);
    }
    for (uint32_t i = 0; i < l.n; i++) {
        char path[SH_PATH_MAX];
        struct sh_file file = {};
        if (sh_path_join(dir, l.name[i], path))
            file = sh_fs_stat(path);
        visit(ctx, l.name[i], &file);
        vx_free(l.name[i]);
    }
    vx_free(l.name);
    return good && st == ERR_NOT_FOUND;
}

bool sh_find_program(const char *word, char out[static SH_PATH_MAX])
{
    static const char *const rooms[] = { "/bin", "/sbin", "/test" };
    if (strchr(word, '/') != nullptr)
        return sh_path_join(sh.cwd, word, out) && sh_fs_stat(out).kind == SH_FILE;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        if (sh_path_join(rooms[i], word, out) && sh_fs_stat(out).kind == SH_FILE)
            return true;
    return false;
}
