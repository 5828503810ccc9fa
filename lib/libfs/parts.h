/* SPDX-License-Identifier: MIT
 * What the files of the server's half share. The rules are those of fs/server.h, and:
 *
 *  1. A job goes through prepare (the serving thread: checks, locks, watching), perform (where the file system's
 * functions are called) and finish (the serving thread again: numbers of files, news, the reply).
 *  2. A session stays until the last of its jobs is finished and its files are released; its Rings go at once.
 *  3. struct fs_open lives while a file, a job or a wait pins it. */
#pragma once
#include <fs/locks.h>
#include <fs/server.h>

enum { FS_EVENTS = 5, FS_TOUCHED_MAX = 5, FS_OPS = 64 };
/* Beside the queue's operations: of the server itself. */
enum { FS_JOB_RELEASE_ALL = 63 };

struct fs_server_session;

/* An object that somebody has open. */
struct fs_open {
    struct fs_open *next; /* of its chain */
    struct fs_node node;
    uint32_t pins;
    uint64_t version, last[FS_EVENTS]; /* last: the version with which each event last happened */
    struct fs_range *locks;
    struct fs_job *waiting; /* LOCK and WATCH, in the order in which they came */
};

struct fs_server_file {
    struct fs_open *open; /* nullptr: free */
    struct fs_node node;
    uint32_t access;
    uint32_t names;       /* what FIND may open below it; 0: it was not opened for that */
    uint32_t names_since; /* fs_server.names_epoch then */
    uint16_t generation;
};

struct fs_touched {
    struct fs_node node;
    uint32_t events;
};

struct fs_job {
    struct fs_job *next;
    struct fs_server_session *session;
    union {
        struct vx_fs_request q;
        struct vx_fs_name_request n;
    };
    struct fs_node node;
    struct fs_open *open; /* pinned, or nullptr */
    const void *blocker;  /* LOCK that waits: whose lock is in the way */
    uint64_t blocker_owner;
    struct vx_fs_lock lock;
    uint8_t *data; /* the piece of the buffer */
    status_t status;
    uint32_t bytes;
    uint64_t value;
    vx_handle_t cap; /* goes with the reply */
    bool waits;
    bool holds; /* perform opened `node` for the session n.session: finish gives it a number, or releases it */
    uint8_t n_touched;
    struct fs_touched touched[FS_TOUCHED_MAX];
};

struct fs_server_session {
    bool used, serving, ended;
    bool left; /* requests may be in its Ring that there was no room for */
    uint16_t index, generation;
    uint32_t kind, user, group;
    vx_ring_rx rx;
    vx_ring_tx tx;
    vx_mem mem;
    uint8_t *at;
    uint32_t bytes, depth, busy, n_waits; /* busy: jobs, with those that wait */
    uint32_t n_files, room, n_open, n_ranges;
    struct fs_server_file *files;
    struct fs_job last; /* releases all files at the end */
};

struct fs_server {
    struct fs_backend *backend;
    struct vx_service *service;
    uint64_t epoch, requests, bytes_read, bytes_written;
    uint32_t names_epoch; /* grows when all that was opened with VX_FS_NAMES so far becomes useless */
    uint32_t n_waits, n_sessions, n_ranges, n_used; /* session[0, n_used) were ever there */
    struct fs_server_session *session[FS_SERVER_SESSIONS_MAX];
};
extern struct fs_server fs_server;

static inline bool fs_is_namespace_op(uint8_t op)
{
    return op >= VX_FS_OP_WALK;
}

/* sessions.c */
struct fs_server_session *fs_session_find(uint32_t number);
uint32_t fs_session_number(const struct fs_server_session *s);
void fs_session_end(struct fs_server_session *s);  /* at once, or when its last job is finished */
void fs_session_idle(struct fs_server_session *s); /* the last job of an ended session is finished */
void fs_session_free(struct fs_server_session *s); /* its files are released */
struct fs_server_file *fs_file_find(struct fs_server_session *s, uint32_t number);
status_t fs_file_add(struct fs_server_session *s, struct fs_node node, uint32_t access, uint32_t *number);
void fs_file_remove(struct fs_server_session *s, struct fs_server_file *f);

/* jobs.c */
status_t fs_jobs_init(void);
void fs_session_take(struct fs_server_session *s);
void fs_job_start(struct fs_job *j); /* to where functions are called */
void fs_job_answer(struct fs_job *j, status_t status);
void fs_jobs_turn(uint64_t bits);

/* opens.c */
struct fs_open *fs_open_get(struct fs_node node); /* one pin more; nullptr: no memory */
void fs_open_put(struct fs_open *o);
void fs_open_tell(const struct fs_touched *t);
/* LOCK and WATCH. VX_RPC_LATER: it waits. */
status_t fs_open_lock(struct fs_job *j);
status_t fs_open_watch(struct fs_job *j);
status_t fs_open_cancel(struct fs_server_session *s, uint64_t tag);
void fs_open_unlock(struct fs_open *o, struct fs_server_session *s, const uint64_t *owner);
/* What of a session waits for the object goes, unanswered. */
void fs_open_forget(struct fs_open *o, struct fs_server_session *s);

/* perform.c */
void fs_job_perform(struct fs_job *j);
