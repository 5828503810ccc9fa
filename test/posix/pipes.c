/* SPDX-License-Identifier: MIT
 * Pipes and the death of who uses them: whenever a process is killed, the pipe goes on for the others, and its ends are
 * given back. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 60, BLOCK = 12000 };
static const char *self = "/bin/pipes";

static pid_t start(const char *what, int in, int out)
{
    posix_spawn_file_actions_t fa;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, in, 0);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    if (posix_spawn(&pid, self, &fa, nullptr, (char *[]){ "pipes", (char *)what, nullptr }, environ) != 0)
        CHECK(!"started");
    posix_spawn_file_actions_destroy(&fa);
    return pid;
}

static void pause_ns(long ns)
{
    (void)nanosleep(&(struct timespec){ .tv_nsec = ns }, nullptr);
}

static int child(const char *what)
{
    static char bytes[BLOCK];
    if (strcmp(what, "+write") == 0)
        while (write(1, bytes, sizeof bytes) > 0)
            ;
    if (strcmp(what, "+read") == 0)
        while (read(0, bytes, sizeof bytes) > 0)
            ;
    if (strcmp(what, "+both") == 0)
        while (write(1, bytes, 100) > 0 && read(0, bytes, 100) > 0)
            ;
    if (strcmp(what, "+parent") == 0) { /* starts a writer, tells who it is, and never looks after it */
        int null = open("/dev/null", O_RDWR);
        pid_t pid = start("+wait", null, 1);
        (void)!write(1, &pid, sizeof pid);
        dup2(null, 1);
        for (;;)
            pause();
    }
    if (strcmp(what, "+wait") == 0)
        for (;;)
            pause();
    return 0;
}

static void end(pid_t pid)
{
    int status = 0;
    CHECK_IS(kill(pid, SIGKILL), 0);
    CHECK_IS(waitpid(pid, &status, 0), pid);
    CHECK_IS(status, SIGKILL);
}

/* One that does nothing but write, one that does nothing but read, or one that does both: killed at any instruction,
 * mostly inside the pipe. Whoever is left uses the same pipe, and so do we. */
static void kill_inside(void)
{
    static const char *const kinds[] = { "+write", "+read", "+both" };
    char bytes[BLOCK];
    int fd[2];
    CHECK_IS(pipe2(fd, O_CLOEXEC), 0);
    unsigned random = 12345;
    for (int i = 0; i < ROUNDS; i++) {
        pid_t writer = start("+write", fd[0], fd[1]), other = start(kinds[i % 3], fd[0], fd[1]);
        random = random * 1103515245 + 12345;
        pause_ns(500'000 + (long)(random >> 16) % 2'000'000);
        end(i % 2 == 0 ? writer : other);
        pause_ns(200'000);
        end(i % 2 == 0 ? other : writer);
        fcntl(fd[0], F_SETFL, O_NONBLOCK);
        while (read(fd[0], bytes, sizeof bytes) > 0)
            ;
        CHECK_IS(errno, EAGAIN);
        fcntl(fd[0], F_SETFL, 0);
        CHECK_IS(write(fd[1], "whole", 5), 5);
        CHECK_IS(read(fd[0], bytes, sizeof bytes), 5);
        CHECK(memcmp(bytes, "whole", 5) == 0);
    }
    close(fd[0]);
    close(fd[1]);
}

/* The end that a grandchild had is given back although its parent, which lives, does not look after it. */
static void grandchild(void)
{
    int fd[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t grandchild = 0;
    char c;
    CHECK_IS(pipe2(fd, O_CLOEXEC), 0);
    pid_t parent = start("+parent", null, fd[1]);
    close(fd[1]);
    CHECK_IS(read(fd[0], &grandchild, sizeof grandchild), sizeof grandchild);
    CHECK_IS(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 100), 0);
    CHECK_IS(kill(grandchild, SIGKILL), 0);
    struct pollfd p = { .fd = fd[0], .events = POLLIN };
    CHECK_IS(poll(&p, 1, 10000), 1);
    CHECK(p.revents == POLLHUP);
    CHECK_IS(read(fd[0], &c, 1), 0);
    end(parent);
    close(fd[0]);
    close(null);
}

/* A child that ended has given its place in the pipe back itself, and another has taken it: that is not disturbed by
 * the first one's parent, which notices only now. */
static void place_taken_again(void)
{
    int fd[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
    CHECK_IS(pipe2(fd, O_CLOEXEC), 0);
    pid_t first = start("+none", null, fd[1]);
    pause_ns(50'000'000);
    pid_t second = start("+wait", null, fd[1]);
    close(fd[1]);
    CHECK_IS(waitpid(first, &status, 0), first);
    CHECK_IS(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 100), 0);
    end(second);
    char c;
    CHECK_IS(read(fd[0], &c, 1), 0);
    close(fd[0]);
    close(null);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child(argv[1]);
    signal(SIGPIPE, SIG_IGN);
    alarm(100); /* a pipe that is stuck is an end by SIGALRM */
    place_taken_again();
    grandchild();
    kill_inside();
    return check_done();
}
