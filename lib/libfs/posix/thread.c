/* SPDX-License-Identifier: MIT
 * The threads of vectra/thread.h over those of the C library, for file systems that are programs of it: what runs on a
 * thread may use all of the C library. */
#include <pthread.h>
#include <stdlib.h>
#include <vectra/thread.h>

struct start {
    uint32_t (*entry)(void *argument);
    void *argument;
};

static void *begin(void *memory)
{
    struct start s = *(struct start *)memory;
    free(memory);
    return (void *)(uintptr_t)s.entry(s.argument);
}

static status_t create(pthread_t *thread, uint32_t (*entry)(void *), void *argument, size_t stack_bytes)
{
    struct start *s = malloc(sizeof *s);
    pthread_attr_t how;
    if (s == nullptr || pthread_attr_init(&how) != 0) {
        free(s);
        return ERR_NO_MEMORY;
    }
    *s = (struct start){ entry, argument };
    bool good = stack_bytes == 0 || pthread_attr_setstacksize(&how, stack_bytes) == 0;
    good = good && pthread_create(thread, &how, begin, s) == 0;
    (void)pthread_attr_destroy(&how);
    if (!good)
        free(s);
    return good ? OK : ERR_NO_MEMORY;
}

status_t vx_thread_create(struct vx_thread *t, uint32_t (*entry)(void *argument), void *argument, size_t stack_bytes)
{
    pthread_t thread;
    status_t st = create(&thread, entry, argument, stack_bytes);
    if (st == OK)
        *t = (struct vx_thread){ .base = (uintptr_t)thread };
    return st;
}

status_t vx_thread_join(struct vx_thread *t, uint32_t *status)
{
    void *value = nullptr;
    if (pthread_join((pthread_t)t->base, &value) != 0)
        return ERR_BAD_ARGUMENT;
    if (status != nullptr)
        *status = (uint32_t)(uintptr_t)value;
    return OK;
}
