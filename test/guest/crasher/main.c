/* SPDX-License-Identifier: MIT
 * /test/crasher: a service that ends badly, for test/boot/supervision*.t and etc/services.test. Its words are done one
 * after another: `ready` tells initd so, `wait` sleeps for 50 ms, `write` writes to address 8, `stack` runs out of
 * stack, `exit` ends with the status that follows; without one of the last three it runs until somebody ends it. */
// guest: helper
#include <vectra/rpc_init.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

enum { WAIT_MS = 50, BAD_WORD = 99 };

static void write_to_8(void)
{
    volatile uint32_t *nowhere = (volatile uint32_t *)(uintptr_t)8;
    __asm__("" : "+r"(nowhere)); /* not known to the compiler as a null pointer's neighbour */
    *nowhere = 1;
}

[[clang::noinline]] static uint32_t dig(volatile uint32_t *above)
{
    volatile uint32_t here[256];
    here[0] = *above + 1;
    return here[0] == 0 ? 0 : dig(here) + here[0]; /* 2^32 levels: no stack has them */
}

static uint64_t number(const char *text)
{
    uint64_t value = 0;
    return text != nullptr && vx_parse_u64(text, strlen(text), &value) ? value : BAD_WORD;
}

int main(int argc, char **argv)
{
    struct vx_client init = {};
    for (int i = 1; i < argc; i++) {
        if (vx_streq(argv[i], "ready") && vx_client_from_bundle(&init, "init") == OK)
            (void)vx_init_ready(&init); /* what it is good for shows in the service's state */
        else if (vx_streq(argv[i], "wait"))
            vx_sleep_ns(WAIT_MS * VX_NS_PER_MS);
        else if (vx_streq(argv[i], "write"))
            write_to_8();
        else if (vx_streq(argv[i], "stack"))
            return (int)dig(&(volatile uint32_t){ 0 });
        else if (vx_streq(argv[i], "exit"))
            return (int)number(i + 1 < argc ? argv[i + 1] : nullptr);
        else
            return BAD_WORD;
    }
    for (;;)
        vx_sleep_ns(VX_NS_PER_S);
}
