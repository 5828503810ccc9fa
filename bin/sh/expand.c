/* SPDX-License-Identifier: MIT
 * A word is expanded into bytes with a mark each; the marks say what splitting and pathname expansion may look at. */
#include "expand.h"
#include "arith.h"
#include "glob.h"
#include "shell.h"
#include "subshell.h"
#include "vars.h"
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum mark : char {
    LITERAL,  /* unquoted text of the script: patterns count, blanks do not */
    QUOTED,   /* means itself */
    EXPANDED, /* from an unquoted expansion: is split, patterns count */
    NOTHING,  /* no byte at all, but there were quotes: the field stays though it is empty */
    BREAK,    /* no byte: a field ends here ("$@") */
};

struct expansion {
    struct text bytes, marks;
    bool fields;     /* "$@" makes fields */
    bool assignment; /* tildes behind ':' */
    bool tildes;
};

static struct expansion expansion(bool fields)
{
    return (struct expansion){
        .bytes = { .arena = &sh.temp }, .marks = { .arena = &sh.temp }, .fields = fields, .tildes = true
    };
}

static void put(struct expansion *e, const char *bytes, size_t len, enum mark mark)
{
    text_add(&e->bytes, bytes, len);
    for (size_t i = 0; i < len; i++)
        text_char(&e->marks, mark);
}

static void put_mark(struct expansion *e, enum mark mark)
{
    put(e, "", 1, mark);
}

static void put_value(struct expansion *e, const char *value, bool quoted)
{
    if (quoted)
        put_mark(e, NOTHING);
    put(e, value, strlen(value), quoted ? QUOTED : EXPANDED);
}

static void put_number(struct expansion *e, long long number, bool quoted)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", number);
    put_value(e, text, quoted);
}

static void expand_word(struct expansion *e, const struct word *w, bool in_parameter);

/* --- parameters --- */

static const char *number_text(long long number)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", number);
    return arena_text(&sh.temp, text, (size_t)n);
}

static const char *option_text(void)
{
    struct text t = { .arena = &sh.temp };
    for (unsigned o = 0; o < OPTIONS; o++)
        if (sh.option[o] && option_letter((enum option)o) != 0)
            text_char(&t, option_letter((enum option)o));
    return text_end(&t);
}

const char *parameter_value(const char *name)
{
    switch (name[0]) {
    case '?':
        return number_text(sh.status);
    case '#':
        return number_text(sh.params->n);
    case '$':
        return number_text(sh.pid);
    case '!':
        return sh.background != 0 ? number_text(sh.background) : nullptr;
    case '-':
        return option_text();
    default:
        break;
    }
    if (name[0] >= '0' && name[0] <= '9') {
        unsigned long n = strtoul(name, nullptr, 10);
        if (n == 0)
            return sh.name;
        return n <= sh.params->n ? sh.params->at[sh.params->shifted + n - 1] : nullptr;
    }
    if (strcmp(name, "LINENO") == 0)
        return number_text(sh.line);
    return var_get(name);
}

static bool is_list(const char *name)
{
    return name[0] == '@' || name[0] == '*';
}

static char separator(const char *name)
{
    const char *ifs = var_get("IFS");
    return name[0] == '@' || ifs == nullptr ? ' ' : ifs[0];
}

/* $@ and $*; `change` is done to each, if there is one. */
static void put_list(struct expansion *e, const struct part *part, const char *(*change)(const char *, void *),
                     void *ctx)
{
    const struct params *p = sh.params;
    bool breaks = e->fields && (part->text[0] == '@' || !part->quoted);
    if (part->quoted && part->text[0] == '*')
        put_mark(e, NOTHING);
    for (unsigned i = 0; i < p->n; i++) {
        const char *value = p->at[p->shifted + i];
        if (i > 0 && breaks) {
            put_mark(e, BREAK);
        } else if (i > 0) {
            char c = separator(part->text);
            if (c != '\0')
                put(e, &c, 1, part->quoted ? QUOTED : EXPANDED);
        }
        put_value(e, change != nullptr ? change(value, ctx) : value, part->quoted);
    }
}

struct strip {
    struct pattern pattern;
    enum param_op op;
};

static const char *strip(const char *value, void *ctx)
{
    const struct strip *s = ctx;
    size_t len = strlen(value);
    bool prefix = s->op == PARAM_PREFIX || s->op == PARAM_PREFIX_LONG;
    bool longest = s->op == PARAM_PREFIX_LONG || s->op == PARAM_SUFFIX_LONG;
    for (size_t i = 0; i <= len; i++) {
        size_t n = longest ? len - i : i; /* how much is taken off */
        if (pattern_match(s->pattern, prefix ? value : value + len - n, n))
            return prefix ? value + n : arena_text(&sh.temp, value, len - n);
    }
    return value;
}

