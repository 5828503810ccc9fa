/* SPDX-License-Identifier: MIT
 * Numbers for people. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* "512 B", "4.0 KiB", "1.5 GiB". Returns out. */
const char *sh_bytes(uint64_t bytes, char *out, size_t room);

struct sh_date {
    uint32_t year, month, day, hour, minute, second;
};
/* Of seconds since 1970-01-01, UTC. */
struct sh_date sh_date(uint64_t seconds);

/* Two columns of letters for rights: R W X S(end) V(receive) A(wait) G(signal) B(ind) C(opy) M(ove) K(revoke) D(estroy)
 * I(nspect) P(DMA), a '-' for each that is missing. out has room for 15. Returns out. */
const char *sh_rights_letters(uint16_t rights, char out[static 15]);
