/* SPDX-License-Identifier: MIT
 * What the parts of initd share. One thread; everything happens in a turn of the service runtime.
 *
 * States of a unit are those of the init protocol (VX_INIT_STATE_*):
 *   WAITING -launch-> STARTING -ready-> READY -end-> BACKOFF -pause-> WAITING, or STOPPED, or FAILED
 *  1. A unit has a task exactly in STARTING and READY, and then also a session (its line to us).
 *  2. A unit with `unpublished` has a fresh inbox whose other end namingd has not got yet.
 *  3. Calls to services have a time limit, so no service can hold initd up. */
#pragma once
#include "backoff.h"
#include "graph.h"
#include <vectra/rpc.h>
#include <vectra/rpc_init.h>
#include <vectra/service.h>
#include <vectra/spawn.h>

enum { BIT_WORK = VX_SERVICE_BIT_FIRST, BIT_CHILD = VX_SERVICE_BIT_FIRST + 1, CHILD_BITS = 31 };
/* Long: on a busy host a call that fails is worse than one that takes its time. */
#define INITD_CALL_NS UINT64_C(10000000000)

struct unit {
    const struct graph_service *decl;
    uint32_t state;
    vx_task task;
    uint32_t task_id;
    struct vx_session *session;
    vx_reticle pool;  /* for memory that it shares: ours, so that it stays when the Task ends */
    vx_mem kept;      /* what it wants to find in its next life; or none */
    vx_ring_tx inbox; /* the end of its inbox that is to be published */
    bool unpublished;
    vx_ring_rx naming_rx;              /* first half of a fresh connection to namingd that it asked for */
    bool absent;                       /* the machine has not the device that it is for */
    bool keep_down;                    /* somebody said stop */
    bool again_now;                    /* somebody said restart */
    char argument[GRAPH_WORD_MAX + 1]; /* in place of the graph's, from whoever started it by hand; or empty */
    uint32_t starts, ends;             /* ever; a start that failed is an end */
    uint32_t status;
    vx_cause_t cause;
    uint64_t started_ns, again_ns;
    struct backoff backoff;
};

struct initd {
    struct graph graph;
    struct unit unit[GRAPH_SERVICES_MAX];
    struct vx_service service;
    struct vx_client naming; /* to namingd, badge 0 */
    vx_ring_tx naming_inbox; /* for connections that we make for others */
    bool naming_ready;
    bool devices_granted; /* topod knows whose device is whose */
    bool files_granted;   /* vfsd knows who may reach what */
    bool announced;       /* "[stage] services: ok" was printed */
    bool bench;           /* the command line says bench=1: the shell is to say when it prompts */
    bool quiet;           /* a command runs between its markers: say nothing */
    uint32_t exit_status;
    char graph_path[GRAPH_PATH_MAX];
    const char *nonce, *command; /* of /run/exec, or nullptr */
    size_t nonce_len;
};
extern struct initd initd;

static inline unsigned unit_index(const struct unit *u)
{
    return (unsigned)(u - initd.unit);
}
/* Who a unit is to namingd and to the services it connects to. */
static inline uint64_t unit_badge(const struct unit *u)
{
    return unit_index(u) + 1;
}
static inline unsigned unit_bit(const struct unit *u)
{
    return BIT_CHILD + unit_index(u) % CHILD_BITS;
}
/* Asks for another turn (advance) as soon as this one is over. */
static inline void initd_again(void)
{
    (void)vx_sys_signal_post(VX_HANDLE_NONE, UINT64_C(1) << BIT_WORK);
}
/* Says something on the console, unless a command's output is being shown. */
[[gnu::format(printf, 1, 2)]] void initd_say(const char *format, ...);

/* source.c: what a `cap` line names, as a handle for the specification; *made: it is ours to drop. NOT_FOUND. */
status_t source_find(const char *name, vx_handle_t *handle, bool *made);

/* source.c: the clock chip's registers, ours to drop, and what the machine description says of it. NOT_FOUND. */
struct rtc_info;
status_t source_clock_chip(vx_handle_t *handle, const struct rtc_info **chip);
/* source.c: how the firmware wants the machine turned off; nullptr: it is not known. */
struct power_info;
const struct power_info *source_power(void);
/* power.c: turns the machine off or, `restart`, on again, as the firmware says. Returns when it says nothing, or was
 * wrong: then the kernel does it, by what it knows of the board. */
void power_leave(const struct power_info *p, bool restart);
/* clock.c: sets the wall clock of the time page, for everybody. Without a clock chip it stays unset. */
void clock_set(void);
/* The chip of this architecture: seconds since 1970-01-01 UTC. Not OK: there is none, or it makes no sense. */
status_t clock_chip_read(vx_device registers, const struct rtc_info *chip, uint64_t *seconds);

/* launch.c */
status_t unit_launch(struct unit *u);
struct unit *naming_unit(void);

/* supervise.c */
void units_reap(void);
void units_advance(void);
void unit_end(struct unit *u, bool again);
uint64_t units_deadline(void);

/* names.c: what we tell namingd */
status_t naming_connect_for(uint64_t badge, struct vx_client *client);
/* A connection to the service that publishes the name, as badge 0. */
status_t naming_connect_to(const char *name, struct vx_client *client);
/* Hands both server ends of somebody's connection to namingd; drops them if it cannot. */
status_t naming_forward(uint64_t badge, vx_ring_rx requests, vx_ring_tx replies);
void naming_grant_all(void);
void units_publish(void);

/* devices.c: what we tell topod */
struct unit *topo_unit(void);
void devices_grant_all(void);

/* files.c: what we tell vfsd */
struct unit *files_unit(void);
void files_grant_all(void);
void files_sync_all(void);

/* session.c: the terminal of the shell */
status_t session_open(struct vx_client *tty);
void session_ended(const struct unit *u);
void exec_load(void);

/* control.c */
status_t control_dispatch(struct vx_session *s, struct vx_incoming *in);
status_t unit_new_inbox(struct unit *u, vx_ring_rx *rx);
