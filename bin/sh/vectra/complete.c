/* SPDX-License-Identifier: MIT */
#include "complete.h"
#include "tools.h"
#include "../builtin.h"
#include "../out.h"
#include "../vars.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

struct matcher {
    const char *stem; /* what is typed of the name, not terminated */
    size_t stem_len;
    bool programs; /* files only: names of programs */
    bool print;
    uint32_t columns, column;
    uint32_t matches;
    bool directory; /* the last match is one */
    size_t common;
    char name[COMPLETE_PATH_MAX]; /* the first match, cut to what all share */
};

static void offer(struct matcher *m, const char *name, bool directory)
{
    size_t len = strlen(name);
    if (len < m->stem_len || memcmp(name, m->stem, m->stem_len) != 0 || len >= COMPLETE_PATH_MAX ||
        (m->programs && directory))
        return;
    if (m->stem_len == 0 && name[0] == '.')
        return;
    if (m->matches > 0 && m->common == len && strcmp(m->name, name) == 0)
        return; /* a built-in and a program of one name */
    m->directory = directory;
    if (m->matches++ == 0) {
        memcpy(m->name, name, len + 1);
        m->common = len;
    }
    size_t same = 0;
    while (same < m->common && same < len && m->name[same] == name[same])
        same++;
    m->common = same;
    if (!m->print)
        return;
    bool last = m->column + 40 > m->columns;
    out_format("%-19s%s", name, last ? "\n" : " ");
    m->column = last ? 0 : m->column + 20;
}

/* The names in a directory. */
static void offer_files(struct matcher *m, const char *dir)
{
    DIR *d = opendir(dir);
    if (d == nullptr)
        return;
    for (const struct dirent *e; (e = readdir(d)) != nullptr;) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        bool directory = fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
        offer(m, e->d_name, directory);
    }
    (void)closedir(d);
}

/* The names in the directories of PATH. */
static void offer_programs(struct matcher *m)
{
    char dir[COMPLETE_PATH_MAX];
    for (const char *at = var_get("PATH"); at != nullptr && *at != '\0';) {
        size_t len = strcspn(at, ":");
        if (len > 0 && len < sizeof dir) {
            memcpy(dir, at, len);
            dir[len] = '\0';
            offer_files(m, dir);
        }
        at += len + (at[len] == ':');
    }
}

static void offer_word(void *ctx, const char *word)
{
    offer(ctx, word, false);
}

static bool is_separator(char c)
{
    return c == ';' || c == '&' || c == '|' || c == '!';
}

uint32_t sh_complete_word(const char *line, uint32_t cursor, bool *first)
{
    uint32_t at = cursor;
    while (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t' && !is_separator(line[at - 1]))
        at--;
    uint32_t before = at;
    while (before > 0 && (line[before - 1] == ' ' || line[before - 1] == '\t'))
        before--;
    *first = before == 0 || is_separator(line[before - 1]);
    return at;
}

/* Where the command begins that the word at `start` belongs to, and which of its arguments that word is. */
static const char *command_of(const char *line, uint32_t start, uint32_t *argument)
{
    uint32_t at = start, words = 0;
    bool in_word = false;
    while (at > 0 && !is_separator(line[at - 1])) {
        bool blank = line[--at] == ' ' || line[at] == '\t';
        words += !blank && !in_word;
        in_word = !blank;
    }
    while (line[at] == ' ' || line[at] == '\t')
        at++;
    *argument = words;
    return line + at;
}

static void gather(struct matcher *m, const char *line, uint32_t cursor)
{
    bool first;
    uint32_t start = sh_complete_word(line, cursor, &first);
    const char *word = line + start;
    size_t len = cursor - start, dir_len = 0;
    for (size_t i = 0; i < len; i++)
        if (word[i] == '/')
            dir_len = i + 1;
    m->stem = word + dir_len;
    m->stem_len = len - dir_len;
    if (first && dir_len == 0) {
        m->programs = true;
        const struct builtin *b;
        for (unsigned i = 0; (b = builtin_at(i)) != nullptr; i++)
            offer(m, b->name, false);
        offer_programs(m);
        return;
    }
    uint32_t argument;
    static const char services[] = "services ";
    if (strncmp(command_of(line, start, &argument), services, sizeof services - 1) == 0) {
        tool_services_offer(argument, offer_word, m);
        return;
    }
    char dir[COMPLETE_PATH_MAX];
    if (dir_len >= sizeof dir)
        return;
    memcpy(dir, word, dir_len);
    dir[dir_len] = '\0';
    offer_files(m, dir_len != 0 ? dir : ".");
}

void sh_complete(const char *line, uint32_t cursor, struct sh_completion *out)
{
    static struct matcher m;
    m = (struct matcher){};
    gather(&m, line, cursor);
    out->matches = m.matches;
    out->n_added = 0;
    if (m.matches == 0)
        return;
    out->n_added = m.common - m.stem_len;
    memcpy(out->added, m.name + m.stem_len, out->n_added);
    if (m.matches == 1)
        out->added[out->n_added++] = m.directory ? '/' : ' ';
}

void sh_complete_list(const char *line, uint32_t cursor, uint32_t columns)
{
    static struct matcher m;
    m = (struct matcher){ .print = true, .columns = columns };
    gather(&m, line, cursor);
    if (m.column > 0)
        out_char('\n');
    (void)out_flush();
}
