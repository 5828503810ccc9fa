/* SPDX-License-Identifier: MIT
 * Signals inside one process: stacks of their own, jumps out of handlers, handlers within handlers, calls that go on or
 * end, and signals that are queued and waited for. Between processes: jobs.c. */
#define _GNU_SOURCE
#include "check.h"
#include <aio.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t came[65];
static int said[2]; /* what the other thread says */

static void count(int signal)
{
    came[signal]++;
}

static void catch (int signal, int flags)
{
    struct sigaction act = { .sa_handler = count, .sa_flags = flags };
    sigaction(signal, &act, nullptr);
}

static sigjmp_buf out;
static char *volatile where;
static volatile int nested, depth;

static void on_other_stack(int signal)
{
    char here;
    (void)signal;
    where = &here;
}

static void leaves(int signal)
{
    siglongjmp(out, signal);
}

static void nests(int signal)
{
    nested++;
    if (depth++ < 2)
        raise(signal);
    depth--;
}

static void *signals_later(void *arg)
{
    usleep(10000);
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    usleep(10000);
    (void)!write(said[1], "x", 1);
    return nullptr;
}

/* The C library does asynchronous transfers in threads, and says by sigqueue what has become of one. */
static void transfer_tells(const sigset_t *set)
{
    char text[] = "later";
    siginfo_t info;
    int fd = open("/tmp/signals-aio", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct aiocb transfer = {
        .aio_fildes = fd,
        .aio_buf = text,
        .aio_nbytes = sizeof text,
        .aio_sigevent = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = { .sival_ptr = text } }
    };
    CHECK_IS(aio_write(&transfer), 0);
    CHECK(sigwaitinfo(set, &info) == SIGRTMIN && info.si_code == SI_ASYNCIO && info.si_value.sival_ptr == text);
    CHECK_IS(aio_error(&transfer), 0);
    CHECK_IS(aio_return(&transfer), sizeof text);
    close(fd);
    unlink("/tmp/signals-aio");
}

/* Many that are given up tell as well, and more at once than they are. What waits is as much as was sent. */
enum { TRANSFERS = 128, QUEUED = 128 /* PX_SIGNALS_QUEUED */ };
static volatile sig_atomic_t told;

static void transfer_told(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    told += aio_error(info->si_value.sival_ptr) != EINPROGRESS;
}

static void given_up_transfers_tell(void)
{
    static struct aiocb transfers[TRANSFERS];
    static char text[1024];
    struct sigaction act = { .sa_sigaction = transfer_told, .sa_flags = SA_SIGINFO | SA_RESTART };
    int fd = open("/tmp/signals-aio", O_RDWR | O_CREAT | O_TRUNC, 0600), begun = 0;
    sigaction(SIGRTMIN + 1, &act, nullptr);
    for (; begun < TRANSFERS; begun++) {
        struct aiocb *t = &transfers[begun];
        *t = (struct aiocb){ .aio_fildes = fd, .aio_buf = text, .aio_nbytes = sizeof text };
        t->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
        t->aio_sigevent.sigev_signo = SIGRTMIN + 1;
        t->aio_sigevent.sigev_value.sival_ptr = t;
        if (aio_write(t) != 0)
            break;
    }
    CHECK_IS(begun, TRANSFERS);
    CHECK(aio_cancel(fd, nullptr) >= 0);
    for (time_t end = time(nullptr) + 20; told < begun && time(nullptr) < end;)
        continue;
    CHECK_IS(told, begun);
    CHECK_IS(sysconf(_SC_SIGQUEUE_MAX), 32); /* PROC_QUEUE_MAX: what other processes may count on */
    close(fd);
    unlink("/tmp/signals-aio");
}

