/* SPDX-License-Identifier: MIT
 * The service graph: /etc/services as data. Pure: text in, tables out. docs/services.md describes the language.
 *
 * After graph_parse returned OK:
 *  1. Every service has a name of its own and an image. Every need and after names a service of the graph.
 *  2. order[] holds every service once, behind everything that it needs or comes after.
 *  3. A name is provided by at most one service; every `uses` is provided by some service.
 *  4. A service uses vfs exactly if its `files` line says which files. */
#pragma once
#include <abi/limits.h>
#include <abi/service_limits.h>
#include <abi/status.h>
#include <abi/types.h>
#include <stddef.h>
#include <stdint.h>

enum { GRAPH_WORD_MAX = 24, GRAPH_PATH_MAX = 64, GRAPH_FILES_MAX = 40 }; /* FILES: as vfsd's call `grant` has it */

typedef char graph_word[GRAPH_WORD_MAX];

enum graph_restart : uint8_t { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };

/* One capability that a service is handed: its slot in the Bundle, where initd takes it from, what it may do with it.
 */
struct graph_cap {
    graph_word slot, source;
    vx_rights_t rights;
    bool optional; /* a machine without it starts the service all the same */
};

/* A device that the service drives: number `index` of that kind, as topod counts them. */
struct graph_device {
    uint32_t kind; /* a virtio device id */
    uint32_t index;
    bool optional; /* a machine without it leaves the service down */
};

struct graph_list {
    uint8_t count;
    graph_word word[GRAPH_NAMES_MAX];
};

struct graph_service {
    graph_word name;
    char image[GRAPH_PATH_MAX];
    struct graph_list arguments, needs, after, uses, provides;
    uint8_t n_caps;
    struct graph_cap cap[GRAPH_CAPS_MAX];
    uint8_t n_devices;
    struct graph_device device[GRAPH_DEVICES_MAX];
    uint64_t memory_bytes;   /* 0: the default */
    uint32_t memory_percent; /* of the root Reticle, instead of bytes; 0: not given */
    uint64_t pool_bytes;     /* a second Reticle, "pool", that outlives the Task; 0: none, unless pool_percent says */
    uint32_t pool_percent;
    uint8_t band; /* vx_band_t */
    enum graph_restart restart;
    bool control;                    /* may steer initd (power, restart) */
    bool session;                    /* gets a terminal session and starts when all others are ready: the shell */
    bool by_hand;                    /* starts when somebody says so, not before */
    char files[GRAPH_FILES_MAX + 1]; /* the root of its connections to vfsd, or empty */
    uint16_t files_rights;           /* VX_FS_READ, VX_FS_WRITE, VX_FS_MOUNT */
    uint64_t backoff_first_ns, backoff_max_ns, stable_ns;
    uint32_t crash_limit; /* ends within crash_window_ns after which it stays down; 0: no limit */
    uint64_t crash_window_ns;
};

struct graph {
    uint32_t n_services;
    struct graph_service service[GRAPH_SERVICES_MAX];
    uint8_t order[GRAPH_SERVICES_MAX];
};

struct graph_error {
    uint32_t line; /* 0: about the whole */
    const char *what;
    graph_word word; /* the word at fault, or empty */
};

/* BAD_ARGUMENT (error says where), TOO_BIG (a limit; likewise). */
status_t graph_parse(const char *text, size_t len, struct graph *g, struct graph_error *error);
/* The index of the service of that name, or -1. */
int graph_find(const struct graph *g, const char *name);
int graph_provider(const struct graph *g, const char *provided);
bool graph_list_has(const struct graph_list *list, const char *word);
