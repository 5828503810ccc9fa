/* SPDX-License-Identifier: MIT
 * Memory and semaphores with names: shm_open, sem_open and what they are made of, files of /dev/shm that are mapped
 * shared; in one process and between several, with names that go first and holders that are killed. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum { PAGE = 4096 };
static char *self;

/* This program as a child, with a part to play. */
static pid_t child(const char *part, const char *argument)
{
    pid_t pid = -1;
    char *argv[] = { self, (char *)part, (char *)argument, nullptr };
    return posix_spawn(&pid, self, nullptr, nullptr, argv, environ) == 0 ? pid : -1;
}

static int status_of(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static unsigned names(void)
{
    unsigned n = 0;
    DIR *d = opendir("/dev/shm");
    for (struct dirent *e; d != nullptr && (e = readdir(d)) != nullptr;)
        n += e->d_name[0] != '.';
    if (d != nullptr)
        closedir(d);
    return n;
}

static unsigned long free_blocks(void)
{
    struct statvfs s;
    return statvfs("/dev/shm", &s) == 0 ? s.f_bfree : 0;
}

/* --- memory --- */

static void open_and_name(void)
{
    struct stat st;
    char longer[NAME_MAX + 3];
    memset(longer, 'a', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    CHECK_ERRNO(shm_open("/none", O_RDWR, 0), ENOENT);
    CHECK_ERRNO(shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL);
    CHECK_ERRNO(shm_open("/", O_RDWR | O_CREAT, 0600), EINVAL);
    CHECK_ERRNO(shm_open("/..", O_RDWR | O_CREAT, 0600), EINVAL);
    CHECK_ERRNO(shm_open(longer, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
    CHECK_ERRNO(shm_unlink("/none"), ENOENT);
    CHECK_ERRNO(shm_unlink(longer), ENAMETOOLONG);
    int fd = shm_open("/one", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK(fd >= 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640 && st.st_size == 0);
    CHECK_ERRNO(shm_open("/one", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    int again = shm_open("one", O_RDONLY, 0);
    struct stat other;
    CHECK(again >= 0 && fstat(again, &other) == 0 && other.st_ino == st.st_ino && other.st_dev == st.st_dev);
    CHECK_IS(ftruncate(fd, 3 * PAGE + 5), 0);
    CHECK(fstat(again, &other) == 0 && other.st_size == 3 * PAGE + 5);
    CHECK_ERRNO(ftruncate(again, 0), EINVAL);
    CHECK_ERRNO(ftruncate(fd, (off_t)1 << 38), ENOSPC);
    CHECK_IS(close(again), 0);
    again = shm_open("/one", O_RDWR | O_TRUNC, 0);
    CHECK(fstat(fd, &other) == 0 && other.st_size == 0);
    CHECK_IS(close(again), 0);
    CHECK_IS(fchmod(fd, 0400), 0);
    CHECK_ERRNO(shm_open("/one", O_RDWR, 0), EACCES);
    CHECK_IS(shm_unlink("/one"), 0);
    CHECK_ERRNO(shm_open("/one", O_RDWR, 0), ENOENT);
    CHECK_IS(close(fd), 0);
    CHECK_ERRNO(mkdir("/dev/shm/directory", 0700), EPERM);
}

static void maps(void)
{
    int fd = shm_open("/maps", O_RDWR | O_CREAT | O_EXCL, 0600), reader = shm_open("/maps", O_RDONLY, 0);
    char byte = 0;
    CHECK_IS(ftruncate(fd, 4 * PAGE), 0);
    char *a = mmap(nullptr, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *b = mmap(nullptr, 2 * PAGE, PROT_READ, MAP_SHARED, reader, PAGE);
    CHECK(a != MAP_FAILED && b != MAP_FAILED && a != b);
    CHECK(a[0] == 0 && a[4 * PAGE - 1] == 0);
    a[PAGE + 7] = 'x';
    CHECK(b[7] == 'x');
    CHECK(pread(fd, &byte, 1, PAGE + 7) == 1 && byte == 'x');
    CHECK(pwrite(fd, "y", 1, 2 * PAGE) == 1 && b[PAGE] == 'y' && a[2 * PAGE] == 'y');
    CHECK(mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED && errno == EACCES);
    CHECK_ERRNO(mprotect(b, PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK_IS(mprotect(a, PAGE, PROT_READ), 0);
    CHECK_IS(mprotect(a, PAGE, PROT_READ | PROT_WRITE), 0);
    a[1] = 'z';
    CHECK_IS(msync(a, PAGE, MS_SYNC), 0);
    char *private = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(private != MAP_FAILED && private[1] == 'z');
    private[1] = 'p';
    CHECK(a[1] == 'z');
    CHECK_IS(munmap(private, PAGE), 0);
    /* The file and its name go; what is mapped stays, also in parts. */
    CHECK_IS(close(fd), 0);
    CHECK_IS(close(reader), 0);
    CHECK_IS(shm_unlink("/maps"), 0);
    CHECK_IS(munmap(a + PAGE, PAGE), 0);
    a[0] = 1, a[2 * PAGE] = 2, a[3 * PAGE] = 3;
    CHECK(b[PAGE] == 2 && a[3 * PAGE] == 3);
    CHECK_IS(madvise(a, PAGE, MADV_DONTNEED), 0);
    CHECK(a[0] == 1);
    CHECK(mremap(a + 2 * PAGE, 2 * PAGE, PAGE, 0) == a + 2 * PAGE);
    CHECK(mremap(a + 2 * PAGE, PAGE, 8 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
    CHECK(b[PAGE] == 2);
    CHECK(mmap(a, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == a && a[0] == 0);
    CHECK_IS(munmap(a, 4 * PAGE), 0);
    CHECK(b[PAGE] == 2);
    CHECK_IS(munmap(b, 2 * PAGE), 0);
    int ordinary = open("/tmp/ordinary", O_RDWR | O_CREAT, 0600);
    CHECK(write(ordinary, "text", 4) == 4);
    CHECK(mmap(nullptr, PAGE, PROT_READ, MAP_SHARED, ordinary, 0) == MAP_FAILED && errno == ENODEV);
    CHECK_IS(close(ordinary), 0);
    CHECK_IS(unlink("/tmp/ordinary"), 0);
}

/* Pages behind the end are there to be had later, and not before; a file that is mapped grows in place. */
static void growing(void)
{
    int fd = shm_open("/grows", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK_IS(ftruncate(fd, PAGE), 0);
    char *first = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *at = first;
    CHECK(first != MAP_FAILED);
    first[0] = 'f';
    unsigned good = 0, pieces = 16;
    for (unsigned i = 2; i <= pieces; i++) {
        if (ftruncate(fd, i * PAGE) != 0)
            break;
        at = mmap(nullptr, i * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED || at[0] != 'f' || at[(i - 1) * PAGE] != 0)
            break;
        at[(i - 1) * PAGE] = (char)i;
        first[1] = (char)i;
        good += at[1] == (char)i;
        munmap(at, i * PAGE);
    }
    CHECK_IS(good, pieces - 1);
    CHECK_ERRNO(ftruncate(fd, (pieces + 1) * PAGE), ENOSPC); /* SHM_PIECES_MAX, while it is mapped */
    CHECK_IS(munmap(first, PAGE), 0);
    CHECK_IS(ftruncate(fd, (pieces + 1) * PAGE), 0);
    at = mmap(nullptr, (pieces + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    good = 0;
    for (unsigned i = 2; at != MAP_FAILED && i <= pieces; i++)
        good += at[(i - 1) * PAGE] == (char)i;
    CHECK_IS(good, pieces - 1);
    /* Smaller and larger again: zeroes, for who has it mapped too. */
    CHECK_IS(ftruncate(fd, 10), 0);
    CHECK_IS(ftruncate(fd, 3 * PAGE), 0);
    CHECK(at[0] == 'f' && at[PAGE] == 0 && at[2 * PAGE] == 0);
    CHECK_IS(munmap(at, (pieces + 1) * PAGE), 0);
    CHECK_IS(posix_fallocate(fd, 0, 5 * PAGE), 0);
    CHECK_IS(lseek(fd, 0, SEEK_END), 5 * PAGE);
    CHECK_IS(shm_unlink("/grows"), 0);
    CHECK_IS(close(fd), 0);
}

static void without_name(void)
{
    unsigned before = names();
    int fd = memfd_create("anything", MFD_CLOEXEC);
    CHECK(fd >= 0 && names() == before);
    CHECK_ERRNO(memfd_create("anything", MFD_ALLOW_SEALING), EINVAL);
    CHECK_IS(write(fd, "hello", 5), 5);
    char *at = mmap(nullptr, 5, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED && memcmp(at, "hello", 6) == 0);
    CHECK_IS(munmap(at, 5), 0);
    CHECK_IS(close(fd), 0);
}

/* --- between processes --- */

struct common {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    sem_t go, done;
    unsigned long counter;
    unsigned arrived;
    bool held;
};
enum { ROUNDS = 2000, CHILDREN = 3 };

static struct common *common_open(const char *name, int flags)
{
    int fd = shm_open(name, O_RDWR | flags, 0600);
    if (fd < 0 || ((flags & O_CREAT) != 0 && ftruncate(fd, sizeof(struct common)) != 0))
        return nullptr;
    void *at = mmap(nullptr, sizeof(struct common), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? nullptr : at;
}

static int counting_child(const char *name)
{
    struct common *c = common_open(name, 0);
    if (c == nullptr)
        return 9;
    pthread_mutex_lock(&c->mutex);
    c->arrived++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    sem_wait(&c->go);
    for (unsigned i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&c->mutex);
        c->counter++;
        pthread_mutex_unlock(&c->mutex);
    }
    sem_post(&c->done);
    return 0;
}

/* Takes the mutex, says so, and waits to be killed. */
static int holding_child(const char *name)
{
    struct common *c = common_open(name, 0);
    if (c == nullptr || pthread_mutex_lock(&c->mutex) != 0)
        return 9;
    c->held = true;
    sem_post(&c->done);
    for (;;)
        pause();
}

static void make_common(struct common *c, int robust)
{
    pthread_mutexattr_t m;
    pthread_condattr_t v;
    CHECK_IS(pthread_mutexattr_init(&m), 0);
    CHECK_IS(pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED), 0);
    CHECK_IS(pthread_mutexattr_setrobust(&m, robust), 0);
    CHECK_IS(pthread_mutex_init(&c->mutex, &m), 0);
    CHECK_IS(pthread_condattr_init(&v), 0);
    CHECK_IS(pthread_condattr_setpshared(&v, PTHREAD_PROCESS_SHARED), 0);
    CHECK_IS(pthread_cond_init(&c->changed, &v), 0);
    CHECK_IS(sem_init(&c->go, 1, 0), 0);
    CHECK_IS(sem_init(&c->done, 1, 0), 0);
}

static void counting(void)
{
    struct common *c = common_open("/count", O_CREAT | O_EXCL);
    pid_t pid[CHILDREN];
    CHECK(c != nullptr);
    make_common(c, PTHREAD_MUTEX_STALLED);
    for (unsigned i = 0; i < CHILDREN; i++)
        pid[i] = child("count", "/count");
    pthread_mutex_lock(&c->mutex);
    while (c->arrived < CHILDREN)
        pthread_cond_wait(&c->changed, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
    CHECK_IS(shm_unlink("/count"), 0); /* all have it */
    for (unsigned i = 0; i < CHILDREN; i++)
        sem_post(&c->go);
    for (unsigned i = 0; i < CHILDREN; i++)
        sem_wait(&c->done);
    CHECK_IS(c->counter, CHILDREN * ROUNDS);
    for (unsigned i = 0; i < CHILDREN; i++)
        CHECK_IS(status_of(pid[i]), 0);
    CHECK_IS(munmap(c, sizeof *c), 0);
}

static void killed_holder(void)
{
    struct common *c = common_open("/held", O_CREAT | O_EXCL);
    CHECK(c != nullptr);
    make_common(c, PTHREAD_MUTEX_STALLED);
    pid_t pid = child("hold", "/held");
    CHECK_IS(sem_wait(&c->done), 0);
    CHECK(c->held && pthread_mutex_trylock(&c->mutex) == EBUSY);
    CHECK_IS(kill(pid, SIGKILL), 0);
    CHECK(WTERMSIG(status_of(pid)) == SIGKILL);
    CHECK(c->held); /* the memory is ours still */
    CHECK_IS(shm_unlink("/held"), 0);
    CHECK_IS(munmap(c, sizeof *c), 0);
}

/* --- robust mutexes --- */

static void *holds(void *c)
{
    return (void *)(intptr_t)pthread_mutex_lock(&((struct common *)c)->mutex);
}

static void *holds_and_says(void *c)
{
    if (holds(c) != nullptr)
        return nullptr;
    sem_post(&((struct common *)c)->done);
    for (;;)
        pause();
}

/* The same as holding_child, but another thread than the first has it. */
static int holding_thread_child(const char *name)
{
    struct common *c = common_open(name, 0);
    pthread_t t;
    if (c == nullptr || pthread_create(&t, nullptr, holds_and_says, c) != 0)
        return 9;
    for (;;)
        pause();
}

/* Ends with it. */
static int leaving_child(const char *name)
{
    struct common *c = common_open(name, 0);
    if (c == nullptr || holds(c) != nullptr)
        return 9;
    sem_post(&c->done);
    sem_wait(&c->go);
    exit(0);
}

/* Becomes another program with it. */
static int becoming_child(const char *name)
{
    struct common *c = common_open(name, 0);
    if (c == nullptr || holds(c) != nullptr)
        return 9;
    sem_post(&c->done);
    sem_wait(&c->go);
    execv(self, (char *[]){ self, "wait", (char *)name, nullptr });
    return 9;
}

static int waiting_child(const char *)
{
    for (;;)
        pause();
}

static struct common *robust_common(const char *name)
{
    struct common *c = common_open(name, O_CREAT | O_EXCL);
    CHECK(c != nullptr);
    make_common(c, PTHREAD_MUTEX_ROBUST);
    return c;
}

static struct timespec in_ms(long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms * 1'000'000;
    t.tv_sec += t.tv_nsec / 1'000'000'000;
    t.tv_nsec %= 1'000'000'000;
    return t;
}

/* One that waits when the holder is killed, and one that comes later. */
static void killed_robust_holder(const char *part)
{
    struct common *c = robust_common("/robust");
    pthread_t waiter;
    void *told = nullptr;
    pid_t pid = child(part, "/robust");
    CHECK_IS(sem_wait(&c->done), 0);
    CHECK_IS(pthread_mutex_trylock(&c->mutex), EBUSY);
    CHECK_IS(pthread_mutex_timedlock(&c->mutex, (struct timespec[]){ in_ms(120) }), ETIMEDOUT); /* it lives */
    CHECK_IS(pthread_create(&waiter, nullptr, holds, c), 0);
    nanosleep(&(struct timespec){ .tv_nsec = 20'000'000 }, nullptr);
    CHECK_IS(kill(pid, SIGKILL), 0);
    CHECK_IS(pthread_join(waiter, &told), 0);
    CHECK_IS((intptr_t)told, EOWNERDEAD);
    CHECK_IS(pthread_mutex_lock(&c->mutex), EOWNERDEAD); /* that thread has ended, too */
    CHECK_IS(pthread_mutex_consistent(&c->mutex), 0);
    CHECK_IS(pthread_mutex_unlock(&c->mutex), 0);
    CHECK(WTERMSIG(status_of(pid)) == SIGKILL);

    pid = child(part, "/robust");
    CHECK_IS(sem_wait(&c->done), 0);
    CHECK_IS(kill(pid, SIGKILL), 0);
    CHECK(WTERMSIG(status_of(pid)) == SIGKILL);
    CHECK_IS(pthread_mutex_trylock(&c->mutex), EOWNERDEAD);
    CHECK_IS(pthread_mutex_unlock(&c->mutex), 0); /* without a word about what it protects */
    CHECK_IS(pthread_mutex_lock(&c->mutex), ENOTRECOVERABLE);
    CHECK_IS(shm_unlink("/robust"), 0);
    CHECK_IS(munmap(c, sizeof *c), 0);
}

/* A holder that is stopped is not dead, and goes on with it. */
static void stopped_robust_holder(void)
{
    struct common *c = robust_common("/robust");
    pid_t pid = child("leave", "/robust");
    int status = 0;
    CHECK_IS(sem_wait(&c->done), 0);
    CHECK_IS(kill(pid, SIGSTOP), 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK_IS(pthread_mutex_timedlock(&c->mutex, (struct timespec[]){ in_ms(120) }), ETIMEDOUT);
    CHECK_IS(kill(pid, SIGCONT), 0);
    CHECK_IS(sem_post(&c->go), 0); /* exit, with the mutex */
    CHECK_IS(pthread_mutex_lock(&c->mutex), EOWNERDEAD);
    CHECK_IS(pthread_mutex_consistent(&c->mutex), 0);
    CHECK_IS(pthread_mutex_unlock(&c->mutex), 0);
    CHECK_IS(status_of(pid), 0);

    pid = child("become", "/robust");
    CHECK_IS(sem_wait(&c->done), 0);
    CHECK_IS(pthread_mutex_trylock(&c->mutex), EBUSY);
    CHECK_IS(sem_post(&c->go), 0);
    CHECK_IS(pthread_mutex_lock(&c->mutex), EOWNERDEAD); /* the process lives, its program is another one */
    CHECK_IS(kill(pid, 0), 0);
    CHECK_IS(pthread_mutex_consistent(&c->mutex), 0);
    CHECK_IS(pthread_mutex_unlock(&c->mutex), 0);
    CHECK_IS(kill(pid, SIGKILL), 0);
    CHECK(WTERMSIG(status_of(pid)) == SIGKILL);
    CHECK_IS(shm_unlink("/robust"), 0);
    CHECK_IS(munmap(c, sizeof *c), 0);
}

/* Processes whose threads all say their numbers: no two are the same. */
enum { NUMBERED = 6 };
struct numbers {
    sem_t said, go;
    _Atomic unsigned n;
    int number[CHILDREN * NUMBERED];
};

static void *says_number(void *at)
{
    struct numbers *all = at;
    all->number[all->n++] = gettid();
    sem_post(&all->said);
    sem_wait(&all->go);
    return nullptr;
}

static int numbered_child(const char *name)
{
    int fd = shm_open(name, O_RDWR, 0600);
    struct numbers *all = mmap(nullptr, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pthread_t t[NUMBERED - 1];
    if (all == MAP_FAILED || gettid() != getpid())
        return 9;
    for (unsigned i = 0; i < NUMBERED - 1; i++)
        if (pthread_create(&t[i], nullptr, says_number, all) != 0)
            return 8;
    says_number(all);
    for (unsigned i = 0; i < NUMBERED - 1; i++)
        pthread_join(t[i], nullptr);
    return 0;
}

static void numbers_of_threads(void)
{
    int fd = shm_open("/numbers", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK_IS(ftruncate(fd, sizeof(struct numbers)), 0);
    struct numbers *all = mmap(nullptr, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pid_t pid[CHILDREN];
    CHECK(all != MAP_FAILED && sem_init(&all->said, 1, 0) == 0 && sem_init(&all->go, 1, 0) == 0);
    for (unsigned i = 0; i < CHILDREN; i++)
        pid[i] = child("number", "/numbers");
    for (unsigned i = 0; i < CHILDREN * NUMBERED; i++)
        sem_wait(&all->said);
    unsigned same = 0;
    for (unsigned i = 0; i < CHILDREN * NUMBERED; i++)
        for (unsigned k = 0; k < i; k++)
            same += all->number[i] == all->number[k];
    CHECK_IS(same, 0);
    for (unsigned i = 0; i < CHILDREN * NUMBERED; i++)
        sem_post(&all->go);
    for (unsigned i = 0; i < CHILDREN; i++)
        CHECK_IS(status_of(pid[i]), 0);
    CHECK(shm_unlink("/numbers") == 0 && close(fd) == 0 && munmap(all, sizeof *all) == 0);
}

/* A child that has memory open and mapped without a name is killed: all of it comes back. */
static int leaking_child(const char *)
{
    for (unsigned i = 0; i < 8; i++) {
        int fd = memfd_create("leak", 0);
        if (fd < 0 || ftruncate(fd, 16 * PAGE) != 0 ||
            mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
            return 9;
        if (i % 2 == 0)
            close(fd);
    }
    raise(SIGKILL);
    return 9;
}

static void nothing_leaks(void)
{
    unsigned long before = free_blocks();
    CHECK(before != 0);
    for (unsigned i = 0; i < 3; i++) {
        int status = status_of(child("leak", ""));
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    /* What a process had goes with it, and its session with shmd a moment later. */
    for (unsigned tries = 0; free_blocks() + 1 < before && tries < 200; tries++)
        nanosleep(&(struct timespec){ .tv_nsec = 10'000'000 }, nullptr);
    CHECK(free_blocks() + 1 >= before); /* a page of the service's own tables may be new */
    CHECK_IS(names(), 0);
}

/* --- semaphores --- */

static int posting_child(const char *name)
{
    sem_t *s = sem_open(name, 0), *back = sem_open("/back", 0);
    if (s == SEM_FAILED || back == SEM_FAILED)
        return 9;
    for (unsigned i = 0; i < 100; i++) {
        if (sem_wait(s) != 0 || sem_post(back) != 0)
            return 8;
    }
    return sem_close(s) | sem_close(back);
}

static void semaphores(void)
{
    int value = -1;
    CHECK(sem_open("/none", 0) == SEM_FAILED && errno == ENOENT);
    CHECK(sem_open("/a/b", O_CREAT, 0600, 0) == SEM_FAILED && errno == EINVAL);
    CHECK(sem_open("/big", O_CREAT, 0600, (unsigned)SEM_VALUE_MAX + 1) == SEM_FAILED && errno == EINVAL);
    CHECK_ERRNO(sem_unlink("/none"), ENOENT);
    sem_t *s = sem_open("/there", O_CREAT | O_EXCL, 0600, 2);
    CHECK(s != SEM_FAILED);
    CHECK(sem_open("/there", O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST);
    CHECK(sem_getvalue(s, &value) == 0 && value == 2);
    sem_t *same = sem_open("/there", O_CREAT, 0600, 7); /* there already: 7 means nothing */
    CHECK(same == s && sem_getvalue(same, &value) == 0 && value == 2);
    CHECK_IS(sem_close(same), 0);
    CHECK_IS(sem_wait(s), 0);
    CHECK_IS(sem_trywait(s), 0);
    CHECK_ERRNO(sem_trywait(s), EAGAIN);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    CHECK_ERRNO(sem_timedwait(s, &soon), ETIMEDOUT);
    sem_t *back = sem_open("/back", O_CREAT | O_EXCL, 0600, 0);
    pid_t pid = child("post", "/there");
    unsigned answered = 0;
    for (unsigned i = 0; i < 100; i++)
        answered += sem_post(s) == 0 && sem_wait(back) == 0;
    CHECK_IS(answered, 100);
    CHECK_IS(status_of(pid), 0);
    CHECK_IS(sem_unlink("/there"), 0);
    CHECK_ERRNO(sem_unlink("/there"), ENOENT);
    CHECK(sem_post(s) == 0 && sem_getvalue(s, &value) == 0 && value == 1); /* without its name */
    sem_t *other = sem_open("/there", O_CREAT, 0600, 5);
    CHECK(other != SEM_FAILED && other != s && sem_getvalue(other, &value) == 0 && value == 5);
    CHECK_IS(sem_close(s), 0);
    CHECK_IS(sem_close(other), 0);
    CHECK_IS(sem_close(back), 0);
    CHECK_IS(sem_unlink("/there"), 0);
    CHECK_IS(sem_unlink("/back"), 0);
    CHECK_IS(names(), 0);
}

/* SHM_OBJECTS_MAX files, and one more. */
static void limit(void)
{
    char name[32];
    unsigned n = 0;
    for (; n < 300; n++) {
        snprintf(name, sizeof name, "/limit-%u", n);
        int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    CHECK(errno == ENOSPC);
    CHECK_IS(n, 256);
    CHECK_IS(names(), 256);
    while (n-- > 0) {
        snprintf(name, sizeof name, "/limit-%u", n);
        shm_unlink(name);
    }
    CHECK_IS(names(), 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*play)(const char *);
    } parts[] = {
        { "count", counting_child },  { "hold", holding_child },    { "hold-in-thread", holding_thread_child },
        { "leave", leaving_child },   { "become", becoming_child }, { "wait", waiting_child },
        { "number", numbered_child }, { "leak", leaking_child },    { "post", posting_child },
    };
    self = argv[0];
    for (size_t i = 0; argc == 3 && i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            return parts[i].play(argv[2]);
    open_and_name();
    maps();
    growing();
    without_name();
    counting();
    killed_holder();
    killed_robust_holder("hold");
    killed_robust_holder("hold-in-thread");
    stopped_robust_holder();
    numbers_of_threads();
    nothing_leaks();
    semaphores();
    limit();
    return check_done();
}
