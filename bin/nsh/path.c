/* SPDX-License-Identifier: MIT */
#include "path.h"
#include <base/string.h>

/* Adds one component to out[0..*len), which has no slash at its end. */
static bool add(char *out, size_t *len, const char *part, size_t n)
{
    if (n == 0 || (n == 1 && part[0] == '.'))
        return true;
    if (n == 2 && part[0] == '.' && part[1] == '.') {
        while (*len > 0 && out[--*len] != '/')
            ;
        return true;
    }
    if (*len + 1 + n + 1 > SH_PATH_MAX)
        return false;
    out[(*len)++] = '/';
    memcpy(out + *len, part, n);
    *len += n;
    return true;
}

static bool add_all(char *out, size_t *len, const char *path)
{
    while (*path != '\0') {
        size_t n = 0;
        while (path[n] != '\0' && path[n] != '/')
            n++;
        if (!add(out, len, path, n))
            return false;
        path += n;
        path += *path == '/';
    }
    return true;
}

bool sh_path_join(const char *cwd, const char *path, char out[static SH_PATH_MAX])
{
    size_t len = 0;
    if ((path[0] != '/' && !add_all(out, &len, cwd)) || !add_all(out, &len, path)) {
        out[0] = '\0';
        return false;
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return true;
}

size_t sh_path_component(const char *dir, const char *name, const char **component)
{
    size_t n = strlen(dir + 1); /* the directory, without its leading slash */
    if (n > 0) {
        if (strncmp(name, dir + 1, n) != 0 || name[n] != '/')
            return 0;
        name += n + 1;
    }
    *component = name;
    size_t len = 0;
    while (name[len] != '\0' && name[len] != '/')
        len++;
    return len;
}
