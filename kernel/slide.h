/* SPDX-License-Identifier: MIT
 * Where the kernel runs: a random number of 2 MiB steps above the addresses that it is linked at, so that who finds a
 * fault in it does not know where its code and data are. */
#pragma once
#include <stdint.h>

struct machine;

/* At most so many steps. The first GiB from 0xffffffff80000000 is mapped at boot, it has 512, and where the image is
 * linked it lies within the first two of them (kernel.ld holds that). */
static constexpr uint64_t SLIDE_STEP = UINT64_C(1) << 21, SLIDE_STEPS_MAX = 512 - 2;

/* By how many bytes it was moved. 0: not at all, as the command line has kaslr=off, or nobody offers randomness. */
extern uint64_t image_slide;

/* Chooses, corrects every address that the image holds, and answers image_slide. The image must be mapped at both
 * places, writable. Whatever is written before may hold no address of the image, but for what is written once more. */
uint64_t slide_image(const struct machine *m);
