/* SPDX-License-Identifier: MIT
 * What can only be said about a graph as a whole: names resolve, nothing waits for itself, and in which order to start.
 */
#include "graph_check.h"
#include <vectra/string.h>

static status_t refuse(struct graph_error *error, const char *what, const char *word)
{
    error->what = what;
    (void)vx_strcopy(error->word, sizeof error->word, word);
    return ERR_BAD_ARGUMENT;
}

int graph_find(const struct graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->n_services; i++) {
        if (vx_streq(g->service[i].name, name))
            return (int)i;
    }
    return -1;
}

bool graph_list_has(const struct graph_list *list, const char *word)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (vx_streq(list->word[i], word))
            return true;
    }
    return false;
}

int graph_provider(const struct graph *g, const char *provided)
{
    for (uint32_t i = 0; i < g->n_services; i++) {
        if (graph_list_has(&g->service[i].provides, provided))
            return (int)i;
    }
    return -1;
}

/* A device has one driver, and a driver finds it through topod. */
static status_t check_devices(const struct graph *g, uint32_t index, struct graph_error *error)
{
    const struct graph_service *s = &g->service[index];
    if (s->n_devices != 0 && !graph_list_has(&s->uses, "topo"))
        return refuse(error, "a driver gets its device from topod, so it uses topo", s->name);
    for (unsigned i = 0; i < s->n_devices; i++) {
        for (uint32_t k = 0; k <= index; k++) {
            unsigned n = k == index ? i : g->service[k].n_devices;
            for (unsigned j = 0; j < n; j++) {
                const struct graph_device *o = &g->service[k].device[j];
                if (o->kind == s->device[i].kind && o->index == s->device[i].index)
                    return refuse(error, "two drivers for one device", s->name);
            }
        }
    }
    return OK;
}

/* What a service can reach of the files is written down, or it reaches none. */
static status_t check_files(const struct graph_service *s, struct graph_error *error)
{
    bool uses = graph_list_has(&s->uses, "vfs"), has = s->files[0] != '\0';
    if (uses && !has)
        return refuse(error, "a service that uses vfs says which files", s->name);
    return has && !uses ? refuse(error, "files come from vfsd, so it uses vfs", s->name) : OK;
}

static status_t check_service(const struct graph *g, uint32_t index, struct graph_error *error)
{
    const struct graph_service *s = &g->service[index];
    if (s->image[0] == '\0')
        return refuse(error, "this service has no image", s->name);
    const struct graph_list *lists[] = { &s->needs, &s->after };
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < lists[k]->count; i++) {
            if (graph_find(g, lists[k]->word[i]) < 0)
                return refuse(error, "no service has this name", lists[k]->word[i]);
        }
    }
    for (unsigned i = 0; i < s->uses.count; i++) {
        if (graph_provider(g, s->uses.word[i]) < 0)
            return refuse(error, "no service provides this name", s->uses.word[i]);
    }
    for (unsigned i = 0; i < s->provides.count; i++) {
        if (graph_provider(g, s->provides.word[i]) != (int)index)
            return refuse(error, "two services provide this name", s->provides.word[i]);
    }
    status_t st = check_files(s, error);
    return st == OK ? check_devices(g, index, error) : st;
}

/* True when everything that service `index` waits for is in `placed` (one bit a service). */
static bool is_free(const struct graph *g, uint32_t index, uint32_t placed)
{
    const struct graph_service *s = &g->service[index];
    for (unsigned i = 0; i < s->needs.count; i++) {
        if ((placed & 1u << graph_find(g, s->needs.word[i])) == 0)
            return false;
    }
    for (unsigned i = 0; i < s->after.count; i++) {
        if ((placed & 1u << graph_find(g, s->after.word[i])) == 0)
            return false;
    }
    return true;
}

status_t graph_check(struct graph *g, struct graph_error *error)
{
    static_assert(GRAPH_SERVICES_MAX <= 32, "one bit a service");
    for (uint32_t i = 0; i < g->n_services; i++) {
        status_t st = check_service(g, i, error);
        if (st != OK)
            return st;
    }
    uint32_t placed = 0, n = 0;
    while (n < g->n_services) {
        uint32_t before = n;
        for (uint32_t i = 0; i < g->n_services; i++) {
            if ((placed & 1u << i) == 0 && is_free(g, i, placed)) {
                placed |= 1u << i;
                g->order[n++] = (uint8_t)i;
            }
        }
        if (n == before) {
            uint32_t stuck = 0;
            while ((placed & 1u << stuck) != 0)
                stuck++;
            return refuse(error, "this service waits for itself, through others", g->service[stuck].name);
        }
    }
    return OK;
}
