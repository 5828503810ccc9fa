/* SPDX-License-Identifier: MIT
 * The initial RAM disk of the Bundle, images in it, and children. */
#include <vectra/spawn.h>
#include <vectra/cpio.h>
#include <vectra/string.h>

enum { PAGE = 4096 };

status_t vx_initrd(struct vx_cpio *archive)
{
    static struct vx_cpio mapped;
    if (mapped.bytes == nullptr) {
        vx_mem mem = vx_bundle_mem("initrd");
        struct vx_cap_facts facts = {};
        void *at = nullptr;
        if (mem.raw == VX_HANDLE_NONE)
            return ERR_NOT_FOUND;
        status_t st = vx_sys_cap_inspect(mem.raw, &facts, nullptr);
        if (st == OK)
            st = vx_sys_mem_map(mem, 0, (facts.b + PAGE - 1) & ~(uint64_t)(PAGE - 1), 0, VX_PROT_READ, &at);
        if (st != OK)
            return st;
        mapped = (struct vx_cpio){ .bytes = at, .len = facts.b };
    }
    *archive = mapped;
    return OK;
}

status_t vx_image_find(const char *path, vx_mem *image)
{
    struct vx_cpio archive = {};
    struct vx_cpio_entry entry = {};
    status_t st = vx_initrd(&archive);
    if (st == OK)
        st = vx_cpio_find(&archive, path, &entry);
    if (st == OK && (!VX_CPIO_IS_REG(entry.mode) || entry.data_len == 0))
        st = ERR_BAD_IMAGE;
    if (st != OK)
        return st;
    return vx_sys_cap_narrow(vx_bundle_mem("initrd").raw, VX_R_READ | VX_R_EXEC, entry.data_at, entry.data_len,
                             &image->raw);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == nullptr ? path : slash + 1;
}

void vx_spawn_begin(struct vx_spawn *s)
{
    if (s->buffer == nullptr) {
        s->buffer = s->small;
        s->room = sizeof s->small;
    }
    vx_spec_init(&s->spec, s->buffer, s->room);
    const char *name = s->argc != 0 ? s->argv[0] : s->path != nullptr ? s->path : "task";
    vx_spec_bytes(&s->spec, "name", base_name(name), strlen(base_name(name)));
    vx_spec_strings(&s->spec, "argv", s->argc, s->argv);
    vx_spec_strings(&s->spec, "env", s->n_env, s->env);
    vx_spec_copy(&s->spec, "reticle", s->payer.raw, VX_R_READ | VX_R_WRITE | VX_R_INSPECT);
    s->memory_at = s->spec.n_slots;
    if (s->memory != 0)
        vx_spec_int(&s->spec, "memory", s->memory);
    if (s->stack != 0)
        vx_spec_int(&s->spec, "stack", s->stack);
    if (s->capslots != 0)
        vx_spec_int(&s->spec, "capslots", s->capslots);
    if (s->band != 0)
        vx_spec_int(&s->spec, "band", (uint64_t)(s->band - 1));
    if (s->tty != nullptr) {
        vx_spec_move(&s->spec, "tty.tx", s->tty->tx.raw, VX_RIGHTS_TX);
        vx_spec_move(&s->spec, "tty.rx", s->tty->rx.raw, VX_RIGHTS_RX);
    }
}

status_t vx_spawn_end(struct vx_spawn *s, vx_task *task, uint32_t *id)
{
    status_t st = s->len != 0 ? OK : vx_spec_finish(&s->spec, &s->len);
    if (st == OK && s->memory != 0)
        ((struct vx_slot *)(s->spec.buffer + sizeof(struct vx_bundle)))[s->memory_at].value = s->memory;
    if (st == OK && s->image.raw == VX_HANDLE_NONE)
        st = s->path == nullptr ? ERR_BAD_ARGUMENT : vx_image_find(s->path, &s->found);
    if (st != OK)
        return st;
    st = vx_sys_spawn(s->image.raw != VX_HANDLE_NONE ? s->image : s->found, s->buffer, s->len, task, id);
    if (s->found.raw != VX_HANDLE_NONE)
        (void)vx_sys_cap_drop(s->found.raw);
    s->found = VX_NO_MEM;
    if (st == OK && s->tty != nullptr)
        *s->tty = (struct vx_client){}; /* the child has it */
    return st;
}

status_t vx_wait(vx_task task, uint32_t *status, vx_cause_t *cause)
{
    uint64_t why = 0;
    status_t st;
    do
        st = vx_sys_waitpid(task, 0, status, &why);
    while (st == ERR_INTERRUPTED);
    if (st != OK)
        return st;
    *cause = (vx_cause_t)(why & 255);
    return vx_sys_cap_drop(task.raw);
}
