/* SPDX-License-Identifier: MIT */
#include "vars.h"
#include "hash.h"
#include <stdlib.h>
#include <string.h>

enum : unsigned { BUCKETS = 128 };
static struct symbol *tables[TABLES][BUCKETS];
static uint32_t serial;

struct saved {
    struct saved *next;
    struct symbol *symbol;
    char *text;
    struct program *program;
    const struct node *node;
    uint8_t flags;
    uint32_t saved_in;
};

static unsigned bucket_of(const char *name, size_t len)
{
    uint32_t h = 5381;
    for (size_t i = 0; i < len; i++)
        h = h * 33 + (unsigned char)name[i];
    return h % BUCKETS;
}

static struct symbol *find(int table, const char *name, size_t len)
{
    for (struct symbol *s = tables[table][bucket_of(name, len)]; s != nullptr; s = s->next)
        if (strncmp(s->name, name, len) == 0 && s->name[len] == '\0')
            return s;
    return nullptr;
}

static struct symbol *get(int table, const char *name)
{
    size_t len = strlen(name);
    struct symbol *s = find(table, name, len), **bucket = &tables[table][bucket_of(name, len)];
    if (s != nullptr)
        return s;
    s = sh_alloc(sizeof *s + len + 1);
    *s = (struct symbol){ .next = *bucket };
    memcpy(s->name, name, len + 1);
    return *bucket = s;
}

/* --- scopes --- */

static void save(struct scope *scope, struct symbol *s)
{
    struct saved *v = sh_alloc(sizeof *v);
    *v = (struct saved){ .next = scope->saved,
                         .symbol = s,
                         .program = s->program,
                         .node = s->node,
                         .flags = s->flags,
                         .saved_in = s->saved_in };
    if (s->text != nullptr) {
        size_t len = strlen(s->text) + 1;
        v->text = malloc(len);
        if (v->text == nullptr) {
            free(v);
            sh_no_memory(nullptr);
        }
        memcpy(v->text, s->text, len);
    }
    if (v->program != nullptr)
        program_get(v->program);
    scope->saved = v;
}

static void touch(struct symbol *s)
{
    for (struct scope *scope = sh.scope; scope != nullptr; scope = scope->outer)
        if (scope->kind == SCOPE_SUBSHELL) {
            if (s->saved_in != scope->serial) {
                save(scope, s);
                s->saved_in = scope->serial;
            }
            return;
        }
}

static void changed(const struct symbol *s)
{
    if (s->name[0] == 'P' && strcmp(s->name, "PATH") == 0)
        hash_forget();
    if (s->name[0] == 'O' && strcmp(s->name, "OPTIND") == 0)
        getopts_forget();
}

void scope_push(struct scope *s, enum scope_kind kind)
{
    *s = (struct scope){ .outer = sh.scope, .kind = kind, .serial = ++serial };
    sh.scope = s;
}

void scope_pop(struct scope *s)
{
    for (struct saved *v = s->saved, *next; v != nullptr; v = next) {
        struct symbol *to = v->symbol;
        next = v->next;
        free(to->text);
        if (to->program != nullptr)
            program_put(to->program);
        to->text = v->text;
        to->program = v->program;
        to->node = v->node;
        to->flags = v->flags;
        to->saved_in = v->saved_in;
        changed(to);
        free(v);
    }
    s->saved = nullptr;
    if (s->program != nullptr)
        program_put(s->program);
    s->program = nullptr;
    sh.scope = s->outer;
}

void scope_unwind(struct scope *outer)
{
    while (sh.scope != outer)
        scope_pop(sh.scope);
}

/* --- variables --- */

struct symbol *var_find(const char *name, size_t len)
{
    return find(TABLE_VARS, name, len);
}

const char *var_get(const char *name)
{
    const struct symbol *s = find(TABLE_VARS, name, strlen(name));
    return s != nullptr ? s->text : nullptr;
}

static void set(struct symbol *s, const char *value)
{
    char *copy = value != nullptr ? sh_copy(value) : nullptr;
    free(s->text);
    s->text = copy;
    if (sh.option[OPT_ALLEXPORT])
        s->flags |= SYMBOL_EXPORT;
    changed(s);
}

static void want_writable(const struct symbol *s)
{
    if ((s->flags & SYMBOL_READONLY) != 0)
        sh_error("%s: is read only", s->name);
}

void var_set(const char *name, const char *value)
{
    struct symbol *s = get(TABLE_VARS, name);
    want_writable(s);
    touch(s);
    set(s, value);
}

