/* SPDX-License-Identifier: MIT
 * Faults, as its word says, in functions that are named in what the system says about it. In its memory lies what a
 * dump is to have, and a second thread waits. */
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARK_BYTES = 100000 };

[[gnu::noinline]] static int innermost(volatile int *at)
{
    *at = 7;
    return *at + 1;
}

[[gnu::noinline]] static int middle(volatile int *at)
{
    return innermost(at) * 3;
}

[[gnu::noinline]] static int in_the_library(const char *text)
{
    return (int)strlen(text) + 1;
}

[[gnu::noinline]] static int gives_up(int n)
{
    if (n != 0)
        abort();
    return n;
}

[[gnu::noinline]] static int asserts(int n)
{
    assert(n == 0);
    return n;
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* More threads and more pieces of memory than a dump has room for. */
static void fill_up(void)
{
    enum { THREADS = 140, PIECES = 160, PAGE = 4096 };
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 4 * PAGE);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, wait_for_ever, nullptr) != 0)
            exit(3);
    }
    for (int i = 0; i < PIECES; i++) {
        char *at = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED || mprotect(at + PAGE, PAGE, PROT_NONE) != 0)
            exit(3);
    }
}

/* More memory than a dump has room for, all of it used. */
static void fill_memory(void)
{
    enum { LARGE = 80 << 20, PAGE = 4096 };
    char *at = mmap(nullptr, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        exit(3);
    for (int i = 0; i < LARGE; i += PAGE)
        at[i] = 1;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    char *mark = malloc(MARK_BYTES);
    if (argc != 2 || mark == nullptr || pthread_create(&thread, nullptr, wait_for_ever, nullptr) != 0)
        return 2;
    usleep(20000); /* it waits by then */
    for (int i = 0; i < MARK_BYTES; i++)
        mark[i] = "mark"[i % 4];
    volatile unsigned long nowhere = 8;
    int n = 0;
    if (strcmp(argv[1], "own") == 0)
        n = middle((volatile int *)nowhere);
    else if (strcmp(argv[1], "abort") == 0)
        n = gives_up(argc) + 1;
    else if (strcmp(argv[1], "assert") == 0)
        n = asserts(argc) + 1;
    else if (strcmp(argv[1], "full") == 0)
        fill_up(), n = middle((volatile int *)nowhere);
    else if (strcmp(argv[1], "large") == 0)
        fill_memory(), n = middle((volatile int *)nowhere);
    else
        n = in_the_library((const char *)nowhere);
    printf("not reached: %d %c\n", n, mark[1]);
    return 0;
}
