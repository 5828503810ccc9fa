/* SPDX-License-Identifier: MIT
 * Aliases (XCU 2.3.1): texts that are put in front of what is read. One is not replaced again inside its own text, of
 * which the token that it ended with is a part; such texts are kept as `spent` until the next token begins. */
#include "lex.h"
#include <stdlib.h>
#include <string.h>

void lex_pop(struct parser *p)
{
    struct source *s = p->source;
    p->source = s->below;
    free(s);
}

void lex_spend(struct parser *p)
{
    struct source *s = p->source;
    p->source = s->below;
    s->below = p->spent;
    p->spent = s;
}

void lex_forget_spent(struct parser *p)
{
    while (p->spent != nullptr) {
        struct source *s = p->spent;
        p->spent = s->below;
        free(s);
    }
}

static bool replaced_already(const struct source *s, const char *name)
{
    for (; s != nullptr && !s->wall; s = s->below)
        if (s->alias != nullptr && strcmp(s->alias, name) == 0)
            return true;
    return false;
}

bool lex_alias(struct parser *p)
{
    if (p->token != TOKEN_WORD || p->literal == nullptr || p->find_alias == nullptr)
        return false;
    if (replaced_already(p->source, p->literal) || replaced_already(p->spent, p->literal))
        return false;
    const char *text = p->find_alias(p->literal);
    if (text == nullptr)
        return false;
    /* not in the arena: a command may end inside an alias */
    size_t len = strlen(text), name_len = strlen(p->literal);
    struct source *s = malloc(sizeof *s + len + name_len + 2);
    if (s == nullptr)
        longjmp(p->fail, PARSE_NO_MEMORY);
    char *copy = (char *)(s + 1), *name = copy + len + 1;
    memcpy(copy, text, len + 1);
    memcpy(name, p->literal, name_len + 1);
    while (p->spent != nullptr) { /* the new text stands inside those that the word was of */
        struct source *around = p->spent;
        p->spent = around->below;
        around->below = p->source;
        p->source = around;
    }
    *s = (struct source){ .below = p->source, .begin = copy, .at = copy, .end = copy + len, .alias = name };
    p->source = s;
    p->token = TOKEN_NONE;
    return true;
}
