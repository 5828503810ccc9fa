/* SPDX-License-Identifier: MIT
 * The server's half of BLOCK_V1, for whatever keeps the blocks: connections, queues, checks, back-pressure. An
 * implementation fills in a struct block_backend and calls block_done for each job.
 *
 *  1. A client has at most `depth` requests taken and not answered; what it sends beyond that waits in its Ring.
 *  2. A job belongs to the backend from submit (if that is OK) to block_done, even if its client has gone meanwhile;
 * the client's buffer stays until the last of its jobs is done.
 *  3. A reply that its Ring has no room for ends the connection: the client broke the rule on depth.
 * Context: the thread of the service. */
#pragma once
#include <block/partition.h>
#include <block/request.h>
#include <vectra/handles.h>
#include <vectra/service.h>

enum {
    BLOCK_JOBS_MAX = 128,   /* requests under way, of all clients; more wait in their Rings */
    BLOCK_CLIENTS_MAX = 24, /* connections; one more ends at once */
};
/* Signal bits of the runtime's own range: the backend may use those below. */
enum { BLOCK_BIT_FIRST = VX_SERVICE_BIT_FIRST + 8, BLOCK_BITS = 23 };

struct block_client;

struct block_buffer {
    vx_mem mem;
    uint8_t *at;
    uint64_t bus, bytes; /* bus: 0 where no device is concerned */
};

struct block_job {
    struct block_client *client;
    struct block_job *next;
    uint16_t index; /* its place among BLOCK_JOBS_MAX: for memory that the backend keeps for each */
    uint64_t started_ns;
    struct vx_block_request request; /* `block` counts from the start of the disk */
    struct vx_block_segment segment[VX_BLOCK_SEGMENTS_MAX];
    const struct block_buffer *buffer;
};

struct block_statistics {
    uint64_t requests, bytes_read, bytes_written, flushes, errors, interrupts, notifications;
};

struct block_backend {
    struct block_limits limits;
    uint32_t physical_bytes, optimal_bytes, depth;
    uint32_t cylinders, heads, sectors; /* 0: unknown */
    bool cached;
    /* WOULD_BLOCK: no room; the job is submitted again after the next block_done. Anything else but OK is the reply. */
    status_t (*submit)(struct block_job *job);
    void (*kick)(void); /* after a batch of submits; may be nullptr */
    status_t (*buffer)(uint64_t bytes, struct block_buffer *out);
    status_t (*attach)(vx_mem mem, struct block_buffer *out); /* the handle is its own */
    void (*release)(struct block_buffer *buffer);
    struct partition_list partitions;
    struct block_statistics statistics;
};

/* Puts dispatch, opened, closed and the queues' bits into the service. The backend lives as long as the service. */
void block_server_init(struct vx_service *svc, struct block_backend *backend);
/* From on_signal and on_deadline: takes what clients sent, as far as there is room, then wakes those that got replies.
 */
void block_server_turn(void);
void block_done(struct block_job *job, status_t status);
/* As if the service had been started anew: a new epoch, every connection ends, and jobs that are done now are not
 * answered. For implementations that simulate a loss of power. */
void block_server_restart(void);
/* Jobs with the backend. */
uint32_t block_jobs_busy(void);
