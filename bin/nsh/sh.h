/* SPDX-License-Identifier: MIT
 * The shell of an image without a C library: enough to look around, run programs and turn the machine off. The system's
 * own shell is bin/sh. This is its state and its thin half; the pure half: parse, expand, vars, path.
 * One thread; everything here belongs to it. */
#pragma once
#include "expand.h"
#include "parse.h"
#include "path.h"
#include "vars.h"
#include <vectra/cpio.h>
#include <vectra/io.h>
#include <vectra/rpc_console.h>
#include <vectra/rpc_init.h>
#include <vectra/spawn.h>
#include <vectra/string.h>
#include <vectra/syscall.h>
#include <vectra/time.h>

/* Exit statuses with a meaning of their own. */
enum : uint32_t {
    SH_STATUS_USAGE = 2,    /* a syntax error, or wrong arguments to a built-in */
    SH_STATUS_CANNOT = 126, /* found, but cannot be run */
    SH_STATUS_NOT_FOUND = 127,
    SH_STATUS_INTERRUPTED = 130,
};

/* The shell's own signal bits. */
enum : uint32_t { SH_BIT_CHILD = 40, SH_BIT_INTERRUPT = 41, SH_BIT_TICK = 42 };

struct sh {
    bool interactive;
    bool exiting;
    uint32_t status;     /* $? */
    uint32_t background; /* $! */
    char cwd[SH_PATH_MAX];
    struct sh_vars vars;
    struct vx_client *tty; /* nullptr: no terminal */
    struct vx_client intr; /* a session that only waits for ^C */
    bool has_intr;
    struct vx_client init; /* the line to initd */
    bool has_init;
};
extern struct sh sh;

/* --- run.c --- */
/* Runs text as if it had been typed; its status. `name` stands before error messages. */
uint32_t sh_run_text(const char *name, const char *text, size_t len);
/* Runs one command that has been expanded. */
uint32_t sh_run_args(const struct sh_args *args);
/* "sh: what: why", one line; answers `status`. */
[[gnu::format(printf, 2, 3)]] uint32_t sh_fail(uint32_t status, const char *format, ...);

/* --- builtin*.c --- */
struct sh_builtin {
    const char *name;
    uint32_t (*run)(uint32_t argc, const char *const *argv);
    const char *usage; /* the arguments */
    const char *what;
};
extern const struct sh_builtin sh_builtins_basic[], sh_builtins_file[], sh_builtins_job[], sh_builtins_system[];
const struct sh_builtin *sh_builtin_find(const char *name);
/* The tables, one after another: index from 0; nullptr ends. */
const struct sh_builtin *sh_builtin_at(uint32_t index);
uint32_t sh_usage(const char *name);

/* --- fs.c: the initial RAM disk as a read-only file system --- */
typedef enum sh_kind : uint8_t { SH_NOTHING, SH_FILE, SH_DIRECTORY } sh_kind_t;
struct sh_file {
    sh_kind_t kind;
    const uint8_t *data;
    size_t len;
    uint32_t mode;
};
/* The absolute path's file. */
struct sh_file sh_fs_stat(const char *path);
/* Calls visit for each name in a directory, sorted, each once. False: out of memory, or the disk is damaged. */
bool sh_fs_list(const char *dir, void (*visit)(void *ctx, const char *name, const struct sh_file *file), void *ctx);
/* The path of the program that a command word names; false when there is none. */
bool sh_find_program(const char *word, char out[static SH_PATH_MAX]);

/* --- job.c: other programs --- */
struct sh_child {
    vx_task task;
    uint32_t id;
};
/* Starts the program of argv[0] (found at `path`); `session` receives the id of its terminal session. */
status_t sh_spawn(const char *path, uint32_t argc, const char *const *argv, struct sh_child *child, uint32_t *session);
/* Runs it in the foreground; its status. cpu_ns, if not nullptr, is added to. */
uint32_t sh_run_program(uint32_t argc, const char *const *argv, uint64_t *cpu_ns);
/* Starts it in the background and prints its id. */
uint32_t sh_run_background(uint32_t argc, const char *const *argv);
/* Forgets background jobs that have ended; tells about them in an interactive shell. */
void sh_jobs_reap(void);
/* CPU time of children waited for, ever. */
uint64_t sh_children_cpu_ns(void);

/* --- input.c: the interactive half --- */
/* Reads one line, which the terminal edits. False: end of input. *len 0 after ^C. */
bool sh_read_line(const char *prompt, char **line, size_t *len);
/* Waits for `ns`, or until ^C: true if it was cut short. */
bool sh_pause(uint64_t ns);
/* True once after each ^C while a command runs. */
bool sh_interrupted(void);
void sh_watch_interrupts(void);
