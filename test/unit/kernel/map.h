/* SPDX-License-Identifier: MIT
 * What a thread does to memory by calls that go on in steps: all steps in a row. */
#pragma once
#include <kernel/mem.h>
#include <kernel/vm.h>

static uint64_t steps_taken; /* of the last call */

static inline status_t map_whole(struct vm *vm, const struct vm_spec *s, uint64_t *at)
{
    uint64_t progress = 0;
    status_t st;
    steps_taken = 0;
    do {
        st = vm_map(vm, s, &progress, at);
        steps_taken++;
    } while (progress != 0);
    return st;
}

static inline status_t map_anon_whole(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, uint32_t state,
                                      bool fixed, uint64_t *at)
{
    const struct vm_spec s = {
        .addr = addr, .len = len, .fixed = fixed, .state = (uint8_t)state, .prot = prot, .maker = 7
    };
    return map_whole(vm, &s, at);
}

static inline status_t map_object_whole(struct vm *vm, struct object *o, struct cap *cap, vm_frame_fn *frames,
                                        enum mem_type type, uint64_t offset, uint64_t len, uint64_t addr, uint32_t prot,
                                        bool fixed, uint64_t *at)
{
    const struct vm_spec s = { .addr = addr,
                               .len = len,
                               .fixed = fixed,
                               .type = type,
                               .prot = prot,
                               .maker = 7,
                               .frames = frames,
                               .obj = o,
                               .cap = cap,
                               .offset = offset };
    return map_whole(vm, &s, at);
}

static inline status_t unmap_whole(struct vm *vm, uint64_t addr, uint64_t len, const struct cap *only_cap)
{
    uint64_t progress = 0;
    status_t st;
    steps_taken = 0;
    do {
        st = vm_unmap(vm, addr, len, only_cap, &progress);
        steps_taken++;
    } while (progress != 0);
    return st;
}

static inline status_t protect_whole(struct vm *vm, uint64_t addr, uint64_t len, uint32_t prot, uint32_t state)
{
    uint64_t progress = 0;
    status_t st;
    steps_taken = 0;
    do {
        st = vm_protect(vm, addr, len, prot, state, &progress);
        steps_taken++;
    } while (progress != 0);
    return st;
}

static inline status_t mem_create_whole(struct reticle *home, uint64_t bytes, bool contiguous, uint8_t type,
                                        struct mem **out)
{
    struct mem *m;
    int32_t left = work_left;
    status_t st = mem_create(home, bytes, contiguous, type, &m);
    if (st != OK)
        return st;
    for (; st == OK && m->zeroed < m->bytes; work_begin())
        st = mem_make_some(m);
    work_left = left;
    if (st != OK) {
        while (!mem_fini(m))
            work_begin();
        object_abandon(&m->obj);
        return st;
    }
    *out = m;
    return OK;
}
