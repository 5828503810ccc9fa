/* SPDX-License-Identifier: MIT
 * Handlers that run in the middle of a computation: for faults, and for signals to threads that make no call. What was
 * interrupted must not notice: all its registers are its own again. */
#define _GNU_SOURCE
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;
static const char *self;
static sigjmp_buf out;
static volatile sig_atomic_t came;
static volatile siginfo_t info;
static char *volatile where;

static void count(int signal)
{
    (void)signal;
    came++;
}

static void catch (int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
    sigaction(signal, &act, nullptr);
}

/* --- computing threads --- */

/* Enough live values, whole numbers and others, that a register lost anywhere changes the sum. */
[[gnu::noinline]] static double work(unsigned rounds)
{
    __asm__ volatile("" : "+r"(rounds)); /* it cannot be worked out once for all */
    uint64_t a = 1, b = 2, c = 3, d = 5, e = 7, f = 11, g = 13, h = 17;
    double p = 1, q = 2, r = 3, s = 4, t = 5, u = 6, v = 7, w = 8;
    for (unsigned i = 0; i < rounds; i++) {
        a += b ^ i, b = b * 3 + c, c ^= d >> 3, d += e, e = e * 5 + f, f ^= g << 1, g += h, h = h * 7 + a;
        p = p * 0.5 + q * 0.25, q = q * 0.5 + r * 0.3, r = r * 0.25 - s * 0.125, s = s * 0.25 + t * 0.5 + 1;
        t = t * 0.5 + u * 0.0625, u = u * 0.5 + v * 0.25, v = v * 0.5 - w * 0.25, w = w * 0.5 + p * 0.25 + i % 7;
    }
    return (double)(a ^ b ^ c ^ d ^ e ^ f ^ g ^ h) + p + q + r + s + t + u + v + w;
}

static void spoils(int signal)
{
    /* uses what it can get hold of */
    volatile double x = work(7);
    (void)signal, (void)x;
    came++;
}

static void computing(void)
{
    struct itimerval every = { { 0, 1000 }, { 0, 1000 } }, never = {};
    struct sigaction act = { .sa_handler = spoils };
    double wanted = work(100000), got = wanted;
    sigaction(SIGALRM, &act, nullptr);
    setitimer(ITIMER_REAL, &every, nullptr);
    for (int i = 0; i < 2000 && got == wanted && came < 20; i++)
        got = work(100000);
    setitimer(ITIMER_REAL, &never, nullptr);
    CHECK(got == wanted);
    CHECK(came >= 20);

    /* one call arms it, and the loop makes none */
    came = 0;
    act.sa_handler = count;
    sigaction(SIGALRM, &act, nullptr);
    struct itimerval once = { {}, { 0, 20000 } };
    setitimer(ITIMER_REAL, &once, nullptr);
    while (came == 0)
        ;
    CHECK_IS(came, 1);
}

static volatile int running;

static void *spins(void *stop)
{
    running = 1;
    while (*(volatile sig_atomic_t *)stop == 0)
        ;
    return stop;
}

static void *spins_for_ever(void *unused)
{
    (void)unused;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
    running = 1;
    for (;;)
        __asm__ volatile("" ::: "memory");
}

static void *computes_then_waits(void *unused)
{
    (void)unused;
    running = 1;
    volatile double x = work(20000000);
    (void)x;
    for (;;)
        pause();
}

static void where_am_i(int signal, siginfo_t *i, void *context)
{
    char here;
    (void)signal, (void)i, (void)context;
    where = &here;
    came++;
}

