/* SPDX-License-Identifier: MIT */
#include "names.h"
#include <vectra/rpc_proc.h>
#include <vectra/string.h>

static struct name {
    struct vx_session *owner; /* nullptr: free */
    uint32_t length;
    uint8_t text[NAME_BYTES];
    vx_mem door; /* 0: it does not listen */
    uint32_t waiting[BACKLOG_MAX];
    uint32_t n_waiting;
} names[NAMES_MAX];

static struct connection {
    uint32_t id; /* 0: free */
    vx_mem memory[2];
    struct name *waits_at; /* nullptr: accepted, or refused */
} connections[PROC_CONNECTIONS_MAX];
static uint32_t last_id, n_connections, names_used; /* names from there on were never bound */

static struct name *find(const uint8_t *text, uint32_t length)
{
    for (uint32_t i = 0; i < NAMES_MAX; i++)
        if (names[i].owner != nullptr && names[i].length == length && memcmp(names[i].text, text, length) == 0)
            return &names[i];
    return nullptr;
}

static struct connection *connection_of(uint32_t id)
{
    for (uint32_t i = 0; id != 0 && i < PROC_CONNECTIONS_MAX; i++)
        if (connections[i].id == id)
            return &connections[i];
    return nullptr;
}

/* How many sides hold it. */
static uint32_t holders(const struct connection *c)
{
    struct vx_cap_facts facts = {};
    return vx_sys_cap_inspect(c->memory[0].raw, &facts, nullptr) == OK ? facts.children : 0;
}

static void end(struct connection *c)
{
    for (unsigned i = 0; i < 2; i++)
        if (c->memory[i].raw != VX_HANDLE_NONE)
            (void)vx_sys_mem_free(c->memory[i], 0, 0);
    n_connections -= c->id != 0;
    *c = (struct connection){};
}

static void collect(void)
{
    for (uint32_t i = 0; n_connections != 0 && i < PROC_CONNECTIONS_MAX; i++)
        if (connections[i].id != 0 && connections[i].waits_at == nullptr && holders(&connections[i]) == 0)
            end(&connections[i]);
}

static void release(struct name *n)
{
    for (uint32_t i = 0; i < n->n_waiting; i++) {
        struct connection *c = connection_of(n->waiting[i]);
        if (c != nullptr)
            c->waits_at = nullptr; /* refused: its one side finds out */
    }
    if (n->door.raw != VX_HANDLE_NONE)
        (void)vx_sys_mem_free(n->door, 0, 0);
    *n = (struct name){};
}

void names_closed(struct vx_session *s)
{
    for (uint32_t i = 0; i < names_used; i++)
        if (names[i].owner == s)
            release(&names[i]);
    collect();
}

status_t names_bind(struct vx_session *s, const uint8_t *text, uint32_t length)
{
    if (length == 0 || length > NAME_BYTES)
        return ERR_BAD_ARGUMENT;
    if (find(text, length) != nullptr)
        return ERR_BUSY;
    for (uint32_t i = 0; i < NAMES_MAX; i++)
        if (names[i].owner == nullptr) {
            names[i] = (struct name){ .owner = s, .length = length };
            names_used = i < names_used ? names_used : i + 1;
            memcpy(names[i].text, text, length);
            return OK;
        }
    return ERR_TABLE_FULL;
}

status_t names_unbind(struct vx_session *s, const uint8_t *text, uint32_t length)
{
    struct name *n = length > NAME_BYTES ? nullptr : find(text, length);
    if (n == nullptr || n->owner != s)
        return ERR_NOT_FOUND;
    release(n);
    collect();
    return OK;
}

static status_t allocate_one(vx_mem *memory)
{
    return vx_sys_mem_alloc(VX_OWN_RETICLE, VX_PROC_PIPE_BYTES,
                            VX_PROT_READ | VX_PROT_WRITE | VX_MEM_COMMIT | VX_MEM_HANDLE | VX_MEM_NO_MAP, 0, memory,
                            nullptr);
}

static vx_handle_t copy_of(vx_mem memory)
{
    constexpr vx_rights_t rights = VX_R_READ | VX_R_WRITE | VX_R_COPY | VX_R_MOVE | VX_R_INSPECT;
    vx_handle_t copy = VX_HANDLE_NONE;
    return memory.raw != VX_HANDLE_NONE && vx_sys_cap_narrow(memory.raw, rights, 0, 0, &copy) == OK ? copy
                                                                                                    : VX_HANDLE_NONE;
}

status_t names_listen(struct vx_session *s, const uint8_t *text, uint32_t length, vx_mem *door)
{
    struct name *n = length > NAME_BYTES ? nullptr : find(text, length);
    if (n == nullptr || n->owner != s)
        return ERR_NOT_FOUND;
    status_t st = n->door.raw == VX_HANDLE_NONE ? allocate_one(&n->door) : OK;
    if (st == OK && (door->raw = copy_of(n->door)) == VX_HANDLE_NONE)
        st = ERR_NO_MEMORY;
    return st;
}

void names_move(struct vx_session *from, struct vx_session *to)
{
    for (uint32_t i = 0; i < NAMES_MAX; i++)
        if (names[i].owner == from)
            names[i].owner = to;
}

static status_t allocate(struct connection *c)
{
    for (unsigned i = 0; i < 2; i++) {
        status_t st = allocate_one(&c->memory[i]);
        if (st != OK) {
            end(c);
            return st;
        }
    }
    return OK;
}

status_t names_connect(const uint8_t *text, uint32_t length, uint32_t *connection)
{
    struct name *n = length > NAME_BYTES ? nullptr : find(text, length);
    if (n == nullptr)
        return ERR_NOT_FOUND;
    if (n->door.raw == VX_HANDLE_NONE)
        return ERR_NOT_SUPPORTED; /* nobody listens there */
    if (n->n_waiting == BACKLOG_MAX)
        return ERR_BUSY;
    collect();
    for (uint32_t i = 0; i < PROC_CONNECTIONS_MAX; i++) {
        struct connection *c = &connections[i];
        if (c->id != 0)
            continue;
        status_t st = allocate(c);
        if (st != OK)
            return st;
        last_id = last_id == UINT32_MAX ? 1 : last_id + 1;
        c->id = *connection = last_id;
        c->waits_at = n;
        n_connections++;
        n->waiting[n->n_waiting++] = c->id;
        return OK;
    }
    return ERR_TABLE_FULL;
}

status_t names_accept(const uint8_t *text, uint32_t length, uint32_t *connection)
{
    struct name *n = length > NAME_BYTES ? nullptr : find(text, length);
    if (n == nullptr || n->n_waiting == 0)
        return ERR_NOT_FOUND;
    *connection = n->waiting[0];
    n->n_waiting--;
    memmove(&n->waiting[0], &n->waiting[1], n->n_waiting * sizeof n->waiting[0]);
    struct connection *c = connection_of(*connection);
    if (c == nullptr)
        return ERR_NOT_FOUND;
    c->waits_at = nullptr;
    return OK;
}

bool names_peer_gone(uint32_t connection)
{
    const struct connection *c = connection_of(connection);
    return c == nullptr || (c->waits_at == nullptr && holders(c) <= 1);
}

vx_handle_t names_memory(uint32_t connection, unsigned direction)
{
    const struct connection *c = connection_of(connection);
    return c == nullptr ? VX_HANDLE_NONE : copy_of(c->memory[direction]);
}

vx_handle_t names_door(uint32_t connection)
{
    const struct connection *c = connection_of(connection);
    return c == nullptr || c->waits_at == nullptr ? VX_HANDLE_NONE : copy_of(c->waits_at->door);
}