static void queue_has_an_edge(void)
{
    sigset_t set;
    siginfo_t info;
    struct timespec zero = {};
    int n = 0, taken = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    kill(getpid(), SIGUSR2); /* takes no place of theirs */
    while (n <= QUEUED && sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = n }) == 0)
        n++;
    CHECK(n == QUEUED && errno == EAGAIN);
    CHECK_IS(sigtimedwait(&set, &info, &zero), SIGUSR2);
    CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){}), EAGAIN);
    while (sigtimedwait(&set, &info, &zero) == SIGRTMIN + 2 && info.si_value.sival_int == taken)
        taken++;
    CHECK_IS(taken, QUEUED);
    CHECK_IS(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 7 }), 0);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 2 && info.si_value.sival_int == 7);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

static void inside(void)
{
    static char stack[MINSIGSTKSZ + 16384];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack }, was;
    struct sigaction act = { .sa_handler = on_other_stack, .sa_flags = SA_ONSTACK };
    CHECK_IS(sigaltstack(nullptr, &was), 0);
    CHECK((was.ss_flags & SS_DISABLE) != 0);
    CHECK_IS(sigaltstack(&ss, nullptr), 0);
    sigaction(SIGUSR1, &act, nullptr);
    raise(SIGUSR1);
    CHECK(where >= stack && where < stack + sizeof stack);
    act.sa_handler = leaves;
    sigaction(SIGUSR1, &act, nullptr);
    int jumped = sigsetjmp(out, 1);
    if (jumped == 0)
        raise(SIGUSR1);
    CHECK_IS(jumped, SIGUSR1);
    act = (struct sigaction){ .sa_handler = on_other_stack };
    sigaction(SIGUSR1, &act, nullptr);
    raise(SIGUSR1);
    CHECK(where < stack || where >= stack + sizeof stack);
    ss.ss_size = 16;
    CHECK_ERRNO(sigaltstack(&ss, nullptr), ENOMEM);
    ss = (stack_t){ .ss_flags = 0x100, .ss_sp = stack, .ss_size = sizeof stack };
    CHECK_ERRNO(sigaltstack(&ss, nullptr), EINVAL);
    ss.ss_flags = SS_DISABLE;
    CHECK_IS(sigaltstack(&ss, nullptr), 0);

    act = (struct sigaction){ .sa_handler = nests, .sa_flags = SA_NODEFER };
    sigaction(SIGUSR1, &act, nullptr);
    raise(SIGUSR1);
    CHECK_IS(nested, 3);

    pthread_t me = pthread_self(), other;
    char c;
    catch (SIGUSR1, SA_RESTART);
    came[SIGUSR1] = 0;
    pthread_create(&other, nullptr, signals_later, &me);
    CHECK_IS(read(said[0], &c, 1), 1); /* the handler ran, and the read went on */
    CHECK_IS(came[SIGUSR1], 1);
    pthread_join(other, nullptr);
    catch (SIGUSR1, 0);
    pthread_create(&other, nullptr, signals_later, &me);
    CHECK_ERRNO(read(said[0], &c, 1), EINTR);
    pthread_join(other, nullptr);
    CHECK_IS(read(said[0], &c, 1), 1);

    sigset_t set, pending;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 3);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 1 });
    sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 2 });
    sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 3 });
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR2);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGRTMIN) && sigismember(&pending, SIGUSR2) && !sigismember(&pending, SIGINT));
    CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_code == SI_USER && info.si_pid == getpid());
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 2);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 3);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 3 && info.si_value.sival_int == 1);
    transfer_tells(&set);
    struct timespec zero = {}, bad = { .tv_nsec = -1 };
    CHECK_ERRNO(sigtimedwait(&set, &info, &zero), EAGAIN);
    CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
    kill(getpid(), SIGUSR2);
    signal(SIGUSR2, SIG_IGN); /* what is pending goes when it is ignored */
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGUSR2));
    signal(SIGUSR2, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

int main(void)
{
    CHECK_IS(pipe(said), 0);
    inside();
    queue_has_an_edge();
    given_up_transfers_tell();
    return check_done();
}
