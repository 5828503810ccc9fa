/* SPDX-License-Identifier: MIT
 * Options and names: set, local, alias, unalias, command, type, hash, getopts. */
#include "builtin.h"
#include "exec.h"
#include "hash.h"
#include "jobs.h"
#include "out.h"
#include "shell.h"
#include "vars.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- set --- */

static void set_option(enum option o, bool on)
{
    if (o == OPT_MONITOR)
        jobs_monitor(on);
    else if (o != OPT_INTERACTIVE && o != OPT_STDIN)
        sh.option[o] = on;
}

static void print_options(bool as_commands)
{
    if (!as_commands)
        out_text("Current option settings\n");
    for (unsigned o = 0; o < OPTIONS; o++)
        if (as_commands)
            out_format("set %co %s\n", sh.option[o] ? '-' : '+', option_name((enum option)o));
        else
            out_format("%-15s %s\n", option_name((enum option)o), sh.option[o] ? "on" : "off");
}

/* The letters of one word; the next word may be the name for `o`. */
static bool take_letters(const char *word, int argc, char **argv, int *at, bool *c)
{
    bool on = word[0] == '-';
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        enum option o = option_of_letter(*letter);
        if (*letter == 'c' && c != nullptr) {
            *c = true;
            continue;
        }
        if (*letter == 'o') {
            if (*at + 1 == argc) {
                print_options(!on);
                continue;
            }
            o = option_of_name(argv[++*at]);
        } else if (c != nullptr && (*letter == 'i' || *letter == 's')) {
            sh.option[o] = on; /* when the shell starts */
            continue;
        }
        if (o == OPTIONS) {
            sh_warn("%s: no such option", *letter == 'o' ? argv[*at] : word);
            return false;
        }
        set_option(o, on);
    }
    return true;
}

int options_take(int argc, char **argv, int at, bool *c)
{
    for (; at < argc && (argv[at][0] == '-' || argv[at][0] == '+'); at++) {
        if (strcmp(argv[at], "-") == 0 && c == nullptr) /* obsolete */
            sh.option[OPT_XTRACE] = sh.option[OPT_VERBOSE] = false;
        if (strcmp(argv[at], "--") == 0 || strcmp(argv[at], "-") == 0)
            return at + 1;
        if (argv[at][1] == '\0')
            break;
        if (!take_letters(argv[at], argc, argv, &at, c))
            return -1;
    }
    return at;
}

static void print_variable(void *ctx, const struct symbol *s)
{
    (void)ctx;
    if (s->text == nullptr)
        return;
    out_format("%s=", s->name);
    out_quoted(s->text);
    out_char('\n');
}

int builtin_set(int argc, char **argv)
{
    if (argc == 1) {
        symbols_visit(TABLE_VARS, print_variable, nullptr);
        return 0;
    }
    int at = options_take(argc, argv, 1, nullptr);
    if (at < 0)
        sh_throw(STATUS_ERROR);
    if (at < argc || strcmp(argv[at - 1], "--") == 0)
        params_set((unsigned)(argc - at), argv + at);
    return 0;
}

int builtin_local(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t len = strcspn(argv[i], "=");
        if (!is_name(argv[i], len))
            sh_error("local: %s: not a name", argv[i]);
        const char *name = arena_text(&sh.temp, argv[i], len);
        if (!var_local(name))
            sh_error("local: only in a function");
        if (argv[i][len] == '=')
            var_set(name, argv[i] + len + 1);
    }
    return 0;
}

/* --- aliases --- */

static void print_alias(void *ctx, const struct symbol *s)
{
    (void)ctx;
    if (s->text == nullptr)
        return;
    out_format("%s=", s->name);
    out_quoted(s->text);
    out_char('\n');
}

