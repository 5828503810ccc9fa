/* SPDX-License-Identifier: MIT
 * From a Task's first instruction to the C library's: the Bundle's strings become what it expects on the stack,
 * `argc, argv, 0, envp, 0, auxiliary vector`, in one array, because it finds the later parts behind the earlier ones.
 */
#include "process.h"
#include "records.h"
#include "thread.h"
#include "trace.h"
#include "../libvectra/start.h"
#include <vectra/panic.h>
#include <elf.h>

enum { AUX_PAIRS = 16, RANDOM_BYTES = PX_RANDOM_BYTES, ID = 1000, PHDR_BYTES = 56 };

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*loader)(void));

/* How many strings a slot of NUL-terminated strings has; one without its NUL does not count. */
static size_t count_strings(const char *bytes, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += bytes[i] == '\0';
    return n;
}

static char **place_strings(char **out, char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = bytes;
        bytes += strlen(bytes) + 1;
    }
    *out++ = nullptr;
    return out;
}

static void place_facts(size_t *out, const struct vx_bundle *bundle, const uint8_t *random, const char *name)
{
    const size_t facts[][2] = {
        { AT_PHDR, bundle->phdr_address },
        { AT_PHENT, PHDR_BYTES },
        { AT_PHNUM, bundle->phdr_count },
        { AT_PAGESZ, PX_PAGE },
        { AT_RANDOM, (size_t)random },
        { AT_UID, ID },
        { AT_EUID, ID },
        { AT_GID, ID },
        { AT_EGID, ID },
        { AT_SECURE, 0 },
        { AT_CLKTCK, 100 },
        { AT_EXECFN, (size_t)name },
        { AT_NULL, 0 },
    };
    static_assert(sizeof facts / sizeof facts[0] <= AUX_PAIRS);
    memcpy(out, facts, sizeof facts);
}

[[noreturn]] void __vectra_start(const struct vx_bundle *bundle, int (*main)(int, char **, char **))
{
    if (!vx_relocate(bundle))
        vx_sys_task_exit(VX_PANIC_STATUS);
    vx_bundle_adopt(bundle);
    size_t argv_len = 0, env_len = 0;
    const char *argv_bytes = vx_bundle_bytes("argv", &argv_len), *env_bytes = vx_bundle_bytes("env", &env_len);
    size_t argc = count_strings(argv_bytes, argv_len), envc = count_strings(env_bytes, env_len);
    /* Programs may write into their arguments; the Bundle is read-only. */
    char *text = __builtin_alloca(argv_len + env_len + 1);
    memcpy(text, argv_bytes, argv_len);
    memcpy(text + argv_len, env_bytes, env_len);
    uint8_t *random = __builtin_alloca(RANDOM_BYTES);
    if (!px_process_init(random))
        (void)vx_sys_getrandom(random, RANDOM_BYTES, nullptr);
    char **argv = __builtin_alloca_with_align((argc + envc + 2 + 2 * AUX_PAIRS) * sizeof *argv, 128);
    char **at = place_strings(argv, text, argc);
    at = place_strings(at, text + argv_len, envc);
    place_facts((size_t *)(void *)at, bundle, random, argc != 0 ? argv[0] : "");
    px_trace_init(env_bytes, env_len);
    __libc_start_main(main, (int)argc, argv, nullptr, nullptr, nullptr);
    __builtin_trap();
}