static void threads(void)
{
    pthread_t t;
    void *value;
    struct sigaction act = { .sa_handler = count };
    sigaction(SIGUSR1, &act, nullptr);
    came = running = 0;
    pthread_create(&t, nullptr, spins, (void *)&came);
    while (!running)
        usleep(1000);
    pthread_kill(t, SIGUSR1);
    pthread_join(t, &value);
    CHECK(value == (void *)&came);

    running = 0;
    pthread_create(&t, nullptr, spins_for_ever, nullptr);
    while (!running)
        usleep(1000);
    CHECK_IS(pthread_cancel(t), 0);
    pthread_join(t, &value);
    CHECK(value == PTHREAD_CANCELED);

    running = 0; /* deferred: it is cancelled when it waits, though the signal reached it before */
    pthread_create(&t, nullptr, computes_then_waits, nullptr);
    while (!running)
        usleep(1000);
    CHECK_IS(pthread_cancel(t), 0);
    pthread_join(t, &value);
    CHECK(value == PTHREAD_CANCELED);

    static char stack[65536];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack }, none = { .ss_flags = SS_DISABLE };
    struct itimerval once = { {}, { 0, 5000 } };
    sigaltstack(&ss, nullptr);
    catch (SIGALRM, where_am_i, SA_ONSTACK);
    came = 0;
    setitimer(ITIMER_REAL, &once, nullptr);
    while (came == 0)
        ;
    CHECK(where >= stack && where < stack + sizeof stack);
    CHECK_IS(sigaltstack(&none, nullptr), 0);
    catch (SIGALRM, where_am_i, 0);
    came = 0;
    setitimer(ITIMER_REAL, &once, nullptr);
    while (came == 0)
        ;
    CHECK(where < stack || where >= stack + sizeof stack);
}

/* --- faults --- */

static void jumps(int signal, siginfo_t *i, void *context)
{
    char here;
    (void)context;
    info = *i;
    where = &here;
    siglongjmp(out, signal);
}

static void mends(int signal, siginfo_t *i, void *context)
{
    (void)signal, (void)context;
    came++;
    mprotect((void *)((uintptr_t)i->si_addr & ~(uintptr_t)4095), 4096, PROT_READ | PROT_WRITE);
}

static void skips(int signal, siginfo_t *i, void *context)
{
    ucontext_t *u = context;
    (void)signal, (void)i;
    came++;
#ifdef __x86_64__
    u->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
    u->uc_mcontext.gregs[REG_RBX] = 77;
#else
    u->uc_mcontext.pc += 4;
    u->uc_mcontext.regs[20] = 77;
#endif
}

/* An instruction that is none; the value of a register behind it, which was 5 before. */
static long undefined(void)
{
#ifdef __x86_64__
    register long r __asm__("rbx") = 5;
    __asm__ volatile("ud2" : "+r"(r));
#else
    register long r __asm__("x20") = 5;
    __asm__ volatile("udf #7" : "+r"(r));
#endif
    return r;
}

static void touches(void)
{
    char *volatile none = (char *)0x1234;
    for (int i = 0; i < 3; i++) {
        int signal = sigsetjmp(out, 1);
        if (signal == 0) {
            catch (SIGSEGV, jumps, 0);
            *none = 1;
        }
        CHECK_IS(signal, SIGSEGV);
        CHECK_IS(info.si_signo, SIGSEGV);
        CHECK(info.si_addr == none);
        CHECK(info.si_code > 0);
    }
    char *page = mmap(nullptr, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    catch (SIGSEGV, mends, 0);
    came = 0;
    double before = work(1000);
    page[10] = 42;
    page[4096] = (char)(page[10] + 1);
    CHECK_IS(came, 2);
    CHECK_IS(page[4096], 43);
    CHECK(work(1000) == before);
    munmap(page, 8192);

    catch (SIGILL, skips, 0);
    came = 0;
    CHECK_IS(undefined(), 77);
    CHECK_IS(came, 1);
    catch (SIGILL, jumps, SA_RESETHAND);
    int signal = sigsetjmp(out, 1);
    if (signal == 0)
        (void)undefined();
    CHECK_IS(signal, SIGILL);
    struct sigaction act;
    sigaction(SIGILL, nullptr, &act);
    CHECK(act.sa_handler == SIG_DFL);
#ifdef __x86_64__ /* elsewhere a division by zero is 0 */
    volatile int zero = 0;
    catch (SIGFPE, jumps, 0);
    signal = sigsetjmp(out, 1);
    if (signal == 0)
        zero = 7 / zero;
    CHECK_IS(signal, SIGFPE);
    CHECK_IS(info.si_code, FPE_INTDIV);
#endif
    catch (SIGTRAP, jumps, 0);
    signal = sigsetjmp(out, 1);
    if (signal == 0) {
#ifdef __x86_64__
        __asm__ volatile("int3");
#else
        __asm__ volatile("brk #0");
#endif
    }
    CHECK_IS(signal, SIGTRAP);
}

/* Deeper and deeper, however clever the compiler. */
[[gnu::noinline]] static int deeper(volatile char *from)
{
    volatile char frame[512];
    frame[0] = from[0];
    return from[0] == 0 ? 0 : deeper(frame) + frame[0];
}

static void *overflows(void *unused)
{
    (void)unused;
    size_t size = 32768;
    char *other = malloc(size);
    stack_t ss = { .ss_sp = other, .ss_size = size };
    sigaltstack(&ss, nullptr);
    catch (SIGSEGV, jumps, SA_ONSTACK);
    static _Thread_local volatile int signal;
    signal = sigsetjmp(out, 1);
    if (signal == 0) {
        volatile char c = 1;
        (void)deeper(&c);
    }
    CHECK_IS(signal, SIGSEGV);
    CHECK(where >= other && where < other + size);
    return nullptr;
}

static void faults_within(int signal)
{
    (void)signal;
    came++;
    if (sigsetjmp(out, 1) == 0)
        *(volatile char *)8 = 1;
    came++;
}

static void nested(void)
{
    struct sigaction act = { .sa_handler = faults_within };
    struct itimerval once = { {}, { 0, 5000 } };
    pthread_t t;
    pthread_create(&t, nullptr, overflows, nullptr);
    pthread_join(t, nullptr);
    overflows(nullptr);
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, nullptr);
    catch (SIGSEGV, jumps, 0);
    sigaction(SIGALRM, &act, nullptr);
    came = 0;
    setitimer(ITIMER_REAL, &once, nullptr);
    while (came < 2)
        ;
    CHECK_IS(came, 2);
}

