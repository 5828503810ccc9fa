/* SPDX-License-Identifier: MIT
 * Any text as a service graph: an accepted one keeps the invariants of graph.h, a refused one says where and why. */
// sources: srv/initd/graph.c srv/initd/graph_check.c lib/libvectra/string.c
#include "require.h"
#include <srv/initd/graph.h>

static void check_list(const struct graph *g, const struct graph_list *list, bool services)
{
    require(list->count <= GRAPH_NAMES_MAX);
    for (unsigned i = 0; i < list->count; i++) {
        require(bounded_length(list->word[i], GRAPH_WORD_MAX) < GRAPH_WORD_MAX);
        require(!services || graph_find(g, list->word[i]) >= 0);
    }
}

static void check_service(const struct graph *g, unsigned index)
{
    const struct graph_service *s = &g->service[index];
    require(graph_find(g, s->name) == (int)index && s->image[0] != '\0');
    require(bounded_length(s->name, GRAPH_WORD_MAX) < GRAPH_WORD_MAX &&
            bounded_length(s->image, GRAPH_PATH_MAX) < GRAPH_PATH_MAX);
    check_list(g, &s->arguments, false);
    check_list(g, &s->needs, true);
    check_list(g, &s->after, true);
    check_list(g, &s->uses, false);
    check_list(g, &s->provides, false);
    for (unsigned i = 0; i < s->uses.count; i++)
        require(graph_provider(g, s->uses.word[i]) >= 0);
    for (unsigned i = 0; i < s->provides.count; i++)
        require(graph_provider(g, s->provides.word[i]) == (int)index);
    require(s->n_caps <= GRAPH_CAPS_MAX && s->crash_limit <= GRAPH_CRASHES_MAX && s->band < VX_BAND_COUNT);
    require(s->backoff_first_ns <= s->backoff_max_ns && s->memory_percent <= 100);
    for (unsigned i = 0; i < s->n_caps; i++)
        require((s->cap[i].rights & ~VX_RIGHTS_ALL) == 0 && s->cap[i].slot[GRAPH_WORD_MAX - 1] == '\0');
}

/* Everybody once, behind what it needs or comes after. */
static void check_order(const struct graph *g)
{
    uint8_t place[GRAPH_SERVICES_MAX];
    memset(place, 0xff, sizeof place);
    for (unsigned k = 0; k < g->n_services; k++) {
        require(g->order[k] < g->n_services && place[g->order[k]] == 0xff);
        place[g->order[k]] = (uint8_t)k;
    }
    for (unsigned i = 0; i < g->n_services; i++) {
        const struct graph_list *lists[] = { &g->service[i].needs, &g->service[i].after };
        for (unsigned l = 0; l < 2; l++)
            for (unsigned k = 0; k < lists[l]->count; k++)
                require(place[graph_find(g, lists[l]->word[k])] < place[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct graph g;
    struct graph_error error = {};
    char *text = exact_copy(data, size);
    memset(&g, 0x5a, sizeof g);
    if (graph_parse(text, size, &g, &error) == OK) {
        require(g.n_services <= GRAPH_SERVICES_MAX);
        for (unsigned i = 0; i < g.n_services; i++)
            check_service(&g, i);
        check_order(&g);
    } else {
        require(error.what != nullptr && bounded_length(error.word, GRAPH_WORD_MAX) < GRAPH_WORD_MAX);
    }
    free(text);
    return 0;
}
