/* SPDX-License-Identifier: MIT
 * Makes the n-th allocation from now on fail; with alloc_fail_for_good all that follow it, too. The test links with
 * --wrap for both functions. */
#pragma once
#include <kernel/reticle.h>

status_t __real_reticle_alloc(struct reticle *r, uint32_t order, page_type_t type, paddr_t *out);
status_t __real_reticle_kalloc(struct reticle *r, size_t size, void **out);
status_t __wrap_reticle_alloc(struct reticle *r, uint32_t order, page_type_t type, paddr_t *out);
status_t __wrap_reticle_kalloc(struct reticle *r, size_t size, void **out);

static uint32_t alloc_fail_in; /* 0: never; 1: the next one */
static bool alloc_fail_for_good;
static uint32_t alloc_fail_hits; /* how many failed */

static bool alloc_fails(void)
{
    if (alloc_fail_in == 0)
        return false;
    if (alloc_fail_in > 1) {
        alloc_fail_in--;
        return false;
    }
    if (!alloc_fail_for_good)
        alloc_fail_in = 0;
    alloc_fail_hits++;
    return true;
}

status_t __wrap_reticle_alloc(struct reticle *r, uint32_t order, page_type_t type, paddr_t *out)
{
    return alloc_fails() ? ERR_NO_MEMORY : __real_reticle_alloc(r, order, type, out);
}

status_t __wrap_reticle_kalloc(struct reticle *r, size_t size, void **out)
{
    return alloc_fails() ? ERR_NO_MEMORY : __real_reticle_kalloc(r, size, out);
}
