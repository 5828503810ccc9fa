/* SPDX-License-Identifier: MIT */
#include "program.h"
#include <abi/fs.h>
#include <abi/timepage.h>
#include <fs/client.h>
#include <vectra/cpio.h>
#include <vectra/string.h>

bool program_read(const struct proc *p, uint64_t from, void *to, size_t bytes)
{
    uint8_t *at = to;
    uint64_t done = 0;
    for (; bytes != 0; bytes -= done, from += done, at += done) /* the kernel says how far it got */
        if (vx_sys_task_control(p->task, VX_TASK_READ_MEM, from, (uintptr_t)at, bytes, &done, nullptr) != OK ||
            done == 0)
            return false;
    return true;
}

const struct vx_bundle *program_bundle(const struct proc *p)
{
    alignas(8) static uint8_t copy[BUNDLE_MAX_BYTES];
    struct vx_bundle head;
    if (!program_read(p, VX_BUNDLE_ADDRESS, &head, sizeof head) || head.bytes < sizeof head ||
        head.bytes > sizeof copy || !program_read(p, VX_BUNDLE_ADDRESS, copy, head.bytes) ||
        vx_bundle_check(copy, head.bytes) != OK)
        return nullptr;
    return (const struct vx_bundle *)(const void *)copy;
}

const char *program_variable(const struct vx_bundle *bundle, const char *name, size_t *len)
{
    size_t bytes, wanted = strlen(name);
    const char *at = vx_bundle_bytes_in(bundle, "env", &bytes), *end = at + bytes;
    while (at != nullptr && at < end) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        *len = (size_t)((stop != nullptr ? stop : end) - at);
        if (*len > wanted && memcmp(at, name, wanted) == 0 && at[wanted] == '=') {
            *len -= wanted + 1;
            return at + wanted + 1;
        }
        at += *len + 1;
    }
    return nullptr;
}

struct fs_client *program_files(void)
{
    static struct fs_client files;
    static bool connected;
    files.buffer_bytes = 64 * 1024;
    connected = connected || fs_connect(&files) == OK;
    return connected ? &files : nullptr;
}

/* --- the program's file: where it lies in the initial RAM disk, or an open one --- */

static bool read_file(void *ctx, uint64_t at, void *to, size_t bytes)
{
    size_t done = 0;
    return fs_read(ctx, at, to, bytes, &done) == OK && done == bytes;
}

static void names_of(const char *path, struct vx_symbol *symbol, size_t n)
{
    struct vx_cpio archive;
    struct vx_cpio_entry e;
    struct fs_file file;
    if (vx_initrd(&archive) == OK && vx_cpio_find(&archive, path, &e) == OK) {
        vx_symbols_find_in(e.data, e.data_len, symbol, n);
        return;
    }
    struct fs_client *c = program_files();
    if (c == nullptr || fs_open(c, path, 0, VX_FS_READ, 0, &file, nullptr, nullptr) != OK)
        return;
    vx_symbols_find(&(struct vx_symbol_file){ read_file, &file }, symbol, n);
    fs_close(&file);
}

void program_names(const struct vx_bundle *bundle, struct vx_symbol *symbol, size_t n)
{
    char path[VX_FS_PATH_MAX + 1];
    size_t len;
    const char *program = vx_bundle_bytes_in(bundle, "posix.program", &len);
    for (size_t i = 0; i < n; i++)
        symbol[i].name[0] = '\0';
    if (program == nullptr || len == 0 || len >= sizeof path)
        return;
    memcpy(path, program, len);
    path[len] = '\0';
    for (size_t i = 0; i < n; i++)
        symbol[i].address -= bundle->image_base;
    names_of(path, symbol, n);
    for (size_t i = 0; i < n; i++) {
        symbol[i].address += bundle->image_base;
        symbol[i].start += bundle->image_base;
    }
}
