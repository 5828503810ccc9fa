/* SPDX-License-Identifier: MIT
 * Moves the kernel at boot; see slide.h. The build says where the image holds addresses of itself: in the low half of
 * each, a step never carries beyond it. */
#include <kernel/cmdline.h>
#include <kernel/entropy.h>
#include <kernel/ksyms.h>
#include <kernel/slide.h>
#include <abi/machine.h>
#include <arch/mmu.h>
#include <base/string.h>

extern char image_start[]; /* linker script */

SEALED uint64_t image_slide;

static void relocate(uint32_t by)
{
    char *at = image_start;
    for (const uint8_t *skip = reloc_skip; *skip != 0; skip++) {
        uint32_t word;
        if (*skip == RELOC_SKIP_ONLY) {
            at += RELOC_SKIP_ONLY - 1;
            continue;
        }
        at += *skip;
        memcpy(&word, at, sizeof word);
        word += by;
        memcpy(at, &word, sizeof word);
    }
}

uint64_t slide_image(const struct machine *m)
{
    char word[4];
    uint32_t random;
    uint32_t credit = entropy_init() + entropy_add(m->seed, m->seed_len_bytes, UINT32_MAX);
    if (cmdline_get(m->cmdline, "kaslr", word, sizeof word) && strncmp(word, "off", sizeof word) == 0)
        return 0;
    if (credit == 0)
        return 0;
    entropy_fill(&random, sizeof random); /* which says nothing of the seed: the generator starts anew later */
    image_slide = (1 + random % SLIDE_STEPS_MAX) * SLIDE_STEP;
    relocate((uint32_t)image_slide);
    return image_slide;
}
