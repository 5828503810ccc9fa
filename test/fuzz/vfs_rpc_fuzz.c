/* SPDX-License-Identifier: MIT
 * vfsd between hostile programs and hostile file systems: any calls, any bytes in the buffers that it shares with both,
 * file systems that come, lie, and go. No capability is lost, no operation is forgotten, and when all have gone nothing
 * is left. */
// sources: srv/vfsd/ask.c srv/vfsd/connections.c srv/vfsd/mounts.c srv/vfsd/open.c srv/vfsd/ops.c srv/vfsd/seal.c
// sources: srv/vfsd/shortcuts.c srv/vfsd/record.c srv/vfsd/walk.c lib/libvectra/service.c lib/libvectra/rpc.c
// sources: lib/libvectra/names.c lib/libvectra/string.c
#define HOST_MEMORY
#define HOST_MESSAGE
#define HOST_OPS 28
#include "service_host.h"
#include <srv/vfsd/vfsd.h>

enum { SHARED = VFS_SLOTS * VFS_SLOT_BYTES, PROGRAMS = 2 };

struct vfsd vfsd;
static uint8_t shared[SHARED]; /* all that is shared with anybody is here */
static struct connection boot;

static void *host_memory(uint64_t)
{
    return shared;
}

void boot_next(void)
{
}

status_t vx_connect(const char *, struct vx_client *c)
{
    if (host_next > HANDLES_MAX - 64 || host_luck() != OK)
        return (host_byte() & 1) != 0 ? ERR_NOT_FOUND : ERR_NO_RIGHTS;
    *c = (struct vx_client){ .tx = { host_new() }, .rx = { host_new() } };
    return OK;
}

static struct mount *mount_behind(uint64_t rx)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        struct mount *m = &vfsd.mount[i];
        if (m->state != MOUNT_FREE && (m->rx.raw == rx || m->rpc.rx.raw == rx))
            return m;
    }
    return nullptr;
}

/* What a file system answers is mostly about something that was asked. */
static void host_message(uint64_t rx, struct vx_message *message)
{
    struct mount *m = rx != VX_HANDLE_NONE ? mount_behind(rx) : nullptr;
    uint8_t how = host_byte();
    if (m == nullptr || how >= 0xf0)
        return;
    if (m->rpc.rx.raw == rx) {
        message->word[0] = vx_rpc_head(vx_rpc_op(message->word[0]), m->rpc.sequence, how < 0xe0 ? OK : ERR_IO);
        return;
    }
    static const status_t said[] = { OK, OK, OK, OK, ERR_NOT_FOUND, ERR_STALE, ERR_EXISTS, ERR_BUSY };
    struct vx_fs_reply r = { .status = said[how % 8] };
    unsigned slot = (how >> 3) % VFS_SLOTS;
    for (unsigned i = 0; i < VFS_SLOTS && !m->slot[slot].busy; i++)
        slot = (slot + 1) % VFS_SLOTS;
    r.tag = (uint64_t)m->slot[slot].generation << 16 | slot;
    r.bytes = host_byte() * 16u;
    r.value = host_byte() & 3;
    struct vx_fs_walked *w = (struct vx_fs_walked *)(void *)(shared + (size_t)slot * VFS_SLOT_BYTES);
    const struct op *op = m->slot[slot].op;
    if (op != nullptr && op->question.op == VX_FS_OP_WALK && (how & 0x40) == 0) { /* a good answer */
        uint32_t n = host_byte() % (op->asked_names + 1);
        for (uint32_t i = 0; i < n; i++) {
            static const uint32_t modes[] = { VX_FS_DIR, VX_FS_DIR, VX_FS_DIR, VX_FS_FILE, VX_FS_LINK };
            w->step[i] =
                (struct vx_fs_step){ .object = 2 + host_byte() % 6, .generation = 1, .mode = modes[host_byte() % 5] };
        }
        w->n = n;
        w->last =
            (struct vx_fs_attributes){ .object = 2, .generation = 1, .mode = n != 0 ? w->step[n - 1].mode : VX_FS_DIR };
        r.bytes = (uint32_t)(offsetof(struct vx_fs_walked, step) + n * sizeof w->step[0]);
    }
    memcpy(message, &r, sizeof r);
}

