/* SPDX-License-Identifier: MIT
 * A virtqueue whose device writes anything anywhere in the shared memory, between any calls of the driver. Tokens come
 * back at most once, counts stay true, nothing outside is touched. */
// sources: lib/libvirtio/virtq.c
#include "require.h"
#include <virtio/virtq.h>

enum { SIZE = 8, TOKENS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct virtq_slot slots[SIZE];
    struct virtq_desc table[4];
    struct virtq q;
    bool out[TOKENS] = {};
    unsigned n_out = 0;
    if (size == 0)
        return 0;
    bool packed = (data[0] & 1) != 0;
    size_t bytes = virtq_bytes(SIZE, packed);
    uint8_t *shared = aligned_alloc(16, (bytes + 15) & ~(size_t)15);
    require(shared != nullptr);
    memset(shared, 0, bytes);
    virtq_init(&q, SIZE, packed, (data[0] & 2) != 0, (data[0] & 4) != 0, shared, 0x1000, slots);
    for (size_t i = 1; i + 2 < size; i += 3) {
        uint8_t what = data[i], a = data[i + 1], b = data[i + 2];
        if (what < 0x50) {
            struct virtq_segment s[4] = { { a, b }, { b, a }, { a, a }, { b, b } };
            const struct virtq_indirect t = { table, 0x8000, 4 };
            uint64_t token = b % TOKENS;
            uint16_t n = a % 5, ins = n != 0 ? b % (n + 1u) : 0;
            if (!out[token] && virtq_add(&q, s, n - ins, ins, (what & 1) != 0 ? &t : nullptr, token) == OK) {
                out[token] = true;
                n_out++;
            }
        } else if (what < 0x80) {
            uint64_t token = 0;
            uint32_t written = 0;
            if (virtq_take(&q, &token, &written) == OK) {
                require(token < TOKENS && out[token] && written <= 4 * 255);
                out[token] = false;
                n_out--;
            }
        } else if (what < 0x90) {
            (void)virtq_should_notify(&q);
            (void)virtq_listen(&q, q.n_busy / 2);
            virtq_deafen(&q);
        } else {
            shared[(what * 256u + a) % bytes] = b;
        }
        require(q.n_busy == n_out && q.n_free <= SIZE);
    }
    free(shared);
    return 0;
}
