/* SPDX-License-Identifier: MIT
 * FAT volumes as a person makes and checks them: one program under two names, mkfs.fat and fsck.fat. */
#include "volume.h"
#include <string.h>

int main(int argc, char **argv)
{
    const char *slash = argc != 0 ? strrchr(argv[0], '/') : nullptr;
    const char *name = argc == 0 ? "" : slash != nullptr ? slash + 1 : argv[0];
    if (strcmp(name, "mkfs.fat") == 0)
        return run_mkfs(argc, argv);
    if (strcmp(name, "fsck.fat") == 0)
        return run_fsck(argc, argv);
    return complain(name, "call it mkfs.fat or fsck.fat") + 1;
}
