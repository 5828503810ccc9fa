/* SPDX-License-Identifier: MIT
 * The rows of `./vectra bench posix`, as `bench posix NAME instructions VALUE MIN MAX RUNS`. Under QEMU's instruction
 * counter a nanosecond of the monotonic clock is an instruction. Plain POSIX: the same source builds for Linux, and its
 * figures on the same machine are the peers'. `posix NAME...` runs those rows alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES = 51 };
static uint64_t sample[SAMPLES];
extern char **environ;
static const char *self;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Samples of `each` operations; the first is not counted. What reading the clock costs is taken off. */
static void measure(const char *name, unsigned count, unsigned each, unsigned divisor, void (*operation)(void))
{
    uint64_t overhead = UINT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t begin = now(), end = now();
        overhead = end - begin < overhead ? end - begin : overhead;
    }
    for (unsigned i = 0; i <= count; i++) {
        uint64_t begin = now();
        for (unsigned k = 0; k < each; k++)
            operation();
        uint64_t took = now() - begin - overhead;
        if (i > 0)
            sample[i - 1] = took / each / divisor;
    }
    qsort(sample, count, sizeof sample[0], compare);
    printf("bench posix %s instructions %llu %llu %llu %u\n", name, (unsigned long long)sample[count / 2],
           (unsigned long long)sample[0], (unsigned long long)sample[count - 1], count);
    fflush(stdout);
}

static void read_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
}

static void ask_pid(void)
{
    (void)getpid();
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void lock_unlock(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void *nothing(void *arg)
{
    return arg;
}

static void create_join(void)
{
    pthread_t t;
    if (pthread_create(&t, nullptr, nothing, nullptr) != 0)
        abort();
    pthread_join(t, nullptr);
}

static void map_pages(size_t pages)
{
    volatile char *at = mmap(nullptr, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        abort();
    for (size_t i = 0; i < pages; i++)
        at[i * 4096] = 1;
    munmap((void *)at, pages * 4096);
}

static void map_one(void)
{
    map_pages(1);
}

static void map_many(void)
{
    map_pages(256);
}

static posix_spawn_file_actions_t quiet;
static void spawn_wait(void)
{
    pid_t pid;
    int status = -1;
    if (posix_spawn(&pid, self, &quiet, nullptr, (char *[]){ "hello", "+hello", nullptr }, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0)
        abort();
}

/* A whole process: the interpreter starts, computes, checks what came out, and ends. */
static void lua_fib(void)
{
    static char script[] = "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end "
                           "assert(fib(30) == 832040)";
    pid_t pid;
    int status = -1;
    if (posix_spawn(&pid, "/bin/lua", &quiet, nullptr, (char *[]){ "lua", "-e", script, nullptr }, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0)
        abort();
}

/* In /tmp: one file of 1 MiB that is open, and one of 4 KiB. */
static const char small_file[] = "/tmp/bench-4k";
static int large;
static char *buffer;

static void make_files(void)
{
    char name[] = "/tmp/bench-1m-XXXXXX";
    buffer = calloc(1, 1 << 20);
    large = mkostemp(name, O_CLOEXEC); /* the rows that start programs are not to hand it on */
    int small = open(small_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (buffer == nullptr || write(large, buffer, 1 << 20) != 1 << 20 || write(small, buffer, 4096) != 4096)
        abort();
    unlink(name);
    close(small);
}

static void read_large(void)
{
    if (pread(large, buffer, 1 << 20, 0) != 1 << 20)
        abort();
}

static void open_close(void)
{
    int fd = open(small_file, O_RDONLY);
    if (fd < 0 || close(fd) != 0)
        abort();
}

static void ask_stat(void)
{
    struct stat s;
    if (stat(small_file, &s) != 0 || s.st_size != 4096)
        abort();
}

static void open_read_close(void)
{
    int fd = open(small_file, O_RDONLY);
    if (read(fd, buffer, 4096) != 4096 || close(fd) != 0)
        abort();
}

static int to_child[2], from_child[2];
static void round_trip(void)
{
    char byte = 'x';
    if (write(to_child[1], &byte, 1) != 1 || read(from_child[0], &byte, 1) != 1)
        abort();
}

static void pipe_rows(const char *name)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0)
        abort();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
    if (posix_spawn(&pid, self, &actions, nullptr, (char *[]){ "echo", "+echo", nullptr }, environ) != 0)
        abort();
    close(to_child[0]);
    close(from_child[1]);
    measure(name, 21, 20, 1, round_trip);
    close(to_child[1]);
    waitpid(pid, nullptr, 0);
}

static int line;
static void stream_round_trip(void)
{
    char bytes[64] = "sixty-four bytes";
    if (write(line, bytes, sizeof bytes) != sizeof bytes || read(line, bytes, sizeof bytes) != sizeof bytes)
        abort();
}

static void stream_rows(const char *name)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
    if (posix_spawn(&pid, self, &actions, nullptr, (char *[]){ "echo", "+echo-64", nullptr }, environ) != 0)
        abort();
    close(pair[1]);
    line = pair[0];
    measure(name, 21, 20, 1, stream_round_trip);
    close(line);
    waitpid(pid, nullptr, 0);
}

static void signal_self(void)
{
    if (kill(getpid(), SIGUSR1) != 0)
        abort();
}

static void handled(int signal)
{
    (void)signal;
}

static int child(const char *what)
{
    char byte, bytes[64];
    if (strcmp(what, "+echo-64") == 0) {
        while (read(0, bytes, sizeof bytes) == sizeof bytes)
            if (write(0, bytes, sizeof bytes) != sizeof bytes)
                return 1;
        return 0;
    }
    if (strcmp(what, "+hello") == 0)
        return puts("hello") < 0;
    while (read(0, &byte, 1) == 1)
        if (write(1, &byte, 1) != 1)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '+')
        return child(argv[1]);
    self = strchr(argv[0], '/') != nullptr ? argv[0] : "/bin/posix-bench";
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    static const struct {
        const char *name;
        unsigned count, each, divisor;
        void (*operation)(void);
    } rows[] = {
        { "clock_gettime", 51, 64, 1, read_clock },          { "getpid", 51, 64, 1, ask_pid },
        { "mutex_uncontended", 51, 64, 1, lock_unlock },     { "pthread_create_join", 51, 8, 1, create_join },
        { "mmap_touch_munmap_1p", 51, 16, 1, map_one },      { "mmap_touch_munmap_256p", 21, 1, 256, map_many },
        { "posix_spawn_wait", 21, 1, 1, spawn_wait },        { "lua_fib_30", 3, 1, 1, lua_fib }, /* 0.7 s each: few */
        { "signal_self", 51, 16, 1, signal_self },           { "pipe_1b_roundtrip", 0, 0, 0, nullptr },
        { "unix_stream_64b_roundtrip", 0, 0, 0, nullptr },   { "read_1m_tmpfs", 21, 1, 1, read_large },
        { "open_close_tmp", 51, 8, 1, open_close },          { "stat_tmp", 51, 8, 1, ask_stat },
        { "open_read_close_4k", 51, 8, 1, open_read_close },
    };
    signal(SIGUSR1, handled);
    make_files();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int wanted = argc == 1;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], rows[i].name) == 0;
        if (wanted && rows[i].operation != nullptr)
            measure(rows[i].name, rows[i].count, rows[i].each, rows[i].divisor, rows[i].operation);
        else if (wanted && strncmp(rows[i].name, "pipe", 4) == 0)
            pipe_rows(rows[i].name);
        else if (wanted)
            stream_rows(rows[i].name);
    }
    unlink(small_file);
    return 0;
}