int builtin_alias(int argc, char **argv)
{
    int status = 0;
    if (argc == 1)
        symbols_visit(TABLE_ALIASES, print_alias, nullptr);
    for (int i = 1; i < argc; i++) {
        size_t len = strcspn(argv[i], "=");
        if (argv[i][len] == '=' && len > 0) {
            alias_set(arena_text(&sh.temp, argv[i], len), argv[i] + len + 1);
        } else if (alias_find(argv[i]) != nullptr) {
            out_format("%s=", argv[i]);
            out_quoted(alias_find(argv[i]));
            out_char('\n');
        } else {
            sh_warn("alias: %s: not found", argv[i]);
            status = 1;
        }
    }
    return status;
}

static void forget_alias(void *ctx, const struct symbol *s)
{
    (void)ctx;
    alias_set(s->name, nullptr);
}

int builtin_unalias(int argc, char **argv)
{
    int status = 0;
    if (argc == 2 && strcmp(argv[1], "-a") == 0) {
        symbols_visit(TABLE_ALIASES, forget_alias, nullptr);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        if (alias_find(argv[i]) == nullptr) {
            sh_warn("unalias: %s: not found", argv[i]);
            status = 1;
        } else {
            alias_set(argv[i], nullptr);
        }
    }
    return status;
}

/* --- names of commands --- */

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Says what a name is: as `command -v`, or in words. False: nothing. */
static bool describe(const char *name, const char *path, bool words)
{
    if (alias_find(name) != nullptr) {
        out_format(words ? "%s is an alias for %s\n" : "alias %s=", name, alias_find(name));
        if (!words) {
            out_quoted(alias_find(name));
            out_char('\n');
        }
        return true;
    }
    if (is_reserved(name)) {
        out_format(words ? "%s is a shell keyword\n" : "%s\n", name);
        return true;
    }
    switch (command_kind(name)) {
    case COMMAND_SPECIAL:
        out_format(words ? "%s is a special shell builtin\n" : "%s\n", name);
        return true;
    case COMMAND_FUNCTION:
        out_format(words ? "%s is a shell function\n" : "%s\n", name);
        return true;
    case COMMAND_BUILTIN:
        out_format(words ? "%s is a shell builtin\n" : "%s\n", name);
        return true;
    default:
        break;
    }
    const char *found = strchr(name, '/') != nullptr ? (is_program(name) ? name : nullptr) : hash_find(name, path);
    if (found == nullptr)
        return false;
    if (words)
        out_format("%s is %s\n", name, found);
    else
        out_format("%s\n", found);
    return true;
}

int builtin_type(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++)
        if (!describe(argv[i], var_get("PATH"), true)) {
            out_format("%s: not found\n", argv[i]);
            status = STATUS_NOT_FOUND;
        }
    return status;
}

/* A function of that name is not meant; a special built-in is an ordinary one. */
static int run_plain(int argc, char **argv, const char *path)
{
    const struct builtin *b = builtin_find(argv[0]);
    struct command c = { .argc = argc, .argv = argv };
    struct scope scope;
    if (b != nullptr && (!b->late || hash_find(argv[0], path) == nullptr)) {
        struct catcher catcher;
        volatile int status;
        volatile bool thrown = false;
        if (CATCH(&catcher) == 0) {
            status = b->run(argc, argv);
        } else {
            status = sh.status;
            thrown = true;
        }
        catch_end(&catcher);
        if (thrown && status == STATUS_SIGNAL + SIGINT)
            sh_throw(status); /* ^C ends more than this */
        return status;
    }
    if (path != var_get("PATH") && strchr(argv[0], '/') == nullptr) {
        const char *found = hash_find(argv[0], path);
        if (found != nullptr) {
            char **words = arena_alloc(&sh.temp, ((size_t)argc + 1) * sizeof *words);
            memcpy(words, argv, ((size_t)argc + 1) * sizeof *words);
            words[0] = (char *)found;
            c.argv = words;
        }
    }
    scope_push(&scope, SCOPE_COMMAND);
    const struct symbol *function = function_find(c.argv[0]);
    struct program *program = function != nullptr ? function->program : nullptr;
    const struct node *node = function != nullptr ? function->node : nullptr;
    if (program != nullptr)
        program_get(program);
    if (function != nullptr)
        function_unset(c.argv[0]);
    int status = exec_command(&c);
    if (function != nullptr)
        function_set(c.argv[0], program, node);
    if (program != nullptr)
        program_put(program);
    scope_pop(&scope);
    return status;
}

