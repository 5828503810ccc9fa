/* SPDX-License-Identifier: MIT
 * Characters to tokens and words: XCU 2.2 (quoting), 2.3 (tokens), 2.6 (what begins with $), 2.7.4 (here-documents). */
#include "lex.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum : int { END = -1 };

/* A word being made: text is gathered until its quoting changes. */
struct maker {
    struct parser *p;
    struct part *first, **end;
    struct text text;
    bool quoted;
};

void lex_error(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->message, sizeof p->message, format, args);
    va_end(args);
    longjmp(p->fail, PARSE_ERROR);
}

void lex_enter(struct parser *p)
{
    if (++p->depth > PARSE_DEPTH_MAX)
        lex_error(p, "nested deeper than %u", PARSE_DEPTH_MAX);
}

void lex_leave(struct parser *p)
{
    p->depth--;
}

/* --- characters --- */

static int get_raw(struct parser *p)
{
    for (;;) {
        struct source *s = p->source;
        if (s->at < s->end) {
            int c = (unsigned char)*s->at++;
            p->line += c == '\n';
            if (c != '\0') /* text is strings: zero bytes are not there */
                return c;
            continue;
        }
        if (s->refill != nullptr && s->refill(s))
            continue;
        if (s->alias == nullptr || s->wall)
            return END;
        p->after_blank |= s->end > s->begin && (s->end[-1] == ' ' || s->end[-1] == '\t');
        lex_spend(p);
    }
}

static void unget(struct parser *p, int c)
{
    if (c == END || p->source->at == p->source->begin)
        return;
    p->source->at--;
    p->line -= c == '\n';
}

/* The next character, with backslash and newline taken out. */
static int get(struct parser *p)
{
    for (;;) {
        int c = get_raw(p);
        if (c != '\\')
            return c;
        struct source *s = p->source;
        if (s->at < s->end ? *s->at != '\n' : true) {
            if (s->at < s->end || s->refill == nullptr || !s->refill(s) || s->at == s->end)
                return c;
            if (*s->at != '\n')
                return c;
        }
        s->at++;
        p->line++;
    }
}

static int peek(struct parser *p)
{
    int c = get(p);
    unget(p, c);
    return c;
}

/* --- making words --- */

static struct part *add_part(struct maker *m, enum part_kind kind, bool quoted)
{
    struct part *part = arena_zero(m->p->arena, sizeof *part);
    part->kind = kind;
    part->quoted = quoted;
    *m->end = part;
    m->end = &part->next;
    return part;
}

static void flush(struct maker *m)
{
    if (m->text.len == 0)
        return;
    struct part *part = add_part(m, PART_TEXT, m->quoted);
    part->len = m->text.len;
    part->text = text_end(&m->text);
    m->text = (struct text){ .arena = m->p->arena };
}

static void add(struct maker *m, int c, bool quoted)
{
    if (m->quoted != quoted)
        flush(m);
    m->quoted = quoted;
    text_char(&m->text, (char)c);
}

/* A trace of quotes with nothing between them. */
static void add_empty(struct maker *m)
{
    flush(m);
    add_part(m, PART_TEXT, true)->text = "";
}

static struct maker make(struct parser *p)
{
    return (struct maker){ .p = p, .text = { .arena = p->arena } };
}

static struct word *made(struct maker *m)
{
    flush(m);
    struct word *w = arena_zero(m->p->arena, sizeof *w);
    w->parts = m->first;
    return w;
}

static void begin(struct maker *m)
{
    m->end = &m->first;
}

static void dollar(struct maker *m, bool quoted);
static void backquote(struct maker *m, bool quoted);

static void single_quotes(struct maker *m)
{
    int c = get_raw(m->p);
    if (c == '\'')
        add_empty(m);
    for (; c != '\''; c = get_raw(m->p)) {
        if (c == END)
            lex_error(m->p, "unterminated quoted string");
        add(m, c, true);
    }
}

/* One character of text inside double quotes or a here-document; `also` is quoted by a backslash too. */
static void quoted_char(struct maker *m, int c, int also)
{
    if (c == '$' && !m->p->delimiter) {
        dollar(m, true);
    } else if (c == '`' && !m->p->delimiter) {
        backquote(m, true);
    } else if (c == '\\') {
        int next = get_raw(m->p);
        if (next == '$' || next == '`' || next == '\\' || next == also || (also == '}' && next == '"')) {
            add(m, next, true);
        } else {
            add(m, '\\', true);
            unget(m->p, next);
        }
    } else {
        add(m, c, true);
    }
}

static void double_quotes(struct maker *m)
{
    int c = get(m->p);
    if (c == '"')
        add_empty(m);
    for (; c != '"'; c = get(m->p)) {
        if (c == END)
            lex_error(m->p, "unterminated quoted string");
        quoted_char(m, c, '"');
    }
}

