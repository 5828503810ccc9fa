/* SPDX-License-Identifier: MIT
 * `caps`: a capability table as a person wants to see it, and the graph of everything in sight. */
#include "tools.h"
#include "show.h"

static const char *label(const struct vx_cap_facts *f)
{
    return vx_cap_type_name((vx_cap_type_t)f->type);
}

static void facts_text(const struct vx_cap_facts *f, char *out, size_t room)
{
    char a[16], b[16];
    unsigned long long fa = f->a, fb = f->b, fc = f->c;
    switch ((vx_cap_type_t)f->type) {
    case VX_CAP_TASK:
        (void)snprintf(out, room, "task %llu, %s", fa,
                       fb == VX_TASK_DEAD      ? "ended"
                       : fb == VX_TASK_STOPPED ? "stopped"
                                               : "runs");
        break;
    case VX_CAP_RETICLE:
        (void)snprintf(out, room, "%s, %s free", sh_bytes(f->a, a, sizeof a), sh_bytes(f->b, b, sizeof b));
        break;
    case VX_CAP_MEM:
        (void)snprintf(out, room, "%s at +0x%llx of %s", sh_bytes(f->b, a, sizeof a), fa, sh_bytes(f->d, b, sizeof b));
        break;
    case VX_CAP_RING_TX:
    case VX_CAP_RING_RX:
        (void)snprintf(out, room, "%llu slots, %llu waiting%s", fa, fb, fc != 0 ? "" : ", peer is gone");
        break;
    case VX_CAP_SEM:
        (void)snprintf(out, room, "count %llu, %llu waiting", fa, fb);
        break;
    case VX_CAP_SURFACE:
        (void)snprintf(out, room, "%llu x %llu, %s", fa, fb, sh_bytes(f->d, a, sizeof a));
        break;
    case VX_CAP_DEVICE:
        (void)snprintf(out, room, "%s 0x%llx-0x%llx", fc == VX_DEVICE_PORTS ? "ports" : "registers", fa, fa + fb - 1);
        break;
    case VX_CAP_IRQ:
        if (fb == 1)
            (void)snprintf(out, room, "line %llu%s", fa, fc != 0 ? ", bound" : "");
        else
            (void)snprintf(out, room, "lines %llu-%llu", fa, fa + fb - 1);
        break;
    default:
        out[0] = '\0';
        break;
    }
}

/* Calls visit for every capability of a table. */
static status_t each_cap(vx_task task, void (*visit)(void *ctx, const struct vx_cap_facts *f), void *ctx)
{
    static struct vx_cap_facts entries[32];
    uint64_t next = 0, written = 0;
    do {
        uint64_t from = next;
        status_t st = vx_sys_task_control(task, VX_TASK_CAPS, (uintptr_t)entries, sizeof entries / sizeof entries[0],
                                          from, &written, &next);
        if (st != OK)
            return st;
        for (uint64_t i = 0; i < written && i < sizeof entries / sizeof entries[0]; i++)
            visit(ctx, &entries[i]);
        if (next != 0 && next <= from)
            return ERR_BAD_ARGUMENT; /* it must move on */
    } while (next != 0 && !tool_interrupted());
    return OK;
}

/* The slot's name in the shell's own Bundle, if it has one. */
static const char *bundle_name(vx_handle_t handle)
{
    const struct vx_bundle *b = vx_bundle();
    const struct vx_slot *s = vx_bundle_slots(b);
    for (uint16_t i = 0; i < b->n_slots; i++)
        if (s[i].kind == VX_SLOT_CAP && s[i].value == handle)
            return s[i].name;
    return "";
}

struct table {
    bool own;
    uint32_t n;
};

static void print_row(void *ctx, const struct vx_cap_facts *f)
{
    struct table *t = ctx;
    char rights[15], facts[64], parent[12] = "";
    t->n++;
    facts_text(f, facts, sizeof facts);
    if (f->parent != 0)
        (void)snprintf(parent, sizeof parent, "%08x", f->parent);
    out_format("%08x  %-8s %s  %-34s %-8s %s%s\n", f->handle, label(f), sh_rights_letters(f->rights, rights), facts,
               parent, t->own ? bundle_name(f->handle) : "", f->destroyed ? "(destroyed)" : "");
}

static status_t print_table(vx_task task)
{
    struct table t = { .own = task.raw == 0 };
    out_format("%-8s  %-8s %-14s  %-34s %-8s %s\n", "HANDLE", "TYPE", "RIGHTS", "WHAT IT IS", "FROM",
               t.own ? "NAME" : "");
    status_t st = each_cap(task, print_row, &t);
    if (st == OK)
        out_format("%u capabilities. Rights: Read Write eXecute Send V:receive A:wait G:signal Bind Copy Move K:revoke "
                   "Destroy Inspect P:DMA\n",
                   t.n);
    return st;
}

struct one {
    uint32_t id;
    status_t result;
};

static bool one_visit(void *ctx, const struct tool_task *v)
{
    struct one *o = ctx;
    if (v->info.id != o->id)
        return true;
    out_format("task %u, %s\n", v->info.id, v->info.name);
    o->result = print_table(v->task);
    return false;
}

/* --- the graph --- */

static void graph_edge(void *ctx, const struct vx_cap_facts *f)
{
    uint32_t id = *(const uint32_t *)ctx;
    char rights[15], letters[15];
    size_t n = 0;
    (void)sh_rights_letters(f->rights, rights);
    for (size_t i = 0; i < 14; i++)
        if (rights[i] != '-')
            letters[n++] = rights[i];
    letters[n] = '\0';
    if (f->type == VX_CAP_TASK) {
        out_format("  t%u -> t%llu [label=\"%s\"];\n", id, (unsigned long long)f->a, letters);
        return;
    }
    out_format("  o%u [shape=box, label=\"%s %u\"]; t%u -> o%u [label=\"%s\"];\n", f->object_id, label(f), f->object_id,
               id, f->object_id, letters);
}

static bool graph_visit(void *ctx, const struct tool_task *v)
{
    (void)ctx;
    uint32_t id = v->info.id;
    out_format("  t%u [shape=ellipse, style=bold, label=\"%s (%u)\"];\n", id, v->info.name, id);
    return each_cap(v->task, graph_edge, &id) == OK;
}

int tool_caps(int argc, char **argv)
{
    bool graph = false, has_id = false;
    uint64_t id = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--graph") == 0)
            graph = true;
        else if (!has_id && vx_parse_u64(argv[i], strlen(argv[i]), &id) && id != 0 && id <= UINT32_MAX)
            has_id = true;
        else
            return tool_usage("caps");
    }
    if (graph) {
        out_format("digraph capabilities {\n  rankdir=LR;\n");
        tool_tasks_visit(graph_visit, nullptr);
        out_format("}\n");
        return 0;
    }
    struct one o = { .id = (uint32_t)id, .result = ERR_NOT_FOUND };
    if (!has_id)
        o.result = print_table(VX_SELF);
    else
        tool_tasks_visit(one_visit, &o);
    if (o.result == ERR_NOT_FOUND)
        return tool_fail(1, "caps: %llu: this shell sees no such task", (unsigned long long)id);
    return o.result == OK ? 0 : tool_fail(1, "caps: %s", vx_status_text(o.result));
}
