/* SPDX-License-Identifier: MIT
 * The shell's grammar: one line of text into commands. Pure: no I/O, no memory beyond the structs.
 *
 *   line    = andor { (";" | "&" | newline) [andor] }
 *   andor   = command { ("&&" | "||") command }
 *   command = { "!" } word { word }          a word is kept raw: quotes and $ are dealt with when the command runs
 *   `#` at the start of a word begins a comment, which ends with the line.
 * Invariant: every word and every list lies inside the text that was parsed. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum : uint32_t {
    SH_LINE_MAX = 4096,    /* bytes of a line; a longer one is refused */
    SH_WORDS_MAX = 512,    /* words of a line */
    SH_COMMANDS_MAX = 128, /* commands of a line */
};

typedef enum sh_parse : uint8_t {
    SH_PARSE_OK,
    SH_PARSE_UNFINISHED_QUOTE, /* a quote is open at the end of the text */
    SH_PARSE_UNEXPECTED,       /* an operator where a command should be; error_at/error_len say which */
    SH_PARSE_NO_PIPES,         /* | < > : they arrive with the POSIX layer */
    SH_PARSE_TOO_LONG,         /* more words or commands than fit, or a line too long */
} sh_parse_t;

/* What stands between a command and the next. */
typedef enum sh_join : uint8_t { SH_JOIN_END, SH_JOIN_SEQUENCE, SH_JOIN_AND, SH_JOIN_OR, SH_JOIN_BACKGROUND } sh_join_t;

struct sh_word {
    uint32_t at, len;
};

struct sh_command {
    uint16_t first_word, n_words;
    bool negate;
    sh_join_t join;   /* to the command after it */
    uint32_t at, end; /* its text, from the first word to the end of the last */
};

struct sh_line {
    uint32_t n_words, n_commands;
    uint32_t error_at, error_len; /* after an error: the text at fault */
    struct sh_word word[SH_WORDS_MAX];
    struct sh_command command[SH_COMMANDS_MAX];
};

/* Parses `text`. A line of blanks and comments is OK with no commands. */
sh_parse_t sh_parse(const char *text, size_t len, struct sh_line *out);
/* One sentence for a person; `text` is what was parsed. Answers its length; always ends in a zero byte within `room`.
 */
size_t sh_parse_message(sh_parse_t why, const struct sh_line *line, const char *text, char *out, size_t room);
