/* SPDX-License-Identifier: MIT
 * Precedence climbing over the text. `skip` counts the branches that are read but not meant: their assignments and
 * divisions do not happen. */
#include "arith.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    struct arith *a;
    const char *at;
    unsigned skip, depth;
    jmp_buf fail;
};

[[noreturn]] [[gnu::format(printf, 2, 3)]] static void fail(struct state *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(s->a->message, sizeof s->a->message, format, args);
    va_end(args);
    longjmp(s->fail, 1);
}

static int64_t comma(struct state *s);
static int64_t assignment(struct state *s);

static void blanks(struct state *s)
{
    while (*s->at == ' ' || *s->at == '\t' || *s->at == '\n')
        s->at++;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t number(struct state *s, const char *text, const char **end)
{
    char *stop;
    errno = 0;
    uint64_t value = strtoull(text, &stop, 0);
    if (stop == text || is_letter(*stop) || is_digit(*stop))
        fail(s, "'%.40s' is not a number", text);
    if (errno == ERANGE || value > INT64_MAX)
        value = INT64_MAX;
    *end = stop;
    return (int64_t)value;
}

/* What a variable holds: a constant with blanks and a sign around it; nothing is 0. */
static int64_t value_of(struct state *s, const char *name)
{
    const char *text = s->a->get(s->a->ctx, name);
    if (text == nullptr)
        return 0;
    while (*text == ' ' || *text == '\t' || *text == '\n')
        text++;
    if (*text == '\0')
        return 0;
    bool minus = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    if (!is_digit(*text))
        fail(s, "%.30s: '%.40s' is not a number", name, text);
    const char *end;
    uint64_t value = (uint64_t)number(s, text, &end);
    while (*end == ' ' || *end == '\t' || *end == '\n')
        end++;
    if (*end != '\0')
        fail(s, "%.30s: '%.40s' is not a number", name, text);
    return (int64_t)(minus ? -value : value);
}

static void assign(struct state *s, const char *name, int64_t value)
{
    if (s->skip == 0)
        s->a->set(s->a->ctx, name, value);
}

static bool take_name(struct state *s, char name[static ARITH_NAME_MAX + 1])
{
    size_t n = 0;
    blanks(s);
    if (!is_letter(*s->at))
        return false;
    while (is_letter(s->at[n]) || is_digit(s->at[n]))
        n++;
    if (n > ARITH_NAME_MAX)
        fail(s, "a name is too long");
    memcpy(name, s->at, n);
    name[n] = '\0';
    s->at += n;
    return true;
}

static int64_t step_before(struct state *s, int by)
{
    char name[ARITH_NAME_MAX + 1];
    if (!take_name(s, name))
        fail(s, "%s wants a variable", by > 0 ? "++" : "--");
    int64_t value = (int64_t)((uint64_t)value_of(s, name) + (uint64_t)(int64_t)by);
    assign(s, name, value);
    return value;
}

static int64_t variable(struct state *s)
{
    char name[ARITH_NAME_MAX + 1];
    (void)take_name(s, name);
    blanks(s);
    int64_t value = value_of(s, name);
    if ((s->at[0] == '+' && s->at[1] == '+') || (s->at[0] == '-' && s->at[1] == '-')) {
        assign(s, name, (int64_t)((uint64_t)value + (s->at[0] == '+' ? 1 : UINT64_MAX)));
        s->at += 2;
    }
    return value;
}

static int64_t unary(struct state *s)
{
    if (++s->depth > ARITH_DEPTH_MAX)
        fail(s, "nested too deep");
    blanks(s);
    char c = *s->at;
    int64_t value;
    if ((c == '+' || c == '-') && s->at[1] == c) {
        s->at += 2;
        value = step_before(s, c == '+' ? 1 : -1);
    } else if (c == '+' || c == '-' || c == '~' || c == '!') {
        s->at++;
        value = unary(s);
        value = c == '-' ? (int64_t)(0 - (uint64_t)value) : c == '~' ? ~value : c == '!' ? value == 0 : value;
    } else if (c == '(') {
        s->at++;
        value = comma(s);
        blanks(s);
        if (*s->at++ != ')')
            fail(s, "')' is missing");
    } else if (is_digit(c)) {
        value = number(s, s->at, &s->at);
    } else if (is_letter(c)) {
        value = variable(s);
    } else if (c == '\0') {
        fail(s, "an operand is missing");
    } else {
        fail(s, "unexpected '%.20s'", s->at);
    }
    s->depth--;
    return value;
}

enum op : uint8_t { OP_NONE, MUL, DIV, MOD, ADD, SUB, LEFT, RIGHT, LT, LE, GT, GE, EQ, NE, AND, XOR, OR, BOTH, EITHER };
static const struct {
    char text[3];
    uint8_t level;
    enum op op;
} operators[] = { { "||", 1, EITHER }, { "&&", 2, BOTH }, { "<<", 8, LEFT }, { ">>", 8, RIGHT }, { "<=", 7, LE },
                  { ">=", 7, GE },     { "==", 6, EQ },   { "!=", 6, NE },   { "|", 3, OR },     { "^", 4, XOR },
                  { "&", 5, AND },     { "<", 7, LT },    { ">", 7, GT },    { "+", 9, ADD },    { "-", 9, SUB },
                  { "*", 10, MUL },    { "/", 10, DIV },  { "%", 10, MOD } };

/* The binary operator here, unless it is an assignment. */
static enum op operator_at(struct state *s, uint8_t *level, size_t *len)
{
    blanks(s);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        *len = strlen(operators[i].text);
        if (strncmp(s->at, operators[i].text, *len) != 0)
            continue;
        if (s->at[*len] == '=' && operators[i].level != 7 && operators[i].level != 6)
            return OP_NONE;
        *level = operators[i].level;
        return operators[i].op;
    }
    return OP_NONE;
}

