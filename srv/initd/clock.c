/* SPDX-License-Identifier: MIT
 * The wall clock: read once from the clock chip, before anything else is started, and written into the time page, of
 * which "clock" is the only writable mapping there is. */
#include "initd.h"
#include <abi/timepage.h>
#include <vectra/bundle.h>
#include <vectra/time.h>

void clock_set(void)
{
    const struct rtc_info *chip;
    vx_handle_t registers;
    uint64_t seconds;
    void *at = nullptr;
    if (source_clock_chip(&registers, &chip) != OK)
        return;
    if (clock_chip_read((vx_device){ registers }, chip, &seconds) == OK &&
        vx_sys_mem_map(vx_bundle_mem("clock"), 0, sizeof(struct vx_time_page), 0, VX_PROT_READ | VX_PROT_WRITE, &at) ==
            OK) {
        struct vx_time_page *page = at;
        /* Nobody else runs yet, so no reader can see it half done. */
        page->realtime_base_ns = seconds * 1000000000 - vx_clock_monotonic_ns();
        (void)vx_sys_mem_free(VX_NO_MEM, (uintptr_t)at, page->page_bytes);
    }
    (void)vx_sys_cap_drop(registers); /* and with it the right to touch them */
}
