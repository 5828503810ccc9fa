/* SPDX-License-Identifier: MIT
 * What is mounted, for our next life: in memory from the pool that initd keeps for us. There are two lists, and a word
 * says which holds; a new one is written beside it whole, so that we may end at any moment. */
#include "vfsd.h"
#include <stdatomic.h>
#include <vectra/bundle.h>
#include <vectra/rpc_init.h>
#include <vectra/string.h>

struct record {
    _Atomic uint32_t holds; /* list + 1; 0: none yet */
    uint32_t count[2];
    struct record_entry entry[2][VFS_MOUNTS_MAX];
};

static struct record *record;

static bool ends(const char *text, size_t room)
{
    return text[0] != '\0' && memchr(text, '\0', room) != nullptr;
}

/* Our former self may have ended because it wrote where it should not have: what makes no sense is nothing. */
static uint32_t take(struct record_entry *out)
{
    /* acquire: pairs with the release in record_write */
    uint32_t list = atomic_load_explicit(&record->holds, memory_order_acquire) - 1;
    if (list > 1 || record->count[list] > VFS_MOUNTS_MAX)
        return 0;
    for (uint32_t i = 0; i < record->count[list]; i++) {
        out[i] = record->entry[list][i];
        if (!ends(out[i].source, sizeof out[i].source) || !ends(out[i].path, sizeof out[i].path))
            return 0;
    }
    return record->count[list];
}

uint32_t record_open(struct record_entry out[VFS_MOUNTS_MAX])
{
    struct vx_client init = {};
    struct vx_cap_facts facts = {};
    vx_mem mem = {}, share = {};
    void *at = nullptr;
    if (vx_client_from_bundle(&init, "init") != OK)
        return 0;
    if (vx_init_kept(&init, &mem) == OK) {
        if (vx_sys_cap_inspect(mem.raw, &facts, nullptr) != OK || facts.b < sizeof *record ||
            vx_sys_mem_map(mem, 0, facts.b, 0, VX_PROT_READ | VX_PROT_WRITE, &at) != OK)
            return 0;
        record = at;
        return take(out);
    }
    const vx_rights_t rights = VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_INSPECT;
    if (pool_buffer(sizeof *record, &mem, &at) == OK && vx_sys_cap_narrow(mem.raw, rights, 0, 0, &share.raw) == OK &&
        vx_init_keep(&init, share) == OK)
        record = at;
    return 0;
}

void record_write(void)
{
    if (record == nullptr || !vfsd.started)
        return;
    uint32_t list = atomic_load_explicit(&record->holds, memory_order_relaxed) == 1 ? 1 : 0, n = 0, last = 0;
    for (;;) { /* in the order in which they were mounted */
        const struct mount *next = nullptr;
        for (unsigned i = 0; i < vfsd.n_mounts; i++) {
            const struct mount *m = &vfsd.mount[i];
            if (m->state != MOUNT_FREE && m->cover.mount != nullptr && !m->unseen && m->id > last &&
                (next == nullptr || m->id < next->id))
                next = m;
        }
        if (next == nullptr)
            break;
        struct record_entry *e = &record->entry[list][n++];
        *e = (struct record_entry){ .read_only = next->read_only, .optional = next->optional };
        (void)vx_strcopy(e->source, sizeof e->source, next->source);
        (void)vx_strcopy(e->path, sizeof e->path, next->path);
        last = next->id;
    }
    record->count[list] = n;
    /* release: pairs with the acquire in take() */
    atomic_store_explicit(&record->holds, list + 1, memory_order_release);
}
