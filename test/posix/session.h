/* SPDX-License-Identifier: MIT
 * For tests of what only the leader of a session can do: whoever starts them may be of another. */
#pragma once
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* True if this process leads its session. Otherwise it has been run once more, as one that does, and *status is how
 * that ended. */
[[maybe_unused]] static int leads_session(const char *self, char **argv, int *status)
{
    posix_spawnattr_t attributes;
    pid_t pid;
    int ended = 1;
    if (getsid(0) == getpid())
        return 1;
    *status = 1;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    if (posix_spawn(&pid, self, nullptr, &attributes, argv, environ) == 0 && waitpid(pid, &ended, 0) == pid)
        *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    return 0;
}
