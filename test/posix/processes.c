/* SPDX-License-Identifier: MIT
 * Programs that start programs: this one starts itself with words that say what to be. Spawning with every file action,
 * waiting, pipes between processes, popen and system, signals inside a process. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static const char *self;

/* --- what it is as a child --- */

static int child(int argc, char **argv)
{
    const char *what = argv[1] + 1;
    if (strcmp(what, "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(what, "args") == 0)
        return argc == 4 && strcmp(argv[2], "two words") == 0 && argv[3][0] == '\0' ? 0 : 1;
    if (strcmp(what, "env") == 0)
        return getenv("ONLY") != nullptr && getenv("PATH") == nullptr ? 0 : 1;
    if (strcmp(what, "cat") == 0) {
        char buffer[512];
        ssize_t n;
        while ((n = read(0, buffer, sizeof buffer)) > 0)
            if (write(1, buffer, (size_t)n) != n)
                return 2;
        return n < 0;
    }
    if (strcmp(what, "nest") == 0) { /* itself inside itself, so many times */
        char number[12];
        pid_t pid;
        int status;
        if (strcmp(argv[2], "0") == 0)
            return 0;
        snprintf(number, sizeof number, "%d", atoi(argv[2]) - 1);
        if (posix_spawn(&pid, self, nullptr, nullptr, (char *[]){ "processes", "+nest", number, nullptr }, environ) !=
                0 ||
            waitpid(pid, &status, 0) != pid)
            return 99;
        return WIFEXITED(status) && WEXITSTATUS(status) != 99 ? WEXITSTATUS(status) + 1 : 99;
    }
    if (strcmp(what, "say") == 0) {
        printf("%s", argv[2]);
        return 0;
    }
    if (strcmp(what, "crash") == 0)
        *(volatile int *)(uintptr_t)8 = 1;
    if (strcmp(what, "abort") == 0)
        abort();
    if (strcmp(what, "sleep") == 0)
        sleep(1000);
    if (strcmp(what, "broken") == 0) {
        signal(SIGPIPE, SIG_DFL);
        write(1, "x", 1);
        return 3;
    }
    if (strcmp(what, "cwd") == 0) {
        char cwd[256];
        return getcwd(cwd, sizeof cwd) != nullptr && strcmp(cwd, argv[2]) == 0 ? 0 : 1;
    }
    if (strcmp(what, "program") == 0) {
        char path[256] = {};
        if (readlink("/proc/self/exe", path, 4) != 4 || memcmp(path, self, 4) != 0)
            return 2; /* cut short without a word */
        ssize_t n = readlink("/proc/self/exe", path, sizeof path);
        return n == (ssize_t)strlen(self) && strcmp(path, self) == 0 ? 0 : 1;
    }
    if (strcmp(what, "closed") == 0)
        return fcntl(atoi(argv[2]), F_GETFD) == -1 && errno == EBADF ? 0 : 1;
    if (strcmp(what, "mask") == 0) {
        sigset_t set;
        sigprocmask(SIG_BLOCK, nullptr, &set);
        struct sigaction act;
        sigaction(SIGUSR2, nullptr, &act);
        return sigismember(&set, SIGUSR1) == 1 && act.sa_handler == SIG_IGN ? 0 : 1;
    }
    return 99;
}

/* --- starting and waiting --- */

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

#define START(pid, actions, attributes, ...)                                                                           \
    posix_spawn(pid, self, actions, attributes, (char *[]){ "processes", __VA_ARGS__, nullptr }, environ)

/* Threads that start children at the same moment: there is memory for each, and for the threads. */
enum { AT_ONCE = 8 };
static pthread_barrier_t at_once;

static void *starts_one(void *unused)
{
    (void)unused;
    pid_t pid = 0;
    pthread_barrier_wait(&at_once);
    int answer = START(&pid, nullptr, nullptr, "+sleep");
    pthread_barrier_wait(&at_once); /* all are there at once */
    if (answer == 0 && (kill(pid, SIGTERM) != 0 || !WIFSIGNALED(status_of(pid))))
        answer = -1;
    return (void *)(intptr_t)answer;
}

static void spawning_at_once(void)
{
    pthread_t t[AT_ONCE];
    CHECK_IS(pthread_barrier_init(&at_once, nullptr, AT_ONCE), 0);
    for (int round = 0; round < 3; round++) {
        int bad = 0;
        for (int i = 0; i < AT_ONCE; i++)
            CHECK_IS(pthread_create(&t[i], nullptr, starts_one, nullptr), 0);
        for (int i = 0; i < AT_ONCE; i++) {
            void *answer = nullptr;
            pthread_join(t[i], &answer);
            bad = answer != nullptr ? (int)(intptr_t)answer : bad;
        }
        CHECK_IS(bad, 0);
    }
}

static void spawning(void)
{
    pid_t pid = 0;
    int status;
    CHECK_IS(START(&pid, nullptr, nullptr, "+exit", "7"), 0);
    CHECK(pid > 0 && pid != getpid());
    status = status_of(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
    CHECK_IS(START(&pid, nullptr, nullptr, "+nest", "2"), 0); /* each has less memory than the one before */
    status = status_of(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    CHECK_IS(START(&pid, nullptr, nullptr, "+args", "two words", ""), 0);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(posix_spawn(&pid, self, nullptr, nullptr, (char *[]){ "processes", "+env", nullptr },
                         (char *[]){ "ONLY=1", nullptr }),
             0);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(START(&pid, nullptr, nullptr, "+crash"), 0);
    status = status_of(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK_IS(START(&pid, nullptr, nullptr, "+abort"), 0);
    status = status_of(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_IS(START(&pid, nullptr, nullptr, "+sleep"), 0);
    CHECK_IS(waitpid(pid, &status, WNOHANG), 0);
    CHECK_IS(kill(pid, 0), 0);
    CHECK_IS(kill(pid, SIGTERM), 0);
    status = status_of(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK_ERRNO(kill(pid, 0), ESRCH);
    CHECK_IS(posix_spawn(&pid, "/no/such", nullptr, nullptr, (char *[]){ "x", nullptr }, environ), ENOENT);
    CHECK_IS(posix_spawn(&pid, "/etc/version", nullptr, nullptr, (char *[]){ "x", nullptr }, environ), EACCES);
    CHECK_IS(posix_spawn(&pid, "/etc", nullptr, nullptr, (char *[]){ "x", nullptr }, environ), EACCES);
    CHECK_IS(posix_spawnp(&pid, "no-such-program", nullptr, nullptr, (char *[]){ "x", nullptr }, environ), ENOENT);
    CHECK_IS(
        posix_spawnp(&pid, "processes", nullptr, nullptr, (char *[]){ "processes", "+exit", "5", nullptr }, environ),
        0);
    CHECK_IS(WEXITSTATUS(status_of(pid)), 5);
    pid_t all[5];
    int sum = 0;
    for (int i = 0; i < 5; i++)
        CHECK_IS(START(&all[i], nullptr, nullptr, "+exit", i % 2 ? "1" : "2"), 0);
    for (int i = 0; i < 5; i++)
        sum += wait(&status) > 0 ? WEXITSTATUS(status) : 100;
    CHECK_IS(sum, 8);
    CHECK_ERRNO(wait(&status), ECHILD);
}

static void file_actions(void)
{
    posix_spawn_file_actions_t fa;
    pid_t pid;
    int in[2], out[2];
    char buffer[64] = {};
    pipe2(in, O_CLOEXEC);
    pipe2(out, O_CLOEXEC);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, in[0], 0);
    posix_spawn_file_actions_adddup2(&fa, out[1], 1);
    CHECK_IS(START(&pid, &fa, nullptr, "+cat"), 0);
    close(in[0]);
    close(out[1]);
    CHECK_IS(write(in[1], "through a child", 15), 15);
    close(in[1]);
    size_t got = 0;
    ssize_t n;
    while ((n = read(out[0], buffer + got, sizeof buffer - got)) > 0)
        got += (size_t)n;
    CHECK(got == 15 && memcmp(buffer, "through a child", 15) == 0);
    CHECK_IS(n, 0);
    CHECK_IS(status_of(pid), 0);
    close(out[0]);
    posix_spawn_file_actions_destroy(&fa);

    posix_spawn_file_actions_init(&fa);
    pipe2(out, O_CLOEXEC);
    posix_spawn_file_actions_addopen(&fa, 0, "/etc/version", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&fa, out[1], 1);
    CHECK_IS(START(&pid, &fa, nullptr, "+cat"), 0);
    close(out[1]);
    CHECK(read(out[0], buffer, 8) == 8 && memcmp(buffer, "VectraOS", 8) == 0);
    close(out[0]);
    CHECK_IS(status_of(pid), 0);
    posix_spawn_file_actions_destroy(&fa);

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addclose(&fa, 2);
    posix_spawn_file_actions_addchdir_np(&fa, "etc");
    CHECK_IS(START(&pid, &fa, nullptr, "+closed", "2"), 0);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(START(&pid, &fa, nullptr, "+cwd", "/etc"), 0);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(START(&pid, &fa, nullptr, "+program"), 0);
    CHECK_IS(status_of(pid), 0);
    posix_spawn_file_actions_addopen(&fa, 5, "nothing", O_RDONLY, 0);
    CHECK_IS(START(&pid, &fa, nullptr, "+exit", "0"), ENOENT);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, 77, 1);
    CHECK_IS(START(&pid, &fa, nullptr, "+exit", "0"), EBADF);
    posix_spawn_file_actions_destroy(&fa);

    /* nobody reads: the child dies of SIGPIPE */
    posix_spawn_file_actions_init(&fa);
    pipe2(out, O_CLOEXEC);
    posix_spawn_file_actions_adddup2(&fa, out[1], 1);
    close(out[0]);
    CHECK_IS(START(&pid, &fa, nullptr, "+broken"), 0);
    close(out[1]);
    int status = status_of(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    posix_spawn_file_actions_destroy(&fa);

    /* a child that dies without a word: its end of the pipe is given back all the same */
    posix_spawn_file_actions_init(&fa);
    pipe2(out, O_CLOEXEC);
    posix_spawn_file_actions_adddup2(&fa, out[1], 1);
    CHECK_IS(START(&pid, &fa, nullptr, "+crash"), 0);
    close(out[1]);
    CHECK_IS(read(out[0], buffer, 1), 0);
    close(out[0]);
    status_of(pid);
    posix_spawn_file_actions_destroy(&fa);

    posix_spawnattr_t attr;
    sigset_t set;
    posix_spawnattr_init(&attr);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    posix_spawnattr_setsigmask(&attr, &set);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    signal(SIGUSR2, SIG_IGN);
    CHECK_IS(START(&pid, nullptr, &attr, "+mask"), 0);
    CHECK_IS(status_of(pid), 0);
    signal(SIGUSR2, SIG_DFL);
}

static void shells(void)
{
    char command[256], line[64] = {};
    snprintf(command, sizeof command, "%s +exit 9", self);
    int status = system(command);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    CHECK(system(nullptr) != 0);
    snprintf(command, sizeof command, "%s +say hello", self);
    FILE *f = popen(command, "r");
    CHECK(f != nullptr);
    CHECK(f != nullptr && fgets(line, sizeof line, f) != nullptr && strcmp(line, "hello") == 0);
    CHECK_IS(pclose(f), 0);
}

/* --- signals --- */

static volatile int handled, last_code;
static void *volatile last_value;
static void on_signal(int signal)
{
    handled += signal;
}
static void on_info(int signal, siginfo_t *info, void *context)
{
    (void)context;
    handled = signal;
    last_code = info->si_code;
    last_value = info->si_value.sival_ptr;
}
static sigjmp_buf back;
static void jumps_out(int signal)
{
    siglongjmp(back, signal);
}

static void *interrupts(void *arg)
{
    usleep(5000);
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return nullptr;
}

static void signals(void)
{
    sigset_t set, old, pending;
    struct sigaction act = { .sa_handler = on_signal }, was;
    CHECK_IS(sigaction(SIGUSR1, &act, nullptr), 0);
    CHECK_IS(raise(SIGUSR1), 0);
    CHECK_IS(handled, SIGUSR1);
    CHECK_IS(kill(getpid(), SIGUSR1), 0);
    CHECK_IS(handled, 2 * SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_IS(sigprocmask(SIG_BLOCK, &set, &old), 0);
    raise(SIGUSR1);
    CHECK_IS(handled, 2 * SIGUSR1);
    CHECK_IS(sigpending(&pending), 0);
    CHECK_IS(sigismember(&pending, SIGUSR1), 1);
    CHECK_IS(sigprocmask(SIG_SETMASK, &old, nullptr), 0);
    CHECK_IS(handled, 3 * SIGUSR1);
    act = (struct sigaction){ .sa_sigaction = on_info, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR2, &act, nullptr);
    CHECK_IS(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_ptr = &set }), 0);
    CHECK(handled == SIGUSR2 && last_code == SI_QUEUE && last_value == &set);
    act = (struct sigaction){ .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
    sigaction(SIGUSR2, &act, nullptr);
    raise(SIGUSR2);
    sigaction(SIGUSR2, nullptr, &was);
    CHECK(was.sa_handler == SIG_DFL);
    signal(SIGUSR2, SIG_IGN);
    CHECK_IS(raise(SIGUSR2), 0);
    CHECK_IS(raise(SIGCHLD), 0);
    signal(SIGUSR2, jumps_out);
    int came = sigsetjmp(back, 1);
    if (came == 0)
        raise(SIGUSR2);
    CHECK_IS(came, SIGUSR2);
    sigprocmask(SIG_BLOCK, nullptr, &set);
    CHECK_IS(sigismember(&set, SIGUSR2), 0);

    pthread_t me = pthread_self(), t;
    handled = 0;
    signal(SIGUSR1, on_signal);
    act = (struct sigaction){ .sa_handler = on_signal };
    sigaction(SIGUSR1, &act, nullptr);
    pthread_create(&t, nullptr, interrupts, &me);
    struct timespec ten = { .tv_sec = 10 }, left = {};
    CHECK_ERRNO(nanosleep(&ten, &left), EINTR);
    CHECK(left.tv_sec == 9);
    pthread_join(t, nullptr);
    CHECK_IS(handled, SIGUSR1);
    int p[2];
    char c;
    pipe(p);
    pthread_create(&t, nullptr, interrupts, &me);
    CHECK_ERRNO((int)read(p[0], &c, 1), EINTR);
    pthread_join(t, nullptr);
    sigemptyset(&set);
    pthread_create(&t, nullptr, interrupts, &me);
    CHECK_ERRNO(pause(), EINTR);
    pthread_join(t, nullptr);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    pthread_create(&t, nullptr, interrupts, &me);
    int got = 0;
    CHECK_IS(sigwait(&set, &got), 0);
    CHECK_IS(got, SIGUSR1);
    pthread_join(t, nullptr);
    struct timespec soon = { .tv_nsec = 1000000 };
    CHECK_ERRNO(sigtimedwait(&set, nullptr, &soon), EAGAIN);
    pthread_create(&t, nullptr, interrupts, &me);
    CHECK_ERRNO(sigsuspend(&old), EINTR);
    pthread_join(t, nullptr);
    sigprocmask(SIG_SETMASK, &old, nullptr);
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    CHECK_ERRNO((int)write(p[1], "x", 1), EPIPE);
    CHECK_ERRNO(kill(getpid(), 99), EINVAL);
    CHECK_ERRNO(kill(999999, SIGTERM), ESRCH);
    act = (struct sigaction){ .sa_handler = on_signal };
    CHECK_ERRNO(sigaction(SIGKILL, &act, nullptr), EINVAL);
}

int main(int argc, char **argv)
{
    self = "/bin/processes";
    if (argc > 1 && argv[1][0] == '+')
        return child(argc, argv);
    spawning();
    spawning_at_once();
    file_actions();
    shells();
    signals();
    return check_done();
}
