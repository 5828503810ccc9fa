/* SPDX-License-Identifier: MIT
 * The state of a shell execution environment (XCU 2.12), and how errors leave what they interrupt. One thread; all of
 * it belongs to that.
 *
 *  1. A subshell runs in this process (subshell.h): whatever it changes is written down first, and put back at its end.
 *  2. An error that ends a command is thrown to the nearest catcher. Whoever catches puts back what was in force when
 *     it began to: memory, scopes, redirections, depths.
 *  3. break, continue, return and exit are no errors: `skip` says what is being left, and commands are not run while
 *     it is set. */
#pragma once
#include "mem.h"
#include "parse.h"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses with a meaning of their own. */
enum : int {
    STATUS_ERROR = 2, /* syntax errors, wrong arguments, failed expansions */
    STATUS_CANNOT = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNAL = 128,
};

enum : unsigned {
    EVAL_DEPTH_MAX = 4000, /* commands inside each other while they run: functions, groups, files, substitutions */
};

enum skip : uint8_t { SKIP_NONE, SKIP_BREAK, SKIP_CONTINUE, SKIP_RETURN, SKIP_EXIT };

enum option : uint8_t {
    OPT_ALLEXPORT,
    OPT_NOTIFY,
    OPT_NOCLOBBER,
    OPT_ERREXIT,
    OPT_NOGLOB,
    OPT_HASHALL,
    OPT_IGNOREEOF,
    OPT_INTERACTIVE,
    OPT_MONITOR,
    OPT_NOEXEC,
    OPT_NOLOG,
    OPT_STDIN,
    OPT_NOUNSET,
    OPT_VERBOSE,
    OPT_VI,
    OPT_XTRACE,
    OPTIONS,
};

/* Positional parameters; counted, since a subshell shares them until somebody changes them. */
struct params {
    unsigned users, n, shifted;
    char *at[]; /* at[shifted] is $1 */
};

struct scope;
struct redirs;
struct capture;
struct traps;
struct jobs;

struct catcher {
    jmp_buf where;
    struct catcher *outer;
    struct arena_mark mark;
    struct scope *scope;
    struct redirs *redirs;
    struct params *params;
    struct capture *capture;
    unsigned loops, functions, depth, tested;
};

struct shell {
    int status; /* $? */
    int exit_status;
    int trap_status;         /* $? from before the trap action that runs; -1: none runs */
    unsigned trap_functions; /* `functions` at its beginning */
    enum skip skip;
    unsigned skip_count;
    unsigned loops, functions, depth, subshells;
    unsigned tested; /* inside a condition: errexit does not apply */
    bool option[OPTIONS];
    const char *name; /* $0 */
    struct params *params;
    pid_t pid, background; /* $$ and $! (0: none) */
    uint32_t line;
    int substitution_status; /* of the last command substitution, for a command without a name */
    struct arena temp;       /* results of expansions: given back when the command that needed them has ended */
    struct catcher *catcher;
    struct scope *scope;
    struct redirs *redirs;
    struct capture *capture; /* where standard output goes while it is kept in memory */
    struct traps *traps;
    struct jobs *jobs;
    mode_t umask_kept;
};
extern struct shell sh;

/* `if (CATCH(&c) == 0) { ... } else { it was thrown: sh.status }` then catch_end(&c) in both cases. */
#define CATCH(c) (catch_begin(c), setjmp((c)->where))
void catch_begin(struct catcher *c);
void catch_end(struct catcher *c);
/* Ends the current command with a status; a message has been printed. */
[[noreturn]] void sh_throw(int status);
/* Prints and throws. */
[[noreturn]] [[gnu::format(printf, 1, 2)]] void sh_error(const char *format, ...);
/* "sh: line: what", to standard error. */
[[gnu::format(printf, 1, 2)]] void sh_warn(const char *format, ...);
[[noreturn]] void sh_no_memory(void *ctx);
/* Allocation that throws. */
void *sh_alloc(size_t bytes);
void *sh_realloc(void *at, size_t bytes);
char *sh_copy(const char *text);

/* The option of a letter or of a long name; OPTIONS: none. option_letter: 0 if it has none. */
enum option option_of_letter(char c);
enum option option_of_name(const char *name);
const char *option_name(enum option o);
char option_letter(enum option o);

void params_set(unsigned n, char *const *values);
void params_put(struct params *p);
