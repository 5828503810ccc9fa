/* SPDX-License-Identifier: MIT */
#include "parse.h"
#include <base/string.h>

typedef enum token : uint8_t {
    TOK_WORD,
    TOK_NOT,
    TOK_SEMI,
    TOK_AMP,
    TOK_AND,
    TOK_OR,
    TOK_PIPE,
    TOK_OTHER,
    TOK_END,
    TOK_OPEN_QUOTE,
} token_t;

struct lexer {
    const char *text;
    uint32_t len;
    uint32_t at;         /* next byte */
    uint32_t start, end; /* of the token just read */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(char c)
{
    return is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '<' || c == '>' || c == '(' || c == ')';
}

/* Moves past a quoted part that begins at `at`; false if it does not end. */
static bool skip_quoted(struct lexer *x)
{
    char quote = x->text[x->at++];
    while (x->at < x->len && x->text[x->at] != quote) {
        if (quote == '"' && x->text[x->at] == '\\' && x->at + 1 < x->len)
            x->at++;
        x->at++;
    }
    if (x->at >= x->len)
        return false;
    x->at++;
    return true;
}

static token_t read_word(struct lexer *x)
{
    while (x->at < x->len && !ends_word(x->text[x->at])) {
        char c = x->text[x->at];
        if (c == '\'' || c == '"') {
            if (!skip_quoted(x))
                return TOK_OPEN_QUOTE;
        } else if (c == '\\') {
            if (x->at + 1 >= x->len)
                return TOK_OPEN_QUOTE;
            x->at += 2;
        } else {
            x->at++;
        }
    }
    x->end = x->at;
    if (x->end - x->start == 1 && x->text[x->start] == '!')
        return TOK_NOT;
    return TOK_WORD;
}

static void skip_blanks(struct lexer *x)
{
    while (x->at < x->len && is_blank(x->text[x->at]))
        x->at++;
    if (x->at < x->len && x->text[x->at] == '#')
        while (x->at < x->len && x->text[x->at] != '\n')
            x->at++;
}

static token_t next_token(struct lexer *x)
{
    skip_blanks(x);
    x->start = x->at;
    x->end = x->at;
    if (x->at >= x->len)
        return TOK_END;
    char c = x->text[x->at];
    if (!ends_word(c))
        return read_word(x);
    x->at++;
    bool doubled = x->at < x->len && x->text[x->at] == c && (c == '&' || c == '|' || c == '<' || c == '>');
    x->at += doubled;
    x->end = x->at;
    switch (c) {
    case ';':
    case '\n':
        return TOK_SEMI;
    case '&':
        return doubled ? TOK_AND : TOK_AMP;
    case '|':
        return doubled ? TOK_OR : TOK_PIPE;
    case '<':
    case '>':
        return TOK_PIPE;
    default:
        return TOK_OTHER;
    }
}

struct parser {
    struct lexer lex;
    struct sh_line *out;
    struct sh_command *open; /* the command being read, or nullptr */
};

static sh_parse_t fail(struct parser *p, sh_parse_t why)
{
    p->out->error_at = p->lex.start;
    p->out->error_len = p->lex.end > p->lex.start ? p->lex.end - p->lex.start : 0;
    return why;
}

static sh_parse_t open_command(struct parser *p)
{
    if (p->open != nullptr)
        return SH_PARSE_OK;
    if (p->out->n_commands == SH_COMMANDS_MAX)
        return fail(p, SH_PARSE_TOO_LONG);
    p->open = &p->out->command[p->out->n_commands++];
    *p->open = (struct sh_command){ .first_word = (uint16_t)p->out->n_words, .at = p->lex.start, .end = p->lex.end };
    return SH_PARSE_OK;
}

static sh_parse_t add_word(struct parser *p)
{
    sh_parse_t st = open_command(p);
    if (st != SH_PARSE_OK)
        return st;
    if (p->out->n_words == SH_WORDS_MAX)
        return fail(p, SH_PARSE_TOO_LONG);
    p->out->word[p->out->n_words++] = (struct sh_word){ p->lex.start, p->lex.end - p->lex.start };
    p->open->n_words++;
    p->open->end = p->lex.end;
    return SH_PARSE_OK;
}

static sh_parse_t add_not(struct parser *p)
{
    if (p->open != nullptr && p->open->n_words > 0)
        return add_word(p); /* `echo !`: an ordinary word */
    sh_parse_t st = open_command(p);
    if (st == SH_PARSE_OK)
        p->open->negate = !p->open->negate;
    return st;
}

/* True when the command before this point is still owed its right-hand side. */
static bool owes_command(const struct parser *p)
{
    if (p->open != nullptr || p->out->n_commands == 0)
        return false;
    sh_join_t join = p->out->command[p->out->n_commands - 1].join;
    return join == SH_JOIN_AND || join == SH_JOIN_OR;
}

static sh_parse_t end_command(struct parser *p, sh_join_t join, bool empty_is_fine)
{
    if (p->open == nullptr)
        return empty_is_fine && !owes_command(p) ? SH_PARSE_OK : fail(p, SH_PARSE_UNEXPECTED);
    if (p->open->n_words == 0)
        return fail(p, SH_PARSE_UNEXPECTED);
    p->open->join = join;
    p->open = nullptr;
    return SH_PARSE_OK;
}

static sh_parse_t step(struct parser *p, token_t t)
{
    switch (t) {
    case TOK_WORD:
        return add_word(p);
    case TOK_NOT:
        return add_not(p);
    case TOK_SEMI: {
        bool newline = p->lex.text[p->lex.start] == '\n';
        if (newline && owes_command(p))
            return SH_PARSE_OK; /* `a &&` may go on in the next line */
        return end_command(p, SH_JOIN_SEQUENCE, newline);
    }
    case TOK_AMP:
        return end_command(p, SH_JOIN_BACKGROUND, false);
    case TOK_AND:
        return end_command(p, SH_JOIN_AND, false);
    case TOK_OR:
        return end_command(p, SH_JOIN_OR, false);
    case TOK_PIPE:
        return fail(p, SH_PARSE_NO_PIPES);
    case TOK_END:
        return end_command(p, SH_JOIN_END, true);
    case TOK_OPEN_QUOTE:
        return fail(p, SH_PARSE_UNFINISHED_QUOTE);
    default:
        return fail(p, SH_PARSE_UNEXPECTED);
    }
}

sh_parse_t sh_parse(const char *text, size_t len, struct sh_line *out)
{
    out->n_words = 0;
    out->n_commands = 0;
    out->error_at = 0;
    out->error_len = 0;
    if (len > SH_LINE_MAX)
        return SH_PARSE_TOO_LONG;
    struct parser p = { .lex = { .text = text, .len = (uint32_t)len }, .out = out };
    for (;;) {
        token_t t = next_token(&p.lex);
        sh_parse_t st = step(&p, t);
        if (st != SH_PARSE_OK || t == TOK_END)
            return st;
    }
}

static size_t append(char *out, size_t room, size_t at, const char *text, size_t len)
{
    for (size_t i = 0; i < len && at + 1 < room; i++)
        out[at++] = text[i];
    if (room > 0)
        out[at] = '\0';
    return at;
}

#define APPEND_TEXT(text) append(out, room, n, text, sizeof(text) - 1)

size_t sh_parse_message(sh_parse_t why, const struct sh_line *line, const char *text, char *out, size_t room)
{
    size_t n = 0;
    const char *at = text + line->error_at;
    switch (why) {
    case SH_PARSE_OK:
        return append(out, room, 0, "", 0);
    case SH_PARSE_UNFINISHED_QUOTE:
        return APPEND_TEXT("a quote or a backslash at the end of the line is not finished");
    case SH_PARSE_TOO_LONG:
        return APPEND_TEXT("the line is too long (at most 4096 bytes, 512 words, 128 commands)");
    case SH_PARSE_NO_PIPES:
        n = APPEND_TEXT("'");
        n = append(out, room, n, at, line->error_len);
        return APPEND_TEXT("': pipes and redirection arrive with the POSIX layer");
    case SH_PARSE_UNEXPECTED:
        if (line->error_len == 0)
            return APPEND_TEXT("a command is missing at the end of the line");
        if (*at == '\n')
            return APPEND_TEXT("a command is missing before the end of the line");
        n = APPEND_TEXT("unexpected '");
        n = append(out, room, n, at, line->error_len);
        return APPEND_TEXT("'");
    }
    return 0;
}
