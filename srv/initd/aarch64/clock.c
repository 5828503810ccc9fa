/* SPDX-License-Identifier: MIT
 * PL031. Source: [PL031] "Programmers model". */
#include "../initd.h"
#include <platform/platform.h>
#include <vectra/syscall.h>

status_t clock_chip_read(vx_device registers, const struct rtc_info *chip, uint64_t *seconds)
{
    void *at = nullptr;
    status_t st = chip->kind == RTC_PL031 ? vx_sys_device_map_mmio(registers, 0, 4096, &at) : ERR_NOT_SUPPORTED;
    if (st != OK)
        return st;
    *seconds = *(const volatile uint32_t *)at; /* RTCDR */
    return OK;
}
