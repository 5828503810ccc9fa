/* SPDX-License-Identifier: MIT */
#pragma once

void add_history(const char *line);
