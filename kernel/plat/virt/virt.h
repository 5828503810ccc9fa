/* SPDX-License-Identifier: MIT
 * What the files of this board share. */
#pragma once
#include <kernel/firmware/machine.h>

void gic_init(struct machine *m);
