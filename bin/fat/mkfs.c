/* SPDX-License-Identifier: MIT
 * mkfs.fat: makes an empty FAT volume. The options that dosfstools has, as far as they mean something here. */
#include "volume.h"
#include <fat/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static int usage(void)
{
    (void)fputs("usage: mkfs.fat [-F 12|16|32] [-n LABEL] [-s SECTORS] [-i SERIAL] [-I] DISK|FILE\n"
                "  -F  bits of the table's entries; else by size\n"
                "  -n  the volume's name, at most 11 characters\n"
                "  -s  sectors of a cluster, a power of two\n"
                "  -i  the volume's number, in hexadecimal\n"
                "  -I  a whole disk, although it has a partition table\n",
                stderr);
    return 2;
}

static bool number(const char *text, int base, unsigned long most, unsigned long *out)
{
    char *end;
    *out = strtoul(text, &end, base);
    return end != text && *end == '\0' && *out <= most;
}

int run_mkfs(int argc, char **argv)
{
    static uint8_t scratch[FAT_FORMAT_SCRATCH];
    static struct place p;
    struct fat_format how = {};
    unsigned long bits = 0, sectors = 0, serial = 0;
    bool whole = false, has_serial = false;
    for (int c; (c = getopt(argc, argv, "F:n:s:i:I")) != -1;) {
        bool well = true;
        if (c == 'F')
            well = number(optarg, 10, 32, &bits) && (bits == 12 || bits == 16 || bits == 32);
        else if (c == 's')
            well = number(optarg, 10, 128, &sectors) && sectors != 0 && (sectors & (sectors - 1)) == 0;
        else if (c == 'i')
            well = has_serial = number(optarg, 16, UINT32_MAX, &serial);
        else if (c == 'n')
            well = strlen(how.label = optarg) <= FAT_LABEL_BYTES && optarg[0] != '\0';
        else if (c == 'I')
            whole = true;
        else
            well = false;
        if (!well)
            return usage();
    }
    if (optind != argc - 1)
        return usage();
    if (!place_open(&p, argv[optind], true))
        return 1;
    if (p.partitioned && !whole)
        return complain(p.name, "there is a partition table; name a partition, like %sp1, or say -I", p.name);
    if (p.fat.read_only)
        return complain(p.name, "it is read-only");
    how.bits = (uint8_t)bits;
    how.cluster_bytes = (uint32_t)sectors * p.fat.block_bytes;
    how.serial = (uint32_t)serial;
    if (!has_serial)
        (void)getentropy(&how.serial, sizeof how.serial);
    fat_status_t st = fat_format(&p.fat, &how, scratch);
    bool closed = place_close(&p);
    if (st == FAT_BAD_ARGUMENT)
        return complain(p.name, "no such volume fits into %llu blocks", (unsigned long long)p.fat.blocks);
    return st != FAT_OK ? complain(p.name, "%s", fat_status_text(st)) : closed ? 0 : 1;
}
