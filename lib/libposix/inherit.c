/* SPDX-License-Identifier: MIT
 * Files that pass from a parent to its child. The child opens them itself, over its own connection, at their first use;
 * the parent has vfsd put them aside for it. A file's position lies in a page that both map.
 *
 *   "vfs.tx"       the child's connection, whose other half it makes when it first needs it
 *   "posix.files"  BYTES  a struct px_given_file and path for each record of kind 'F' or 'D'
 *   "position.NN"  MEM    their positions; px_fd_record.pipe says which */
#define _GNU_SOURCE
#include "inherit.h"
#include <fcntl.h>

enum : size_t { GIVEN_ROOM = PX_RECORDS_MAX * sizeof(struct px_given_file) + 16 * PX_PAGE };

long px_inherit_begin(struct px_inheritance *h)
{
    struct fs_client *c = px_fs();
    if (c == nullptr)
        return 0;
    status_t st = fs_dup(c, &h->vfs, &h->number);
    h->connected = st == OK;
    /* While vfsd is away, programs of the initial RAM disk start all the same, and have that alone. */
    return st == ERR_PEER_CLOSED || st == ERR_TIMED_OUT ? 0 : px_error(st);
}

static void page_name(char name[static 12], unsigned n)
{
    memcpy(name, "position.00", 12);
    name[9] = (char)('0' + n / 10);
    name[10] = (char)('0' + n % 10);
}

long px_inherit_file(struct px_inheritance *h, struct px_file *f, struct px_fd_record *r)
{
    struct px_given_file g = { .path_bytes = f->path != nullptr ? (uint32_t)strlen(f->path) : 0 };
    long error = 0;
    if (!h->connected)
        return -EIO;
    if (h->bytes == nullptr) {
        h->bytes = px_pages(GIVEN_ROOM);
        h->room = GIVEN_ROOM;
    }
    if (h->bytes == nullptr)
        return -ENOMEM;
    if (h->room - h->used < sizeof g + g.path_bytes)
        return -E2BIG; /* many directories with very long paths */
    struct fs_file *file = px_fs_file(f, &error);
    vx_mem page = px_fs_share_position(f);
    if ((file == nullptr && error != -ESTALE) || page.raw == VX_HANDLE_NONE)
        return page.raw == VX_HANDLE_NONE ? -ENOMEM : error;
    status_t st = file != nullptr ? fs_give(file, h->number, &g.handle) : ERR_STALE;
    if (st != OK && st != ERR_STALE) /* what is gone is gone for the child too: a handle of nothing says so */
        return px_fs_error(st);
    memcpy(h->bytes + h->used, &g, sizeof g);
    if (g.path_bytes != 0)
        memcpy(h->bytes + h->used + sizeof g, f->path, g.path_bytes);
    r->a = h->used;
    r->pipe = h->n_pages;
    h->used += sizeof g + g.path_bytes;
    h->page[h->n_pages++] = page;
    return 0;
}

void px_inherit_slots(struct px_inheritance *h, struct vx_spec *spec)
{
    char name[12];
    if (!h->connected)
        return;
    vx_spec_move(spec, "vfs.tx", h->vfs.tx.raw, VX_RIGHTS_TX);
    if (h->used != 0)
        vx_spec_bytes(spec, "posix.files", h->bytes, h->used);
    for (unsigned i = 0; i < h->n_pages; i++) {
        page_name(name, i);
        vx_spec_copy(spec, name, h->page[i].raw, VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_INSPECT);
    }
}

void px_inherit_end(struct px_inheritance *h, bool started)
{
    if (h->connected && !started)
        vx_client_close(&h->vfs);
    px_pages_free(h->bytes, h->room);
    *h = (struct px_inheritance){};
}

struct px_file *px_inherited(const struct px_fd_record *r)
{
    struct px_given_file g;
    char name[12];
    size_t len = 0;
    const uint8_t *bytes = vx_bundle_bytes("posix.files", &len);
    if (bytes == nullptr || r->a > len || len - r->a < sizeof g || r->pipe >= PX_RECORDS_MAX)
        return nullptr;
    memcpy(&g, bytes + r->a, sizeof g);
    if (g.path_bytes >= PX_PAGE || g.path_bytes > len - r->a - sizeof g)
        return nullptr;
    page_name(name, r->pipe);
    struct px_file *f = px_fs_adopt(&g.handle, r->kind == 'D', r->flags, vx_bundle_mem(name));
    if (f == nullptr || g.path_bytes == 0)
        return f;
    f->path = px_pages(PX_PAGE); /* zeroed: the path has its end */
    if (f->path == nullptr) {
        px_file_put(f);
        return nullptr;
    }
    memcpy(f->path, bytes + r->a + sizeof g, g.path_bytes);
    return f;
}
