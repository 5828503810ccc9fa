/* SPDX-License-Identifier: MIT
 * Tokens to commands: the grammar of XCU 2.10, by recursive descent. Reserved words and aliases are recognised where a
 * command may begin, and only if nothing in them is quoted. */
#include "lex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct node *and_or(struct parser *p);
static struct node *command(struct parser *p);

static const char *const reserved[] = { "!",   "case", "do", "done", "elif",  "else",  "esac", "fi",
                                        "for", "if",   "in", "then", "until", "while", "{",    "}" };

bool is_reserved(const char *text)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(text, reserved[i]) == 0)
            return true;
    return false;
}

static struct node *new_node(struct parser *p, enum node_kind kind)
{
    struct node *n = arena_zero(p->arena, sizeof *n);
    n->kind = kind;
    n->line = p->token_line;
    return n;
}

[[noreturn]] static void unexpected(struct parser *p)
{
    switch (lex_peek(p)) {
    case TOKEN_END:
        lex_error(p, "unexpected end of the text");
    case TOKEN_NEWLINE:
        lex_error(p, "unexpected end of the line");
    case TOKEN_WORD:
        lex_error(p, "unexpected '%.80s'", p->literal != nullptr ? p->literal : "word");
    case TOKEN_AMP:
        lex_error(p, "unexpected '&'");
    case TOKEN_SEMI:
        lex_error(p, "unexpected ';'");
    case TOKEN_DSEMI:
        lex_error(p, "unexpected ';;'");
    case TOKEN_AND:
        lex_error(p, "unexpected '&&'");
    case TOKEN_OR:
        lex_error(p, "unexpected '||'");
    case TOKEN_PIPE:
        lex_error(p, "unexpected '|'");
    case TOKEN_OPEN:
        lex_error(p, "unexpected '('");
    case TOKEN_CLOSE:
        lex_error(p, "unexpected ')'");
    default:
        lex_error(p, "unexpected redirection");
    }
}

/* The current token as a reserved word: it is one only if nothing in it is quoted. */
static bool at_word(struct parser *p, const char *text)
{
    return lex_peek(p) == TOKEN_WORD && p->literal != nullptr && strcmp(p->literal, text) == 0;
}

static bool take_word(struct parser *p, const char *text)
{
    if (!at_word(p, text))
        return false;
    lex_take(p);
    return true;
}

static void want_word(struct parser *p, const char *text)
{
    if (!take_word(p, text)) {
        if (lex_peek(p) == TOKEN_END)
            lex_error(p, "unexpected end of the text, '%s' is missing", text);
        unexpected(p);
    }
}

static bool skip_newlines(struct parser *p)
{
    bool any = false;
    p->unfinished = true;
    for (; lex_peek(p) == TOKEN_NEWLINE; any = true)
        lex_take(p);
    return any;
}

/* Where a command may begin: aliases are replaced. */
static void expand_aliases(struct parser *p)
{
    while (lex_peek(p) == TOKEN_WORD && p->literal != nullptr && !is_reserved(p->literal) && lex_alias(p))
        ;
}

static bool ends_list(struct parser *p)
{
    static const char *const ends[] = { "then", "do", "done", "fi", "elif", "else", "esac", "}" };
    switch (lex_peek(p)) {
    case TOKEN_END:
    case TOKEN_CLOSE:
    case TOKEN_DSEMI:
        return true;
    case TOKEN_WORD:
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
            if (at_word(p, ends[i]))
                return true;
        return false;
    default:
        return false;
    }
}

/* Commands up to something that ends a list. With `line`, a newline ends it too. nullptr: none. */
static struct node *list(struct parser *p, bool line)
{
    struct item *first = nullptr, **end = &first;
    if (!line)
        (void)skip_newlines(p);
    expand_aliases(p);
    while (!ends_list(p) && !(line && lex_peek(p) == TOKEN_NEWLINE)) {
        struct item *item = arena_zero(p->arena, sizeof *item);
        item->node = and_or(p);
        *end = item;
        end = &item->next;
        enum token t = lex_peek(p);
        item->background = t == TOKEN_AMP;
        if (t == TOKEN_AMP || t == TOKEN_SEMI)
            lex_take(p);
        else if (t != TOKEN_NEWLINE || line)
            break;
        if (!line)
            (void)skip_newlines(p);
        expand_aliases(p);
    }
    if (first == nullptr)
        return nullptr;
    if (first->next == nullptr && !first->background)
        return first->node;
    struct node *n = new_node(p, NODE_LIST);
    n->items = first;
    return n;
}