int builtin_command(int argc, char **argv)
{
    static const char standard[] = "/bin:/usr/bin:/sbin:/usr/sbin";
    const char *path = var_get("PATH");
    char show = 0;
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        for (const char *letter = argv[at] + 1; *letter != '\0'; letter++) {
            if (*letter == 'p') {
                path = standard;
            } else if (*letter == 'v' || *letter == 'V') {
                show = *letter;
            } else {
                sh_warn("command: -%c: no such option", *letter);
                return STATUS_ERROR;
            }
        }
    }
    if (at == argc)
        return 0;
    if (show == 0)
        return run_plain(argc - at, argv + at, path);
    if (describe(argv[at], path, show == 'V'))
        return 0;
    if (show == 'V')
        sh_warn("%s: not found", argv[at]);
    return STATUS_NOT_FOUND;
}

static void print_path(const char *path)
{
    out_format("%s\n", path);
}

int builtin_hash(int argc, char **argv)
{
    int status = 0, at = 1;
    if (argc > 1 && strcmp(argv[1], "-r") == 0) {
        hash_forget();
        at++;
    }
    if (argc == 1)
        hash_visit(print_path);
    for (; at < argc; at++)
        if (command_kind(argv[at]) == COMMAND_PROGRAM && hash_find(argv[at], var_get("PATH")) == nullptr) {
            sh_warn("hash: %s: not found", argv[at]);
            status = 1;
        }
    return status;
}

/* --- getopts --- */

static size_t option_at; /* how far into the word; 0: its beginning */

void getopts_forget(void)
{
    option_at = 0;
}

static void set_number(const char *name, size_t value)
{
    char text[24];
    size_t at = option_at;
    (void)snprintf(text, sizeof text, "%zu", value);
    var_set(name, text);
    option_at = at; /* setting OPTIND forgets it */
}

int builtin_getopts(int argc, char **argv)
{
    if (argc < 3) {
        sh_warn("getopts: usage: getopts OPTIONS NAME [ARGUMENT...]");
        return STATUS_ERROR;
    }
    char **words = argc > 3 ? argv + 3 : sh.params->at + sh.params->shifted;
    size_t n = argc > 3 ? (size_t)argc - 3 : sh.params->n;
    const char *text = var_get("OPTIND"), *options = argv[1];
    size_t index = text != nullptr ? strtoul(text, nullptr, 10) : 1;
    bool quiet = options[0] == ':';
    if (index == 0)
        index = 1;
    const char *word = index <= n ? words[index - 1] : nullptr;
    if (option_at == 0 || word == nullptr || option_at >= strlen(word)) {
        option_at = 0;
        if (word == nullptr || word[0] != '-' || word[1] == '\0' || strcmp(word, "--") == 0) {
            set_number("OPTIND", index + (word != nullptr && strcmp(word, "--") == 0));
            var_set(argv[2], "?");
            (void)var_unset("OPTARG");
            return 1;
        }
        option_at = 1;
    }
    char letter[2] = { word[option_at++], '\0' };
    const char *known = letter[0] != ':' ? strchr(options, letter[0]) : nullptr;
    bool ends = word[option_at] == '\0';
    const char *result = letter;
    (void)var_unset("OPTARG");
    if (known == nullptr) {
        result = "?";
        if (quiet)
            var_set("OPTARG", letter);
        else
            sh_warn("Illegal option -%s", letter);
    } else if (known[1] == ':') {
        if (!ends) {
            var_set("OPTARG", word + option_at);
        } else if (index < n) {
            var_set("OPTARG", words[index++]);
        } else {
            result = quiet ? ":" : "?";
            if (quiet)
                var_set("OPTARG", letter);
            else
                sh_warn("No arg for -%s option", letter);
        }
        ends = true;
    }
    if (ends) {
        option_at = 0;
        index++;
    }
    set_number("OPTIND", index);
    var_set(argv[2], result);
    return 0;
}
