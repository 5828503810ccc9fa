/* SPDX-License-Identifier: MIT */
#include "show.h"
#include <stdio.h>

const char *sh_bytes(uint64_t bytes, char *out, size_t room)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    if (bytes < 1024) {
        (void)snprintf(out, room, "%u B", (unsigned)bytes);
        return out;
    }
    unsigned unit = 0;
    uint64_t scale = 1024;
    while (unit < 3 && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    (void)snprintf(out, room, "%llu.%llu %s", (unsigned long long)(bytes / scale),
                   (unsigned long long)(bytes % scale * 10 / scale), units[unit]);
    return out;
}

static bool is_leap(uint32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

struct sh_date sh_date(uint64_t seconds)
{
    static const uint8_t month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct sh_date d = { .year = 1970, .month = 1 };
    uint64_t days = seconds / 86400;
    uint32_t rest = (uint32_t)(seconds % 86400);
    d.hour = rest / 3600;
    d.minute = rest / 60 % 60;
    d.second = rest % 60;
    if (days > 3000000)
        days = 3000000; /* the year 10183: a clock that says so is broken */
    while (days >= 365u + is_leap(d.year))
        days -= 365u + is_leap(d.year++);
    for (; d.month < 12; d.month++) {
        uint32_t length = month_days[d.month - 1] + (d.month == 2 && is_leap(d.year));
        if (days < length)
            break;
        days -= length;
    }
    d.day = (uint32_t)days + 1;
    return d;
}

const char *sh_rights_letters(uint16_t rights, char out[static 15])
{
    static const char letters[] = "RWXSVAGBCMKDIP";
    for (unsigned i = 0; i < 14; i++)
        out[i] = (rights >> i & 1) != 0 ? letters[i] : '-';
    out[14] = '\0';
    return out;
}
