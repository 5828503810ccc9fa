/* SPDX-License-Identifier: MIT
 * Text into a pipe without waiting for whoever reads it: here-documents, and what a shell command wrote in front of a
 * `|`. A thread writes what the pipe does not take at once. */
#pragma once
#include <pthread.h>
#include <stddef.h>

/* A thread in which no signal is delivered. False with errno. */
bool feed_thread(pthread_t *thread, void *(*run)(void *ctx), void *ctx);
/* Writes the text to fd, which it owns from now on and closes at the end. The text is copied when it must be. */
void feed(int fd, const char *text, size_t len);
/* Waits for all that is still being written: before the shell ends. */
void feed_finish(void);
