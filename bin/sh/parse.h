/* SPDX-License-Identifier: MIT
 * From text to syntax trees: XCU 2.2 to 2.4, 2.7, 2.9, 2.10. Knows nothing of the shell's state; aliases come through a
 * function, text through sources. Reads no further than the end of the line that completes a command. */
#pragma once
#include "ast.h"
#include "mem.h"
#include <setjmp.h>

enum : unsigned {
    PARSE_DEPTH_MAX = 200, /* nested commands, substitutions and expansions; deeper is a syntax error */
};

/* Where text comes from. Several lie on top of each other (aliases, here-documents); the top one is read. */
struct source {
    struct source *below;
    const char *begin, *at, *end;
    /* More text: sets begin, at and end, and keeps the last two bytes that were read before `at`, if there were any.
     * False: the end. nullptr: there is never more. */
    bool (*refill)(struct source *s);
    void *ctx;
    const char *alias; /* the alias that this is the text of */
    bool wall;         /* its end is the end of everything until it is taken away */
};

/* A tree with its memory; counted, because functions outlive the text that they were defined in. */
struct program {
    unsigned users;
    struct arena arena;
    struct node *node;
};
void program_get(struct program *p);
void program_put(struct program *p);

enum token : uint8_t {
    TOKEN_NONE, /* the next one was not read yet */
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_AMP,
    TOKEN_SEMI,
    TOKEN_DSEMI,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_REDIR,
};

struct here;
struct parser {
    struct source *source, *root;
    const char *(*find_alias)(const char *name); /* or nullptr */
    bool interactive;                            /* PS2 is asked for by the source; set while a command is unfinished */
    bool unfinished;
    uint32_t line;
    char message[160];

    /* inside */
    struct arena *arena;
    enum token token;
    struct word *word;   /* TOKEN_WORD */
    const char *literal; /* its text when nothing in it was quoted or is expanded */
    enum redir_op redir_op;
    bool redir_strip;
    int redir_fd;
    uint32_t token_line;
    struct source *spent; /* aliases that ended with the token */
    bool after_blank;     /* an alias that ended in a blank ended: the word behind it may be one too */
    bool delimiter;       /* the next word is one of a here-document: nothing in it is expanded */
    struct here *here, **here_end;
    unsigned depth;
    jmp_buf fail;
};

enum parse : uint8_t {
    PARSE_COMMAND, /* *out is a program; its node is nullptr for an empty line */
    PARSE_END,
    PARSE_ERROR, /* `message` says why; the rest of the line was thrown away */
    PARSE_NO_MEMORY,
};
void parser_init(struct parser *p, struct source *s);
/* Gives back what an alias left behind. */
void parser_fini(struct parser *p);
/* The next complete command: a line, or as many lines as it takes. */
enum parse parse_command(struct parser *p, struct program **out);

/* True for a name as variables have it. */
bool is_name(const char *text, size_t len);
/* True if the word is one of the reserved words. */
bool is_reserved(const char *text);
/* An unquoted word's text, or nullptr. */
const char *word_literal(const struct word *w);
