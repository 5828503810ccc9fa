/* SPDX-License-Identifier: MIT
 * Finding programs. Those of the initial RAM disk are started where they lie: nothing is read, and vfsd is not asked,
 * so that what is mounted over a name of the RAM disk does not hide the program from those who start it. All others are
 * read into memory, which is what SPAWN takes. */
#define _GNU_SOURCE
#include "image.h"
#include "file.h"
#include "records.h"
#include <fcntl.h>
#include <vectra/cpio.h>

static long of_rom(const struct vx_cpio_entry *e, struct px_image *out)
{
    if (!VX_CPIO_IS_REG(e->mode) || (e->mode & 0111) == 0 || e->data_len == 0)
        return e->data_len == 0 && (e->mode & 0111) != 0 ? -ENOEXEC : -EACCES;
    out->data = e->data;
    out->len = e->data_len;
    return px_error(vx_sys_cap_narrow(vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC | VX_R_COPY, e->data_at,
                                      e->data_len, &out->mem.raw));
}

/* Reads the whole file into memory of its own. */
static long read_in(struct px_file *f, size_t bytes, struct px_image *out)
{
    void *at = nullptr;
    status_t st = vx_sys_mem_alloc(VX_OWN_RETICLE, px_page_up(bytes),
                                   VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE, 0, &out->mem, &at);
    if (st != OK)
        return st == ERR_TOO_BIG ? -ENOMEM : px_error(st);
    out->data = at;
    out->len = bytes;
    out->read = true;
    for (size_t done = 0; done < bytes;) {
        long n = f->ops->read(f, (uint8_t *)at + done, bytes - done, (int64_t)done);
        if (n <= 0) { /* 0: it has become shorter */
            px_image_close(out);
            return n == 0 ? -ENOEXEC : n;
        }
        done += (size_t)n;
    }
    return 0;
}

long px_image_open(const char *path, struct px_image *out)
{
    struct vx_cpio_entry e = {};
    struct stat found = {};
    struct px_file *f = nullptr;
    *out = (struct px_image){};
    if (px_rom_find(path, &e))
        return of_rom(&e, out);
    long answer = px_stat_path(path, &found);
    if (answer != 0)
        return answer;
    if (!S_ISREG(found.st_mode) || (found.st_mode & 0111) == 0)
        return -EACCES;
    if (found.st_size == 0)
        return -ENOEXEC;
    answer = px_open_path(path, O_RDONLY, 0, &f);
    if (answer == 0) {
        answer = read_in(f, (size_t)found.st_size, out);
        px_file_put(f);
    }
    return answer;
}

void px_image_close(struct px_image *image)
{
    if (image->read)
        (void)vx_sys_mem_free(image->mem, 0, 0);
    else if (image->mem.raw != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(image->mem.raw);
    *image = (struct px_image){};
}
