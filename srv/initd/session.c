/* SPDX-License-Identifier: MIT
 * The terminal session of the shell, and the one command of /run/exec: its output stands between two markers that the
 * machine's owner looks for, and its exit status is in the second. */
#include "initd.h"
#include <vectra/bundle.h>
#include <vectra/cpio.h>
#include <vectra/io.h>
#include <vectra/rpc_console.h>
#include <vectra/string.h>

status_t session_open(struct vx_client *tty)
{
    status_t st = naming_connect_to("console", tty);
    if (st != OK || initd.command == nullptr)
        return st;
    tty->timeout_ns = INITD_CALL_NS;
    uint32_t previous = 0;
    /* Bytes pass unchanged both ways, but for ^C: who watches a command can end it. */
    st = vx_console_set_mode(tty, VX_CONSOLE_MODE_INTR, &previous);
    if (st == OK) {
        vx_printf("\x02VX-BEGIN %.*s\n", (int)initd.nonce_len, initd.nonce);
        initd.quiet = true;
    }
    return st;
}

/* The command has ended: so does the machine. */
void session_ended(const struct unit *u)
{
    if (initd.command == nullptr)
        return;
    initd.quiet = false;
    vx_printf("\x03VX-END %.*s %u\n", (int)initd.nonce_len, initd.nonce, vx_exit_code(u->status, u->cause));
    initd.exit_status = 0;
    initd.service.stopping = true;
}

/* Line 1 of /run/exec is the nonce, the rest the command. The file lives in the mapped archive; the command is copied
 * to end in a NUL. */
void exec_load(void)
{
    static char command[12288];
    struct vx_cpio archive = {};
    struct vx_cpio_entry entry = {};
    if (vx_initrd(&archive) != OK || vx_cpio_find(&archive, "/run/exec", &entry) != OK || entry.data_len == 0)
        return;
    const char *text = (const char *)entry.data;
    const char *newline = memchr(text, '\n', entry.data_len);
    size_t nonce_len = newline != nullptr ? (size_t)(newline - text) : entry.data_len;
    size_t rest = newline != nullptr ? entry.data_len - nonce_len - 1 : 0;
    initd.nonce = text;
    initd.nonce_len = nonce_len < 64 ? nonce_len : 64;
    while (rest != 0 && newline[rest] == '\n')
        rest--;
    if (rest >= sizeof command) {
        vx_printf("initd: /run/exec: the command is longer than %zu bytes\n", sizeof command - 1);
        rest = 0;
    }
    if (rest != 0)
        memcpy(command, newline + 1, rest);
    initd.command = command;
}
