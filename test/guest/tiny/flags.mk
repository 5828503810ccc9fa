# SPDX-License-Identifier: MIT
STATIC_EXEC := 1
