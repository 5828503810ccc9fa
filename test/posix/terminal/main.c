/* SPDX-License-Identifier: MIT
 * Job control on a terminal, with somebody who types: each line `type KEYS` asks for them (see groups/posix.py). It is
 * the leader of its session and starts itself as what a shell would have in front and behind. */
#define _GNU_SOURCE
#include "../check.h"
#include "../session.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vectra/spawn_hook.h>

status_t px_console_set_front(uint32_t group); /* libposix's own */

static const char *self = "/bin/terminal";
static int said[2];
static volatile sig_atomic_t came;

static void count(int signal)
{
    (void)signal;
    came++;
}

static void ask(const char *keys)
{
    printf("type %s\n", keys);
    fflush(stdout);
}

/* --- what it is as a child --- */

static int child(const char *what)
{
    struct termios t;
    char line[64];
    int tty = open("/dev/tty", O_RDWR);
    (void)!write(1, "r", 1);
    if (strcmp(what, "+wait") == 0)
        for (;;)
            pause();
    if (strcmp(what, "+spin") == 0)
        for (;;)
            ;
    if (strcmp(what, "+read") == 0)
        return (int)read(0, line, sizeof line);
    if (strcmp(what, "+deaf") == 0) { /* nobody could tell it to stop: an error instead */
        signal(SIGTTIN, SIG_IGN);
        return read(0, line, sizeof line) == -1 && errno == EIO ? 0 : 1;
    }
    if (strcmp(what, "+settings") == 0) { /* changing the terminal from behind stops; they stay when it has gone */
        if (tcgetattr(tty, &t) != 0)
            return 1;
        t.c_lflag &= ~(tcflag_t)ECHO;
        t.c_cc[VMIN] = 3;
        return tcsetattr(tty, TCSANOW, &t) == 0 ? 0 : 2;
    }
    if (strcmp(what, "+front") == 0) /* it puts itself in front, deaf to SIGTTOU */
        return signal(SIGTTOU, SIG_IGN) != SIG_ERR && tcsetpgrp(tty, getpgrp()) == 0 && tcgetpgrp(tty) == getpgrp() &&
                       tcgetsid(tty) == getsid(0)
                   ? 0
                   : 1;
    if (strcmp(what, "+ahead") == 0) /* nobody has put it in front since it began */
        return tcgetpgrp(tty) == getpgrp() ? 0 : 1;
    return 99;
}

/* As a shell has it: what it starts in a group of its own is in front from its first moment on. */
static bool yes(void)
{
    return true;
}
static void nothing(struct vx_spawn *s)
{
    (void)s;
}
static void over(struct vx_spawn *s, bool started)
{
    (void)s;
    (void)started;
}
static const struct vx_spawn_hook leading = {
    .in_front = yes, .leads = yes, .prepare = nothing, .grant = nothing, .done = over
};

static pid_t start(const char *what, pid_t group)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    pid_t pid = -1;
    char c;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, said[1], 1);
    posix_spawnattr_init(&attr);
    sigset_t usual;
    sigfillset(&usual);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, group);
    CHECK_IS(posix_spawn(&pid, self, &fa, &attr, (char *[]){ "terminal", (char *)what, nullptr }, environ), 0);
    posix_spawn_file_actions_destroy(&fa);
    CHECK_IS(read(said[0], &c, 1), 1);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;
    CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
    return status;
}

static void front(pid_t group)
{
    CHECK_IS(tcsetpgrp(0, group), 0);
    CHECK_IS(tcgetpgrp(0), group);
}

static void *type_later(void *unused)
{
    usleep(300000);
    ask("c");
    return unused;
}