static void put_parameter(struct expansion *e, const struct part *part, const char *value)
{
    if (is_list(part->text))
        put_list(e, part, nullptr, nullptr);
    else
        put_value(e, value != nullptr ? value : "", part->quoted);
}

static void put_word(struct expansion *e, const struct part *part)
{
    size_t before = e->marks.len;
    expand_word(e, part->word, true);
    if (part->quoted && e->marks.len == before &&
        !(part->word->parts != nullptr && part->word->parts->kind == PART_PARAM))
        put_mark(e, NOTHING);
}

static void assign_default(struct expansion *e, const struct part *part)
{
    if (!is_name(part->text, strlen(part->text)))
        sh_error("%s: cannot be assigned to", part->text);
    const char *value = expand_string(part->word);
    var_set(part->text, value);
    put_value(e, value, part->quoted);
}

[[noreturn]] static void complain(const struct part *part)
{
    if (part->word != nullptr && part->word->parts != nullptr)
        sh_error("%s: %s", part->text, expand_string(part->word));
    sh_error("%s: parameter %s", part->text, part->colon ? "not set or null" : "not set");
}

static void want_set(const struct part *part, const char *value)
{
    if (value == nullptr && sh.option[OPT_NOUNSET] && !is_list(part->text))
        sh_error("%s: parameter not set", part->text);
}

static void expand_parameter(struct expansion *e, const struct part *part)
{
    const char *value = nullptr;
    bool is_set;
    if (part->op == PARAM_BAD)
        sh_error("bad substitution");
    if (is_list(part->text)) {
        is_set = sh.params->n > 0;
        value = is_set && (sh.params->n > 1 || sh.params->at[sh.params->shifted][0] != '\0') ? "x" : "";
    } else {
        value = parameter_value(part->text);
        is_set = value != nullptr;
    }
    bool counts = is_set && !(part->colon && value[0] == '\0');
    switch (part->op) {
    case PARAM_LENGTH:
        want_set(part, value);
        put_number(e,
                   is_list(part->text) ? sh.params->n
                   : value != nullptr  ? (long long)strlen(value)
                                       : 0,
                   part->quoted);
        break;
    case PARAM_DEFAULT:
        if (counts)
            put_parameter(e, part, value);
        else
            put_word(e, part);
        break;
    case PARAM_ASSIGN:
        if (counts)
            put_parameter(e, part, value);
        else
            assign_default(e, part);
        break;
    case PARAM_ERROR:
        if (!counts)
            complain(part);
        put_parameter(e, part, value);
        break;
    case PARAM_ALTERNATE:
        if (counts)
            put_word(e, part);
        else if (part->quoted && !is_list(part->text))
            put_mark(e, NOTHING);
        break;
    case PARAM_SUFFIX:
    case PARAM_SUFFIX_LONG:
    case PARAM_PREFIX:
    case PARAM_PREFIX_LONG: {
        struct strip s = { .op = part->op };
        want_set(part, value);
        s.pattern = expand_pattern(part->word);
        if (is_list(part->text))
            put_list(e, part, strip, &s);
        else
            put_value(e, strip(value != nullptr ? value : "", &s), part->quoted);
        break;
    }
    default:
        want_set(part, value);
        put_parameter(e, part, value);
        break;
    }
}

/* --- commands and arithmetic --- */

static void expand_command(struct expansion *e, const struct part *part)
{
    size_t len = 0;
    const char *text = subshell_output(part->command, &len);
    while (len > 0 && text[len - 1] == '\n')
        len--;
    if (part->quoted)
        put_mark(e, NOTHING);
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\0')
            put(e, &text[i], 1, part->quoted ? QUOTED : EXPANDED);
}

static const char *arith_get(void *ctx, const char *name)
{
    (void)ctx;
    return parameter_value(name);
}

static void arith_set(void *ctx, const char *name, int64_t value)
{
    char text[24];
    (void)ctx;
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    var_set(name, text);
}

static void expand_arithmetic(struct expansion *e, const struct part *part)
{
    struct arith a = { .get = arith_get, .set = arith_set };
    const char *text = expand_document(part->word);
    int64_t value = 0;
    if (!arith_eval(&a, text, &value))
        sh_error("arithmetic: %s in '%.200s'", a.message, text);
    put_number(e, value, part->quoted);
}

/* --- tildes and text --- */

