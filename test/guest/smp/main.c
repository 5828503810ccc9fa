/* SPDX-License-Identifier: MIT
 * /test/smp: see smp.h. The time page says how many harts run; with one, what needs two is left out or asks for less.
 */
// guest: smp 1 4 within 400
#define CHECK_DEFINE
#include "smp.h"

int main(int argc, char **argv)
{
    if (argc > 2 && vx_streq(argv[1], "stale"))
        return part_stale(argv[2]);
    if (argc > 1 && vx_streq(argv[1], "user"))
        return part_user();
    if (argc > 1 && vx_streq(argv[1], "echo"))
        return part_echo();
    vx_mem image = {};
    if (vx_image_find("/test/smp", &image) != OK)
        return 2;
    vx_printf("# %u harts run, %u bytes of vector state\n", play_harts(), vec_bytes());
    test_harts();
    test_stale(image);
    test_copies();
    test_futex(image);
    test_vectors();
    test_accounting();
    test_bands();
    test_races();
    CHECK("the system runs on", SYS(getpid).value == vx_bundle()->task_id);
    return check_done();
}
