/* SPDX-License-Identifier: MIT
 * The interrupt translation service of a GICv3: a device stores the number of one of its events, the ITS makes of
 * device and event the interrupt that the kernel hears. Its tables and its queue of commands are memory of ours. */
#pragma once
#include <abi/machine.h>

/* Takes the ITS over, for devices whose id (a PCI address) is below `ids`. False: there is none, or it wants more than
 * is offered; then it is off and devices use their lines. */
bool its_start(const struct machine *m, uint32_t ids);
/* From now on event i of that device is LPI number first + i, for i below n. False: not so. Once for each device. */
bool its_map(uint32_t id, uint32_t first, uint32_t n);