static struct node *want_list(struct parser *p)
{
    struct node *n = list(p, false);
    if (n == nullptr)
        unexpected(p);
    return n;
}

static struct node *pipeline(struct parser *p)
{
    bool negate = false;
    expand_aliases(p);
    while (take_word(p, "!")) {
        negate = !negate;
        expand_aliases(p);
    }
    struct node *n = command(p);
    if (lex_peek(p) == TOKEN_PIPE) {
        struct node *pipe = new_node(p, NODE_PIPE);
        struct item **end = &pipe->items;
        for (;;) {
            *end = arena_zero(p->arena, sizeof **end);
            (*end)->node = n;
            end = &(*end)->next;
            if (lex_peek(p) != TOKEN_PIPE)
                break;
            lex_take(p);
            (void)skip_newlines(p);
            n = command(p);
        }
        n = pipe;
    }
    if (negate) {
        struct node *not = new_node(p, NODE_NOT);
        not->a = n;
        n = not;
    }
    return n;
}

static struct node *and_or(struct parser *p)
{
    struct node *n = pipeline(p);
    for (;;) {
        enum token t = lex_peek(p);
        if (t != TOKEN_AND && t != TOKEN_OR)
            return n;
        struct node *both = new_node(p, t == TOKEN_AND ? NODE_AND : NODE_OR);
        lex_take(p);
        (void)skip_newlines(p);
        both->a = n;
        both->b = pipeline(p);
        n = both;
    }
}

/* --- redirections --- */

static void redirection(struct parser *p, struct redir ***end)
{
    struct redir *r = arena_zero(p->arena, sizeof *r);
    bool strip = p->redir_strip;
    r->op = p->redir_op;
    r->fd = p->redir_fd;
    lex_take(p);
    if (lex_peek(p) != TOKEN_WORD)
        unexpected(p);
    r->word = p->word;
    if (r->op == REDIR_HERE) {
        struct here *h = arena_zero(p->arena, sizeof *h);
        h->redir = r;
        h->strip = strip;
        h->delimiter = lex_delimiter(p, p->word, &r->literal);
        r->word = nullptr;
        *p->here_end = h;
        p->here_end = &h->next;
    }
    lex_take(p);
    **end = r;
    *end = &r->next;
}

static void redirections(struct parser *p, struct redir **out)
{
    struct redir **end = out;
    while (lex_peek(p) == TOKEN_REDIR)
        redirection(p, &end);
}

/* --- simple commands and functions --- */

/* NAME=VALUE: takes the name off the word. */
static struct assign *assignment(struct parser *p, struct word *w)
{
    struct part *first = w->parts;
    if (first == nullptr || first->kind != PART_TEXT || first->quoted)
        return nullptr;
    const char *equals = memchr(first->text, '=', first->len);
    if (equals == nullptr || !is_name(first->text, (size_t)(equals - first->text)))
        return nullptr;
    struct assign *a = arena_zero(p->arena, sizeof *a);
    a->name = arena_text(p->arena, first->text, (size_t)(equals - first->text));
    first->len -= (size_t)(equals + 1 - first->text);
    first->text = equals + 1;
    if (first->len == 0)
        w->parts = first->next;
    a->value = w;
    return a;
}

static struct node *function(struct parser *p, const char *name, struct node *n)
{
    lex_take(p);
    if (lex_peek(p) != TOKEN_CLOSE)
        unexpected(p);
    lex_take(p);
    if (!is_name(name, strlen(name)))
        lex_error(p, "'%.80s' is not a name for a function", name);
    (void)skip_newlines(p);
    n->kind = NODE_FUNCTION;
    n->name = name;
    n->a = command(p);
    return n;
}

