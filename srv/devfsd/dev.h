/* SPDX-License-Identifier: MIT
 * Devices that are nothing but an idea, as a file system: null, zero, full, random, urandom; and the names console and
 * tty, whose bytes are the business of the program's own terminal session: what reads or writes them here is told
 * NOT_SUPPORTED, and knows them by their numbers. shm is an empty directory, to be mounted over. Pure. */
#pragma once
#include <fs/server.h>

void dev_init(struct fs_backend *b, void (*random)(void *to, size_t bytes));
