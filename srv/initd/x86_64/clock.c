/* SPDX-License-Identifier: MIT
 * The clock chip of a PC. Source: [MC146818A] "Address map", "Registers". */
#include "../initd.h"
#include <platform/platform.h>
#include <vectra/syscall.h>

static constexpr uint16_t CMOS_INDEX = 0x70, CMOS_DATA = 0x71;
static constexpr unsigned POLLS_MAX = 100'000;

struct cmos_time {
    uint8_t second, minute, hour, day, month, year, century;
};

static uint8_t cmos_read(uint8_t index)
{
    uint8_t value;
    __asm__ volatile("outb %0, %1" ::"a"(index), "Nd"(CMOS_INDEX));
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(CMOS_DATA));
    return value;
}

static struct cmos_time cmos_read_time(uint8_t century)
{
    return (struct cmos_time){ cmos_read(0),
                               cmos_read(2),
                               cmos_read(4),
                               cmos_read(7),
                               cmos_read(8),
                               cmos_read(9),
                               century != 0 ? cmos_read(century) : 0 };
}

static bool same_time(const struct cmos_time *a, const struct cmos_time *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour && a->day == b->day &&
           a->month == b->month && a->year == b->year && a->century == b->century;
}

/* Status register B, bit 2: the clock counts in binary. */
static uint32_t number(uint8_t v, uint8_t mode)
{
    return (mode & 4) != 0 ? v : (uint32_t)(v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; years start in March, so that leap days come last. */
static uint64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    year -= month <= 2;
    uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (uint64_t)year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

status_t clock_chip_read(vx_device registers, const struct rtc_info *chip, uint64_t *seconds)
{
    void *port;
    status_t st = chip->kind == RTC_CMOS ? vx_sys_device_map_mmio(registers, 0, 2, &port) : ERR_NOT_SUPPORTED;
    if (st != OK)
        return st;
    struct cmos_time t = {}, again = cmos_read_time(chip->cmos_century);
    unsigned tries = 0;
    do { /* two equal readings outside an update */
        if (++tries == POLLS_MAX)
            return ERR_NOT_SUPPORTED;
        t = again;
        again = cmos_read_time(chip->cmos_century);
    } while ((cmos_read(0x0a) & 0x80) != 0 || !same_time(&t, &again));
    uint8_t mode = cmos_read(0x0b);
    uint32_t second = number(t.second, mode), minute = number(t.minute, mode), hour = number(t.hour & 0x7f, mode);
    uint32_t day = number(t.day, mode), month = number(t.month, mode);
    uint32_t year = number(t.year, mode), century = number(t.century, mode);
    if ((mode & 2) == 0) /* twelve hours, and bit 7 for the second dozen */
        hour = hour % 12 + ((t.hour & 0x80) != 0 ? 12 : 0);
    year += century != 0 ? century * 100 : year < 70 ? 2000 : 1900;
    if (second > 60 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 || year < 1970)
        return ERR_NOT_SUPPORTED;
    *seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return OK;
}