/* Puts a home directory for text[0] == '~'; the length of the prefix, or 0 if there is none. */
static size_t put_tilde(struct expansion *e, const char *text, size_t len, bool last)
{
    size_t n = 1;
    while (n < len && text[n] != '/' && !(e->assignment && text[n] == ':'))
        n++;
    if (n == len && !last)
        return 0; /* the name goes on with something that is quoted or expanded */
    const char *home;
    if (n == 1) {
        home = var_get("HOME");
    } else {
        const struct passwd *user = getpwnam(arena_text(&sh.temp, text + 1, n - 1));
        home = user != nullptr ? user->pw_dir : nullptr;
    }
    if (home == nullptr)
        return 0;
    put_value(e, home, true);
    return n;
}

static void expand_text(struct expansion *e, const struct part *part, bool first, bool in_parameter)
{
    enum mark mark = part->quoted ? QUOTED : in_parameter ? EXPANDED : LITERAL;
    if (part->quoted && part->len == 0)
        put_mark(e, NOTHING);
    if (part->quoted || !e->tildes) {
        put(e, part->text, part->len, mark);
        return;
    }
    bool may = first;
    for (size_t i = 0; i < part->len;) {
        size_t n = may && part->text[i] == '~' ? put_tilde(e, part->text + i, part->len - i, part->next == nullptr) : 0;
        if (n == 0) {
            put(e, part->text + i, 1, mark);
            n = 1;
        }
        may = e->assignment && part->text[i + n - 1] == ':';
        i += n;
    }
}

static void expand_word(struct expansion *e, const struct word *w, bool in_parameter)
{
    for (const struct part *part = w->parts; part != nullptr; part = part->next)
        switch (part->kind) {
        case PART_TEXT:
            expand_text(e, part, part == w->parts, in_parameter);
            break;
        case PART_PARAM:
            expand_parameter(e, part);
            break;
        case PART_COMMAND:
            expand_command(e, part);
            break;
        default:
            expand_arithmetic(e, part);
            break;
        }
}

/* --- the results --- */

/* What is left when the marks without bytes are taken out. */
static const char *plain(const struct expansion *e)
{
    char *out = arena_alloc(&sh.temp, e->bytes.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < e->bytes.len; i++)
        if (e->marks.at[i] < NOTHING)
            out[n++] = e->bytes.at[i];
    out[n] = '\0';
    return out;
}

