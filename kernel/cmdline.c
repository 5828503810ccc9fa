/* SPDX-License-Identifier: MIT
 * Reads the kernel command line; see cmdline.h. Pure. */
#include <kernel/cmdline.h>
#include <base/string.h>

bool cmdline_get(const char *cmdline, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    bool found = false;
    for (const char *p = cmdline; *p != 0;) {
        while (*p == ' ')
            p++;
        const char *end = p;
        while (*end != 0 && *end != ' ')
            end++;
        if ((size_t)(end - p) > n && p[n] == '=' && strncmp(p, name, n) == 0) {
            size_t len = (size_t)(end - p) - n - 1;
            if (len > room - 1)
                len = room - 1;
            memcpy(out, p + n + 1, len);
            out[len] = 0;
            found = true;
        }
        p = end;
    }
    return found;
}
