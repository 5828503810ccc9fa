/* SPDX-License-Identifier: MIT
 * Which Tasks this shell can look at: those that initd shows it (all that initd started, and what they started), or, in
 * a shell without a line to initd, its own children. Authority decides, not the shell. */
#include "tools.h"

enum : uint32_t { DEPTH_MAX = 16 };

struct walk {
    bool (*visit)(void *ctx, const struct tool_task *view);
    void *ctx;
    bool stop;
};

static void walk_children(struct walk *w, vx_task parent, uint32_t depth);

static void walk_task(struct walk *w, vx_task task, uint32_t depth)
{
    struct tool_task view = { .task = task, .depth = depth };
    status_t st = vx_sys_task_control(task, VX_TASK_INFO, (uintptr_t)&view.info, sizeof view.info, 0, nullptr, nullptr);
    if (st != OK)
        return;
    w->stop = !w->visit(w->ctx, &view);
    if (!w->stop && depth < DEPTH_MAX)
        walk_children(w, task, depth + 1);
}

static void walk_children(struct walk *w, vx_task parent, uint32_t depth)
{
    uint64_t after = 0, handle = 0, id = 0;
    while (!w->stop && vx_sys_task_control(parent, VX_TASK_NEXT_CHILD, after, 0, 0, &handle, &id) == OK) {
        walk_task(w, (vx_task){ (vx_handle_t)handle }, depth);
        (void)vx_sys_cap_drop((vx_handle_t)handle);
        if (id <= after)
            return; /* ids only grow */
        after = id;
    }
}

void tool_tasks_visit(bool (*visit)(void *ctx, const struct tool_task *view), void *ctx)
{
    struct walk w = { .visit = visit, .ctx = ctx };
    uint32_t after = 0, id = 0;
    vx_task task = {};
    if (!tools.has_init || vx_init_task(&tools.init, 0, &id, &task) != OK) {
        walk_task(&w, VX_SELF, 0);
        return;
    }
    do {
        after = id;
        walk_task(&w, task, 1);
        (void)vx_sys_cap_drop(task.raw);
    } while (!w.stop && vx_init_task(&tools.init, after, &id, &task) == OK && id > after);
}

/* --- ending one --- */

struct ending {
    uint32_t id;
    bool ended;
};

static bool end_visit(void *ctx, const struct tool_task *view)
{
    struct ending *e = ctx;
    if (view->info.id != e->id)
        return true;
    e->ended = view->task.raw != VX_HANDLE_NONE && vx_sys_destroy(view->task.raw) == OK;
    return !e->ended;
}

bool tool_end_task(uint32_t id)
{
    struct ending e = { .id = id };
    tool_tasks_visit(end_visit, &e);
    return e.ended;
}