int main(int argc, char **argv)
{
    struct termios t;
    int status;
    char line[64];
    if (argc > 1)
        return child(argv[1]);
    if (!leads_session(self, argv, &status))
        return status;
    pipe2(said, O_CLOEXEC);
    setvbuf(stdout, nullptr, _IOLBF, 0);
    CHECK_IS(tcgetattr(0, &t), 0);
    t.c_lflag |= ICANON | ISIG | ECHO;
    t.c_oflag |= OPOST | ONLCR;
    CHECK_IS(tcsetattr(0, TCSANOW, &t), 0);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    front(getpgrp());
    signal(SIGTTIN, SIG_DFL);
    signal(SIGTSTP, SIG_DFL);
    CHECK_IS(tcgetsid(0), getsid(0));
    CHECK_ERRNO(tcsetpgrp(0, 0x7ffffff0), EPERM);
    CHECK_ERRNO(tcsetpgrp(0, -1), EINVAL);
    CHECK_ERRNO(tcsetpgrp(said[0], getpgrp()), ENOTTY);
    signal(SIGTTOU, SIG_IGN);

    static const char *const kinds[] = { "+wait", "+spin" };
    for (int i = 0; i < 2; i++) {
        pid_t pid = start(kinds[i], 0);
        front(pid);
        ask("^C");
        status = wait_for(pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
        pid = start(kinds[i], 0);
        front(pid);
        ask("^\\");
        status = wait_for(pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
        pid = start(kinds[i], 0);
        front(pid);
        ask("^Z");
        status = wait_for(pid);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
        front(getpgrp());
        kill(-pid, SIGCONT);
        front(pid);
        ask("^C");
        status = wait_for(pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    }
    /* all of the group in front, and nobody else */
    pid_t behind = start("+wait", 0), first = start("+wait", 0), second = start("+spin", first);
    front(first);
    ask("^C");
    CHECK_IS(WTERMSIG(wait_for(second)), SIGINT);
    CHECK_IS(WTERMSIG(wait_for(first)), SIGINT);
    CHECK_IS(waitpid(behind, &status, WNOHANG), 0);
    kill(behind, SIGKILL);
    wait_for(behind);
    front(getpgrp());

    /* reading from behind */
    pid_t reader = start("+read", 0);
    status = wait_for(reader);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    front(reader);
    kill(-reader, SIGCONT);
    ask("a line");
    status = wait_for(reader);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    front(getpgrp());
    CHECK_IS(WEXITSTATUS(wait_for(start("+deaf", 0))), 0);
    /* a reader that is stopped in front and goes on there */
    reader = start("+read", 0);
    CHECK_IS(WSTOPSIG(wait_for(reader)), SIGTTIN);
    front(reader);
    kill(-reader, SIGCONT);
    ask("^Z");
    status = wait_for(reader);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
    front(getpgrp());
    ask("mine");
    CHECK_IS(read(0, line, sizeof line), 5);
    front(reader);
    kill(-reader, SIGCONT);
    ask("its");
    CHECK_IS(WEXITSTATUS(wait_for(reader)), 4);
    front(getpgrp());

    /* settings are the terminal's */
    pid_t changer = start("+settings", 0);
    status = wait_for(changer);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
    front(changer);
    kill(-changer, SIGCONT);
    CHECK_IS(WEXITSTATUS(wait_for(changer)), 0);
    front(getpgrp());
    CHECK_IS(tcgetattr(0, &t), 0);
    CHECK((t.c_lflag & ECHO) == 0 && t.c_cc[VMIN] == 3);
    CHECK_IS(WEXITSTATUS(wait_for(start("+front", 0))), 0);
    front(getpgrp());

    /* born in front, unless its parent is behind */
    vx_spawn_hook = &leading;
    CHECK_IS(WEXITSTATUS(wait_for(start("+ahead", 0))), 0);
    front(getpgrp());
    pid_t born = start("+wait", 0);
    ask("^Z");
    CHECK_IS(WSTOPSIG(wait_for(born)), SIGTSTP);
    CHECK_IS(tcgetpgrp(0), born);
    CHECK_IS(WEXITSTATUS(wait_for(start("+ahead", 0))), 1);
    kill(-born, SIGCONT);
    ask("^Z");
    CHECK_IS(WSTOPSIG(wait_for(born)), SIGTSTP);
    vx_spawn_hook = nullptr;
    kill(-born, SIGKILL);
    wait_for(born);
    front(getpgrp());

    /* one's own ^C: a handler, and the read is over */
    struct sigaction act = { .sa_handler = count };
    sigaction(SIGINT, &act, nullptr);
    ask("^C");
    CHECK_ERRNO(read(0, line, sizeof line), EINTR);
    CHECK_IS(came, 1);
    act.sa_flags = SA_RESTART;
    sigaction(SIGINT, &act, nullptr);
    ask("^C^Mafter");
    CHECK_IS(read(0, line, sizeof line), 1);
    for (int i = 0; i < 1000 && came < 2; i++)
        usleep(1000);
    CHECK_IS(came, 2);
    CHECK_IS(read(0, line, sizeof line), 6);

    /* without lines: VMIN bytes at least, or what comes within VTIME */
    pthread_t typist;
    CHECK_IS(tcgetattr(0, &t), 0);
    t.c_lflag &= ~(tcflag_t)ICANON;
    t.c_cc[VMIN] = 4;
    t.c_cc[VTIME] = 0;
    CHECK_IS(tcsetattr(0, TCSANOW, &t), 0);
    ask("a");
    CHECK_IS(pthread_create(&typist, nullptr, type_later, nullptr), 0);
    CHECK_IS(read(0, line, sizeof line), 4);
    CHECK(memcmp(line, "a\nc\n", 4) == 0);
    CHECK_IS(pthread_join(typist, nullptr), 0);
    t.c_cc[VTIME] = 2;
    CHECK_IS(tcsetattr(0, TCSANOW, &t), 0);
    ask("d");
    CHECK_IS(read(0, line, sizeof line), 2);
    t.c_cc[VMIN] = 0;
    CHECK_IS(tcsetattr(0, TCSANOW, &t), 0);
    CHECK_IS(read(0, line, sizeof line), 0);
    t.c_lflag |= ICANON;
    CHECK_IS(tcsetattr(0, TCSANOW, &t), 0);

    /* while a child is being started: the terminal has heard of its group, and nobody else has */
    CHECK_IS(px_console_set_front(0x7ffffff0), OK);
    ask("^C");
    for (int i = 0; i < 1000 && came < 3; i++)
        usleep(1000);
    CHECK_IS(came, 3);
    CHECK_IS(px_console_set_front((uint32_t)getpgrp()), OK);
    return check_done();
}
