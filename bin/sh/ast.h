/* SPDX-License-Identifier: MIT
 * What the parser makes of shell text. A tree lives in one arena and never changes; what runs it keeps no pointers into
 * it but through `struct program` (parse.h), which is counted. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct node;
struct word;

/* A word is a chain of parts. `""` is a quoted PART_TEXT of length 0: quotes leave a trace. */
enum part_kind : uint8_t { PART_TEXT, PART_PARAM, PART_COMMAND, PART_ARITH };
enum param_op : uint8_t {
    PARAM_PLAIN,  /* $x ${x} */
    PARAM_LENGTH, /* ${#x} */
    PARAM_DEFAULT,
    PARAM_ASSIGN,
    PARAM_ERROR,
    PARAM_ALTERNATE,
    PARAM_SUFFIX,
    PARAM_SUFFIX_LONG,
    PARAM_PREFIX,
    PARAM_PREFIX_LONG,
    PARAM_BAD, /* an error once it is expanded */
};
struct part {
    struct part *next;
    enum part_kind kind;
    enum param_op op;
    bool quoted;
    bool colon;           /* ${x:-...}: empty counts as unset */
    size_t len;           /* of text */
    const char *text;     /* PART_TEXT; PART_PARAM: the parameter's name */
    struct word *word;    /* PART_PARAM: behind the operator; PART_ARITH: the expression */
    struct node *command; /* PART_COMMAND; nullptr: nothing between the parentheses */
};
struct word {
    struct word *next;
    struct part *parts;
};
struct assign {
    struct assign *next;
    const char *name;
    struct word *value;
};

enum redir_op : uint8_t {
    REDIR_IN,
    REDIR_OUT,
    REDIR_CLOBBER,
    REDIR_APPEND,
    REDIR_BOTH,    /* <> */
    REDIR_DUP_IN,  /* <& */
    REDIR_DUP_OUT, /* >& */
    REDIR_HERE,
};
struct redir {
    struct redir *next;
    enum redir_op op;
    bool literal; /* REDIR_HERE: the delimiter was quoted */
    int fd;
    struct word *word; /* the file, the descriptor, or the document */
};

enum node_kind : uint8_t {
    NODE_SIMPLE,
    NODE_PIPE,     /* items: the stages */
    NODE_NOT,      /* a */
    NODE_AND,      /* a && b */
    NODE_OR,       /* a || b */
    NODE_LIST,     /* items, one after another; those with `background` are not waited for */
    NODE_SUBSHELL, /* a */
    NODE_BRACE,    /* a */
    NODE_IF,       /* a: condition, b: then, c: else or nullptr */
    NODE_WHILE,    /* a: condition, b: body */
    NODE_UNTIL,
    NODE_FOR,      /* name, words (has_words), b: body */
    NODE_CASE,     /* word, cases */
    NODE_FUNCTION, /* name, a: body */
};
struct item {
    struct item *next;
    struct node *node;
    bool background;
};
struct arm {
    struct arm *next;
    struct word *patterns;
    struct node *body; /* nullptr: nothing to do */
};
struct node {
    enum node_kind kind;
    bool has_words; /* NODE_FOR: there was an `in` */
    uint32_t line;
    struct redir *redirs;
    struct assign *assigns; /* NODE_SIMPLE */
    struct word *words;     /* NODE_SIMPLE, NODE_FOR; NODE_CASE: its word */
    const char *name;
    struct node *a, *b, *c;
    struct item *items;
    struct arm *arms;
};
