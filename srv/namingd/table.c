/* SPDX-License-Identifier: MIT */
#include "table.h"
#include <vectra/string.h>

enum { MAY_ALL = 3 };

status_t name_copy(char out[TABLE_NAME_MAX], const uint8_t *bytes, size_t len)
{
    if (len == 0 || len >= TABLE_NAME_MAX)
        return ERR_BAD_ARGUMENT;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~')
            return ERR_BAD_ARGUMENT;
        out[i] = (char)bytes[i];
    }
    out[len] = '\0';
    return OK;
}

bool name_allowed(const struct name_table *t, uint64_t badge, const char *name, uint32_t flag)
{
    if (badge == 0)
        return true;
    for (size_t i = 0; i < NAMING_GRANTS_MAX; i++) {
        const struct name_grant *g = &t->grant[i];
        if (g->badge == badge && (g->flags & flag) == flag && vx_streq(g->name, name))
            return true;
    }
    return false;
}

status_t name_grant(struct name_table *t, uint64_t badge, const char *name, uint32_t flags)
{
    struct name_grant *place = nullptr;
    if (badge == 0 || flags == 0 || (flags & ~(uint32_t)MAY_ALL) != 0)
        return ERR_BAD_ARGUMENT;
    for (size_t i = 0; i < NAMING_GRANTS_MAX; i++) {
        struct name_grant *g = &t->grant[i];
        if (g->flags != 0 && g->badge == badge && vx_streq(g->name, name)) {
            g->flags |= flags;
            return OK;
        }
        if (g->flags == 0 && place == nullptr)
            place = g;
    }
    if (place == nullptr)
        return ERR_TABLE_FULL;
    *place = (struct name_grant){ .badge = badge, .flags = flags };
    (void)vx_strcopy(place->name, sizeof place->name, name);
    return OK;
}

void name_revoke(struct name_table *t, uint64_t badge)
{
    for (size_t i = 0; i < NAMING_GRANTS_MAX; i++) {
        if (t->grant[i].badge == badge)
            t->grant[i] = (struct name_grant){};
    }
}

struct name_entry *name_find(struct name_table *t, const char *name)
{
    for (size_t i = 0; i < NAMING_NAMES_MAX; i++) {
        if (vx_streq(t->entry[i].name, name))
            return &t->entry[i];
    }
    return nullptr;
}

status_t name_publish(struct name_table *t, const char *name, vx_handle_t inbox, vx_handle_t *old)
{
    struct name_entry *e = name_find(t, name);
    if (e == nullptr)
        e = name_find(t, "");
    if (e == nullptr)
        return ERR_TABLE_FULL;
    *old = e->inbox;
    (void)vx_strcopy(e->name, sizeof e->name, name);
    e->inbox = inbox;
    return OK;
}

status_t name_list(const struct name_table *t, uint64_t badge, uint32_t *index, char out[TABLE_NAME_MAX],
                   uint32_t *flags)
{
    uint32_t places = badge == 0 ? NAMING_NAMES_MAX : NAMING_GRANTS_MAX;
    for (uint32_t i = *index; i < places; i++) {
        const struct name_grant *g = &t->grant[i];
        if (badge == 0 ? t->entry[i].name[0] == '\0' : (g->flags == 0 || g->badge != badge))
            continue;
        (void)vx_strcopy(out, TABLE_NAME_MAX, badge == 0 ? t->entry[i].name : g->name);
        *flags = badge == 0 ? MAY_ALL : g->flags;
        *index = i + 1;
        return OK;
    }
    return ERR_NOT_FOUND;
}
