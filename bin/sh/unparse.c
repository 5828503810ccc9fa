/* SPDX-License-Identifier: MIT
 * Trees back to text. Each part of a word is quoted by itself. Here-documents follow at the next newline, so commands
 * that have one end in a newline; in the one line for people they are left out. */
#include "exec.h"
#include "mem.h"
#include <stdio.h>
#include <string.h>

/* What stands around a word: nothing, double quotes (within ${ }), or a here-document. */
enum place : unsigned char { BARE, INSIDE_QUOTES, INSIDE_DOCUMENT };

struct writer {
    struct text *t;
    bool one_line;
    struct {
        const struct redir *redir;
        unsigned number;
    } here[32]; /* documents that wait for their newline; more go onto lines of their own */
    unsigned n_here, number;
};

static void node(struct writer *w, const struct node *n);

/* No empty quotes but for an empty text, so that what is read again is the same. */
void unparse_quoted(struct text *t, const char *text)
{
    if (*text == '\0')
        text_string(t, "''");
    while (*text != '\0') {
        size_t len = strcspn(text, "'");
        if (len == 0) {
            text_string(t, "\\'");
            text++;
            continue;
        }
        text_char(t, '\'');
        text_add(t, text, len);
        text_char(t, '\'');
        text += len;
    }
}

static void word(struct writer *w, const struct word *word, enum place place);
static void newline(struct writer *w);

static void escaped(struct writer *w, const char *text, size_t len, enum place place)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr(place == INSIDE_QUOTES ? "$`\\\"}" : "$`\\", text[i]) != nullptr && text[i] != '\0')
            text_char(w->t, '\\');
        text_char(w->t, text[i]);
    }
}

static void parameter(struct writer *w, const struct part *part, bool quoted)
{
    static const char *const operators[] = {
        [PARAM_DEFAULT] = "-", [PARAM_ASSIGN] = "=",       [PARAM_ERROR] = "?",  [PARAM_ALTERNATE] = "+",
        [PARAM_SUFFIX] = "%",  [PARAM_SUFFIX_LONG] = "%%", [PARAM_PREFIX] = "#", [PARAM_PREFIX_LONG] = "##"
    };
    if (part->op == PARAM_BAD) {
        text_string(w->t, "${^}");
        return;
    }
    text_string(w->t, part->op == PARAM_LENGTH ? "${#" : "${");
    text_string(w->t, part->text);
    if (part->colon)
        text_char(w->t, ':');
    if (part->op >= PARAM_DEFAULT && part->op <= PARAM_PREFIX_LONG) {
        bool pattern = part->op >= PARAM_SUFFIX;
        text_string(w->t, operators[part->op]);
        word(w, part->word, quoted && !pattern ? INSIDE_QUOTES : BARE);
    }
    text_char(w->t, '}');
}

static void command(struct writer *w, const struct part *part)
{
    text_string(w->t, "$(");
    if (part->command != nullptr) {
        if (!w->one_line)
            text_char(w->t, ' '); /* never "$((" */
        node(w, part->command);
        if (w->n_here > 0)
            newline(w);
    }
    text_char(w->t, ')');
}

static void word(struct writer *w, const struct word *list, enum place place)
{
    for (const struct part *part = list->parts; part != nullptr; part = part->next) {
        bool quotes = place == BARE && part->quoted;
        if (part->kind == PART_TEXT) {
            if (quotes) {
                unparse_quoted(w->t, part->len != 0 ? part->text : "");
            } else if (place == BARE) {
                text_add(w->t, part->text, part->len);
            } else {
                escaped(w, part->text, part->len, place);
            }
            continue;
        }
        if (quotes)
            text_char(w->t, '"');
        if (part->kind == PART_PARAM) {
            parameter(w, part, part->quoted);
        } else if (part->kind == PART_COMMAND) {
            command(w, part);
        } else {
            text_string(w->t, "$((");
            word(w, part->word, INSIDE_DOCUMENT);
            text_string(w->t, "))");
        }
        if (quotes)
            text_char(w->t, '"');
    }
}

/* --- here-documents --- */

static void document(struct writer *w, const struct redir *r, unsigned number)
{
    char end[32];
    if (r->literal)
        for (const struct part *part = r->word->parts; part != nullptr; part = part->next)
            text_add(w->t, part->text, part->len);
    else
        word(w, r->word, INSIDE_DOCUMENT);
    if (w->t->len > 0 && w->t->at[w->t->len - 1] != '\n')
        text_char(w->t, '\n');
    (void)snprintf(end, sizeof end, "_end_of_document_%u_\n", number);
    text_string(w->t, end);
}

/* Ends the line; what waits for that follows. */
static void newline(struct writer *w)
{
    if (w->one_line) {
        text_string(w->t, "; ");
        w->n_here = 0;
        return;
    }
    unsigned n = w->n_here;
    w->n_here = 0;
    text_char(w->t, '\n');
    for (unsigned i = 0; i < n; i++)
        document(w, w->here[i].redir, w->here[i].number);
}

