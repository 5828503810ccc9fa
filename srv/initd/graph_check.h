/* SPDX-License-Identifier: MIT
 * The second half of graph_parse: invariants 1 to 3 of graph.h. */
#pragma once
#include "graph.h"

status_t graph_check(struct graph *g, struct graph_error *error);
