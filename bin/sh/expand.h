/* SPDX-License-Identifier: MIT
 * Word expansion (XCU 2.6). Results are in the temporary arena; errors are thrown. */
#pragma once
#include "ast.h"
#include "pattern.h"
#include <stddef.h>

/* Everything: tilde, parameters, commands, arithmetic, splitting, pathnames, quote removal. The fields of all words,
 * ended by nullptr; *n of them. */
char **expand_words(const struct word *list, size_t *n);
/* The words of a command: behind `export`, `local` and `readonly` what looks like an assignment is expanded as one. */
char **expand_arguments(const struct word *list, size_t *n);
/* Without splitting and pathnames. */
const char *expand_string(const struct word *w);
/* As a value: a tilde behind each ':' too. */
const char *expand_assignment(const struct word *w);
/* A here-document: without tildes. */
const char *expand_document(const struct word *w);
/* Quoted bytes are marked and stand for themselves. */
struct pattern expand_pattern(const struct word *w);

/* $NAME and ${NAME} in a prompt. */
const char *expand_prompt(const char *text);
/* The value of a parameter as $NAME gives it, or nullptr. */
const char *parameter_value(const char *name);
/* What separates fields, and of that what is blank. */
bool is_ifs(char c);
bool is_ifs_blank(char c);
