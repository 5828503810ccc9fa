/* SPDX-License-Identifier: MIT
 * Starting programs. There is no fork: a program finds the descriptors as the shell has arranged them, its signals as
 * traps_for_child says, and everything that is exported. */
#include "exec.h"
#include "feed.h"
#include "hash.h"
#include "out.h"
#include "redir.h"
#include "shell.h"
#include "state.h"
#include "trap.h"
#include "vars.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SHELL_PATH
#define SHELL_PATH "/bin/sh"
#endif

/* The shell's own program, to start another one. */
static const char *shell_path(void)
{
    static const char self[] = "/proc/self/exe";
    return access(self, X_OK) == 0 ? self : SHELL_PATH;
}

const char *spawn_find(const char *name, int *status)
{
    struct stat st;
    const char *path = name;
    if (strchr(name, '/') == nullptr)
        path = hash_find(name, var_get("PATH"));
    if (path == nullptr || stat(path, &st) != 0) {
        int why = errno;
        sh_warn("%s: not found", name);
        *status = path != nullptr && why != ENOENT && why != ENOTDIR ? STATUS_CANNOT : STATUS_NOT_FOUND;
        return nullptr;
    }
    if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0) {
        sh_warn("%s: Permission denied", name);
        *status = STATUS_CANNOT;
        return nullptr;
    }
    return path;
}

bool spawn_in_background, spawn_leads;

struct quiet {
    struct sigaction interrupt, quit;
};

/* What runs in the background without job control ignores ^C; a child inherits that. */
static void ignore_keys(struct quiet *q)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    (void)sigaction(SIGINT, &ignore, &q->interrupt);
    (void)sigaction(SIGQUIT, &ignore, &q->quit);
}

static void heed_keys(const struct quiet *q)
{
    (void)sigaction(SIGINT, &q->interrupt, nullptr);
    (void)sigaction(SIGQUIT, &q->quit, nullptr);
}

static int start(pid_t *pid, const char *path, char **argv, char **env, pid_t group, bool background, int inherit)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t defaults, none;
    struct quiet quiet;
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    bool deaf = background && group < 0;
    traps_for_child(&defaults);
    (void)sigemptyset(&none);
    if (deaf) {
        (void)sigdelset(&defaults, SIGINT);
        (void)sigdelset(&defaults, SIGQUIT);
    }
    if (group >= 0)
        flags |= POSIX_SPAWN_SETPGROUP;
    int why = posix_spawnattr_init(&attributes);
    if (why != 0)
        return why;
    why = posix_spawn_file_actions_init(&actions);
    if (why == 0 && inherit >= 0)
        why = posix_spawn_file_actions_adddup2(&actions, inherit, inherit);
    (void)posix_spawnattr_setflags(&attributes, flags);
    (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    if (group >= 0)
        (void)posix_spawnattr_setpgroup(&attributes, group);
    if (deaf)
        ignore_keys(&quiet);
    spawn_in_background = background;
    if (why == 0)
        why = posix_spawn(pid, path, &actions, &attributes, argv, env);
    if (deaf)
        heed_keys(&quiet);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return why;
}

/* The words of `sh PATH ARGUMENTS`: a file that is no program is a script. */
static char **as_script(const char *path, char **argv)
{
    size_t n = 0;
    while (argv[n] != nullptr)
        n++;
    char **out = arena_alloc(&sh.temp, (n + 2) * sizeof *out);
    out[0] = (char *)"sh";
    out[1] = (char *)path;
    for (size_t i = 1; i <= n; i++)
        out[i + 1] = argv[i];
    return out;
}

static int failed(const char *name, int why)
{
    sh_warn("%s: %s", name, strerror(why));
    return why == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT;
}

pid_t spawn_program(char **argv, pid_t group, bool background, int *status)
{
    pid_t pid = 0;
    const char *path = spawn_find(argv[0], status);
    if (path == nullptr)
        return 0;
    char **env = var_environment();
    (void)out_flush();
    int why = start(&pid, path, argv, env, group, background, -1);
    if (why == ENOEXEC)
        why = start(&pid, shell_path(), as_script(path, argv), env, group, background, -1);
    if (why == 0)
        return pid;
    *status = failed(argv[0], why);
    return 0;
}

pid_t spawn_shell(const struct node *n, char **argv, const struct node *assigns, pid_t group, bool background)
{
    int ends[2];
    char number[12];
    pid_t pid = 0;
    struct text t = { .arena = &sh.temp };
    state_write(&t, n, argv, assigns);
    (void)out_flush();
    if (!fd_pipe(ends)) {
        sh_warn("cannot make a pipe: %s", strerror(errno));
        return 0;
    }
    (void)snprintf(number, sizeof number, "%d", ends[0]);
    char *words[] = { (char *)"sh", (char *)STATE_OPTION, number, nullptr };
    int why = start(&pid, shell_path(), words, var_environment(), group, background, ends[0]);
    (void)close(ends[0]);
    if (why != 0) {
        (void)close(ends[1]);
        (void)failed("sh", why);
        return 0;
    }
    feed(ends[1], t.at, t.len);
    return pid;
}

int spawn_instead(char **argv)
{
    int status = 0, found = 0;
    const char *path = spawn_find(argv[0], &status);
    if (path == nullptr)
        return status;
    capture_need_descriptor();
    if (sh.subshells == 0) {
        sigset_t defaults;
        char **env = var_environment();
        feed_finish();
        traps_for_child(&defaults);
        for (int signal = 1; signal < TRAP_MAX; signal++)
            if (sigismember(&defaults, signal) == 1)
                (void)sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, nullptr);
        (void)execve(path, argv, env);
        if (errno == ENOEXEC)
            (void)execve(shell_path(), as_script(path, argv), env);
        if (errno != ENOSYS)
            return failed(argv[0], errno);
    }
    /* Nobody else can become a program here: it runs, and this ends with it. */
    pid_t pid = spawn_program(argv, -1, false, &status);
    if (pid == 0)
        return status;
    while (waitpid(pid, &found, 0) < 0 && errno == EINTR)
        ;
    sh.skip = SKIP_EXIT;
    sh.exit_status = WIFEXITED(found) ? WEXITSTATUS(found) : STATUS_SIGNAL + WTERMSIG(found);
    return sh.exit_status;
}