void var_set_flags(const char *name, uint8_t flags)
{
    struct symbol *s = get(TABLE_VARS, name);
    touch(s);
    s->flags |= flags;
}

void var_set_for_command(const char *name, const char *value)
{
    struct symbol *s = get(TABLE_VARS, name);
    want_writable(s);
    touch(s);
    save(sh.scope, s);
    s->flags |= SYMBOL_EXPORT;
    set(s, value);
}

bool var_unset(const char *name)
{
    struct symbol *s = find(TABLE_VARS, name, strlen(name));
    if (s == nullptr)
        return true;
    if ((s->flags & SYMBOL_READONLY) != 0)
        return false;
    touch(s);
    free(s->text);
    s->text = nullptr;
    s->flags = 0;
    changed(s);
    return true;
}

bool var_local(const char *name)
{
    struct symbol *s = get(TABLE_VARS, name);
    for (struct scope *scope = sh.scope; scope != nullptr; scope = scope->outer)
        switch (scope->kind) {
        case SCOPE_FUNCTION:
            touch(s);
            save(scope, s);
            s->flags &= (uint8_t)~SYMBOL_READONLY;
            return true;
        case SCOPE_SUBSHELL:
            touch(s); /* it ends no later than the function */
            return sh.functions > 0;
        default:
            break;
        }
    return false;
}

char **var_environment(void)
{
    size_t n = 0, at = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        for (const struct symbol *s = tables[TABLE_VARS][i]; s != nullptr; s = s->next)
            n += s->text != nullptr && (s->flags & SYMBOL_EXPORT) != 0;
    char **out = arena_alloc(&sh.temp, (n + 1) * sizeof *out);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (const struct symbol *s = tables[TABLE_VARS][i]; s != nullptr; s = s->next) {
            if (s->text == nullptr || (s->flags & SYMBOL_EXPORT) == 0)
                continue;
            size_t name = strlen(s->name), value = strlen(s->text);
            char *text = arena_alloc(&sh.temp, name + value + 2);
            memcpy(text, s->name, name);
            text[name] = '=';
            memcpy(text + name + 1, s->text, value + 1);
            out[at++] = text;
        }
    out[at] = nullptr;
    return out;
}

void var_import(char **environment)
{
    for (; environment != nullptr && *environment != nullptr; environment++) {
        const char *equals = strchr(*environment, '=');
        if (equals == nullptr || !is_name(*environment, (size_t)(equals - *environment)))
            continue;
        struct arena_mark mark = arena_mark(&sh.temp);
        const char *name = arena_text(&sh.temp, *environment, (size_t)(equals - *environment));
        var_set(name, equals + 1);
        var_set_flags(name, SYMBOL_EXPORT);
        arena_release(&sh.temp, mark);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct symbol *const *)a)->name, (*(struct symbol *const *)b)->name);
}

void symbols_visit(int table, void (*visit)(void *ctx, const struct symbol *s), void *ctx)
{
    size_t n = 0, at = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        for (const struct symbol *s = tables[table][i]; s != nullptr; s = s->next)
            n++;
    struct symbol **all = arena_alloc(&sh.temp, (n + 1) * sizeof *all);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct symbol *s = tables[table][i]; s != nullptr; s = s->next)
            if (s->text != nullptr || s->node != nullptr || s->flags != 0)
                all[at++] = s;
    qsort(all, at, sizeof *all, by_name);
    for (size_t i = 0; i < at; i++)
        visit(ctx, all[i]);
}

/* --- functions and aliases --- */

const struct symbol *function_find(const char *name)
{
    const struct symbol *s = find(TABLE_FUNCTIONS, name, strlen(name));
    return s != nullptr && s->node != nullptr ? s : nullptr;
}

void function_set(const char *name, struct program *program, const struct node *node)
{
    struct symbol *s = get(TABLE_FUNCTIONS, name);
    touch(s);
    if (program != nullptr)
        program_get(program);
    if (s->program != nullptr)
        program_put(s->program);
    s->program = program;
    s->node = node;
}

void function_unset(const char *name)
{
    if (function_find(name) != nullptr)
        function_set(name, nullptr, nullptr);
}

const char *alias_find(const char *name)
{
    const struct symbol *s = find(TABLE_ALIASES, name, strlen(name));
    return s != nullptr ? s->text : nullptr;
}

void alias_set(const char *name, const char *text)
{
    struct symbol *s = get(TABLE_ALIASES, name);
    touch(s);
    char *copy = text != nullptr ? sh_copy(text) : nullptr;
    free(s->text);
    s->text = copy;
}
