/* SPDX-License-Identifier: MIT
 * What the firmware of the board speaks: acpi/ or dt/. */
#pragma once
#include <platform/platform.h>

/* platform_read() but for the kernel's own part; nothing where there are no tables to be had. */
void platform_read_tables(struct platform *p);
