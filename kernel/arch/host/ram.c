/* SPDX-License-Identifier: MIT
 * Physical memory of the host architecture: see isa/mmu.h. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <isa/mmu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

unsigned char *host_phys;

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

unsigned host_leaf_max = 2;

void host_ram_reset(void)
{
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *at = mmap(host_phys, HOST_PHYS_LIMIT, PROT_NONE, host_phys == nullptr ? flags : flags | MAP_FIXED, -1, 0);
    must(at != MAP_FAILED, "mmap");
    host_phys = at;
}

void host_ram_add(uint64_t base, uint64_t len)
{
    if (host_phys == nullptr)
        host_ram_reset();
    must(base <= HOST_PHYS_LIMIT && len <= HOST_PHYS_LIMIT - base, "host_ram_add");
    must(mprotect(host_phys + base, len, PROT_READ | PROT_WRITE) == 0, "mprotect");
    memset(host_phys + base, 0xa5, len);
}
