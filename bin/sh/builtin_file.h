/* SPDX-License-Identifier: MIT */
#pragma once

/* True if the path is absolute and names the current directory. */
bool is_current_directory(const char *path);
