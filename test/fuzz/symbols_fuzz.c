/* SPDX-License-Identifier: MIT
 * Any bytes as a program's file, searched for names as procd does it for a program that crashed: nothing outside is
 * read, and a name fits, ends and can be shown. The first 16 bytes are the addresses. */
// sources: lib/libvectra/symbols.c
#include "require.h"
#include <vectra/symbols.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vx_symbol s[2] = {};
    if (size < sizeof(uint64_t) * 2)
        return 0;
    memcpy(&s[0].address, data, sizeof s[0].address);
    memcpy(&s[1].address, data + sizeof s[0].address, sizeof s[1].address);
    size -= sizeof(uint64_t) * 2;
    uint8_t *bytes = exact_copy(data + sizeof(uint64_t) * 2, size);
    vx_symbols_find_in(bytes, size, s, 2);
    for (size_t i = 0; i < 2; i++) {
        require(bounded_length(s[i].name, sizeof s[i].name) < sizeof s[i].name);
        for (const char *c = s[i].name; *c != '\0'; c++)
            require(*c > ' ' && *c <= '~');
        require(s[i].name[0] == '\0' || s[i].start <= s[i].address);
    }
    free(bytes);
    return 0;
}
