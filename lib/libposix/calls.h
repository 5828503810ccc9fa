/* SPDX-License-Identifier: MIT
 * The prototypes of the calls: px_NAME with as many arguments as its row of calls.def says. */
#pragma once

#define PX_ARGS_0 void
#define PX_ARGS_1 long
#define PX_ARGS_2 long, long
#define PX_ARGS_3 long, long, long
#define PX_ARGS_4 long, long, long, long
#define PX_ARGS_5 long, long, long, long, long
#define PX_ARGS_6 long, long, long, long, long, long
#define DONE(name, n, text) long px_##name(PX_ARGS_##n);
#define REFUSED(name, error, text)
#define LATER(name, error, text)
#include "calls.def"
#undef DONE
#undef REFUSED
#undef LATER