static void backslash(struct maker *m)
{
    int c = get_raw(m->p);
    if (c == END)
        add(m, '\\', true);
    else
        add(m, c, true);
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_special(int c)
{
    return c > 0 && strchr("@*#?-$!", c) != nullptr;
}

bool is_name(const char *text, size_t len)
{
    if (len == 0 || !is_name_start((unsigned char)text[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_name_start((unsigned char)text[i]) && !is_digit((unsigned char)text[i]))
            return false;
    return true;
}

/* The word behind an operator in braces, up to the '}'. Inside double quotes single quotes are characters, unless the
 * word is a pattern. */
static struct word *brace_word(struct parser *p, bool quoted, bool pattern)
{
    struct maker m = make(p);
    begin(&m);
    bool inside = quoted && !pattern;
    lex_enter(p);
    for (;;) {
        int c = get(p);
        if (c == END)
            lex_error(p, "missing '}'");
        if (c == '}')
            break;
        if (c == '"')
            double_quotes(&m);
        else if (inside)
            quoted_char(&m, c, '}');
        else if (c == '\'')
            single_quotes(&m);
        else if (c == '\\')
            backslash(&m);
        else if (c == '$')
            dollar(&m, false);
        else if (c == '`')
            backquote(&m, false);
        else
            add(&m, c, false);
    }
    lex_leave(p);
    return made(&m);
}

static const char *parameter_name(struct parser *p, int c)
{
    struct text name = { .arena = p->arena };
    if (is_name_start(c)) {
        for (; is_name_start(c) || is_digit(c); c = get(p))
            text_char(&name, (char)c);
        unget(p, c);
    } else if (is_digit(c)) {
        for (; is_digit(c); c = get(p))
            text_char(&name, (char)c);
        unget(p, c);
    } else {
        text_char(&name, (char)c);
    }
    return text_end(&name);
}

static enum param_op operator_of(int c)
{
    return c == '-' ? PARAM_DEFAULT : c == '=' ? PARAM_ASSIGN : c == '?' ? PARAM_ERROR : PARAM_ALTERNATE;
}

/* `${#...`: a length, or something about $# */
static bool is_length(struct parser *p)
{
    int c = get(p);
    if (is_name_start(c) || is_digit(c)) {
        unget(p, c);
        return true;
    }
    if (is_special(c)) {
        bool closes = peek(p) == '}';
        unget(p, c);
        return closes;
    }
    unget(p, c);
    return false;
}

static void bad_braces(struct parser *p, struct part *part)
{
    int depth = 1;
    part->op = PARAM_BAD;
    part->text = "";
    for (int c = get(p); depth > 0; c = get(p)) {
        if (c == END)
            lex_error(p, "missing '}'");
        depth += (c == '{') - (c == '}');
        if (depth == 0)
            break;
    }
}

static void braces(struct maker *m, bool quoted)
{
    struct parser *p = m->p;
    struct part *part = add_part(m, PART_PARAM, quoted);
    int c = get(p);
    if (c == '#' && is_length(p)) {
        part->op = PARAM_LENGTH;
        c = get(p);
    }
    if (!is_name_start(c) && !is_digit(c) && !is_special(c)) {
        unget(p, c);
        bad_braces(p, part);
        return;
    }
    part->text = parameter_name(p, c);
    c = get(p);
    if (c == '}')
        return;
    if (part->op == PARAM_LENGTH) {
        unget(p, c);
        bad_braces(p, part);
        return;
    }
    if (c == ':') {
        part->colon = true;
        c = get(p);
    }
    if (c == '-' || c == '=' || c == '?' || c == '+') {
        part->op = operator_of(c);
        part->word = brace_word(p, quoted, false);
    } else if (!part->colon && (c == '%' || c == '#')) {
        bool twice = peek(p) == c;
        if (twice)
            (void)get(p);
        part->op = c == '%' ? (twice ? PARAM_SUFFIX_LONG : PARAM_SUFFIX) : (twice ? PARAM_PREFIX_LONG : PARAM_PREFIX);
        part->word = brace_word(p, quoted, true);
    } else {
        unget(p, c);
        bad_braces(p, part);
    }
}

/* $(( ... )): expanded as between double quotes, in which '"' is a character. */
static void arithmetic(struct maker *m, bool quoted)
{
    struct parser *p = m->p;
    struct part *part = add_part(m, PART_ARITH, quoted);
    struct maker inner = make(p);
    begin(&inner);
    lex_enter(p);
    for (int depth = 0;;) {
        int c = get(p);
        if (c == END)
            lex_error(p, "missing '))'");
        if (c == ')' && depth == 0) {
            if (get(p) != ')')
                lex_error(p, "missing '))'");
            break;
        }
        depth += (c == '(') - (c == ')');
        if (c == '"')
            continue;
        quoted_char(&inner, c, END);
    }
    lex_leave(p);
    part->word = made(&inner);
}

/* A substitution is parsed in the middle of a word: the token under way and the waiting here-documents are put aside.
 */
static struct node *substitution(struct parser *p, bool in_parentheses)
{
    struct here *here = p->here, **here_end = p->here_end;
    p->here = nullptr;
    p->here_end = &p->here;
    p->token = TOKEN_NONE;
    lex_enter(p);
    struct node *node = parse_substitution(p, in_parentheses);
    lex_leave(p);
    p->token = TOKEN_NONE;
    if (p->here != nullptr)
        lex_error(p, "a here-document is missing");
    p->here = here;
    p->here_end = here != nullptr ? here_end : &p->here;
    return node;
}

static void dollar(struct maker *m, bool quoted)
{
    struct parser *p = m->p;
    int c = get(p);
    if (c == '(') {
        flush(m);
        if (peek(p) == '(') {
            (void)get(p);
            arithmetic(m, quoted);
            return;
        }
        struct part *part = add_part(m, PART_COMMAND, quoted);
        part->command = substitution(p, true);
    } else if (c == '{') {
        flush(m);
        braces(m, quoted);
    } else if (is_name_start(c) || is_special(c)) {
        flush(m);
        struct part *part = add_part(m, PART_PARAM, quoted);
        part->text = parameter_name(p, c);
    } else if (is_digit(c)) {
        flush(m);
        struct part *part = add_part(m, PART_PARAM, quoted);
        char digit = (char)c;
        part->text = arena_text(p->arena, &digit, 1);
    } else {
        unget(p, c);
        add(m, '$', true); /* itself, and it stays that whatever comes behind it */
    }
}

/* `...`: the text, with its backslashes taken out, is parsed on its own. */
static void backquote(struct maker *m, bool quoted)
{
    struct parser *p = m->p;
    struct text raw = { .arena = p->arena };
    flush(m);
    for (int c = get_raw(p); c != '`'; c = get_raw(p)) {
        if (c == END)
            lex_error(p, "unterminated '`'");
        if (c == '\\') {
            c = get_raw(p);
            if (c == END)
                lex_error(p, "unterminated '`'");
            if (c != '$' && c != '`' && c != '\\' && !(quoted && c == '"'))
                text_char(&raw, '\\');
        }
        text_char(&raw, (char)c);
    }
    const char *text = text_end(&raw);
    struct source s = { .below = p->source, .begin = text, .at = text, .end = text + raw.len, .wall = true };
    uint32_t line = p->line;
    struct part *part = add_part(m, PART_COMMAND, quoted);
    p->source = &s;
    part->command = substitution(p, false);
    p->source = s.below;
    p->line = line;
}

/* --- here-documents --- */

const char *lex_delimiter(struct parser *p, const struct word *w, bool *quoted)
{
    struct text t = { .arena = p->arena };
    *quoted = false;
    for (const struct part *part = w->parts; part != nullptr; part = part->next) {
        *quoted |= part->quoted;
        text_add(&t, part->text, part->len);
    }
    return text_end(&t);
}

/* One line with its newline; false at the end of the text. In a document that is expanded, lines are joined first. */
static bool here_line(struct parser *p, bool literal, bool strip, struct text *line)
{
    int c = literal ? get_raw(p) : get(p);
    line->len = 0;
    if (c == END)
        return false;
    while (strip && c == '\t')
        c = literal ? get_raw(p) : get(p);
    for (; c != END; c = literal ? get_raw(p) : get(p)) {
        text_char(line, (char)c);
        if (c == '\n')
            break;
        if (c == '\\' && !literal) { /* what a backslash quotes does not continue anything */
            c = get_raw(p);
            if (c == END)
                break;
            text_char(line, (char)c);
        }
    }
    return true;
}

static void expand_here(struct parser *p, struct here *h, const char *text, size_t len)
{
    struct maker m = make(p);
    begin(&m);
    if (h->redir->literal) {
        m.quoted = true;
        text_add(&m.text, text, len);
    } else {
        struct source s = { .below = p->source, .begin = text, .at = text, .end = text + len, .wall = true };
        uint32_t line = p->line;
        p->source = &s;
        for (int c = get(p); c != END; c = get(p))
            quoted_char(&m, c, END);
        p->source = s.below;
        p->line = line;
    }
    h->redir->word = made(&m);
}

static void read_here(struct parser *p, struct here *h)
{
    struct text body = { .arena = p->arena }, line = { .arena = p->arena };
    size_t len = strlen(h->delimiter);
    while (here_line(p, h->redir->literal, h->strip, &line)) {
        size_t n = line.len - (line.len > 0 && line.at[line.len - 1] == '\n');
        if (n == len && memcmp(line.at, h->delimiter, len) == 0)
            break;
        text_add(&body, line.at, line.len);
    }
    const char *text = text_end(&body);
    expand_here(p, h, text, body.len);
}

static void read_heres(struct parser *p)
{
    struct here *h = p->here;
    p->here = nullptr;
    p->here_end = &p->here;
    for (; h != nullptr; h = h->next)
        read_here(p, h);
}

void lex_finish(struct parser *p)
{
    read_heres(p);
}

/* --- tokens --- */

static bool ends_word(int c)
{
    return c == END || c == ' ' || c == '\t' || c == '\n' || strchr("|&;<>()", c) != nullptr;
}

static const char *plain_text(const struct word *w)
{
    const struct part *part = w->parts;
    return part != nullptr && part->next == nullptr && part->kind == PART_TEXT && !part->quoted ? part->text : nullptr;
}

const char *word_literal(const struct word *w)
{
    return w != nullptr ? plain_text(w) : nullptr;
}

static enum token redirection(struct parser *p, int c, int fd)
{
    int next = get(p);
    p->redir_fd = fd >= 0 ? fd : c == '>';
    p->redir_strip = false;
    if (c == '<') {
        p->redir_op = next == '<' ? REDIR_HERE : next == '&' ? REDIR_DUP_IN : next == '>' ? REDIR_BOTH : REDIR_IN;
        if (next == '<' && peek(p) == '-') {
            (void)get(p);
            p->redir_strip = true;
        }
    } else {
        p->redir_op = next == '>'   ? REDIR_APPEND
                      : next == '&' ? REDIR_DUP_OUT
                      : next == '|' ? REDIR_CLOBBER
                                    : REDIR_OUT;
    }
    if (p->redir_op == REDIR_IN || p->redir_op == REDIR_OUT)
        unget(p, next);
    p->delimiter = p->redir_op == REDIR_HERE;
    return p->token = TOKEN_REDIR;
}

static enum token read_word(struct parser *p, int c)
{
    struct maker m = make(p);
    begin(&m);
    bool expands = !p->delimiter;
    for (; !ends_word(c); c = get(p)) {
        if (c == '\'')
            single_quotes(&m);
        else if (c == '"')
            double_quotes(&m);
        else if (c == '\\')
            backslash(&m);
        else if (c == '$' && expands)
            dollar(&m, false);
        else if (c == '`' && expands)
            backquote(&m, false);
        else
            add(&m, c, false);
    }
    p->delimiter = false;
    p->word = made(&m);
    p->literal = plain_text(p->word);
    if ((c == '<' || c == '>') && p->literal != nullptr && is_digit((unsigned char)p->literal[0]) &&
        p->literal[1] == '\0')
        return redirection(p, c, p->literal[0] - '0');
    unget(p, c);
    return p->token = TOKEN_WORD;
}

static enum token twice(struct parser *p, int c, enum token once, enum token both)
{
    if (peek(p) != c)
        return p->token = once;
    (void)get(p);
    return p->token = both;
}

static enum token next_token(struct parser *p)
{
    int c = get(p);
    while (c == ' ' || c == '\t')
        c = get(p);
    if (c == '#')
        while (c != '\n' && c != END)
            c = get_raw(p);
    lex_forget_spent(p); /* what ended in front of the token has no part in it */
    p->token_line = p->line;
    switch (c) {
    case END:
        return p->token = TOKEN_END;
    case '\n':
        p->token_line--;
        p->token = TOKEN_NEWLINE;
        if (p->here != nullptr)
            read_heres(p);
        return p->token = TOKEN_NEWLINE;
    case '&':
        return twice(p, c, TOKEN_AMP, TOKEN_AND);
    case '|':
        return twice(p, c, TOKEN_PIPE, TOKEN_OR);
    case ';':
        return twice(p, c, TOKEN_SEMI, TOKEN_DSEMI);
    case '(':
        return p->token = TOKEN_OPEN;
    case ')':
        return p->token = TOKEN_CLOSE;
    case '<':
    case '>':
        return redirection(p, c, -1);
    default:
        return read_word(p, c);
    }
}

enum token lex_peek(struct parser *p)
{
    bool after_blank = false;
    while (p->token == TOKEN_NONE) {
        p->after_blank = false;
        (void)next_token(p);
        after_blank |= p->after_blank;
        if (after_blank)
            (void)lex_alias(p);
    }
    return p->token;
}
