/* SPDX-License-Identifier: MIT
 * The shell's language on the building machine: without the system's built-in commands and line editing. */
#include <bin/sh/builtin.h>
#include <bin/sh/out.h>
#include <bin/sh/terminal.h>
#include <string.h>
#include <unistd.h>

const struct builtin builtins_system[] = { {} };

void system_begin(bool interactive)
{
    (void)interactive;
}

bool system_kill(pid_t pid)
{
    (void)pid;
    return false;
}

bool system_line(const char *prompt, const char **line, size_t *len)
{
    static char bytes[4096];
    (void)fd_write(2, prompt, strlen(prompt));
    *len = 0;
    while (*len < sizeof bytes && read(0, bytes + *len, 1) == 1)
        if (bytes[(*len)++] == '\n')
            break;
    *line = bytes;
    return *len != 0;
}
