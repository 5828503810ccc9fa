/* SPDX-License-Identifier: MIT
 * What every test of user-space code needs: cmocka, and a kernel that answers each system call by a function of the
 * test. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
