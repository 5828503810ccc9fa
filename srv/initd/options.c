/* SPDX-License-Identifier: MIT */
#include "options.h"
#include <vectra/string.h>

bool option_find(const char *text, size_t len, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    const char *value = nullptr;
    size_t value_len = 0;
    for (size_t at = 0; at < len;) {
        size_t end = at;
        while (end < len && text[end] != ' ' && text[end] != '\0')
            end++;
        if (end - at > n && text[at + n] == '=' && memcmp(text + at, name, n) == 0) {
            value = text + at + n + 1;
            value_len = end - at - n - 1;
        }
        at = end + 1;
    }
    if (value == nullptr || value_len >= room)
        return false;
    memcpy(out, value, value_len);
    out[value_len] = '\0';
    return true;
}
