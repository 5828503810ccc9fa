/* SPDX-License-Identifier: MIT
 * Names of disks and of parts of them: "blk0" is a disk, "blk0p2" its second partition. */
#pragma once

/* True if both name the same blocks, at least in part: two equal names, or a disk and a partition of it. */
bool block_names_overlap(const char *a, const char *b);
/* True for "blk" and a number, with or without a partition. */
bool block_name_ok(const char *name);
