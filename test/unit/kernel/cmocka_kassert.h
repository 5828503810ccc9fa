/* SPDX-License-Identifier: MIT
 * cmocka, and a kassert that cmocka's expect_assert_failure() understands. Included once per test program. */
#pragma once
/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/kassert.h>
#include <stdlib.h>

void kassert_fail(const char *expr, const char *file, int line)
{
    mock_assert(0, expr, file, line);
    abort();
}
