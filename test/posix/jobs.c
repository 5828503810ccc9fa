/* SPDX-License-Identifier: MIT
 * Processes among each other: signals from one to another, what a parent learns of its children, process groups,
 * sessions, stopping and going on, becoming another program. This one starts itself with words that say what to be; a
 * child says on descriptor 1 that it is ready. */
#define _GNU_SOURCE
#include "check.h"
#include "session.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *self = "/bin/jobs";
static volatile sig_atomic_t came[65], came_code, came_pid, came_status, came_value;

static void count(int signal)
{
    came[signal]++;
}

static void tell(int signal, siginfo_t *info, void *context)
{
    (void)context;
    came[signal]++;
    came_code = info->si_code;
    came_pid = info->si_pid;
    came_status = info->si_status;
    came_value = info->si_value.sival_int;
}

static void catch (int signal, int flags)
{
    struct sigaction act = { .sa_flags = flags };
    if (flags & SA_SIGINFO)
        act.sa_sigaction = tell;
    else
        act.sa_handler = count;
    sigaction(signal, &act, nullptr);
}

/* --- what it is as a child --- */

static void ready(void)
{
    (void)!write(1, "r", 1);
}

static int child(int argc, char **argv)
{
    const char *what = argv[1] + 1;
    if (strcmp(what, "wait") == 0) { /* until it is ended */
        ready();
        for (;;)
            pause();
    }
    if (strcmp(what, "spin") == 0) {
        ready();
        for (;;)
            ;
    }
    if (strcmp(what, "spin-aware") == 0) {
        catch (SIGUSR1, 0);
        ready();
        for (;;)
            ;
    }
    if (strcmp(what, "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(what, "catch") == 0) { /* says which signal it caught, and from whom */
        catch (atoi(argv[2]), SA_SIGINFO);
        ready();
        while (came[atoi(argv[2])] == 0)
            pause();
        return came_pid == getppid() ? (came_code == SI_USER ? 10 : came_code == SI_QUEUE ? 100 + came_value : 11) : 12;
    }
    if (strcmp(what, "queued") == 0) { /* blocked queued signals come in order, as often as they were sent */
        sigset_t set;
        siginfo_t info;
        int sum = 0;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN + 1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        ready();
        for (int i = 0; i < 3; i++) {
            if (sigwaitinfo(&set, &info) != SIGRTMIN + 1 || info.si_code != SI_QUEUE)
                return 99;
            sum = sum * 4 + info.si_value.sival_int;
        }
        return sum;
    }
    if (strcmp(what, "blocked") == 0) { /* a blocked signal does nothing until it is let through */
        sigset_t set, pending;
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        ready();
        do
            sigpending(&pending);
        while (!sigismember(&pending, SIGTERM));
        ready();
        sigprocmask(SIG_UNBLOCK, &set, nullptr);
        return 99;
    }
    if (strcmp(what, "ignores") == 0) {
        ready();
        char c;
        return (int)read(0, &c, 1);
    }
    if (strcmp(what, "parent") == 0) { /* signals its parent */
        return kill(getppid(), SIGUSR1) == 0 && kill(getppid(), 0) == 0 ? 0 : 1;
    }
    if (strcmp(what, "group") == 0) {
        pid_t group = (pid_t)atoi(argv[2]);
        return getpgrp() == (group == 0 ? getpid() : group) && getpgid(0) == getpgrp() ? 0 : 1;
    }
    if (strcmp(what, "session") == 0)
        return getsid(0) == getpid() && getpgrp() == getpid() && getsid(getppid()) != getpid() &&
                       kill(getppid(), 0) == -1 && errno == EPERM && setsid() == -1 && errno == EPERM
                   ? 0
                   : 1;
    if (strcmp(what, "setsid") == 0)
        return setsid() == getpid() && getsid(0) == getpid() ? 0 : 1;
    if (strcmp(what, "setpgid") == 0) {
        if (setpgid(0, 0) != 0 || getpgrp() != getpid() || setpgid(0, 0x7ffffff0) != -1 || errno != EPERM)
            return 1;
        if (setpgid(0, getpgid(getppid())) != 0 || getpgrp() != getpgid(getppid()))
            return 2;
        return 0;
    }
    if (strcmp(what, "raise") == 0) {
        ready();
        raise(atoi(argv[2]));
        ready();
        return 5;
    }
    if (strcmp(what, "cont") == 0) {
        catch (SIGCONT, 0);
        ready();
        raise(SIGSTOP);
        return came[SIGCONT] == 1 ? 7 : 8;
    }
    if (strcmp(what, "exec") == 0) {
        char id[32];
        snprintf(id, sizeof id, "%d", (int)getpid());
        execl(self, "jobs", "+execed", id, argc > 2 ? argv[2] : "0", nullptr);
        return 98;
    }
    if (strcmp(what, "execed") == 0) {
        int id = atoi(argv[2]);
        if (id != getpid() || getppid() == 0)
            return 97;
        if (strcmp(argv[3], "wait") == 0) {
            ready();
            pause();
        }
        if (strcmp(argv[3], "abort") == 0)
            abort();
        return atoi(argv[3]);
    }
    if (strcmp(what, "burn") == 0) {
        struct timespec t;
        do
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        while (t.tv_sec == 0 && t.tv_nsec < 30000000);
        return 0;
    }
    if (strcmp(what, "family") == 0) { /* a grandchild in the same group; both wait */
        pid_t pid;
        if (posix_spawn(&pid, self, nullptr, nullptr, (char *[]){ "jobs", "+wait", nullptr }, environ) != 0)
            return 1;
        ready();
        for (;;)
            pause();
    }
    return 99;
}

/* --- starting --- */

static int said[2]; /* what children say */

struct how {
    short flags;
    pid_t group;
    sigset_t mask, defaults;
    int in;
};

static pid_t start_as(const struct how *how, char **argv)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, said[1], 1);
    posix_spawnattr_init(&attr);
    if (how != nullptr) {
        posix_spawnattr_setflags(&attr, how->flags);
        posix_spawnattr_setpgroup(&attr, how->group);
        posix_spawnattr_setsigmask(&attr, &how->mask);
        posix_spawnattr_setsigdefault(&attr, &how->defaults);
        if (how->in != 0)
            posix_spawn_file_actions_adddup2(&fa, how->in, 0);
    }
    errno = posix_spawn(&pid, self, &fa, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    if (errno != 0)
        printf("# posix_spawn: %s\n", strerror(errno));
    return errno == 0 ? pid : -1;
}
#define START(how, ...) start_as(how, (char *[]){ "jobs", __VA_ARGS__, nullptr })

