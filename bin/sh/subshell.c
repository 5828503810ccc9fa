/* SPDX-License-Identifier: MIT */
#include "subshell.h"
#include "exec.h"
#include "out.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct subshell *current;

void subshell_begin(struct subshell *s)
{
    s->outer = current;
    s->params = sh.params;
    s->params->users++;
    memcpy(s->option, sh.option, sizeof s->option);
    s->background = sh.background;
    s->functions = sh.functions;
    s->loops = sh.loops;
    s->tested = sh.tested;
    s->line = sh.line;
    s->directory = -1;
    s->has_umask = false;
    s->trap_status = sh.trap_status;
    sh.trap_status = -1;
    sh.subshells++;
    sh.option[OPT_MONITOR] = false;
    scope_push(&s->scope, SCOPE_SUBSHELL);
    redirs_push(&s->redirs, true);
    traps_push(&s->traps);
    current = s;
}

static void put_back(struct subshell *s)
{
    jobs_disown(sh.subshells);
    traps_pop(&s->traps);
    redirs_unwind(s->redirs.outer);
    scope_unwind(s->scope.outer);
    if (s->directory >= 0) {
        if (fchdir(s->directory) != 0)
            sh_warn("cannot go back to the directory of before");
        (void)close(s->directory);
    }
    if (s->has_umask)
        (void)umask(s->umask);
    if (sh.params != s->params) {
        params_put(sh.params);
        sh.params = s->params;
    } else {
        params_put(s->params);
    }
    memcpy(sh.option, s->option, sizeof s->option);
    sh.background = s->background;
    sh.functions = s->functions;
    sh.loops = s->loops;
    sh.tested = s->tested;
    sh.line = s->line;
    sh.trap_status = s->trap_status;
    sh.subshells--;
    current = s->outer;
}

int subshell_finish(struct subshell *s, int (*body)(void *ctx), void *ctx)
{
    enum skip skip = sh.skip;
    volatile int status = 0;
    sh.skip = SKIP_NONE;
    if (CATCH(&s->catcher) == 0) {
        status = body(ctx);
        if (sh.skip == SKIP_EXIT)
            status = sh.exit_status;
    } else {
        status = sh.status;
    }
    catch_end(&s->catcher);
    sh.skip = SKIP_NONE;
    if (CATCH(&s->catcher) == 0) {
        status = traps_run_exit(status);
        if (!out_flush())
            status = 1;
    } else {
        status = sh.status;
    }
    catch_end(&s->catcher);
    sh.skip = skip;
    put_back(s);
    return sh.status = status;
}

static int run_node(void *ctx)
{
    return exec_node(ctx);
}

int subshell_run(const struct node *n)
{
    struct subshell s;
    subshell_begin(&s);
    return subshell_finish(&s, run_node, (void *)n);
}

const char *subshell_output(const struct node *n, size_t *len)
{
    struct capture c;
    struct subshell s;
    int before = sh.status;
    *len = 0;
    sh.substitution_status = 0;
    if (n == nullptr)
        return "";
    capture_begin(&c);
    subshell_begin(&s);
    sh.tested = 0;
    sh.status = before;
    int status = subshell_finish(&s, run_node, (void *)n);
    capture_end(&c);
    bool lost = c.lost;
    char *text = nullptr;
    if (!lost && sh.skip != SKIP_EXIT)
        text = arena_text(&sh.temp, c.len != 0 ? c.text : "", c.len);
    *len = text != nullptr ? c.len : 0;
    free(c.text);
    if (lost)
        sh_no_memory(nullptr);
    sh.substitution_status = status;
    sh.status = before; /* $? is about commands, not about what they are made of */
    return text != nullptr ? text : "";
}

void subshell_before_cd(void)
{
    if (current != nullptr && current->directory < 0)
        current->directory = fd_own(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void subshell_before_umask(void)
{
    if (current == nullptr || current->has_umask)
        return;
    current->umask = umask(0);
    (void)umask(current->umask);
    current->has_umask = true;
}
