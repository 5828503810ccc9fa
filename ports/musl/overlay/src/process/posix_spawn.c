/* SPDX-License-Identifier: MIT
 * VectraOS: the whole of a child is described to libposix, which starts it. posix_spawnp's search runs here, in the
 * parent, so that its errors are the caller's. */
#define _GNU_SOURCE
#include <spawn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pthread_impl.h"
#include "fdop.h"
#include "vectra_hooks.h"

#define ACTIONS_MAX 512

/* Tries file in every folder of PATH. An error that another folder could mend is remembered. */
static int search(struct vectra_spawn *spawn, const char *file)
{
    const char *path = getenv("PATH");
    if (!path)
        path = "/usr/local/bin:/bin:/usr/bin";
    size_t length = strnlen(file, NAME_MAX + 1);
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    char full[PATH_MAX + NAME_MAX + 2];
    int answer = -ENOENT;
    for (;;) {
        const char *end = strchrnul(path, ':');
        size_t folder = end - path;
        if (folder < PATH_MAX) {
            memcpy(full, path, folder);
            full[folder] = '/';
            memcpy(full + folder + (folder != 0), file, length + 1);
            spawn->path = full;
            int r = __vectra_spawn(spawn);
            if (r == -EACCES)
                answer = r;
            else if (r != -ENOENT && r != -ENOTDIR)
                return r;
        }
        if (!*end)
            return answer;
        path = end + 1;
    }
}

int posix_spawn(pid_t *restrict res, const char *restrict path, const posix_spawn_file_actions_t *fa,
                const posix_spawnattr_t *restrict attr, char *const argv[restrict], char *const envp[restrict])
{
    struct fdop *first = fa ? fa->__actions : 0, *op;
    size_t n = 0;
    for (op = first; op && op->next; op = op->next)
        n++;
    if (op)
        n++;
    if (n > ACTIONS_MAX)
        return ENOMEM;
    struct vectra_spawn_action action[n + 1];
    size_t i = 0;
    /* the newest action is the first of the list */
    for (; op; op = op->prev) {
        static const unsigned char name[] = {
            [FDOP_CLOSE] = VECTRA_SPAWN_CLOSE, [FDOP_DUP2] = VECTRA_SPAWN_DUP2,     [FDOP_OPEN] = VECTRA_SPAWN_OPEN,
            [FDOP_CHDIR] = VECTRA_SPAWN_CHDIR, [FDOP_FCHDIR] = VECTRA_SPAWN_FCHDIR,
        };
        action[i++] = (struct vectra_spawn_action){ .op = name[op->cmd],
                                                    .fd = op->fd,
                                                    .source = op->srcfd,
                                                    .flags = op->oflag,
                                                    .mode = op->mode,
                                                    .path = op->path };
    }
    struct vectra_spawn spawn = { .path = path, .argv = argv, .envp = envp, .action = action, .n_actions = n };
    if (attr) {
        spawn.flags = attr->__flags;
        spawn.group = attr->__pgrp;
        spawn.default_set = &attr->__def;
        spawn.mask = &attr->__mask;
    }
    int cs;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cs);
    int r = attr && attr->__fn && !strchr(path, '/') ? search(&spawn, path) : __vectra_spawn(&spawn);
    pthread_setcancelstate(cs, 0);
    if (r < 0)
        return -r;
    if (res)
        *res = r;
    return 0;
}
