/* SPDX-License-Identifier: MIT
 * Between the two halves of the parser: lex.c makes tokens and words, lex_alias.c replaces them, parse.c makes
 * commands. */
#pragma once
#include "parse.h"

/* A here-document whose text is still to come. */
struct here {
    struct here *next;
    struct redir *redir;
    const char *delimiter;
    bool strip;
};

[[noreturn]] [[gnu::format(printf, 2, 3)]] void lex_error(struct parser *p, const char *format, ...);
void lex_enter(struct parser *p);
void lex_leave(struct parser *p);
/* Makes the next token the current one, unless there is one. */
enum token lex_peek(struct parser *p);
static inline void lex_take(struct parser *p)
{
    p->token = TOKEN_NONE;
}
/* Replaces the current word by the alias's text. False: it is none. */
bool lex_alias(struct parser *p);
/* Frees the texts of aliases that ended with the token before. */
void lex_forget_spent(struct parser *p);
/* An alias whose text ended with the token under way: leaves it, and remembers it as long as that is the token. */
void lex_spend(struct parser *p);
/* Leaves the alias on top. */
void lex_pop(struct parser *p);
/* The delimiter of a here-document as a string; true in *quoted if any of it was quoted. */
const char *lex_delimiter(struct parser *p, const struct word *w, bool *quoted);
/* At the end of the text: reads the here-documents that still wait. They are empty. */
void lex_finish(struct parser *p);
/* What stands in $( ), or up to the end of the text on top: parse.c. */
struct node *parse_substitution(struct parser *p, bool in_parentheses);
