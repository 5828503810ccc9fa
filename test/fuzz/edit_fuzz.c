/* SPDX-License-Identifier: MIT
 * The shell's line editor on any bytes. The first byte chooses the terminal's width. */
// sources: bin/sh/vectra/edit.c bin/sh/vectra/history.c lib/libterm/keys.c
#include "require.h"
#include <bin/sh/vectra/edit.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    require(text != nullptr && len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sh_edit e;
    static struct sh_history history;
    if (size == 0)
        return 0;
    sh_history_clear(&history);
    e.write = draw;
    e.history = &history;
    e.prompt = "vectra:/$ ";
    e.columns = data[0];
    sh_edit_begin(&e);
    for (size_t i = 1; i < size; i++) {
        sh_edit_event_t event = sh_edit_feed(&e, data[i]);
        require(e.cursor <= e.len && e.len <= SH_LINE_MAX && e.kill_len <= SH_LINE_MAX);
        if (event == SH_EDIT_LINE)
            sh_history_add(&history, e.text, e.len);
        if (event != SH_EDIT_MORE && event != SH_EDIT_COMPLETE)
            sh_edit_begin(&e);
    }
    return 0;
}