static struct pattern as_pattern(const char *bytes, const char *marks, size_t len)
{
    char *text = arena_alloc(&sh.temp, len + 1);
    uint8_t *quoted = arena_alloc(&sh.temp, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (marks[i] < NOTHING) {
            /* a backslash from an expansion quotes what follows it */
            if (bytes[i] == '\\' && marks[i] == EXPANDED && i + 1 < len && marks[i + 1] == EXPANDED) {
                text[n] = bytes[++i];
                quoted[n++] = 1;
                continue;
            }
            text[n] = bytes[i];
            quoted[n++] = marks[i] == QUOTED;
        }
    text[n] = '\0';
    return (struct pattern){ text, quoted, n };
}

const char *expand_string(const struct word *w)
{
    struct expansion e = expansion(false);
    expand_word(&e, w, false);
    return plain(&e);
}

const char *expand_assignment(const struct word *w)
{
    struct expansion e = expansion(false);
    e.assignment = true;
    expand_word(&e, w, false);
    return plain(&e);
}

const char *expand_document(const struct word *w)
{
    struct expansion e = expansion(false);
    e.tildes = false;
    expand_word(&e, w, false);
    return plain(&e);
}

struct pattern expand_pattern(const struct word *w)
{
    struct expansion e = expansion(false);
    expand_word(&e, w, true);
    return as_pattern(e.bytes.at, e.marks.at, e.bytes.len);
}

const char *expand_prompt(const char *text)
{
    struct text t = { .arena = &sh.temp };
    while (*text != '\0') {
        size_t n = 1, braces = text[1] == '{';
        while (*text == '$' && is_name(text + 1 + braces, n))
            n++;
        if (*text != '$' || n == 1 || (braces != 0 && text[n + 1] != '}')) {
            text_char(&t, *text++);
            continue;
        }
        const char *value = parameter_value(arena_text(&sh.temp, text + 1 + braces, n - 1));
        text_string(&t, value != nullptr ? value : "");
        text += n + 2 * braces;
    }
    return text_end(&t);
}

/* --- fields --- */

bool is_ifs_blank(char c)
{
    const char *ifs = var_get("IFS");
    return (c == ' ' || c == '\t' || c == '\n') && (ifs == nullptr || strchr(ifs, c) != nullptr);
}

bool is_ifs(char c)
{
    const char *ifs = var_get("IFS");
    return c != '\0' && strchr(ifs != nullptr ? ifs : " \t\n", c) != nullptr;
}

struct fields {
    char **at;
    size_t n, room;
};

static void add_field(struct fields *f, char *text)
{
    if (f->n + 1 >= f->room) {
        size_t room = f->room < 8 ? 8 : f->room * 2;
        char **at = arena_alloc(&sh.temp, room * sizeof *at);
        if (f->n != 0)
            memcpy(at, f->at, f->n * sizeof *at);
        f->at = at;
        f->room = room;
    }
    f->at[f->n++] = text;
    f->at[f->n] = nullptr;
}

static void finish_field(struct fields *f, const struct expansion *e, size_t from, size_t to)
{
    struct expansion part = *e;
    part.bytes.at += from;
    part.bytes.len = to - from;
    part.marks.at += from;
    bool magic = false;
    for (size_t i = from; i < to && !magic; i++)
        magic = (e->marks.at[i] == LITERAL || e->marks.at[i] == EXPANDED) && strchr("*?[", e->bytes.at[i]) != nullptr;
    if (magic && !sh.option[OPT_NOGLOB]) {
        struct pattern p = as_pattern(part.bytes.at, part.marks.at, part.bytes.len);
        size_t n = 0;
        char **names = pattern_is_one(p) ? glob_names(&sh.temp, p, &n) : nullptr;
        for (size_t i = 0; i < n; i++)
            add_field(f, names[i]);
        if (n > 0)
            return;
    }
    add_field(f, (char *)plain(&part));
}

static bool splits(const struct expansion *e, size_t at)
{
    return at < e->bytes.len && e->marks.at[at] == EXPANDED && is_ifs(e->bytes.at[at]);
}

static size_t skip_blanks(const struct expansion *e, size_t at)
{
    while (splits(e, at) && is_ifs_blank(e->bytes.at[at]))
        at++;
    return at;
}

/* Field splitting (XCU 2.6.5), and where "$@" says. */
static void split(struct fields *f, const struct expansion *e)
{
    size_t from = 0;
    bool some = false;
    for (size_t i = 0; i < e->bytes.len;) {
        size_t end = i;
        bool always = false;
        if (e->marks.at[i] == BREAK) {
            i++;
        } else if (splits(e, i)) {
            i = skip_blanks(e, i);
            if (splits(e, i)) {
                always = true;
                i = skip_blanks(e, i + 1);
            }
        } else {
            some = true;
            i++;
            continue;
        }
        if (some || always)
            finish_field(f, e, from, end);
        some = false;
        from = i;
    }
    if (some)
        finish_field(f, e, from, e->bytes.len);
}

/* What follows the name of a command that assigns (`export`, also as `command export`); nullptr: it is another one. */
static const struct word *behind_declaration(const struct word *w)
{
    static const char *const names[] = { "export", "local", "readonly" };
    const char *name = word_literal(w);
    while (name != nullptr && strcmp(name, "command") == 0) {
        w = w->next;
        name = word_literal(w);
    }
    for (size_t i = 0; name != nullptr && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return w->next;
    return nullptr;
}

/* NAME=VALUE as an argument: expanded as an assignment is, to one field. nullptr: the word is none. */
static char *declaration(const struct word *w)
{
    const struct part *first = w->parts;
    if (first == nullptr || first->kind != PART_TEXT || first->quoted)
        return nullptr;
    const char *equals = memchr(first->text, '=', first->len);
    if (equals == nullptr || !is_name(first->text, (size_t)(equals - first->text)))
        return nullptr;
    struct part rest = *first;
    rest.text = equals + 1;
    rest.len -= (size_t)(equals + 1 - first->text);
    const struct word value = { .parts = rest.len != 0 ? &rest : first->next };
    const char *expanded = expand_assignment(&value);
    struct text t = { .arena = &sh.temp };
    text_add(&t, first->text, (size_t)(equals + 1 - first->text));
    text_string(&t, expanded);
    return text_end(&t);
}

/* From `assigns` on, words that look like assignments are expanded as such. */
static char **expand_list(const struct word *list, const struct word *assigns, size_t *n)
{
    struct fields f = {};
    bool declares = false;
    for (const struct word *w = list; w != nullptr; w = w->next) {
        const char *literal = word_literal(w);
        declares |= w == assigns;
        if (literal != nullptr && strpbrk(literal, "*?[~") == nullptr) {
            add_field(&f, (char *)literal);
            continue;
        }
        char *assignment = declares ? declaration(w) : nullptr;
        if (assignment != nullptr) {
            add_field(&f, assignment);
            continue;
        }
        struct expansion e = expansion(true);
        expand_word(&e, w, false);
        split(&f, &e);
    }
    if (f.n == 0)
        f.at = arena_zero(&sh.temp, sizeof *f.at);
    *n = f.n;
    return f.at;
}

char **expand_words(const struct word *list, size_t *n)
{
    return expand_list(list, nullptr, n);
}

char **expand_arguments(const struct word *list, size_t *n)
{
    return expand_list(list, behind_declaration(list), n);
}
