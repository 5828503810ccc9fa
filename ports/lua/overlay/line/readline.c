/* SPDX-License-Identifier: MIT
 * The interpreter's prompt on a terminal: the line editor of the shell, with a history of its own. What is no terminal
 * is read as it comes. */
#include <readline/readline.h>
#include <readline/history.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "edit.h"

const char *rl_readline_name;
static struct sh_edit editor;
static struct sh_history history;

void add_history(const char *line)
{
    sh_history_add(&history, line, strlen(line));
}

static void draw(void *unused, const char *text, size_t length)
{
    (void)unused;
    fwrite(text, 1, length, stdout);
}

/* NULL: the end of the input, or no memory. */
static char *plain(const char *prompt)
{
    char *line = NULL;
    size_t room = 0;
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t n = getline(&line, &room, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    line[n - (n > 0 && line[n - 1] == '\n')] = '\0';
    return line;
}

/* Bytes as they are typed; what the program prints looks as it always does. */
static struct termios raw_of(const struct termios *before)
{
    struct termios raw = *before;
    raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return raw;
}

static sh_edit_event_t edit(void)
{
    sh_edit_event_t event = SH_EDIT_MORE;
    sh_edit_begin(&editor);
    do {
        unsigned char byte;
        fflush(stdout);
        event = read(STDIN_FILENO, &byte, 1) == 1 ? sh_edit_feed(&editor, byte) : SH_EDIT_END;
        if (event == SH_EDIT_COMPLETE)
            (void)sh_edit_insert(&editor, "    ", 4);
    } while (event == SH_EDIT_MORE || event == SH_EDIT_COMPLETE);
    fflush(stdout);
    return event;
}

char *readline(const char *prompt)
{
    struct termios before;
    struct winsize size = { 0 };
    if (tcgetattr(STDIN_FILENO, &before) != 0 || !isatty(STDOUT_FILENO))
        return plain(prompt);
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    editor.write = draw;
    editor.history = &history;
    editor.prompt = prompt;
    editor.columns = size.ws_col >= 2 ? size.ws_col : 80;
    struct termios raw = raw_of(&before);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    sh_edit_event_t event = edit();
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    return event == SH_EDIT_END ? NULL : event == SH_EDIT_CANCEL ? strdup("") : strndup(editor.text, editor.len);
}
