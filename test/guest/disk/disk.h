/* SPDX-License-Identifier: MIT
 * What the parts of the test of disks share. */
#pragma once
#include <fs/client.h>
#include <test/guest/common/check.h>

enum : uint32_t { RW = VX_FS_READ | VX_FS_WRITE, LARGE = 1 << 20 };
extern struct fs_client client;
extern uint64_t out[LARGE / 8], in[LARGE / 8];

/* `out` becomes what belongs into file `number` at this offset, a multiple of 8. */
void fill(uint32_t number, uint64_t offset, size_t bytes);

int full_main(const char *in_directory);
int large_main(uint32_t mebibytes, uint32_t rounds);
