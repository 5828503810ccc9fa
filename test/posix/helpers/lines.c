/* SPDX-License-Identifier: MIT
 * Runs the commands of a file, one a line: words with ' and " around them, < and > with a file. What they say on
 * standard error is thrown away; after each comes a line with its exit status. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 64 };
extern char **environ;

/* The next word of the line, in place; nullptr at its end. */
static char *next_word(char **line, int *quoted)
{
    char *at = *line + strspn(*line, " \n"), *to = at, *word = at, quote = '\0';
    *quoted = *at == '\'' || *at == '"';
    if (*at == '\0')
        return nullptr;
    for (; *at != '\0' && (quote != '\0' || (*at != ' ' && *at != '\n')); at++) {
        if (quote == '\0' && (*at == '\'' || *at == '"'))
            quote = *at;
        else if (*at == quote)
            quote = '\0';
        else
            *to++ = *at;
    }
    *line = *at != '\0' ? at + 1 : at;
    *to = '\0';
    return word;
}

static int run(char *line)
{
    char *argv[WORDS_MAX + 1], *word;
    int n = 0, status = 0, error, quoted;
    pid_t pid;
    posix_spawn_file_actions_t to;
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&to, 2, "/dev/null", O_WRONLY, 0);
    while ((word = next_word(&line, &quoted)) != nullptr && n < WORDS_MAX) {
        if (!quoted && strcmp(word, "<") == 0)
            posix_spawn_file_actions_addopen(&to, 0, next_word(&line, &quoted), O_RDONLY, 0);
        else if (!quoted && strcmp(word, ">") == 0)
            posix_spawn_file_actions_addopen(&to, 1, next_word(&line, &quoted), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        else
            argv[n++] = word;
    }
    argv[n] = nullptr;
    error = posix_spawnp(&pid, argv[0], &to, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&to);
    if (error != 0)
        return 1000 + error;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    char line[1024];
    FILE *script = argc == 3 ? fopen(argv[1], "re") : nullptr;
    if (script == nullptr) {
        fprintf(stderr, "usage: lines FILE MARK\n");
        return 2;
    }
    while (fgets(line, sizeof line, script) != nullptr) {
        int status = run(line);
        printf("%s %d\n", argv[2], status);
        fflush(stdout);
    }
    return 0;
}
