/* SPDX-License-Identifier: MIT */
#include "vars.h"
#include <base/string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool sh_name_ok(const char *name, size_t len)
{
    if (len == 0 || !is_letter(name[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!is_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9'))
            return false;
    return true;
}

size_t sh_assignment_name(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (word[i] == '=')
            return sh_name_ok(word, i) ? i : 0;
    return 0;
}

/* The offset of NAME=..., or v->len. */
static uint32_t find(const struct sh_vars *v, const char *name, size_t len)
{
    uint32_t at = 0;
    while (at < v->len) {
        uint32_t size = (uint32_t)strlen(v->text + at) + 1;
        if (size > len + 1 && memcmp(v->text + at, name, len) == 0 && v->text[at + len] == '=')
            return at;
        at += size;
    }
    return v->len;
}

const char *sh_vars_get(const struct sh_vars *v, const char *name, size_t len)
{
    uint32_t at = find(v, name, len);
    return at < v->len ? v->text + at + len + 1 : nullptr;
}

bool sh_vars_unset(struct sh_vars *v, const char *name, size_t len)
{
    uint32_t at = find(v, name, len);
    if (at == v->len)
        return false;
    uint32_t size = (uint32_t)strlen(v->text + at) + 1;
    memmove(v->text + at, v->text + at + size, v->len - at - size);
    v->len -= size;
    return true;
}

bool sh_vars_set(struct sh_vars *v, const char *name, size_t name_len, const char *value, size_t value_len)
{
    if (!sh_name_ok(name, name_len) || name_len > SH_VARS_BYTES || value_len > SH_VARS_BYTES)
        return false;
    uint32_t old = find(v, name, name_len);
    size_t freed = old < v->len ? strlen(v->text + old) + 1 : 0;
    size_t need = name_len + 1 + value_len + 1;
    if (v->len - freed + need > SH_VARS_BYTES)
        return false;
    (void)sh_vars_unset(v, name, name_len);
    char *to = v->text + v->len;
    memcpy(to, name, name_len);
    to[name_len] = '=';
    memcpy(to + name_len + 1, value, value_len);
    to[need - 1] = '\0';
    v->len += (uint32_t)need;
    return true;
}

uint32_t sh_vars_load(struct sh_vars *v, const char *text, size_t len)
{
    uint32_t left_out = 0;
    size_t at = 0;
    while (at < len) {
        size_t n = 0;
        while (at + n < len && text[at + n] != '\0')
            n++;
        size_t name = sh_assignment_name(text + at, n);
        if (name == 0 || !sh_vars_set(v, text + at, name, text + at + name + 1, n - name - 1))
            left_out += n > 0;
        at += n + 1;
    }
    return left_out;
}