static void scribble(void)
{
    static const char *const texts[] = { "a", "/a/b/c", "../..", "a/../b/", "/", "a//b/./c" };
    uint32_t at = (host_byte() | (uint32_t)host_byte() << 8) % 512, n = host_byte() % 65;
    if ((n & 1) != 0) { /* where the calls of the corpus look for it */
        const char *text = texts[host_byte() % 6];
        memcpy(shared + at % 32, text, strlen(text));
        return;
    }
    for (; n != 0; n--)
        shared[at++] = host_byte();
}

/* Each place and each question is where the invariants of vfsd.h want it. */
static void check(void)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        const struct mount *m = &vfsd.mount[i];
        require(m->state != MOUNT_FREE || (m->waiting == nullptr && m->sessions == nullptr));
        require(m->state == MOUNT_FREE || m->cover.mount == nullptr || m->cover.mount->state != MOUNT_FREE ||
                m->leaving);
        for (unsigned k = 0; k < VFS_SLOTS; k++) {
            const struct op *op = m->slot[k].op;
            require(op == nullptr || (m->slot[k].busy && op->asked == m && op->connection->busy && op->slot == (int)k));
        }
    }
    for (struct vx_session *s = nullptr; (s = vx_session_next(&vfsd.service, s)) != nullptr;) {
        const struct connection *c = s->state;
        require(c->root.mount == nullptr || c->root.mount->state != MOUNT_FREE);
        require(!c->busy || c->op.asked != nullptr || c->op.held);
        require(c->op.n_chain <= VX_FS_DEPTH_MAX && c->op.path_len <= VX_FS_PATH_MAX);
    }
}

static void on_signal(struct vx_service *, uint64_t bits)
{
    for (unsigned n = host_byte() % 4; n != 0; n--)
        scribble();
    for (unsigned i = 0; i < vfsd.n_mounts; i++) {
        if (vfsd.mount[i].state != MOUNT_FREE && ((bits >> 40) & (UINT64_C(1) << i)) != 0)
            mount_turn(&vfsd.mount[i]);
    }
    uint8_t b = host_byte();
    if (b >= 0xe0) { /* time passes */
        uint64_t now = b >= 0xfc ? VX_FOREVER - 1 : vx_clock_monotonic_ns();
        mounts_deadline(now);
        ops_deadline(now);
    }
    check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mount *root;
    memset(&vfsd, 0, sizeof vfsd);
    memset(&boot, 0, sizeof boot);
    memset(shared, 0, sizeof shared);
    memcpy(shared, "/a/b/c", 6);
    vfsd.service = (struct vx_service){ .name = "vfs",
                                        .session_bytes = sizeof(struct connection),
                                        .dispatch = vfs_dispatch,
                                        .opened = vfs_opened,
                                        .closed = vfs_closed,
                                        .on_signal = on_signal,
                                        .own_bits = UINT64_C(0xffff) << 40 };
    vfsd.boot = &boot;
    vfsd.started = true;
    vfsd.key[0] = 1;
    host_begin(&vfsd.service, data, size);
    vfsd.pool = (vx_reticle){ host_new() };
    vfsd.service.inbox = (vx_ring_rx){ host_new() };
    require(mount_add("root", "/", nullptr, false, false, &root) == OK);
    vfsd.grant[vfsd.n_grants++] = (struct grant){ .badge = 2, .rights = VX_FS_READ, .path_bytes = 2, .path = "/a" };
    for (uint64_t badge = 0; badge < PROGRAMS + 1; badge++)
        (void)host_client(&vfsd.service, badge);
    host_serve(&vfsd.service);
    vfsd.service.n_used = 0; /* they have gone */
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        require(vfsd.mount[i].waiting == nullptr && vfsd.mount[i].sessions == nullptr);
        if (vfsd.mount[i].state != MOUNT_FREE)
            mount_remove(&vfsd.mount[i]);
    }
    require(host_drop(vfsd.pool.raw) == OK);
    require(host_live() == 0);
    return 0;
}
