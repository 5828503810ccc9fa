/* SPDX-License-Identifier: MIT
 * Where output goes: the terminal session of the Bundle, or else the kernel's console. Programs of the C library have
 * descriptors, and another one of these (lib/libposix/out.c). */
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_console.h>

static status_t out_console(const uint8_t *bytes, size_t len)
{
    vx_console console = vx_bundle_console("console");
    status_t st = console.raw == VX_HANDLE_NONE ? ERR_NOT_FOUND : OK;
    while (st == OK && len != 0) {
        uint64_t taken = 0;
        st = vx_sys_console_write(console.raw, bytes, len < CONSOLE_WRITE_MAX ? len : CONSOLE_WRITE_MAX, &taken);
        bytes += taken;
        len -= taken;
    }
    return st;
}

status_t vx_out(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    struct vx_client *tty = vx_tty();
    if (tty == nullptr)
        return out_console(at, len);
    while (len != 0) {
        constexpr size_t part_max = sizeof((struct vx_console_write_request *)nullptr)->data;
        size_t part = len < part_max ? len : part_max;
        uint32_t written = 0;
        status_t st = vx_console_write(tty, at, part, &written);
        if (st != OK)
            return st;
        if (written == 0 || written > part)
            return ERR_PEER_CLOSED;
        at += written;
        len -= written;
    }
    return OK;
}