static void hear(int n)
{
    char c;
    while (n-- > 0)
        if (read(said[0], &c, 1) != 1)
            CHECK(!"a child says that it is ready");
}

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static int ended_by(pid_t pid)
{
    int status = status_of(pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -status;
}

/* --- signals from one to another --- */

static void kills(void)
{
    static const char *const kinds[] = { "+wait", "+spin", "+spin-aware" };
    const int signals[] = { SIGTERM, SIGKILL, SIGHUP, SIGUSR2, SIGALRM, SIGRTMIN };
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
            pid_t pid = START(nullptr, (char *)kinds[k]);
            hear(1);
            CHECK_IS(kill(pid, 0), 0);
            CHECK_IS(kill(pid, SIGURG), 0); /* ignored by default */
            CHECK_IS(kill(pid, signals[i]), 0);
            CHECK_IS(ended_by(pid), signals[i]);
            CHECK_ERRNO(kill(pid, 0), ESRCH);
        }
    pid_t pid = START(nullptr, "+exit", "0");
    siginfo_t info;
    CHECK_IS(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_IS(kill(pid, SIGTERM), 0); /* it has ended, and is still there */
    CHECK_IS(status_of(pid), 0);

    pid = START(nullptr, "+catch", "10");
    hear(1);
    kill(pid, SIGUSR1);
    CHECK_IS(status_of(pid), 10 << 8);
    pid = START(nullptr, "+catch", "12");
    hear(1);
    CHECK_IS(sigqueue(pid, SIGUSR2, (union sigval){ .sival_int = 23 }), 0);
    CHECK_IS(status_of(pid), 123 << 8);
    pid = START(nullptr, "+queued");
    hear(1);
    for (int i = 1; i <= 3; i++)
        CHECK_IS(sigqueue(pid, SIGRTMIN + 1, (union sigval){ .sival_int = i }), 0);
    CHECK_IS(status_of(pid), (1 * 16 + 2 * 4 + 3) << 8);
    pid = START(nullptr, "+blocked");
    hear(1);
    kill(pid, SIGTERM);
    hear(1);
    CHECK_IS(ended_by(pid), SIGTERM);

    signal(SIGTERM, SIG_IGN);
    pid = START(nullptr, "+wait"); /* what is ignored stays so */
    signal(SIGTERM, SIG_DFL);
    hear(1);
    kill(pid, SIGTERM);
    kill(pid, SIGINT);
    CHECK_IS(ended_by(pid), SIGINT);
    struct how how = { .flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK };
    sigemptyset(&how.mask);
    sigaddset(&how.mask, SIGINT);
    sigemptyset(&how.defaults);
    sigaddset(&how.defaults, SIGTERM);
    signal(SIGTERM, SIG_IGN);
    pid = START(&how, "+wait"); /* a default that was asked for, and a mask that holds back */
    signal(SIGTERM, SIG_DFL);
    hear(1);
    kill(pid, SIGINT);
    kill(pid, SIGTERM);
    CHECK_IS(ended_by(pid), SIGTERM);

    catch (SIGUSR1, SA_SIGINFO | SA_RESTART);
    came[SIGUSR1] = 0;
    pid = START(nullptr, "+parent");
    CHECK_IS(status_of(pid), 0);
    for (int i = 0; i < 1000 && came[SIGUSR1] == 0; i++)
        usleep(1000);
    CHECK(came[SIGUSR1] == 1 && came_pid == pid && came_code == SI_USER);
    signal(SIGUSR1, SIG_DFL);
    CHECK_ERRNO(kill(1, SIGTERM), ESRCH);
    CHECK_ERRNO(kill(0x7ffffff0, 0), ESRCH);
    CHECK_ERRNO(kill(-0x7ffffff0, 0), ESRCH);
    CHECK_ERRNO(kill(getpid(), 65), EINVAL);
    CHECK_ERRNO(kill(getpid(), -1), EINVAL);
    CHECK_ERRNO(sigqueue(0x7ffffff0, SIGUSR1, (union sigval){}), ESRCH);
}

static void queue_is_bounded(void)
{
    pid_t pid = START(nullptr, "+raise", "19"); /* stopped, so that nothing is taken */
    int status, n = 0;
    hear(1);
    CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
    struct how how = { .flags = POSIX_SPAWN_SETSIGMASK };
    sigfillset(&how.mask);
    pid_t other = START(&how, "+wait"); /* all blocked: its queue fills */
    hear(1);
    while (n < 1000 && sigqueue(other, SIGRTMIN, (union sigval){ .sival_int = n }) == 0)
        n++;
    CHECK_IS(errno, EAGAIN);
    CHECK_IS(n, 32);
    CHECK_IS(kill(other, SIGTERM), 0);
    CHECK_IS(kill(other, SIGKILL), 0);
    CHECK_IS(ended_by(other), SIGKILL);
    kill(pid, SIGKILL);
    CHECK_IS(ended_by(pid), SIGKILL);
}

/* --- SIGCHLD --- */

static void sigchld(void)
{
    catch (SIGCHLD, SA_SIGINFO);
    came[SIGCHLD] = 0;
    pid_t pid = START(nullptr, "+exit", "9");
    struct timespec ten = { .tv_sec = 10 };
    CHECK_ERRNO(nanosleep(&ten, nullptr), EINTR);
    CHECK(came[SIGCHLD] == 1 && came_pid == pid && came_code == CLD_EXITED && came_status == 9);
    CHECK_IS(status_of(pid), 9 << 8);
    pid = START(nullptr, "+wait");
    hear(1);
    kill(pid, SIGTERM);
    while (came[SIGCHLD] < 2)
        pause();
    CHECK(came_pid == pid && came_code == CLD_KILLED && came_status == SIGTERM);
    CHECK_IS(ended_by(pid), SIGTERM);
    pid = START(nullptr, "+wait");
    hear(1);
    kill(pid, SIGSTOP);
    while (came[SIGCHLD] < 3)
        pause();
    CHECK(came_pid == pid && came_code == CLD_STOPPED && came_status == SIGSTOP);
    kill(pid, SIGCONT);
    while (came[SIGCHLD] < 4)
        pause();
    CHECK(came_pid == pid && came_code == CLD_CONTINUED && came_status == SIGCONT);
    catch (SIGCHLD, SA_SIGINFO | SA_NOCLDSTOP);
    int status;
    kill(pid, SIGSTOP);
    CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
    usleep(20000);
    CHECK_IS(came[SIGCHLD], 4);
    kill(pid, SIGKILL);
    CHECK_IS(ended_by(pid), SIGKILL);

    catch (SIGCHLD, SA_NOCLDWAIT); /* nobody waits: they are gone when they end */
    pid = START(nullptr, "+exit", "3");
    CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
    CHECK_ERRNO(kill(pid, 0), ESRCH);
    signal(SIGCHLD, SIG_IGN);
    pid = START(nullptr, "+exit", "3");
    CHECK_ERRNO(wait(&status), ECHILD);
    signal(SIGCHLD, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    pid = START(nullptr, "+exit", "4");
    siginfo_t info = {};
    CHECK_IS(sigwaitinfo(&set, &info), SIGCHLD);
    CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 4);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    CHECK_IS(status_of(pid), 4 << 8);
}

/* --- waiting --- */

static void waiting(void)
{
    int status = 0;
    siginfo_t info = {};
    struct rusage usage = {};
    struct how own = { .flags = POSIX_SPAWN_SETPGROUP };
    CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
    CHECK_ERRNO(waitid((idtype_t)77, 0, &info, WEXITED), EINVAL);
    CHECK_ERRNO(waitpid(-1, &status, 1 << 20), EINVAL);
    pid_t pid = START(nullptr, "+exit", "6");
    CHECK_IS(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    CHECK(info.si_signo == SIGCHLD && info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 6);
    info = (siginfo_t){};
    CHECK_IS(waitid(P_ALL, 0, &info, WEXITED), 0);
    CHECK_IS(info.si_pid, pid);
    pid = START(nullptr, "+wait");
    hear(1);
    info.si_pid = 77;
    CHECK_IS(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
    CHECK_IS(info.si_pid, 0);
    kill(pid, SIGQUIT);
    CHECK_IS(waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED), 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGQUIT);

    pid_t mine = START(nullptr, "+exit", "1"), other = START(&own, "+exit", "2");
    CHECK_IS(waitpid(0, &status, 0), mine);
    CHECK_IS(WEXITSTATUS(status), 1);
    CHECK_ERRNO(waitpid(0, &status, 0), ECHILD);
    CHECK_IS(waitpid(-other, &status, 0), other);
    CHECK_IS(WEXITSTATUS(status), 2);

    pid = START(nullptr, "+burn");
    CHECK_IS(wait4(pid, &status, 0, &usage), pid);
    CHECK(usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec >= 30000);
    getrusage(RUSAGE_CHILDREN, &usage);
    CHECK(usage.ru_utime.tv_usec >= 30000);
    struct tms t;
    CHECK(times(&t) != (clock_t)-1 && t.tms_cutime >= 3);
}

static void stopping(void)
{
    int status = 0;
    siginfo_t info = {};
    static const char *const kinds[] = { "+wait", "+spin", "+spin-aware" };
    static const int signals[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
    struct how own = { .flags = POSIX_SPAWN_SETPGROUP };
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < 4; i++) {
            pid_t pid = START(&own, (char *)kinds[k]);
            hear(1);
            kill(pid, signals[i]);
            CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
            CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signals[i]);
            CHECK_IS(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* told once */
            kill(pid, SIGTERM);
            if (kinds[k][1] == 'w') {
                usleep(5000);
                CHECK_IS(waitpid(pid, &status, WNOHANG), 0); /* it stands: nothing but SIGKILL and SIGCONT */
            }
            kill(pid, SIGCONT);
            CHECK_IS(ended_by(pid), SIGTERM);
        }
    pid_t pid = START(&own, "+wait");
    hear(1);
    kill(pid, SIGSTOP);
    CHECK_IS(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK_IS(waitpid(pid, &status, WCONTINUED), pid);
    CHECK(WIFCONTINUED(status));
    kill(pid, SIGSTOP);
    CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
    kill(pid, SIGKILL);
    CHECK_IS(ended_by(pid), SIGKILL);

    for (size_t i = 0; i < 4; i++) { /* by its own hand */
        char number[8];
        snprintf(number, sizeof number, "%d", signals[i]);
        pid = START(&own, "+raise", number);
        CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signals[i]);
        kill(pid, SIGCONT);
        CHECK_IS(status_of(pid), 5 << 8);
        hear(2);
    }
    pid = START(nullptr, "+raise", "20"); /* in our group, whose parents are in other sessions: it goes right on */
    CHECK_IS(status_of(pid), 5 << 8);
    hear(2);
    pid = START(&own, "+cont");
    hear(1);
    CHECK_IS(waitpid(pid, &status, WUNTRACED), pid);
    kill(pid, SIGCONT);
    CHECK_IS(status_of(pid), 7 << 8);
}

/* --- groups and sessions --- */

static void groups(void)
{
    struct how own = { .flags = POSIX_SPAWN_SETPGROUP }, join = own, session = { .flags = POSIX_SPAWN_SETSID };
    char number[32];
    CHECK_IS(getpgrp(), getpid()); /* the first of its family */
    CHECK_IS(getsid(0), getpid());
    CHECK_ERRNO(setsid(), EPERM);
    CHECK_ERRNO(setpgid(0, 0), EPERM);
    CHECK_ERRNO(setpgid(0, -1), EINVAL);
    CHECK_ERRNO(setpgid(0x7ffffff0, 0), ESRCH);
    CHECK_ERRNO(getpgid(0x7ffffff0), ESRCH);
    CHECK_ERRNO(getsid(0x7ffffff0), ESRCH);
    CHECK_IS(status_of(START(&own, "+group", "0")), 0);
    snprintf(number, sizeof number, "%d", (int)getpgrp());
    CHECK_IS(status_of(START(nullptr, "+group", number)), 0);
    CHECK_IS(status_of(START(&session, "+session")), 0);
    CHECK_IS(status_of(START(nullptr, "+setsid")), 0);
    CHECK_IS(status_of(START(nullptr, "+setpgid")), 0);
    join.group = 0x7ffffff0;
    CHECK_IS(START(&join, "+exit", "0"), -1);
    CHECK_IS(errno, EPERM);

    pid_t leader = START(&own, "+wait");
    join.group = leader;
    pid_t second = START(&join, "+wait");
    snprintf(number, sizeof number, "%d", (int)leader);
    CHECK_IS(status_of(START(&join, "+group", number)), 0);
    hear(2);
    CHECK_IS(getpgid(leader), leader);
    CHECK_IS(getpgid(second), leader);
    CHECK_IS(getsid(second), getsid(0));
    CHECK_ERRNO(setpgid(second, second), EACCES);
    CHECK_IS(kill(-leader, 0), 0);
    CHECK_IS(kill(-leader, SIGTERM), 0);
    CHECK_IS(ended_by(second), SIGTERM);
    join.group = leader; /* a group lives as long as one of it has not been waited for */
    CHECK_IS(status_of(START(&join, "+exit", "0")), 0);
    CHECK_IS(ended_by(leader), SIGTERM);
    CHECK_ERRNO(kill(-leader, 0), ESRCH);

    leader = START(&own, "+family"); /* what a child started is in its group too */
    hear(2);
    CHECK_IS(kill(-leader, SIGINT), 0);
    CHECK_IS(ended_by(leader), SIGINT);

    catch (SIGUSR1, 0); /* to one's own group: oneself before kill returns */
    came[SIGUSR1] = 0;
    pid_t mate = START(nullptr, "+wait");
    hear(1);
    CHECK_IS(kill(0, SIGUSR1), 0);
    CHECK_IS(came[SIGUSR1], 1);
    CHECK_IS(ended_by(mate), SIGUSR1);
    mate = START(&own, "+wait");
    hear(1);
    CHECK_IS(kill(-1, SIGUSR1), 0); /* all but oneself */
    CHECK_IS(came[SIGUSR1], 1);
    CHECK_IS(ended_by(mate), SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
}

/* --- becoming another program --- */

static void becoming(void)
{
    pid_t pid = START(nullptr, "+exec", "21");
    CHECK_IS(status_of(pid), 21 << 8);
    pid = START(nullptr, "+exec", "abort");
    CHECK_IS(ended_by(pid), SIGABRT);
    pid = START(nullptr, "+exec", "wait");
    hear(1);
    CHECK_IS(getpgid(pid), getpgrp());
    kill(pid, SIGTERM);
    CHECK_IS(ended_by(pid), SIGTERM);
    CHECK_ERRNO(execl("/no/such", "x", nullptr), ENOENT);
    CHECK_ERRNO(execl("/etc/version", "x", nullptr), EACCES);
    CHECK_ERRNO(execlp("no-such-program", "x", nullptr), ENOENT);
}

/* vfork: what the child changes is its own, and it becomes a program or ends. */
static void playing_the_child(void)
{
    char number[32], cwd[PATH_MAX];
    snprintf(number, sizeof number, "%d", 0);
    pid_t pid = vfork();
    if (pid == 0) {
        if (setpgid(0, 0) != 0 || dup2(said[1], 1) != 1 || chdir("/etc") != 0)
            _exit(90);
        close(said[0]);
        signal(SIGINT, SIG_IGN);
        execl(self, "jobs", "+group", number, nullptr);
        _exit(91);
    }
    CHECK(pid > 0 && pid != getpid());
    CHECK_IS(status_of(pid), 0);
    CHECK(fcntl(said[0], F_GETFD) == FD_CLOEXEC && getpgrp() == getpid());
    CHECK(getcwd(cwd, sizeof cwd) != nullptr && strcmp(cwd, "/") == 0);
    struct sigaction act;
    CHECK(sigaction(SIGINT, nullptr, &act) == 0 && act.sa_handler == SIG_DFL);
    pid = vfork();
    if (pid == 0) {
        execl("/no/such", "x", nullptr);
        _exit(errno == ENOENT ? 7 : 8);
    }
    int status;
    CHECK_IS(wait(&status), pid);
    CHECK_IS(status, 7 << 8);
    CHECK_ERRNO(wait(&status), ECHILD);
    CHECK_ERRNO(fork(), ENOSYS);
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '+')
        return child(argc, argv);
    int status;
    if (!leads_session(self, argv, &status))
        return status;
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = { { "groups", groups },          { "kills", kills },
                  { "queue", queue_is_bounded }, { "stopping", stopping },
                  { "waiting", waiting },        { "sigchld", sigchld },
                  { "becoming", becoming },      { "vfork", playing_the_child } };
    pipe2(said, O_CLOEXEC);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (int k = 1; k < argc || argc == 1; k++) {
            if (argc == 1 || strcmp(argv[k], parts[i].name) == 0)
                parts[i].run();
            if (argc == 1)
                break;
        }
    return check_done();
}
