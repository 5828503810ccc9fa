/* SPDX-License-Identifier: MIT
 * Questions to file systems: each takes a slot of the mount's queue, with its part of the shared buffer, or waits for
 * one. */
#include "vfsd.h"
#include <vectra/string.h>
#include <vectra/time.h>

static uint8_t *slot_at(const struct mount *m, int slot)
{
    return m->at + (size_t)slot * VFS_SLOT_BYTES;
}

static void list_add(struct op **list, struct op *op)
{
    while (*list != nullptr)
        list = &(*list)->next;
    op->next = nullptr;
    *list = op;
}

static bool list_remove(struct op **list, const struct op *op)
{
    for (; *list != nullptr; list = &(*list)->next) {
        if (*list == op) {
            *list = op->next;
            return true;
        }
    }
    return false;
}

/* False: there is no slot, or the file system does not listen. */
static bool put(struct mount *m, struct op *op)
{
    struct vx_message message;
    int i = 0;
    while (i < (int)VFS_SLOTS && m->slot[i].busy)
        i++;
    if (m->state != MOUNT_UP || i == (int)VFS_SLOTS)
        return false;
    struct slot *s = &m->slot[i];
    op->question.tag = (uint64_t)++s->generation << 16 | (uint64_t)i;
    op->question.data_at = (uint32_t)i * VFS_SLOT_BYTES;
    if (op->question.object == 0) {
        op->question.object = m->root.object;
        op->question.generation = m->root.generation;
    }
    if (op->text_bytes != 0)
        memcpy(slot_at(m, i), op->text, op->text_bytes);
    memcpy(&message, &op->question, sizeof message);
    if (vx_sys_ring_send(m->tx, &message, VX_POLL) != OK)
        return false;
    s->busy = true;
    s->op = op;
    op->slot = i;
    return true;
}

void ask(struct op *op, const struct place *about, op_next *then)
{
    struct mount *m = about->mount;
    uint8_t what = op->question.op;
    /* No file that is opened by a read-only mount changes attributes; that it is not written was looked at. */
    if (m->read_only && (what == VX_FS_OP_OPEN || what == VX_FS_OP_WALK))
        op->question.access &= ~(uint32_t)VX_FS_CHANGE;
    op->question.object = about->node.object;
    op->question.generation = about->node.generation;
    op->then = then;
    op->asked = m;
    op->slot = -1;
    if (m->waiting != nullptr || !put(m, op))
        list_add(&m->waiting, op);
}

void ask_flush(struct mount *m)
{
    while (m->waiting != nullptr) {
        struct op *op = m->waiting;
        m->waiting = op->next;
        if (!put(m, op)) {
            op->next = m->waiting;
            m->waiting = op;
            return;
        }
    }
}

void ask_answer(struct mount *m, const struct vx_fs_reply *r)
{
    uint64_t index = r->tag & 0xffff;
    struct slot *s = index < VFS_SLOTS ? &m->slot[index] : nullptr;
    if (s == nullptr || !s->busy || s->generation != r->tag >> 16)
        return;
    struct op *op = s->op;
    s->busy = false;
    s->op = nullptr;
    if (op == nullptr)
        return;
    op->asked = nullptr;
    struct vx_fs_reply answer = *r;
    if (answer.status > OK || answer.status <= -4096)
        answer.status = ERR_IO; /* not a status at all */
    op->then(op, &answer, slot_at(m, (int)index));
}

void ask_failed(struct mount *m)
{
    for (unsigned i = 0; i < VFS_SLOTS; i++) {
        struct op *op = m->slot[i].op;
        m->slot[i] = (struct slot){ .generation = m->slot[i].generation };
        if (op == nullptr)
            continue;
        op->asked = nullptr;
        if (op->repeatable)
            op_again(op);
        else
            op_done(op, ERR_IO); /* it may have happened, or not */
    }
}

void ask_session(struct op *op, struct mount *m)
{
    op->asked = m;
    op->repeatable = false; /* the ends that the program sent are gone with the first try */
    list_add(&m->sessions, op);
    mount_turn(m);
}

void ask_forget(struct op *op)
{
    struct mount *m = op->asked;
    if (m == nullptr)
        return;
    op->asked = nullptr;
    (void)list_remove(&m->waiting, op);
    (void)list_remove(&m->sessions, op);
    if (m->setup.op == op)
        m->setup.op = nullptr;
    for (unsigned i = 0; i < VFS_SLOTS; i++) {
        if (m->slot[i].op == op)
            m->slot[i].op = nullptr; /* invariant 2 */
    }
}

bool ask_revoke(struct mount *m)
{
    struct vx_message message;
    const struct vx_fs_name_request q = { .tag = VFS_SLOTS, .op = VX_FS_OP_FORGET };
    memcpy(&message, &q, sizeof message);
    return vx_sys_ring_send(m->tx, &message, VX_POLL) != ERR_WOULD_BLOCK; /* gone: so are they */
}

void ask_forget_file(struct mount *m, uint32_t session, uint32_t file)
{
    struct vx_message message;
    const struct vx_fs_name_request q = { .tag = VFS_SLOTS, .op = VX_FS_OP_FORGET, .session = session, .access = file };
    memcpy(&message, &q, sizeof message);
    if (m->state == MOUNT_UP)
        (void)vx_sys_ring_send(m->tx, &message, VX_POLL); /* else it ends with its session */
}
