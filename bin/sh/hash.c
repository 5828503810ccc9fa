/* SPDX-License-Identifier: MIT */
#include "hash.h"
#include "shell.h"
#include "vars.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct known {
    struct known *next;
    const char *path;
    char name[];
};
static struct known *table[64];

static struct known **place(const char *name)
{
    uint32_t h = 0;
    for (const char *c = name; *c != '\0'; c++)
        h = h * 31 + (unsigned char)*c;
    struct known **at = &table[h % 64];
    while (*at != nullptr && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

void hash_forget(void)
{
    for (size_t i = 0; i < 64; i++)
        while (table[i] != nullptr) {
            struct known *k = table[i];
            table[i] = k->next;
            free(k);
        }
}

void hash_visit(void (*visit)(const char *path))
{
    for (size_t i = 0; i < 64; i++)
        for (const struct known *k = table[i]; k != nullptr; k = k->next)
            visit(k->path);
}

static const char *search(const char *name, const char *path)
{
    while (path != nullptr) {
        size_t len = strcspn(path, ":");
        struct text t = { .arena = &sh.temp };
        struct stat st;
        text_add(&t, path, len);
        if (len != 0 && path[len - 1] != '/')
            text_char(&t, '/');
        text_string(&t, name);
        const char *file = text_end(&t);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
            return file;
        path = path[len] == ':' ? path + len + 1 : nullptr;
    }
    return nullptr;
}

const char *hash_find(const char *name, const char *path)
{
    if (path == nullptr || *name == '\0')
        return nullptr;
    bool usual = path == var_get("PATH");
    struct known **at = place(name);
    if (usual && *at != nullptr && access((*at)->path, X_OK) == 0)
        return arena_text(&sh.temp, (*at)->path, strlen((*at)->path));
    const char *found = search(name, path);
    if (!usual || found == nullptr || *at != nullptr)
        return found;
    size_t name_len = strlen(name) + 1, len = strlen(found) + 1;
    struct known *k = malloc(sizeof *k + name_len + len);
    if (k != nullptr) { /* without, it is only slower */
        memcpy(k->name, name, name_len);
        k->path = memcpy(k->name + name_len, found, len);
        k->next = nullptr;
        *at = k;
    }
    return found;
}