static struct node *simple(struct parser *p)
{
    struct node *n = new_node(p, NODE_SIMPLE);
    struct word **words = &n->words;
    struct assign **assigns = &n->assigns;
    struct redir **redirs = &n->redirs;
    for (;;) {
        enum token t = lex_peek(p);
        if (t == TOKEN_REDIR) {
            redirection(p, &redirs);
            continue;
        }
        if (t == TOKEN_OPEN && n->words != nullptr && n->words->next == nullptr && n->assigns == nullptr &&
            n->redirs == nullptr && word_literal(n->words) != nullptr)
            return function(p, word_literal(n->words), n);
        if (t != TOKEN_WORD)
            break;
        struct assign *a = n->words == nullptr ? assignment(p, p->word) : nullptr;
        if (a != nullptr) {
            *assigns = a;
            assigns = &a->next;
        } else {
            bool begins = n->words == nullptr && (n->assigns != nullptr || n->redirs != nullptr);
            if (begins && lex_alias(p))
                continue;
            *words = p->word;
            words = &p->word->next;
        }
        lex_take(p);
    }
    if (n->words == nullptr && n->assigns == nullptr && n->redirs == nullptr)
        unexpected(p);
    return n;
}

/* --- compound commands --- */

static struct node *if_command(struct parser *p)
{
    struct node *n = new_node(p, NODE_IF);
    lex_take(p);
    n->a = want_list(p);
    want_word(p, "then");
    n->b = want_list(p);
    if (at_word(p, "elif")) {
        lex_enter(p);
        n->c = if_command(p);
        lex_leave(p);
        return n;
    }
    if (take_word(p, "else"))
        n->c = want_list(p);
    want_word(p, "fi");
    return n;
}

static struct node *loop(struct parser *p, enum node_kind kind)
{
    struct node *n = new_node(p, kind);
    lex_take(p);
    n->a = want_list(p);
    want_word(p, "do");
    n->b = want_list(p);
    want_word(p, "done");
    return n;
}

static struct node *for_command(struct parser *p)
{
    struct node *n = new_node(p, NODE_FOR);
    lex_take(p);
    if (lex_peek(p) != TOKEN_WORD || p->literal == nullptr || !is_name(p->literal, strlen(p->literal)))
        lex_error(p, "for: a name is missing");
    n->name = p->literal;
    lex_take(p);
    bool newline = skip_newlines(p);
    if (take_word(p, "in")) {
        struct word **end = &n->words;
        n->has_words = true;
        for (; lex_peek(p) == TOKEN_WORD; lex_take(p)) {
            *end = p->word;
            end = &p->word->next;
        }
        if (lex_peek(p) != TOKEN_SEMI && lex_peek(p) != TOKEN_NEWLINE)
            unexpected(p);
        lex_take(p);
    } else if (!newline && lex_peek(p) == TOKEN_SEMI) {
        lex_take(p);
    }
    (void)skip_newlines(p);
    want_word(p, "do");
    n->b = want_list(p);
    want_word(p, "done");
    return n;
}

static struct node *case_command(struct parser *p)
{
    struct node *n = new_node(p, NODE_CASE);
    struct arm **end = &n->arms;
    lex_take(p);
    if (lex_peek(p) != TOKEN_WORD)
        unexpected(p);
    n->words = p->word;
    lex_take(p);
    (void)skip_newlines(p);
    want_word(p, "in");
    (void)skip_newlines(p);
    while (!at_word(p, "esac")) {
        struct arm *arm = arena_zero(p->arena, sizeof *arm);
        struct word **patterns = &arm->patterns;
        if (lex_peek(p) == TOKEN_OPEN)
            lex_take(p);
        for (;;) {
            if (lex_peek(p) != TOKEN_WORD)
                unexpected(p);
            *patterns = p->word;
            patterns = &p->word->next;
            lex_take(p);
            if (lex_peek(p) != TOKEN_PIPE)
                break;
            lex_take(p);
        }
        if (lex_peek(p) != TOKEN_CLOSE)
            unexpected(p);
        lex_take(p);
        arm->body = list(p, false);
        *end = arm;
        end = &arm->next;
        if (lex_peek(p) != TOKEN_DSEMI)
            break;
        lex_take(p);
        (void)skip_newlines(p);
    }
    want_word(p, "esac");
    return n;
}

