/* SPDX-License-Identifier: MIT
 * Times as FAT keeps them: years 1980 to 2107, in steps of two seconds, or ten milliseconds where there is room for
 * them. The format knows no time zone; this is UTC. */
#include "fat.h"

enum { FIRST_YEAR = 1980, LAST_YEAR = 2107, DAYS_TO_FIRST = 3652, SECONDS_A_DAY = 86400 };
static constexpr uint64_t second_ns = 1'000'000'000, ten_ms_ns = 10'000'000;

/* Days from 1970-01-01 to the first of a month, by the rule of the years from 1980 to 2107, in which only 2100 is odd.
 */
static uint32_t days_before(uint32_t year, uint32_t month)
{
    static const uint16_t to_month[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    uint32_t since = year - FIRST_YEAR;
    uint32_t days = DAYS_TO_FIRST + 365 * since + (since + 3) / 4 - (year > 2100 ? 1 : 0) + to_month[month - 1];
    bool leap = year % 4 == 0 && year != 2100;
    return days + (leap && month > 2 ? 1 : 0);
}

void time_to_fat(uint64_t ns, uint16_t *date, uint16_t *time, uint8_t *ten_ms)
{
    uint64_t seconds = ns / second_ns;
    uint32_t days = (uint32_t)(seconds / SECONDS_A_DAY), rest = (uint32_t)(seconds % SECONDS_A_DAY);
    uint32_t year = FIRST_YEAR, month = 1, fine = (uint32_t)(ns % second_ns / ten_ms_ns);
    if (seconds / SECONDS_A_DAY < DAYS_TO_FIRST) {
        days = DAYS_TO_FIRST;
        rest = fine = 0;
    } else if (seconds / SECONDS_A_DAY >= days_before(LAST_YEAR, 12) + 31) {
        days = days_before(LAST_YEAR, 12) + 30;
        rest = SECONDS_A_DAY - 1;
    }
    while (year < LAST_YEAR && days_before(year + 1, 1) <= days)
        year++;
    while (month < 12 && days_before(year, month + 1) <= days)
        month++;
    *date = (uint16_t)((year - FIRST_YEAR) << 9 | month << 5 | (days - days_before(year, month) + 1));
    *time = (uint16_t)(rest / 3600 << 11 | rest / 60 % 60 << 5 | rest % 60 / 2);
    *ten_ms = (uint8_t)(rest % 2 * 100 + fine);
}

uint64_t time_from_fat(uint16_t date, uint16_t time, uint8_t ten_ms)
{
    uint32_t month = date >> 5 & 15, day = date & 31;
    /* Fields that are beyond their range (0: never set) count as the nearest that is not. */
    month = month < 1 ? 1 : month > 12 ? 12 : month;
    day = day < 1 ? 1 : day;
    uint64_t days = days_before(FIRST_YEAR + (date >> 9), month) + day - 1;
    uint64_t seconds = days * SECONDS_A_DAY + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
    return seconds * second_ns + (ten_ms < 200 ? ten_ms : 199) * ten_ms_ns;
}
