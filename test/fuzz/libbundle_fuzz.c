/* SPDX-License-Identifier: MIT
 * Any bytes as a Bundle in user space: what the check accepts can be read in full, and each name finds its own slot. If
 * the first byte is odd, the header's fixed fields are right. */
// sources: lib/libvectra/bundle.c
#include "require.h"
#include <vectra/bundle.h>

static unsigned read_all(const uint8_t *at, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += at[i];
    return sum;
}

static void use(const struct vx_bundle *b, size_t size)
{
    static volatile unsigned sink;
    const struct vx_slot *slots = vx_bundle_slots(b);
    require(b->bytes <= size && b->n_slots <= BUNDLE_MAX_SLOTS);
    for (unsigned i = 0; i < b->n_slots; i++) {
        size_t len = 0;
        require(vx_bundle_find(b, slots[i].name) == &slots[i]);
        const uint8_t *at = vx_bundle_bytes_in(b, slots[i].name, &len);
        require((at != nullptr) == (slots[i].kind == VX_SLOT_BYTES));
        if (at != nullptr) {
            require(at >= (const uint8_t *)b && len <= (size_t)((const uint8_t *)b + size - at));
            sink += read_all(at, len);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t bytes = size - 1;
    struct vx_bundle *b = exact_copy(data + 1, bytes);
    if ((data[0] & 1) != 0 && bytes >= sizeof *b) {
        b->magic = VX_BUNDLE_MAGIC;
        b->version = VX_BUNDLE_VERSION;
        b->bytes = (uint32_t)bytes;
        b->slots_at = sizeof *b;
    }
    if (vx_bundle_check(b, bytes) == OK)
        use(b, bytes);
    free(b);
    return 0;
}
