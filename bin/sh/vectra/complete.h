/* SPDX-License-Identifier: MIT
 * Tab: what could stand at the cursor. The first word of a command is a built-in or a program, the others are paths. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : size_t { COMPLETE_PATH_MAX = 1024 }; /* longer names are not completed */

struct sh_completion {
    uint32_t matches;
    size_t n_added;
    char added[COMPLETE_PATH_MAX]; /* what all matches go on with; a blank or a slash after a single one */
};

void sh_complete(const char *line, uint32_t cursor, struct sh_completion *out);
/* Prints the matches in columns. */
void sh_complete_list(const char *line, uint32_t cursor, uint32_t columns);

/* Where the word at the cursor begins, and whether it is the first of its command. Pure. */
uint32_t sh_complete_word(const char *line, uint32_t cursor, bool *first);
