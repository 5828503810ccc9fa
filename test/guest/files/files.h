/* SPDX-License-Identifier: MIT
 * What the parts of the test of files share. */
#pragma once
#include <fs/client.h>
#include <test/guest/common/check.h>

enum : uint32_t { RW = VX_FS_READ | VX_FS_WRITE };
extern struct fs_client client;

/* What a program can send that does not use the library: FIND, by itself, in a session in which nothing is under way.
 */
status_t find_past_vfsd(struct fs_session *s, uint32_t file, uint32_t access, const char *text, size_t bytes);
void test_shortcuts(void);
void test_locks(void);
void test_watch(void);
void test_crowd(void);
void test_threads(void);
/* Each pair of operations for some milliseconds, in a new directory of that name, until the seconds are over. */
void test_races(const char *in, uint64_t ms, uint64_t seconds);
int death_main(const char *role);