static struct node *group(struct parser *p, enum node_kind kind)
{
    struct node *n = new_node(p, kind);
    lex_take(p);
    n->a = want_list(p);
    if (kind == NODE_BRACE) {
        want_word(p, "}");
        return n;
    }
    if (lex_peek(p) != TOKEN_CLOSE)
        unexpected(p);
    lex_take(p);
    return n;
}

/* The compound command that begins here, or nullptr. */
static struct node *compound(struct parser *p)
{
    if (lex_peek(p) == TOKEN_OPEN)
        return group(p, NODE_SUBSHELL);
    if (lex_peek(p) != TOKEN_WORD || p->literal == nullptr)
        return nullptr;
    if (at_word(p, "{"))
        return group(p, NODE_BRACE);
    if (at_word(p, "if"))
        return if_command(p);
    if (at_word(p, "while"))
        return loop(p, NODE_WHILE);
    if (at_word(p, "until"))
        return loop(p, NODE_UNTIL);
    if (at_word(p, "for"))
        return for_command(p);
    if (at_word(p, "case"))
        return case_command(p);
    if (is_reserved(p->literal))
        unexpected(p);
    return nullptr;
}

static struct node *command(struct parser *p)
{
    expand_aliases(p);
    lex_enter(p);
    p->unfinished = true;
    struct node *n = compound(p);
    if (n != nullptr)
        redirections(p, &n->redirs);
    else
        n = simple(p);
    lex_leave(p);
    return n;
}

struct node *parse_substitution(struct parser *p, bool in_parentheses)
{
    struct node *n = list(p, false);
    enum token t = lex_peek(p);
    if (t != (in_parentheses ? TOKEN_CLOSE : TOKEN_END))
        unexpected(p);
    return n;
}

/* --- programs --- */

[[noreturn]] static void no_memory(void *ctx)
{
    struct parser *p = ctx;
    longjmp(p->fail, PARSE_NO_MEMORY);
}

void program_get(struct program *p)
{
    p->users++;
}

void program_put(struct program *p)
{
    if (--p->users == 0) {
        arena_free(&p->arena);
        free(p);
    }
}

void parser_fini(struct parser *p)
{
    while (p->source != p->root)
        lex_pop(p);
    lex_forget_spent(p);
}

void parser_init(struct parser *p, struct source *s)
{
    *p = (struct parser){ .source = s, .root = s, .line = 1 };
}

/* After an error: what is left of the line is no command. */
static void throw_line_away(struct parser *p)
{
    struct source *s = p->source;
    const char *newline = s->at < s->end ? memchr(s->at, '\n', (size_t)(s->end - s->at)) : nullptr;
    if (s->at > s->begin && s->at[-1] == '\n')
        return;
    s->at = newline != nullptr ? newline + 1 : s->end;
}

enum parse parse_command(struct parser *p, struct program **out)
{
    struct program *volatile program = calloc(1, sizeof *program);
    if (program == nullptr)
        return PARSE_NO_MEMORY;
    program->users = 1;
    program->arena.fail = no_memory;
    program->arena.ctx = p;
    p->arena = &program->arena;
    p->token = TOKEN_NONE;
    p->here = nullptr;
    p->here_end = &p->here;
    p->depth = 0;
    p->delimiter = false;
    p->unfinished = false;
    int failed = setjmp(p->fail);
    if (failed != 0) {
        while (p->source != p->root) {
            if (p->source->alias != nullptr)
                lex_pop(p);
            else
                p->source = p->source->below;
        }
        throw_line_away(p);
        program_put(program);
        return (enum parse)failed;
    }
    if (lex_peek(p) == TOKEN_END) {
        program_put(program);
        return PARSE_END;
    }
    program->node = list(p, true);
    if (lex_peek(p) == TOKEN_END && p->here != nullptr) { /* the text ended before its newline */
        p->token = TOKEN_NONE;
        lex_finish(p);
    } else if (lex_peek(p) != TOKEN_NEWLINE && lex_peek(p) != TOKEN_END) {
        unexpected(p);
    }
    p->unfinished = false;
    *out = program;
    return PARSE_COMMAND;
}
