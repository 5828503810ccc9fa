/* SPDX-License-Identifier: MIT
 * See block/name.h. */
#include <block/name.h>
#include <stddef.h>

static const char prefix[] = "blk";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool block_names_overlap(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] == b[n] && a[n] != '\0')
        n++;
    /* one ends where the other goes on to a partition */
    return n != 0 && ((a[n] == '\0' && b[n] == '\0') || (a[n] == '\0' && b[n] == 'p') || (b[n] == '\0' && a[n] == 'p'));
}

/* Behind a number without a leading zero; nullptr: there is none. */
static const char *skip_number(const char *at)
{
    if (!is_digit(*at) || (at[0] == '0' && is_digit(at[1])))
        return nullptr;
    while (is_digit(*at))
        at++;
    return at;
}

bool block_name_ok(const char *name)
{
    const char *at = name;
    for (size_t i = 0; prefix[i] != '\0'; i++) {
        if (*at++ != prefix[i])
            return false;
    }
    at = skip_number(at);
    if (at != nullptr && *at == 'p' && at[1] != '0')
        at = skip_number(at + 1);
    return at != nullptr && *at == '\0';
}
