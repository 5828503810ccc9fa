/* SPDX-License-Identifier: MIT */
#include "history.h"
#include <string.h>

const char *sh_history_get(const struct sh_history *h, uint32_t back)
{
    if (back == 0 || back > h->n)
        return nullptr;
    uint32_t at = 0;
    for (uint32_t skip = h->n - back; skip > 0; skip--)
        at += (uint32_t)strlen(h->text + at) + 1;
    return h->text + at;
}

static void drop_oldest(struct sh_history *h)
{
    uint32_t size = (uint32_t)strlen(h->text) + 1;
    memmove(h->text, h->text + size, h->len - size);
    h->len -= size;
    h->n--;
    h->dropped++;
}

void sh_history_add(struct sh_history *h, const char *line, size_t len)
{
    if (len == 0 || len >= SH_HISTORY_BYTES || line[0] == ' ' || line[0] == '\t')
        return;
    const char *newest = sh_history_get(h, 1);
    if (newest != nullptr && strlen(newest) == len && memcmp(newest, line, len) == 0)
        return;
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\0')
            return;
    while (h->n > 0 && (h->n >= SH_HISTORY_LINES || h->len + len + 1 > SH_HISTORY_BYTES))
        drop_oldest(h);
    memcpy(h->text + h->len, line, len);
    h->text[h->len + len] = '\0';
    h->len += (uint32_t)len + 1;
    h->n++;
}

void sh_history_clear(struct sh_history *h)
{
    h->n = 0;
    h->len = 0;
    h->dropped = 0;
}
