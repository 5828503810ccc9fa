/* SPDX-License-Identifier: MIT
 * What a POSIX test program says: `ok N - text`, `not ok N - text - detail`, and at the end `# done: P passed, F
 * failed`, as the other guest programs do. Any thread may check. */
#pragma once
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t check_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned check_passed, check_failed;

[[maybe_unused]] static void check_at(int line, int good, const char *text)
{
    int saved = errno;
    pthread_mutex_lock(&check_lock);
    unsigned n = check_passed + check_failed + 1;
    if (good) {
        check_passed++;
        printf("ok %u - %s\n", n, text);
    } else {
        check_failed++;
        printf("not ok %u - %s - line %d, errno %d (%s)\n", n, text, line, saved, strerror(saved));
    }
    pthread_mutex_unlock(&check_lock);
    errno = saved;
}
#define CHECK(condition) check_at(__LINE__, !!(condition), #condition)
#define CHECK_IS(value, wanted)                                                                                        \
    do {                                                                                                               \
        long check_v = (long)(value), check_w = (long)(wanted);                                                        \
        char check_text[256];                                                                                          \
        snprintf(check_text, sizeof check_text, "%s is %ld%s", #value, check_w, check_v == check_w ? "" : ", not:");   \
        if (check_v != check_w)                                                                                        \
            snprintf(check_text + strlen(check_text), 32, " %ld", check_v);                                            \
        check_at(__LINE__, check_v == check_w, check_text);                                                            \
    } while (0)
#define CHECK_ERRNO(call, wanted)                                                                                      \
    (errno = 0, check_at(__LINE__, (call) == -1 && errno == (wanted), #call " fails with " #wanted))

[[maybe_unused]] static int check_done(void)
{
    printf("# done: %u passed, %u failed\n", check_passed, check_failed);
    return check_failed != 0;
}
