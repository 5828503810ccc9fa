/* SPDX-License-Identifier: MIT
 * /test/smp [PART]: see smp.h. With one hart, what needs two is left out or asks for less. */
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
    static const struct {
        const char *name;
        void (*run)(vx_mem image);
    } all[] = {
        { "harts", test_harts }, { "stale", test_stale },     { "copies", test_copies },
        { "futex", test_futex }, { "vectors", test_vectors }, { "accounting", test_accounting },
        { "bands", test_bands }, { "races", test_races },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (argc < 2 || vx_streq(argv[1], all[i].name))
            all[i].run(image);
    CHECK("the system runs on", SYS(getpid).value == vx_bundle()->task_id);
    return check_done();
}