static int64_t apply(struct state *s, enum op op, int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (op) {
    case MUL:
        return (int64_t)(x * y);
    case DIV:
    case MOD:
        if (b == 0) {
            if (s->skip == 0)
                fail(s, "division by zero");
            return 0;
        }
        if (b == -1)
            return op == DIV ? (int64_t)(0 - x) : 0; /* INT64_MIN / -1 wraps */
        return op == DIV ? a / b : a % b;
    case ADD:
        return (int64_t)(x + y);
    case SUB:
        return (int64_t)(x - y);
    case LEFT:
        return (int64_t)(x << (y & 63));
    case RIGHT:
        return a >> (y & 63);
    case LT:
        return a < b;
    case LE:
        return a <= b;
    case GT:
        return a > b;
    case GE:
        return a >= b;
    case EQ:
        return a == b;
    case NE:
        return a != b;
    case AND:
        return a & b;
    case XOR:
        return a ^ b;
    default:
        return a | b;
    }
}

static int64_t binary(struct state *s, uint8_t least)
{
    int64_t left = unary(s);
    for (;;) {
        uint8_t level = 0;
        size_t len = 0;
        enum op op = operator_at(s, &level, &len);
        if (op == OP_NONE || level < least)
            return left;
        s->at += len;
        bool unmeant = (op == BOTH && left == 0) || (op == EITHER && left != 0);
        s->skip += unmeant;
        int64_t right = binary(s, level + 1);
        s->skip -= unmeant;
        if (op == BOTH)
            left = left != 0 && right != 0;
        else if (op == EITHER)
            left = left != 0 || right != 0;
        else
            left = apply(s, op, left, right);
    }
}

static int64_t conditional(struct state *s)
{
    int64_t condition = binary(s, 1);
    blanks(s);
    if (*s->at != '?')
        return condition;
    if (++s->depth > ARITH_DEPTH_MAX)
        fail(s, "nested too deep");
    s->at++;
    s->skip += condition == 0;
    int64_t yes = comma(s);
    s->skip -= condition == 0;
    blanks(s);
    if (*s->at++ != ':')
        fail(s, "':' is missing");
    s->skip += condition != 0;
    int64_t no = conditional(s);
    s->skip -= condition != 0;
    s->depth--;
    return condition != 0 ? yes : no;
}

/* NAME = value, NAME op= value. */
static int64_t assignment(struct state *s)
{
    static const struct {
        char text[4];
        enum op op;
    } assigns[] = { { "=", OP_NONE }, { "*=", MUL },    { "/=", DIV }, { "%=", MOD }, { "+=", ADD }, { "-=", SUB },
                    { "<<=", LEFT },  { ">>=", RIGHT }, { "&=", AND }, { "^=", XOR }, { "|=", OR } };
    char name[ARITH_NAME_MAX + 1];
    const char *start = s->at;
    if (take_name(s, name)) {
        blanks(s);
        for (size_t i = 0; i < sizeof assigns / sizeof assigns[0]; i++) {
            size_t len = strlen(assigns[i].text);
            if (strncmp(s->at, assigns[i].text, len) != 0 || (len == 1 && s->at[1] == '='))
                continue;
            s->at += len;
            if (++s->depth > ARITH_DEPTH_MAX)
                fail(s, "nested too deep");
            int64_t value = assignment(s);
            s->depth--;
            if (assigns[i].op != OP_NONE)
                value = apply(s, assigns[i].op, value_of(s, name), value);
            assign(s, name, value);
            return value;
        }
    }
    s->at = start;
    return conditional(s);
}

static int64_t comma(struct state *s)
{
    int64_t value = assignment(s);
    for (blanks(s); *s->at == ','; blanks(s)) {
        s->at++;
        value = assignment(s);
    }
    return value;
}

bool arith_eval(struct arith *a, const char *text, int64_t *out)
{
    struct state s = { .a = a, .at = text };
    blanks(&s);
    if (*s.at == '\0') {
        *out = 0;
        return true;
    }
    if (setjmp(s.fail) != 0)
        return false;
    int64_t value = comma(&s);
    blanks(&s);
    if (*s.at != '\0')
        fail(&s, "unexpected '%.20s'", s.at);
    *out = value;
    return true;
}
