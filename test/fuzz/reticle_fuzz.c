/* SPDX-License-Identifier: MIT
 * Reticle operations chosen by the fuzzer, held against the page-by-page model after each. The first byte chooses the
 * shape of the machine's memory. */
// sources: kernel/reticle.c kernel/reticle_check.c kernel/arch/host/ram.c
#define MODEL_PAGES 2048u
#include "../unit/kernel/reticle_model.h"
#include <base/kassert.h>

void kassert_fail(const char *expr, const char *file, int line)
{
    fprintf(stderr, "%s:%d: kassert(%s)\n", file, line, expr);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices c = { .at = data, .end = data + size };
    struct ram_range ram[4];
    uint64_t at = choose(&c, 4), n = choose(&c, 4) + 1;
    for (uint64_t i = 0; i < n; i++) {
        ram[i].base = at * ARCH_PAGE_SIZE;
        ram[i].len = choose(&c, 200) * (uint64_t)ARCH_PAGE_SIZE;
        at += ram[i].len / ARCH_PAGE_SIZE + choose(&c, 70);
    }
    if (!model_boot(ram, n))
        return 0;
    for (int steps = 0; c.at < c.end && steps < 400; steps++) {
        model_step(&c);
        model_compare();
    }
    model_end();
    return 0;
}
