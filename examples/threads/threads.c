/* SPDX-License-Identifier: MIT
 * Primes counted by several threads: one hands out ranges through a bounded queue, the others take them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, PLACES = 8, RANGE = 1000, LIMIT = 100000 };

/* Guarded by lock. A range is its first number; negative: there will be no more. */
static struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int range[PLACES];
    unsigned from, count;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void put(int range)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.count == PLACES)
        pthread_cond_wait(&queue.changed, &queue.lock);
    queue.range[(queue.from + queue.count++) % PLACES] = range;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

static int take(void)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.count == 0)
        pthread_cond_wait(&queue.changed, &queue.lock);
    int range = queue.range[queue.from];
    queue.from = (queue.from + 1) % PLACES;
    queue.count--;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
    return range;
}

static int is_prime(int n)
{
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n > 1;
}

static void *work(void *found)
{
    for (int from; (from = take()) >= 0;)
        for (int n = from; n < from + RANGE; n++)
            *(int *)found += is_prime(n);
    return found;
}

int main(void)
{
    pthread_t worker[WORKERS];
    int found[WORKERS] = { 0 }, sum = 0;
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&worker[i], NULL, work, &found[i]) != 0) {
            fputs("no thread can be started\n", stderr);
            return EXIT_FAILURE;
        }
    for (int n = 0; n < LIMIT; n += RANGE)
        put(n);
    for (int i = 0; i < WORKERS; i++)
        put(-1);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(worker[i], NULL);
        sum += found[i];
    }
    printf("%d primes below %d, counted by %d threads\n", sum, LIMIT, WORKERS);
    return EXIT_SUCCESS;
}
