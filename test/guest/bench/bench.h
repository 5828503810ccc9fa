/* SPDX-License-Identifier: MIT
 * How /test/bench measures. The counter behind the time page is read before and after; under `-icount shift=0` one tick
 * of it, scaled to nanoseconds by its frequency, is one instruction. A sample is a loop of n operations; an empty loop
 * of the same form, with the same two counter reads, is measured as often and its median taken off. Reported: the
 * median of the samples per operation, the least and the largest, and how many there were. Everything is warm: each row
 * runs once unmeasured. */
#pragma once
#include <fs/client.h>
#include <test/guest/common/check.h>
#include <vectra/ring.h>

enum : uint32_t { SAMPLES_MAX = 512 };

struct samples {
    uint32_t n, per_sample;
    uint64_t value[SAMPLES_MAX];
};

/* Nanoseconds of a counter difference. */
uint64_t bench_ns(uint64_t ticks);
/* What a loop of `n` empty operations costs with its two counter reads: the median. */
uint64_t bench_empty(uint32_t n);
void bench_sort(uint64_t *v, uint32_t n);
void bench_report(const char *name, struct samples *s, uint64_t overhead, uint32_t divisor);

/* Times `count` samples of `each` operations. */
#define BENCH(samples, count, each, operation)                                                                         \
    do {                                                                                                               \
        (samples)->n = 0;                                                                                              \
        (samples)->per_sample = (each);                                                                                \
        for (uint32_t run_ = 0; run_ <= (count); run_++) {                                                             \
            uint64_t begin_ = vx_counter();                                                                            \
            for (uint32_t k_ = 0; k_ < (each); k_++) {                                                                 \
                operation;                                                                                             \
                __asm__ volatile("" ::: "memory");                                                                     \
            }                                                                                                          \
            uint64_t end_ = vx_counter();                                                                              \
            if (run_ > 0) /* the first warms up */                                                                     \
                (samples)->value[(samples)->n++] = bench_ns(end_ - begin_);                                            \
        }                                                                                                              \
    } while (0)

/* A second Task: this program in another role, with rings both ways, two semaphores and a page of shared memory. */
struct partner {
    vx_handle_t task;
    vx_ring_tx tx;
    vx_ring_rx rx;
    vx_sem there, back;
    struct shared {
        _Atomic uint64_t woke_at, ready, done;
        _Atomic uint32_t ask, answer; /* futex words */
    } *shared;
    vx_handle_t memory;
};
bool partner_start(struct partner *p, const char *role);
void partner_end(struct partner *p);
int partner_main(const char *role);

/* Rows whose every sample needs Tasks of its own: large.c. */
enum : uint32_t { REVOKE_TASKS = 10, REVOKE_EACH = 100, DESTROY_BYTES = 8 << 20 };
void revoke_per_descendant(const char *name);
void task_destroy(const char *name);
int large_main(const char *role);

/* How long interrupts wait for calls: latency.c. */
void irqs_off(const char *name);

/* Rows about two harts: scale.c. */
void scale_all(void);
int scale_syscall_worker(struct shared *s);
int scale_call_worker(struct shared *s);

/* The group storage: files.c, disks.c. */
extern struct fs_client bench_client; /* connected by files_rows */
void files_rows(int argc, char **argv);
void disks_rows(int argc, char **argv);
void disks_throughput(void);
