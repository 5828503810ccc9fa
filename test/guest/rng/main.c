/* SPDX-License-Identifier: MIT
 * Takes bytes from rngd and looks whether they could be random. `./vectra test storage` runs it on a machine that has
 * the device. */
// guest: helper
#define CHECK_DEFINE
#include <test/guest/common/check.h>
#include <vectra/rpc_rng.h>
#include <vectra/time.h>

enum { PARTS = 64, PART = 48, BUSY_TRIES = 200 };

static status_t take(struct vx_client *c, uint8_t *to)
{
    size_t len = 0;
    status_t st = ERR_BUSY;
    for (unsigned i = 0; i < BUSY_TRIES && st == ERR_BUSY; i++) {
        st = vx_rng_bytes(c, PART, to, &len);
        if (st == ERR_BUSY)
            vx_sleep_ns(VX_NS_PER_MS);
    }
    return st == OK && len != PART ? ERR_TOO_BIG : st;
}

int main(int, char **)
{
    static uint8_t bytes[PARTS][PART];
    struct vx_client c = {};
    uint32_t ones = 0, same = 0;
    uint64_t taken = 0, given = 0;
    uint8_t data[PART];
    size_t len = 0;
    check_status("rng: there is a service of that name", OK, vx_connect("rng", &c));
    status_t st = OK;
    for (unsigned i = 0; i < PARTS && st == OK; i++)
        st = take(&c, bytes[i]);
    check_status("rng: bytes come", OK, st);
    for (unsigned i = 0; i < PARTS; i++) {
        for (unsigned k = 0; k < PART; k++)
            ones += (uint32_t)__builtin_popcount(bytes[i][k]);
        for (unsigned k = 0; k < i; k++)
            same += memcmp(bytes[i], bytes[k], PART) == 0;
    }
    CHECK("rng: half of the bits are ones", ones > PARTS * PART * 4 - 1000 && ones < PARTS * PART * 4 + 1000);
    CHECK("rng: nothing is given twice", same == 0);
    check_status("rng: none is no number of bytes", ERR_BAD_ARGUMENT, vx_rng_bytes(&c, 0, data, &len));
    check_status("rng: it counts", OK, vx_rng_statistics(&c, &taken, &given));
    vx_printf("# took %llu, gave %llu\n", (unsigned long long)taken, (unsigned long long)given);
    CHECK("rng: it gave what it took, once", given == PARTS * PART && taken >= given);
    return check_done();
}