static void redirections(struct writer *w, const struct redir *list)
{
    static const char *const operators[] = {
        [REDIR_IN] = "<",    [REDIR_OUT] = ">",     [REDIR_CLOBBER] = ">|", [REDIR_APPEND] = ">>",
        [REDIR_BOTH] = "<>", [REDIR_DUP_IN] = "<&", [REDIR_DUP_OUT] = ">&", [REDIR_HERE] = "<<"
    };
    for (const struct redir *r = list; r != nullptr; r = r->next) {
        char text[48];
        (void)snprintf(text, sizeof text, " %d%s", r->fd, operators[r->op]);
        text_string(w->t, text);
        if (r->op != REDIR_HERE) {
            word(w, r->word, BARE);
            continue;
        }
        unsigned number = ++w->number;
        (void)snprintf(text, sizeof text, r->literal ? "'_end_of_document_%u_'" : "_end_of_document_%u_", number);
        text_string(w->t, text);
        if (w->n_here < sizeof w->here / sizeof w->here[0]) {
            w->here[w->n_here].redir = r;
            w->here[w->n_here++].number = number;
        }
    }
}

/* --- commands --- */

static void words(struct writer *w, const struct word *list)
{
    for (; list != nullptr; list = list->next) {
        text_char(w->t, ' ');
        word(w, list, BARE);
    }
}

static void simple(struct writer *w, const struct node *n)
{
    bool first = true;
    for (const struct assign *a = n->assigns; a != nullptr; a = a->next) {
        if (!first)
            text_char(w->t, ' ');
        first = false;
        text_string(w->t, a->name);
        text_char(w->t, '=');
        word(w, a->value, BARE);
    }
    for (const struct word *next = n->words; next != nullptr; next = next->next) {
        const struct part *part = next->parts;
        if (!first)
            text_char(w->t, ' ');
        /* Redirections, which come last here, may have been what kept it from being a reserved word. */
        if (first && part != nullptr && part->next == nullptr && part->kind == PART_TEXT && !part->quoted &&
            part->len == strlen(part->text) && is_reserved(part->text))
            unparse_quoted(w->t, part->text);
        else
            word(w, next, BARE);
        first = false;
    }
}

static void body(struct writer *w, const char *before, const struct node *n, const char *after)
{
    text_string(w->t, before);
    if (w->one_line)
        text_char(w->t, ' ');
    else
        newline(w);
    if (n != nullptr)
        node(w, n);
    newline(w);
    text_string(w->t, after);
}

static void items(struct writer *w, const struct node *n)
{
    for (const struct item *i = n->items; i != nullptr; i = i->next) {
        if (n->kind == NODE_LIST) {
            node(w, i->node);
            if (i->background)
                text_string(w->t, " &");
            if (i->next != nullptr && !(w->one_line && i->background))
                newline(w);
            else if (i->next != nullptr)
                text_char(w->t, ' ');
            continue;
        }
        node(w, i->node);
        if (i->next != nullptr) {
            text_string(w->t, " | ");
            if (w->n_here > 0 && !w->one_line)
                newline(w);
        }
    }
}

static void both(struct writer *w, const struct node *n)
{
    node(w, n->a);
    text_string(w->t, n->kind == NODE_AND ? " && " : " || ");
    if (w->n_here > 0 && !w->one_line)
        newline(w);
    node(w, n->b);
}

static void arms(struct writer *w, const struct node *n)
{
    text_string(w->t, "case ");
    word(w, n->words, BARE);
    text_string(w->t, " in ");
    if (!w->one_line)
        newline(w);
    for (const struct arm *arm = n->arms; arm != nullptr; arm = arm->next) {
        text_char(w->t, '(');
        for (const struct word *p = arm->patterns; p != nullptr; p = p->next) {
            word(w, p, BARE);
            if (p->next != nullptr)
                text_char(w->t, '|');
        }
        text_string(w->t, ") ");
        if (w->n_here > 0 && !w->one_line)
            newline(w);
        if (arm->body != nullptr)
            node(w, arm->body);
        if (!w->one_line)
            newline(w);
        text_string(w->t, w->one_line ? ";; " : ";;\n");
    }
    text_string(w->t, "esac");
}

static void conditional(struct writer *w, const struct node *n)
{
    body(w, "if ", n->a, "");
    body(w, "then ", n->b, "");
    if (n->c != nullptr)
        body(w, "else ", n->c, "");
    text_string(w->t, "fi");
}

static void node(struct writer *w, const struct node *n)
{
    switch (n->kind) {
    case NODE_SIMPLE:
        simple(w, n);
        break;
    case NODE_PIPE:
    case NODE_LIST:
        items(w, n);
        break;
    case NODE_NOT:
        text_string(w->t, "! ");
        node(w, n->a);
        break;
    case NODE_AND:
    case NODE_OR:
        both(w, n);
        break;
    case NODE_SUBSHELL:
        body(w, "(", n->a, ")");
        break;
    case NODE_BRACE:
        body(w, "{", n->a, "}");
        break;
    case NODE_IF:
        conditional(w, n);
        break;
    case NODE_WHILE:
    case NODE_UNTIL:
        body(w, n->kind == NODE_WHILE ? "while " : "until ", n->a, "");
        body(w, "do ", n->b, "done");
        break;
    case NODE_FOR:
        text_string(w->t, "for ");
        text_string(w->t, n->name);
        if (n->has_words) {
            text_string(w->t, " in");
            words(w, n->words);
        }
        newline(w);
        body(w, "do ", n->b, "done");
        break;
    case NODE_CASE:
        arms(w, n);
        break;
    default:
        text_string(w->t, n->name);
        text_string(w->t, "() ");
        node(w, n->a);
        break;
    }
    redirections(w, n->redirs);
}

void unparse(struct text *t, const struct node *n, bool one_line)
{
    struct writer w = { .t = t, .one_line = one_line };
    node(&w, n);
    if (w.n_here > 0 && !one_line)
        newline(&w);
}
