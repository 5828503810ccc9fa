/* SPDX-License-Identifier: MIT
 * The shell's commands that look at this system and steer it, beyond what POSIX asks of a shell. Authority decides what
 * they can do: the shell's Bundle. */
#pragma once
#include "../out.h"
#include "../shell.h"
#include <abi/timepage.h>
#include <stdint.h>
#include <string.h>
#include <vectra/bundle.h>
#include <vectra/io.h>
#include <vectra/rpc_init.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

struct tools {
    struct vx_client init; /* the line to initd */
    bool has_init;
    uint32_t columns; /* of the terminal */
};
extern struct tools tools;
void tools_begin(void);

/* "what: why", to standard error; answers `status`. */
[[gnu::format(printf, 2, 3)]] int tool_fail(int status, const char *format, ...);
int tool_usage(const char *name);
bool tool_out(const void *bytes, size_t len);
bool tool_at_terminal(void);
/* True after ^C. */
bool tool_interrupted(void);
/* Waits for `ns`, or until ^C or (with keys) a key: true if it was cut short. */
bool tool_pause(uint64_t ns, bool keys);

/* Calls visit for every Task that this shell can look at, parents first; a handle is good only during the call, 0 is
 * the shell itself. Stops when visit answers false. */
struct tool_task {
    vx_task task;
    uint32_t depth;
    struct vx_task_info info;
};
void tool_tasks_visit(bool (*visit)(void *ctx, const struct tool_task *view), void *ctx);

/* Ends the first Task of that id that this shell may end. */
bool tool_end_task(uint32_t id);

/* Calls offer for each word that may stand as argument number `index` (from 1) of `services`. */
void tool_services_offer(uint32_t index, void (*offer)(void *ctx, const char *word), void *ctx);
/* The lines typed before. */
struct sh_history;
extern struct sh_history tool_history_lines;

int tool_caps(int argc, char **argv);
int tool_cat(int argc, char **argv);
int tool_dmesg(int argc, char **argv);
int tool_free(int argc, char **argv);
int tool_history(int argc, char **argv);
int tool_ls(int argc, char **argv);
int tool_mount(int argc, char **argv);
int tool_poweroff(int argc, char **argv);
int tool_ps(int argc, char **argv);
int tool_reboot(int argc, char **argv);
int tool_services(int argc, char **argv);
int tool_top(int argc, char **argv);
int tool_topo(int argc, char **argv);
int tool_umount(int argc, char **argv);
int tool_uptime(int argc, char **argv);