/* Many threads fault at the same time, again and again. */
static __thread sigjmp_buf mine;

static void jumps_here(int signal, siginfo_t *i, void *context)
{
    (void)context;
    siglongjmp(mine, i->si_addr == (void *)16 ? signal : -1);
}

static void *faults_often(void *unused)
{
    (void)unused;
    static _Thread_local volatile long good;
    for (volatile int i = 0; i < 50; i++) {
        int signal = sigsetjmp(mine, 1);
        if (signal == 0)
            *(volatile char *)16 = 1;
        good += signal == SIGSEGV;
    }
    return (void *)good;
}

static void together(void)
{
    pthread_t t[4];
    catch (SIGSEGV, jumps_here, 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], nullptr, faults_often, nullptr);
    for (int i = 0; i < 4; i++) {
        void *good;
        pthread_join(t[i], &good);
        CHECK_IS((long)good, 50);
    }
}

/* --- the end of a process --- */

static int role(const char *name)
{
    sigset_t all;
    volatile char *none = (char *)8;
    sigfillset(&all);
    if (strcmp(name, "blocked") == 0) {
        catch (SIGSEGV, jumps, 0);
        sigprocmask(SIG_BLOCK, &all, nullptr);
    } else if (strcmp(name, "ignored") == 0) {
        signal(SIGSEGV, SIG_IGN);
        signal(SIGUSR1, count); /* it is known where to land */
    } else if (strcmp(name, "overflow") == 0) {
        catch (SIGSEGV, jumps, 0); /* has no other stack */
        return deeper(&(volatile char){ 1 });
    } else if (strcmp(name, "undefined") == 0) {
        return (int)undefined();
    } else if (strcmp(name, "computes") == 0) {
        for (;;)
            __asm__ volatile("" ::: "memory");
    }
    *none = 1;
    return 0;
}

static int ends(const char *name, int signal)
{
    char *argv[] = { (char *)self, (char *)name, nullptr };
    pid_t pid;
    int status = 0;
    if (posix_spawn(&pid, self, nullptr, nullptr, argv, environ) != 0)
        return -1;
    if (signal != 0) {
        usleep(20000);
        kill(pid, signal);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -status;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return role(argv[1]);
    setvbuf(stdout, nullptr, _IOLBF, 0);
    computing();
    threads();
    touches();
    nested();
    together();
    CHECK_IS(ends("plain", 0), SIGSEGV);
    CHECK_IS(ends("blocked", 0), SIGSEGV);
    CHECK_IS(ends("ignored", 0), SIGSEGV);
    CHECK_IS(ends("overflow", 0), SIGSEGV);
    CHECK_IS(ends("undefined", 0), SIGILL);
    CHECK_IS(ends("computes", SIGTERM), SIGTERM);
    return check_done();
}
